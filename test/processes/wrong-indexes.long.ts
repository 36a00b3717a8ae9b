/**
 * The built program with indexes that are wrong and look right: the same records for every command, and fsck does not say clean.
 * log/plausible-entries.test.ts has more of them, and looks up every offset and time.
 */
import test from 'ava'
import { segmentBaseOffsets } from '../../lib/log/file-names.js'
import { createNodeSystem } from '../../lib/system/node-system.js'
import { makeCli } from '../helpers/run-cli.js'
import {
  HOSTILE_OFFSETS,
  RECORD_COUNT,
  forgedEntries,
  makeWrong,
  timestampOf,
  valueOf,
  wrongEntries,
} from '../log/plausible-entries.js'

function input(): string {
  const records = Array.from({ length: RECORD_COUNT }, (_, offset) => {
    const bytes = Buffer.from(valueOf(offset))
    const value = HOSTILE_OFFSETS.includes(offset)
      ? { value: bytes.toString('base64'), valueEncoding: 'base64' }
      : { value: bytes.toString() }
    return JSON.stringify({ ...value, timestamp: timestampOf(offset) })
  })
  return `${records.join('\n')}\n`
}

const READS = [
  ...[0, ...HOSTILE_OFFSETS.flatMap((offset) => [offset, offset + 1])].map((offset) => `logq cat t -o ${offset}: -J`),
  ...[4, 14, 22].map((offset) => `logq cat t -o @${timestampOf(offset) - 1} -n 2 -J`),
  `logq tail t -n 12 -J`,
  `logq cat t --reverse -n 9 -J`,
  ...HOSTILE_OFFSETS.map((offset) => `logq get t:0@${offset} -J`),
]

const CHOSEN = [
  'an entry that points into a value',
  'an entry that points at the last batch of a value',
  'entries that are doubled',
  'entries in the wrong order',
  'the position of the batch behind',
  'times with a later offset',
  'a last time that is not the latest',
]

for (const [what, wrong] of [
  ...Object.entries(wrongEntries).filter(([name]) => CHOSEN.includes(name)),
  ...Object.entries(forgedEntries),
]) {
  test(`${what}: cat, tail, get, produce and fsck`, async (t) => {
    const cli = makeCli(t)
    const { fs } = createNodeSystem()
    await cli.shell('logq topic create t segment.bytes=2600 index.interval.bytes=1')
    t.is((await cli.shell('logq produce t -J --batch-bytes 1', { stdin: input() })).status, 0)
    const directory = `${cli.store}/t-0`
    const bases = segmentBaseOffsets(fs.list(directory))
    t.true(bases.length > 1)
    const reads = READS.map((read) => `timeout 20 ${read}; echo "status $?"`).join('; ')
    const right = await cli.shell(reads, { timeoutMs: 120_000 })
    t.is(right.stdout.toString().match(/status 0/g)?.length, READS.length)
    makeWrong(fs, directory, bases, wrong)
    if (what in wrongEntries) {
      const read = await cli.shell(reads, { timeoutMs: 120_000 })
      t.is(read.stdout.toString(), right.stdout.toString())
      t.is(read.stderr, right.stderr)
    }
    const checked = await cli.shell('logq fsck')
    t.is(checked.status, 5, checked.stdout.toString())
    t.regex(checked.stdout.toString(), /^cache .*index position \d+: /m)
    t.notRegex(checked.stderr, /clean/)
    const appended = await cli.shell('echo probe | logq produce t --print-offsets && logq cat t -o 0: | tail -n 1')
    t.is(appended.stdout.toString(), `t:0@${RECORD_COUNT}\nprobe\n`, appended.stderr)
    t.is((await cli.shell('logq fsck --repair')).status, 0)
    const repaired = await cli.shell('logq fsck')
    t.is(repaired.status, 0)
    t.is(repaired.stdout.toString(), '')
    const again = await cli.shell(READS[0] ?? '')
    t.true(right.stdout.toString().startsWith(again.stdout.toString().split('\n').slice(0, RECORD_COUNT).join('\n')))
  })
}
