/** Reading what is archived and what is here as one log, and an archive alone; putting segments back below the log start. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatLogStartOffset } from '../../lib/log/log-start-offset.js'
import { parseSegmentFileName, segmentBaseOffsets } from '../../lib/log/file-names.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const LINES = 300

/** A topic of many segments that is archived, and of which the older half is then removed as retention does it. */
async function archived(cli: Cli, codec: string): Promise<number> {
  const made = await cli.shell(
    `logq topic create t segment.bytes=2KiB index.interval.bytes=0 archive.location="$PWD/arch" &&
     seq ${LINES} | sed 's/.*/k&:v&/' | logq produce t -K: --batch-bytes 300 --timestamp 2026-11-20 &&
     logq archive t -q -z ${codec} && logq cat t -J > all && logq digest t > digest`,
  )
  if (made.status !== 0) throw new Error(made.stderr)
  return removeHalf(cli, 't-0')
}

function removeHalf(cli: Cli, partition: string): number {
  const directory = join(cli.directory, 'store', partition)
  const names = readdirSync(directory)
  const bases = segmentBaseOffsets(names)
  const start = bases[Math.floor(bases.length / 2)] ?? 0
  writeFileSync(join(directory, 'log-start-offset'), formatLogStartOffset(start))
  for (const name of names) {
    const base = (['.log', '.index', '.timeindex'] as const)
      .map((suffix) => parseSegmentFileName(name, suffix))
      .find((one) => one !== undefined)
    if (base !== undefined && base < start) rmSync(join(directory, name))
  }
  return start
}

for (const codec of ['none', 'zstd', 'gzip']) {
  test(`archive.location (${codec}): archived and local segments are one log for every command that reads`, async (t) => {
    t.timeout(300_000)
    const cli = makeCli(t)
    const start = await archived(cli, codec)
    t.true(start > 100)
    const same = async (line: string, wanted: string, status = 0) => {
      const done = await cli.shell(line, { timeoutMs: 100_000 })
      t.is(done.stdout.toString(), wanted, line)
      t.is(done.stderr, '', line)
      t.is(done.status, status, line)
    }
    await same('logq cat t -J | cmp - all && echo same', 'same\n')
    await same('logq digest t | cmp - digest && echo same', 'same\n')
    await same(`logq cat t -o ${start - 2}:${start + 2} | wc -l | tr -d " "`, '4\n')
    await same(`logq cat t --reverse -n ${LINES} | tail -n 1`, await valueAt(cli, -LINES))
    await same(`logq tail t -n ${LINES} | head -n 1`, await valueAt(cli, -LINES))
    await same(`logq get t:0@5 -J | cmp - <(sed -n 6p all) && echo same`, 'same\n')
    await same('logq get t --key k3', 'v3\n')
    await same('logq consume t -g g --to-end -o earliest -J | cmp - all && echo same', 'same\n')
    await same('logq cat t -o @2026-11-20:2026-11-21 -w \'key == "k7"\'', 'v7\n')
    await same('rm -r arch/t; logq cat t -o end; echo still', 'still\n')
    const lost = await cli.shell('logq cat t | head -n 1; exit ${PIPESTATUS[0]}')
    t.is(lost.status, 5)
    t.regex(lost.stderr, /'t-0' is damaged in its archive: the file is missing, in '.*arch\/t'/)
  })
}

async function valueAt(cli: Cli, fromEnd: number): Promise<string> {
  const done = await cli.shell(`tail -n ${-fromEnd} all | head -n 1 | sed 's/.*"value":"\\([^"]*\\)".*/\\1/'`)
  return done.stdout.toString()
}

test('an archive that does not reach the log is not part of it: reading begins where the log does', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    'logq topic create t segment.bytes=2KiB archive.location="$PWD/arch"; seq 100 | logq produce t --batch-bytes 300; logq archive t -q; seq 500 | logq produce t --batch-bytes 300',
  )
  const start = removeHalf(cli, 't-0')
  t.true(start > 100)
  const done = await cli.shell('logq cat t -o 0 | head -n 1')
  t.is(done.stdout.toString(), `${start + 1 - 100}\n`)
  t.regex(done.stderr, new RegExp(`begins at offset ${start}: offset 0 no longer exists`))
})

test('cat --archive: an archive alone, without a store; ranges, times, keys and damage as in one', async (t) => {
  t.timeout(300_000)
  const cli = makeCli(t)
  await archived(cli, 'zstd')
  await cli.shell('mv store away')
  const done = await cli.shell(
    'logq cat --archive arch t -J > got; n=$(wc -l < got); head -n $n all | cmp - got && echo same; logq cat --archive arch t -o 0:3 | wc -l; logq cat --archive arch \'t*\' -n 1 --reverse > last; tail -n 1 got | grep -c "\\"$(cat last)\\""',
    { timeoutMs: 100_000 },
  )
  t.is(done.stderr, '')
  t.deepEqual(done.stdout.toString().replaceAll(' ', ''), 'same\n3\n1\n')
  const file = '$(ls arch/t/*/0/*.zst | head -n 1)'
  const damaged = await cli.shell(
    `printf XXXX | dd of=${file} bs=1 seek=20 conv=notrunc 2> /dev/null; logq cat --archive arch t > out`,
  )
  t.is(damaged.status, 5)
  t.regex(damaged.stderr, /'t-0' is damaged in its archive: a compressed block cannot be read/)
})

test('restore below the log start: the log start goes back, and the log is whole', async (t) => {
  const cli = makeCli(t)
  const start = await archived(cli, 'gzip')
  const done = await cli.shell(
    'logq topic set t archive.location=default; logq cat t -o 0 2> clamped | wc -l | tr -d " "; logq restore arch t && logq cat t -J | cmp - all && echo same; logq fsck -q t; echo "status $?"; logq restore arch t; echo x | logq produce t && logq cat t -o -1',
    { timeoutMs: 100_000 },
  )
  t.regex(done.stdout.toString(), /^\d+\nsame\nstatus 0\nx\n$/)
  t.true(start > 0)
  t.regex(done.stderr, /segments of 't' were restored; retain removes.*\n.*nothing of 't' was missing\n/)
})

/** As many bytes as two pipes and what lies before them cannot hold: the reader stands in the middle of the log. */
const MANY = 18_000
const OVERTAKEN = [
  ['cat', 'logq cat t', 'a part'],
  ['tail -f', '{ logq tail -f t -o start & echo $! > pid; wait; } 2> /dev/null', 'a part'],
  ['consume', `logq consume t -g g -n ${MANY} --idle 20s`, 'nothing'],
] as const

for (const [name, command, before] of OVERTAKEN) {
  test(`${name}: a reader that archive and retain overtake skips nothing, with ${before} archived before`, async (t) => {
    t.timeout(120_000)
    const cli = makeCli(t)
    const done = await cli.shell(
      `seq 1000001 ${1_000_000 + MANY} | sed 's/$/ some more bytes in each record, and some more/' > all
         logq topic create t segment.bytes=128KiB archive.location="$PWD/arch"
         head -n 7000 all | logq produce t -q
         ${before === 'nothing' ? '' : 'logq archive t -q -z gzip'}
         tail -n +7001 all | logq produce t -q
         ${command} | { IFS= read -r first; echo "$first"
           logq archive t -q -z zstd && logq retain t -q --max-size 1 > /dev/null || echo failed
           head -n ${MANY - 1}; [ ! -e pid ] || kill $(cat pid); } | cmp - all && ls store/t-0/*.log | wc -l | tr -d " "`,
      { timeoutMs: 100_000 },
    )
    t.is(done.stderr, '')
    // The newest records stay, and an active segment without any.
    t.is(done.stdout.toString(), '2\n')
  })
}

test('a key that was deleted does not come back from what was archived before a compaction: not by reading, nor by restore', async (t) => {
  t.timeout(120_000)
  const cli = makeCli(t)
  const made = await cli.shell(
    `logq topic create t cleanup.policy=compact,delete delete.retention.ms=0 segment.bytes=400 archive.location="$PWD/arch"
     { echo gone:v; seq 20 | sed 's/.*/k&:v&/'; } | logq produce t -K: --batch-bytes 1 && logq archive t -q
     base=$((10#$(basename "$(ls store/t-0/*.log | tail -n 1)" .log)))
     echo gone:- | logq produce t -K: --null - && seq 21 40 | sed 's/.*/k&:v&/' | logq produce t -K: --batch-bytes 1
     for n in 1 2 3; do sleep 0.01; logq compact t -q --min-dirty 0 --include-active > /dev/null; done
     logq trim -y -q t -o $base > /dev/null && logq cat t -K: 2> /dev/null | grep -c 'k[0-9]*:v'; echo $base`,
    { timeoutMs: 100_000 },
  )
  t.is(made.stderr, '')
  const [present, base] = made.stdout.toString().split('\n').map(Number)
  t.true(Number(present) >= 20)
  const read = await cli.shell('logq cat t -K: | grep gone')
  t.is(read.stdout.toString(), '')
  t.is(
    read.stderr,
    `logq cat: 't-0': offsets 0 to ${Number(base) - 1} are archived, and not read: the log was compacted since, and deleted keys would come back; see 'logq cat --archive ${cli.directory}/arch t'\n`,
  )
  t.is((await cli.shell('logq cat t -o end')).stderr, '')
  const restored = await cli.shell('logq restore arch t')
  t.is(restored.status, 6)
  t.regex(
    restored.stderr,
    /'t-0' was compacted below offset \d+: with what was archived before, deleted keys would come back\n.*--as/,
  )
  const beside = await cli.shell(
    'logq restore arch t --as old -q && logq cat old -K: | grep gone; logq cat --archive arch t -n 1',
  )
  t.is(beside.stdout.toString(), 'gone:v\nv\n')
})
