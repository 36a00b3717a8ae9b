/** Records that were synced and are gone: whoever reads hears of it, and nobody is shown a log that is shorter than it was. */
import { closeSync, openSync, readdirSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

async function segments(cli: Cli): Promise<string[]> {
  await cli.shell('logq topic create t segment.bytes=2000; seq 1000 1999 | logq produce t --batch-bytes 300')
  const directory = join(cli.store, 't-0')
  const files = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return files.map((name) => join(directory, name))
}

function flipByte(file: string, position: number): void {
  const fd = openSync(file, 'r+')
  writeSync(fd, Buffer.from('x'), 0, 1, position)
  closeSync(fd)
}

for (const [what, index] of [
  ['the first segment', 0],
  ['a segment in the middle', 2],
] as const) {
  test(`${what} that is missing is corruption, and what follows it can be read`, async (t) => {
    const cli = makeCli(t)
    const files = await segments(cli)
    rmSync(files[index] ?? '')
    const done = await cli.shell('logq cat t > out; echo $?; logq digest t > /dev/null; echo $?; logq cat t -o -3')
    t.is(done.stdout.toString(), '5\n5\n1997\n1998\n1999\n')
    t.regex(done.stderr, /'t-0' is damaged: offsets \d+ to \d+ are missing/)
  })
}

test('a closed segment that ends at a batch but too early is corruption', async (t) => {
  const cli = makeCli(t)
  const files = await segments(cli)
  const size = statSync(files[1] ?? '').size
  // Batches of 1000-byte inputs are alike: the last one is cut off as a whole.
  const batches = await cli.shell(`logq cat t --format batch | wc -c`)
  t.true(Number(batches.stdout.toString()) > size)
  const bytes = (await cli.shell(`od -An -tu4 --endian=big -j8 -N4 '${files[1] ?? ''}'`)).stdout.toString()
  truncateSync(files[1] ?? '', Number(bytes) + 12)
  const done = await cli.shell('logq cat t > out; echo $?')
  t.is(done.stdout.toString(), '5\n')
  t.regex(done.stderr, /are missing/)
})

test('after a repair the dropped offsets are known, and reading passes them over', async (t) => {
  const cli = makeCli(t)
  const files = await segments(cli)
  rmSync(files[2] ?? '')
  const done = await cli.shell('logq fsck -q --repair > /dev/null; echo $?; logq cat t | wc -l; echo $?; logq fsck -q; echo $?')
  const [repaired, lines, read, checked] = done.stdout.toString().trim().split('\n')
  t.deepEqual([repaired, read, checked], ['5', '0', '0'])
  t.true(Number(lines) < 1000 && Number(lines) > 500)
})

test('a damaged batch that was never synced stops cat with status 5, not with a shorter log', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 10 | logq produce t; seq 1000 2999 | logq produce t --acks 0 --batch-bytes 300')
  const file = join(cli.store, 't-0', `${'0'.repeat(20)}.log`)
  flipByte(file, Math.floor(statSync(file).size / 2))
  const done = await cli.shell('logq cat t > out; echo $?')
  t.is(done.stdout.toString(), '5\n')
  t.regex(done.stderr, /'t-0' is damaged: records up to offset 2009 cannot be read/)
})

test('tail -f goes on behind a repair that put another file in the place of the segment it reads', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 1000 1999 | logq produce t --batch-bytes 300')
  const tail = cli.start('exec logq tail -f -n 1 t')
  await tail.waitForOutput('1999\n')
  flipByte(join(cli.store, 't-0', `${'0'.repeat(20)}.log`), 1500)
  await cli.shell(
    'logq fsck -q --repair > /dev/null; logq topic set t segment.bytes=2000; seq 5000 5999 | logq produce t --batch-bytes 300',
  )
  await tail.waitForOutput('5999\n')
  tail.signal('SIGINT')
  await tail.finished
  t.is(tail.stdout().toString(), `1999\n${Array.from({ length: 1000 }, (_, n) => `${5000 + n}\n`).join('')}`)
})

test('tail -f goes on when the lock file was deleted and made anew', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo one | logq produce t')
  rmSync(join(cli.store, 't-0', 'lock'))
  const tail = cli.start('exec logq tail -f t')
  await tail.waitForOutput('one\n')
  await cli.shell('echo two | logq produce t')
  await tail.waitForOutput('two\n')
  tail.signal('SIGINT')
  await tail.finished
  t.is(tail.stderr(), '')
})

test('tail -f -p of a partition that the successor does not have ends with status 1', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; echo one | logq produce t -p 1')
  const tail = cli.start('exec logq tail -f -p 1 t')
  await tail.waitForOutput('one\n')
  await cli.shell('logq topic rm -y t; logq topic create t')
  const finished = await tail.finished
  t.is(finished.status, 1)
  t.regex(finished.stderr, /topic 't' has no partition 1/)
})
