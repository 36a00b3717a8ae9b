/** `logq du` as people run it: every number is held to what the file system itself says. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

type Line = Readonly<Record<string, string | number | null>>

/** Two topics; one has several partitions and segments, and a copy in quarantine/. */
async function fill(cli: Cli): Promise<void> {
  const done = await cli.shell(
    `logq topic create a --partitions 2 segment.bytes=600 index.interval.bytes=100 && seq 100 | logq produce a --batch-bytes 150
     printf '%s\\n' '{"key":"k","value":"old","timestamp":1700000000000}' '{"key":"k","value":"new","timestamp":1700000007000}' | logq produce b -J
     mkdir store/a-1/quarantine && head -c 1000 /dev/zero > store/a-1/quarantine/0.0.1000`,
  )
  if (done.status !== 0) throw new Error(done.stderr)
}

async function jsonLines(cli: Cli, command: string): Promise<Line[]> {
  const done = await cli.shell(command)
  if (done.status !== 0) throw new Error(`${command}: ${String(done.status)} ${done.stderr}`)
  return done.stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

/** Of the files under a directory, as stat has them. */
function statSum(directory: string, wanted = /./): { sizeBytes: number; allocatedBytes: number } {
  const sum = { sizeBytes: 0, allocatedBytes: 0 }
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !wanted.test(entry.name)) continue
    const { size, blocks } = statSync(join(entry.parentPath, entry.name))
    sum.sizeBytes += size
    sum.allocatedBytes += blocks * 512
  }
  return sum
}

const SEVENTH = 'store/b-0/00000000000000000007.log'

const sizes = ({ sizeBytes, allocatedBytes }: Line) => ({ sizeBytes, allocatedBytes })

test('--by topic, partition, segment and file agree with stat and with each other, and with du -b', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const [a, b, total, forecast] = await jsonLines(cli, 'logq du -J')
  t.deepEqual([a?.['topic'], b?.['topic'], total?.['type'], forecast?.['type']], ['a', 'b', 'total', 'forecast'])
  const directories = ['a-0', 'a-1', 'b-0'].map((name) => join(cli.store, name))
  const [a0, a1, b0] = directories.map((directory) => statSum(directory))
  if (a === undefined || b === undefined || total === undefined || a0 === undefined || a1 === undefined || b0 === undefined) {
    t.fail()
    return
  }
  t.deepEqual(sizes(a), { sizeBytes: a0.sizeBytes + a1.sizeBytes, allocatedBytes: a0.allocatedBytes + a1.allocatedBytes })
  t.deepEqual(sizes(b), b0)
  t.is(total['sizeBytes'], a0.sizeBytes + a1.sizeBytes + b0.sizeBytes)
  // du counts the directories too, which the file system makes as large as it likes.
  const du = await cli.shell(
    `echo $(($(du -sb --total store/a-0 store/a-1 | tail -n 1 | cut -f 1) $(find store/a-0 store/a-1 -type d -printf ' - %s')))`,
  )
  t.is(Number(du.stdout.toString()), Number(a['sizeBytes']))

  const partitions = await jsonLines(cli, 'logq du -J --by partition')
  t.deepEqual(partitions.slice(0, 3).map(sizes), [a0, a1, b0])
  for (const [n, directory] of directories.entries()) {
    const line = partitions[n] ?? {}
    t.is(line['logBytes'], statSum(directory, /^\d{20}\.log$/).sizeBytes)
    t.is(line['indexBytes'], statSum(directory, /^\d{20}\.(time)?index$/).sizeBytes)
    t.is(line['otherBytes'], Number(line['sizeBytes']) - Number(line['logBytes']) - Number(line['indexBytes']))
  }
  t.is(a['logBytes'], Number(partitions[0]?.['logBytes']) + Number(partitions[1]?.['logBytes']))
  t.is(a['offsetSpan'], 100)
  t.is(Number(partitions[0]?.['logEndOffset']) + Number(partitions[1]?.['logEndOffset']), 100)

  const segments = (await jsonLines(cli, 'logq du -J --by segment a')).filter(({ type }) => type === 'segment')
  t.is(segments.length, Number(a['segmentCount']))
  t.true(segments.length > 3)
  for (const line of segments) {
    const of = new RegExp(`^${String(line['baseOffset']).padStart(20, '0')}\\.`)
    t.deepEqual(sizes(line), statSum(join(cli.store, `a-${String(line['partition'])}`), of))
  }
  const files = (await jsonLines(cli, 'logq du -J --by file a')).filter(({ type }) => type === 'file')
  t.is(
    files.reduce((sum, line) => sum + Number(line['sizeBytes']), 0),
    Number(a['sizeBytes']),
  )
  for (const line of files) t.is(statSync(join(cli.store, String(line['file']))).size, Number(line['sizeBytes']))
  t.true(files.some(({ file }) => file === 'a-1/quarantine/0.0.1000'))
})

test('the table for people: a heading, the total last, --human; times of the oldest and the newest records', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const plain = await cli.shell('logq du b')
  t.is(plain.status, 0)
  const rows = plain.stdout.toString().trimEnd().split('\n')
  t.regex(rows[0] ?? '', /^ *BYTES {2}ALLOCATED +LOG +INDEX +OTHER +SEGMENTS +OFFSETS +FIRST +LATEST +NAME$/)
  t.regex(rows[1] ?? '', /^ *\d+ +\d+ +\d+ +0 +\d+ +1 +2 +2023-11-14T22:13:27Z +2023-11-14T22:13:27Z +b$/)
  t.regex(rows[2] ?? '', / total$/)
  t.is(rows.length, 3)
  t.regex((await cli.shell('logq du --human a')).stdout.toString(), /\n *\d(\.\d)?KiB .* a\n/)
  t.regex((await cli.shell('logq du --by segment a')).stdout.toString(), / {2}a-0\/00000000000000000000\n/)
  t.is((await cli.shell('logq du -p 1 a --by partition | tail -n +2 | wc -l')).stdout.toString().trim(), '2')
  const empty = await cli.shell('logq topic create e; logq du e | sed -n 2p')
  t.regex(empty.stdout.toString(), / 0 +- +- +e\n$/)
})

test('the forecast counts what the last 24 hours brought by the timestamps of the records, and says what is free', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const old = await cli.shell('logq du b')
  t.regex(old.stderr, /^logq du: nothing was appended in the last 24 hours; .* are free\n$/)
  t.is((await cli.shell('logq du -q b')).stderr, '')
  const before = (await jsonLines(cli, 'logq du -J a')).find(({ type }) => type === 'forecast')
  // Everything in topic a is of today.
  t.is(
    before?.['lastDayBytes'],
    statSum(join(cli.store, 'a-0'), /^\d{20}\.log$/).sizeBytes + statSum(join(cli.store, 'a-1'), /^\d{20}\.log$/).sizeBytes,
  )
  t.true(Number(before?.['freeBytes']) > 0)
  t.is(before?.['daysUntilFull'], Math.round((10 * Number(before?.['freeBytes'])) / Number(before?.['lastDayBytes'])) / 10)
  t.regex(
    (await cli.shell('logq du a')).stderr,
    /^logq du: .* were appended in the last 24 hours; .* are free: so many every day fill them in (?:\d+(?:\.\d)? days|no less than 10 years), if nothing is deleted\n$/,
  )
  // Only what came after the old records counts.
  const { sizeBytes } = statSum(join(cli.store, 'b-0'), /\.log$/)
  await cli.shell('echo now | logq produce b')
  const after = (await jsonLines(cli, 'logq du -J b')).find(({ type }) => type === 'forecast')
  t.is(after?.['lastDayBytes'], statSum(join(cli.store, 'b-0'), /\.log$/).sizeBytes - sizeBytes)
})

test('damage does not keep du from counting; what is unknown is named, and the rest goes on', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const { sizeBytes } = statSum(join(cli.store, 'b-0'))
  for (const [what, damage, found, status, said] of [
    ['a log start offset', 'printf x > store/b-0/log-start-offset', sizeBytes + 1, 5, /log-start-offset/],
    ['the same, mended', 'rm store/b-0/log-start-offset', sizeBytes, 0, /^$/],
    ['garbage at the end', 'printf garbage >> store/b-0/00000000000000000000.log', sizeBytes + 7, 0, /^$/],
    ['an index that is gone', 'rm store/b-0/00000000000000000000.timeindex', sizeBytes + 7, 0, /^$/],
    ['a pipe in place of an index', 'mkfifo store/b-0/00000000000000000000.timeindex', sizeBytes + 7, 0, /^$/],
    [
      'a link in place of a segment',
      `ln -s nowhere ${SEVENTH}`,
      sizeBytes + 14,
      1,
      /'.*b-0\/0+7\.log': is a symbolic link, not/,
    ],
    ['a pipe', `rm ${SEVENTH}; mkfifo ${SEVENTH}`, sizeBytes + 7, 1, /0+7\.log': is a FIFO, not a regular file\n/],
    ['a directory', `rm ${SEVENTH}; mkdir ${SEVENTH}`, sizeBytes + 7, 1, /0+7\.log': is a directory, not a regular file\n/],
    [
      'a pipe in place of a segment that is not the last',
      `rmdir ${SEVENTH}; mkfifo ${SEVENTH}; : > store/b-0/00000000000000000008.log`,
      sizeBytes + 7,
      1,
      /0+7\.log': is a FIFO, not a regular file\n/,
    ],
  ] as const) {
    await cli.shell(damage)
    const done = await cli.shell('timeout 20 logq du -J b')
    const [line] = done.stdout.toString().split('\n')
    t.is((JSON.parse(line ?? '') as Line)['sizeBytes'], found, what)
    t.is(done.status, status, `${what}: ${done.stderr}`)
    t.regex(done.stderr, said, what)
  }
  const unknown = await cli.shell('logq du nope a')
  t.is(unknown.status, 1)
  t.regex(unknown.stderr, /topic 'nope' does not exist/)
  t.regex(unknown.stdout.toString(), / a\n.* total\n$/)
  t.is((await cli.shell('logq du a -p 9')).status, 1)
  t.regex((await cli.shell("logq du '[ab]' -J | jq -r .topic")).stdout.toString(), /^a\nb\nnull\nnull\n$/)
  t.is((await cli.shell("logq du 'x*'")).status, 1)
  t.is((await cli.shell('logq du --by nothing')).status, 2)
  t.is((await cli.shell('logq du -s nowhere')).status, 1)
  await cli.shell('printf x > store/topics/b.json')
  const broken = await cli.shell('logq du')
  t.is(broken.status, 5)
  t.regex(broken.stdout.toString(), / a\n.* total\n$/)
})

test('a directory of Kafka is counted, holes and all; topics may be made, filled and removed meanwhile', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  await cli.shell('mkdir kafka && cp -r store/a-0 kafka && cd kafka/a-0 && rm lock recovery-point && truncate -s 10M *.index')
  const [line] = await jsonLines(cli, 'logq du -J -s kafka')
  t.deepEqual(sizes(line ?? {}), statSum(join(cli.directory, 'kafka', 'a-0')))
  t.true(Number(line?.['sizeBytes']) > 10 << 20)
  t.true(Number(line?.['allocatedBytes']) < 1 << 20)

  const running = cli.start(
    'while :; do logq topic create c segment.bytes=600 && seq 200 | logq produce c --batch-bytes 100 && logq topic rm -y c; done',
  )
  for (let n = 0; n < 8; n += 1) {
    const done = await cli.shell('logq du --by file && logq du --by segment')
    t.is(done.status, 0, done.stderr)
    t.regex(done.stdout.toString(), / b-0\/lock\n/)
  }
  running.signal('SIGKILL', { group: true })
  await running.finished
})
