/** `logq fsck` as people run it: what it prints, what it ends with, and what it does beside others. */
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

/** A topic of several segments. */
async function fill(cli: Cli, topic: string, count = 100): Promise<string> {
  await cli.shell(
    `logq topic create ${topic} segment.bytes=600 index.interval.bytes=100 && seq ${count} | logq produce ${topic} --batch-bytes 150`,
  )
  return join(cli.store, `${topic}-0`)
}

function segmentsOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.log'))
}

function flip(path: string, byte: number): void {
  const bytes = readFileSync(path)
  bytes[byte] = (bytes[byte] ?? 0) ^ 0x10
  writeFileSync(path, bytes)
}

const checksums = async (cli: Cli) => (await cli.shell('find store -type f | sort | xargs cksum')).stdout.toString()

test('fsck of a clean store exits 0, says so on standard error, and changes nothing, with --repair too', async (t) => {
  const cli = makeCli(t)
  await fill(cli, 'a')
  await cli.shell('logq topic create empty --partitions 2')
  const before = await checksums(cli)
  for (const options of ['', '--repair']) {
    const done = await cli.shell(`logq fsck ${options}`)
    t.is(done.status, 0, done.stderr)
    t.is(done.stdout.toString(), '')
    t.regex(done.stderr, /^logq fsck: 'a-0' clean: 100 records in \d+ batches, \d+ segments, \d+ bytes\n/)
    t.regex(done.stderr, /'empty-1' clean: 0 records/)
  }
  t.is(await checksums(cli), before)
  const quiet = await cli.shell('logq fsck -q')
  t.deepEqual([quiet.status, quiet.stdout.toString(), quiet.stderr], [0, '', ''])
})

test('fsck names damage and exits 5; --repair names what was dropped, and then the store is clean and takes records', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli, 'a')
  const [, second = ''] = segmentsOf(directory)
  const path = join(directory, second)
  const asFound = readFileSync(path)
  flip(path, 70)
  const found = await cli.shell('logq fsck -q')
  t.is(found.status, 5)
  const base = Number(second.slice(0, 20))
  t.regex(
    found.stdout.toString(),
    new RegExp(
      `^damage ${path} position 0 offset ${base}: the CRC of a batch does not match: \\d+ bytes; reading goes on at offset \\d+\\n$`,
    ),
  )
  t.is(found.stderr, '')
  t.is((await cli.shell('logq cat a')).status, 5)

  const repaired = await cli.shell('logq fsck --repair a')
  t.is(repaired.status, 5)
  const [, dropped, quarantine] =
    /repaired .*: dropped \d+ bytes, offsets (\d+ to \d+); the segment as it was is in (.*)\n/.exec(
      repaired.stdout.toString(),
    ) ?? []
  t.true(dropped?.startsWith(`${base} to `), repaired.stdout.toString())
  t.regex(repaired.stderr, /'a-0' was damaged: /)
  const kept = readFileSync(quarantine ?? '')
  t.is(kept.length, asFound.length)

  const clean = await cli.shell('logq fsck')
  t.is(clean.status, 0, clean.stdout.toString())
  const next = await cli.shell('echo next | logq produce a && logq cat a | tail -n 2')
  t.is(next.stdout.toString(), '100\nnext\n')
  t.is((await cli.shell('logq fsck -q')).status, 0)
})

test('fsck -J prints one object a line for findings, repairs and partitions', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli, 'a')
  const [first = '', second = ''] = segmentsOf(directory)
  flip(join(directory, second), 70)
  rmSync(join(directory, first.replace('.log', '.index')))
  const lines = async (command: string) => {
    const done = await cli.shell(command)
    t.is(done.status, 5)
    return done.stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  const found = await lines('logq fsck -J')
  t.deepEqual(
    found.map(({ kind }) => kind),
    ['note', 'damage', 'summary'],
  )
  t.deepEqual(Object.keys(found[1] ?? {}), ['topic', 'partition', 'kind', 'file', 'position', 'offset', 'message'])
  t.is(found[2]?.['damageCount'], 1)
  const repaired = await lines('logq fsck -J --repair')
  t.deepEqual([...new Set(repaired.map(({ kind }) => kind))], ['note', 'damage', 'repaired', 'rebuilt', 'summary'])
  t.deepEqual((repaired.find(({ kind }) => kind === 'repaired')?.['droppedOffsets'] as object[]).length, 1)
})

test('a missing index alone exits 0, a wrong one 5, and 0 once --repair has built it anew', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli, 'a')
  const [first = ''] = segmentsOf(directory)
  const index = join(directory, first.replace('.log', '.index'))
  const whole = readFileSync(index)
  rmSync(index)
  const missing = await cli.shell('logq fsck')
  t.is(missing.status, 0)
  t.regex(missing.stdout.toString(), /^note .*\.index: the index of segment 0 is missing; look-ups scan\n$/)
  t.is((await cli.shell('logq fsck --repair')).status, 0)
  t.deepEqual(readFileSync(index), whole)
  t.regex(missing.stderr, /'a-0' clean: /)
  flip(index, 3)
  const wrong = await cli.shell('logq fsck')
  t.is(wrong.status, 5)
  t.regex(wrong.stderr, /'a-0' needs caches rebuilt: 100 records/)
  t.regex((await cli.shell('logq fsck -J')).stdout.toString(), /"damageCount":0,"cacheCount":[1-9]/)
  const repaired = await cli.shell('logq fsck --repair')
  t.is(repaired.status, 0)
  t.regex(repaired.stderr, /'a-0' had caches rebuilt: 100 records/)
  t.regex(repaired.stdout.toString(), /^cache .*\nrebuilt .*\.index\nrebuilt .*\.timeindex\n$/)
  t.deepEqual(readFileSync(index), whole)
  t.is((await cli.shell('logq fsck')).status, 0)
})

test('a batch half-way in at the end is a note, and is cut without a word', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 9 | logq produce a')
  const log = join(cli.store, 'a-0', '00000000000000000000.log')
  appendFileSync(log, readFileSync(log).subarray(0, 50))
  const found = await cli.shell('logq fsck')
  t.is(found.status, 0)
  t.regex(found.stdout.toString(), /^note .* offset 9: .*\(above what was synced; the next append cuts it off\)\n$/)
  t.is((await cli.shell('logq fsck --repair')).status, 0)
  t.deepEqual((await cli.shell('logq fsck')).stdout.toString(), '')
  t.is((await cli.shell('logq cat a | tail -n 1')).stdout.toString(), '9\n')
})

test('an unknown topic exits 1 and the others are checked all the same; an unknown partition or store exits 1', async (t) => {
  const cli = makeCli(t)
  t.is((await cli.shell('logq fsck')).status, 1)
  await fill(cli, 'a')
  const done = await cli.shell('logq fsck nope a')
  t.is(done.status, 1)
  t.regex(done.stderr, /topic 'nope' does not exist[\s\S]*'a-0' clean/)
  t.is((await cli.shell('logq fsck a -p 3')).status, 1)
  t.is((await cli.shell('logq fsck a -p 0')).status, 0)
  t.is((await cli.shell('logq fsck --no-such')).status, 2)
})

test('a damaged topic file, or directory without one, exits 5 and is left alone by --repair', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli, 'a')
  await fill(cli, 'b')
  const file = join(cli.store, 'topics', 'b.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace('"partitions"', '"partition5"'))
  for (const options of ['', '--repair']) {
    const done = await cli.shell(`logq fsck ${options}`)
    t.is(done.status, 5)
    t.true(done.stdout.toString().startsWith(`damage ${file}: `), done.stdout.toString())
    t.regex(done.stderr, /'a-0' clean/)
  }
  t.is((await cli.shell('logq fsck a')).status, 0)
  t.is((await cli.shell('logq fsck b')).status, 5)
  rmSync(join(cli.store, 'topics', 'a.json'))
  t.true(
    (await cli.shell('logq fsck')).stdout
      .toString()
      .includes(`damage ${directory}: it holds records of a topic that has no topic file\n`),
  )
  writeFileSync(join(cli.store, 'logq.json'), '{')
  t.is((await cli.shell('logq fsck')).status, 5)
})

test('a Kafka directory is checked, gaps are normal in it, and --repair is refused', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli, 'a')
  const kafka = join(cli.directory, 'kafka')
  mkdirSync(join(kafka, 'a-0'), { recursive: true })
  const segments = segmentsOf(directory)
  for (const name of [...segments.slice(1), 'leader-epoch-checkpoint'])
    copyFileSync(join(directory, name), join(kafka, 'a-0', name))
  const last = join(kafka, 'a-0', segments.at(-1) ?? '')
  appendFileSync(last, new Uint8Array(500))
  const clean = await cli.shell('logq fsck -s kafka')
  t.is(clean.status, 0, clean.stdout.toString())
  t.regex(clean.stdout.toString(), /note .*\(the log ends here\)\n/)
  flip(join(kafka, 'a-0', segments[2] ?? ''), 70)
  t.is((await cli.shell('logq fsck -s kafka')).status, 5)
  const before = await cli.shell('find kafka -type f | sort | xargs cksum')
  const refused = await cli.shell('logq fsck -s kafka --repair')
  t.is(refused.status, 1)
  t.regex(refused.stderr, /is a Kafka log directory and opens read-only/)
  t.deepEqual(await cli.shell('find kafka -type f | sort | xargs cksum'), before)
})

test('fsck beside running producers finds nothing, and neither does --repair after they were killed', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create a segment.bytes=20000')
  const producers = [0, 1].map(() => cli.start('seq 1000000 | logq produce a --batch-bytes 3000'))
  await cli.shell('sleep 0.3')
  for (let n = 0; n < 3; n += 1) {
    const done = await cli.shell('logq fsck a')
    t.is(done.status, 0, done.stdout.toString())
    t.false(/damage|cache/.test(done.stdout.toString()), done.stdout.toString())
  }
  for (const producer of producers) producer.signal('SIGKILL', { group: true })
  await Promise.all(producers.map(({ finished }) => finished))
  const after = await cli.shell('logq fsck a --repair')
  t.is(after.status, 0, after.stdout.toString())
})

test('INT ends a check without a word, and the exit is by that signal', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 3000000 | logq produce a')
  const running = cli.start('exec logq fsck')
  await cli.shell('sleep 0.35')
  running.signal('SIGINT')
  const done = await running.finished
  t.true(done.signal === 'SIGINT' || done.status === 0, `${String(done.status)} ${String(done.signal)}`)
  t.false(/damage/.test(done.stdout.toString()))
})

test('a repair that is killed at any of its steps is done by the next one', async (t) => {
  const cli = makeCli(t)
  const template = await fill(cli, 'a')
  flip(join(template, segmentsOf(template)[1] ?? ''), 70)
  rmSync(join(template, segmentsOf(template).at(-1) ?? ''))
  const rest = (await cli.shell('logq fsck -q a; cp -r store whole')).stdout.toString()
  t.regex(rest, /damage/)
  const kept = (await cli.shell('logq fsck -q --repair a; logq cat a')).stdout
    .toString()
    .split('\n')
    .filter((line) => /^\d+$/.test(line))
  t.true(kept.length > 50 && kept.length < 100)
  for (const step of ['invalidate', 'place', 'gaps', 'rewrite', 'end', 'indexes', 'recovery-point']) {
    const done = await cli.shell(
      `rm -rf store && cp -r whole store
       LOGQ_FAILPOINT=repair.after-${step}=kill logq fsck -q --repair a; test $? = 137 || exit 99
       logq fsck -q --repair a >/dev/null; logq fsck -q && logq cat a && echo next | logq produce a --print-offsets`,
    )
    t.is(done.status, 0, `${step}: ${done.stderr}${done.stdout.toString()}`)
    t.deepEqual(done.stdout.toString().trimEnd().split('\n'), [...kept, 'a:0@100'], step)
  }
})
