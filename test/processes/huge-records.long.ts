/**
 * The largest records: just under a max.message.bytes of 1 GiB, in and out by every way, lines and JSON beyond every limit, and large
 * records compressed; memory is at most 150 MiB and four times the record. Needs 6 GiB of memory and 8 GiB of disk, and says so where
 * they are not to be had.
 */
import test, { type ExecutionContext } from 'ava'
import { makeCli } from '../helpers/run-cli.js'
import { baseMiB, lacking, measure, passHugeRecords } from './huge-records.js'

const gibibyte = 2 ** 30
const mebibyte = 2 ** 20
const timeoutMs = 600_000

function isPossible(t: ExecutionContext): boolean {
  t.timeout(timeoutMs)
  const missing = lacking(6 * gibibyte, 8 * gibibyte)
  if (missing === undefined) return true
  t.log(`left out: ${missing}`)
  t.pass(missing)
  return false
}

test.serial('a record of just under 1 GiB, in and out by every way, and refused by text formats with its name', async (t) => {
  if (!isPossible(t)) return
  const cli = await passHugeRecords(t, gibibyte - 64, 'max.message.bytes=1073741824')
  const limitMiB = baseMiB + 4 * 1024
  for (const format of ['-J', '--format tsv', "-F '%v'"]) {
    const done = await measure(cli, `{ peak logq cat ${format} t; echo "status $?"; } | tail -c 100`)
    t.is(done.stdout.toString(), 'status 1\n', format)
    t.regex(done.stderr, /record 't:0@0' is too large/)
    t.true(done.peakMiB <= limitMiB, `${format}: ${done.peakMiB} MiB`)
  }
  const json = await measure(
    cli,
    `{ echo '{"value":"a"}'; printf '{"value":"'; cat in; echo '"}'; echo '{"value":"b"}'; } | peak logq produce -J v`,
  )
  t.is(json.status, 1)
  t.regex(json.stderr, /stdin: line 2: \d+ bytes of text are above 256 MiB/)
  t.true(json.peakMiB <= limitMiB, `${json.peakMiB} MiB`)
  const line = await measure(cli, '{ echo a; cat in; cat in; echo; echo b; } | peak logq produce v')
  t.is(line.status, 1)
  t.regex(line.stderr, /stdin: line 2: a record of \d+ bytes is above max.message.bytes, 1073741824/)
  t.true(line.peakMiB <= limitMiB, `${line.peakMiB} MiB`)
  const small = await measure(cli, '{ echo a; cat in; echo; echo b; } | peak logq produce w')
  t.is(small.status, 1)
  t.regex(small.stderr, /is above max.message.bytes, 16777216/)
  t.true(small.peakMiB <= baseMiB + 4 * 16, `${small.peakMiB} MiB`)
  const after = await cli.shell("logq cat w; logq cat -o -4: v | tr '\\n' ' '")
  t.is(after.stdout.toString(), 'a\nb\na b a b ')
})

for (const codec of ['zstd', 'gzip', 'lz4', 'snappy']) {
  test.serial(`records of 128 MiB, of zeros and of noise, compressed with ${codec}`, async (t) => {
    if (!isPossible(t)) return
    const cli = makeCli(t)
    const size = 128 * mebibyte
    await cli.shell(`logq topic create t max.message.bytes=1073741824 compression.type=${codec}`)
    for (const source of ['/dev/zero', '/dev/urandom']) {
      await cli.shell(`head -c ${size} ${source} | tr '\\n' ' ' > in`, { timeoutMs })
      for (const script of [
        'peak logq produce t in',
        'peak logq cat -o -1: t | cmp - <(cat in; echo)',
        'peak logq tail -n 1 t | cmp - <(cat in; echo)',
        'peak logq digest t',
      ]) {
        const done = await measure(cli, script)
        t.log(`${codec}, ${source}: ${script}: ${done.peakMiB} MiB`)
        t.is(done.status, 0, done.stderr)
        t.true(done.peakMiB <= baseMiB + 4 * 128, `${codec}, ${source}: ${script}: ${done.peakMiB} MiB`)
      }
    }
  })
}
