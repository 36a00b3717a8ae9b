/**
 * `tail -f` while its topic is written, rolled, retained, compacted, moved, replaced, restored and created: every record is printed once
 * and in order, or named on standard error.
 */
import test from 'ava'
import { renameSync } from 'node:fs'
import { createNodeSystem } from '../../lib/system/node-system.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { compact, retain, segmentsOf } from '../consume/change-files.js'
import { makeCli, type Cli, type Running } from '../helpers/run-cli.js'

const waitMs = 60_000
const timeoutMs = 120_000

function follow(cli: Cli, env: Record<string, string> = {}): Running {
  return cli.start('exec logq tail -f -o start t', { timeoutMs, env })
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n)
}

async function create(cli: Cli, ...settings: readonly string[]): Promise<void> {
  const { stderr, status } = await cli.logq(['topic', 'create', 't', ...settings])
  if (status !== 0) throw new Error(stderr)
}

/** Appends the numbers from..to, the end excluded, by a command of its own. */
async function send(cli: Cli, from: number, to: number): Promise<void> {
  const { stderr, status } = await cli.shell(`seq ${from} ${to - 1} | logq produce t -k k`)
  if (status !== 0) throw new Error(stderr)
}

/** The numbers as a slow writer appends them: one produce, a batch every few records. */
function slowly(from: number, to: number): string {
  return `for ((n = ${from}; n < ${to}; n += 20)); do seq $n $((n + 19 < ${to} ? n + 19 : ${to} - 1)); sleep 0.005; done | logq produce t -k k`
}

function storeOf(cli: Cli): Store {
  return openStore(createNodeSystem(), cli.store)
}

/** Waits until the number was printed, then interrupts; gives what was printed as numbers, and what was said. */
async function endOf(tail: Running, last: number): Promise<{ printed: number[]; said: string }> {
  await tail.waitForOutput(new RegExp(`^${last}$`, 'm'), { timeoutMs: waitMs })
  tail.signal('SIGINT')
  const { stdout, stderr } = await tail.finished
  return { printed: stdout.toString().trimEnd().split('\n').map(Number), said: stderr }
}

/** Numbers are offsets here: those that are said to have been deleted. */
function skippedIn(said: string): number[] {
  return [...said.matchAll(/offsets? (\d+)(?: to (\d+))? (?:was|were) deleted/g)].flatMap(([, from, to]) =>
    numbers(Number(from), Number(to ?? from) + 1),
  )
}

test('rolls under load: a segment every few records', async (t) => {
  const cli = makeCli(t)
  await create(cli, 'segment.bytes=1024')
  const tail = follow(cli)
  t.is((await cli.shell(slowly(0, 6000))).status, 0)
  const { printed, said } = await endOf(tail, 5999)
  t.true(segmentsOf(storeOf(cli)).length > 20)
  t.deepEqual(printed, numbers(0, 6000))
  t.is(said, '')
})

test('retention under load, with a follower that is stopped meanwhile: every record is printed, or named as deleted', async (t) => {
  const cli = makeCli(t)
  await create(cli, 'segment.bytes=1024')
  const tail = follow(cli)
  const writer = cli.start(slowly(0, 6000), { timeoutMs })
  let isWriting = true
  void writer.finished.finally(() => {
    isWriting = false
  })
  await tail.waitForOutput('500\n', { timeoutMs: waitMs })
  for (let round = 0; isWriting; round += 1) {
    if (round === 1) tail.signal('SIGSTOP')
    retain(storeOf(cli), 2)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  t.is((await writer.finished).status, 0)
  t.true(retain(storeOf(cli), 1) > 5000)
  tail.signal('SIGCONT')
  const { printed, said } = await endOf(tail, 5999)
  const skipped = skippedIn(said)
  t.true(skipped.length > 0, 'the test deletes what was not read yet')
  t.deepEqual(
    [...printed, ...skipped].sort((a, b) => a - b),
    numbers(0, 6000),
  )
  t.deepEqual(
    printed,
    printed.toSorted((a, b) => a - b),
  )
})

test('compaction under load: what is kept is printed once', async (t) => {
  const cli = makeCli(t)
  await create(cli, 'segment.bytes=1024', 'cleanup.policy=compact')
  const tail = follow(cli)
  const writer = cli.start(slowly(0, 6000), { timeoutMs })
  let isWriting = true
  void writer.finished.finally(() => {
    isWriting = false
  })
  const store = storeOf(cli)
  const dropped = new Set<number>()
  const compacted = new Set<number>()
  while (isWriting) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const base of segmentsOf(store).slice(0, -1)) {
      if (compacted.has(base)) continue
      compacted.add(base)
      let n = 0
      compact(store, base, (first, last) => {
        n += 1
        if (n % 2 === 1) return true
        for (let offset = first; offset <= last; offset += 1) dropped.add(offset)
        return false
      })
    }
  }
  t.is((await writer.finished).status, 0)
  t.true(dropped.size > 100)
  await send(cli, 6000, 6001)
  const { printed, said } = await endOf(tail, 6000)
  t.is(said, '')
  t.is(new Set(printed).size, printed.length)
  t.deepEqual(
    printed,
    printed.toSorted((a, b) => a - b),
  )
  const missing = numbers(0, 6001).filter((n) => !new Set(printed).has(n))
  t.deepEqual(
    missing.filter((n) => !dropped.has(n)),
    [],
  )
})

test('partitions are added while a keyed stream is written', async (t) => {
  const cli = makeCli(t)
  await create(cli)
  const tail = follow(cli)
  const writer = cli.start(`for ((n = 0; n < 2000; n += 1)); do echo $n:$n; sleep 0.001; done | logq produce t -K :`, {
    timeoutMs,
  })
  await tail.waitForOutput('100\n', { timeoutMs: waitMs })
  await cli.shell('logq topic add-partitions t 5')
  t.is((await writer.finished).status, 0)
  await tail.waitForOutput((text) => text.split('\n').length > 2000, { timeoutMs: waitMs })
  tail.signal('SIGINT')
  const { stdout } = await tail.finished
  const printed = stdout.toString().trimEnd().split('\n').map(Number)
  t.deepEqual(
    printed.toSorted((a, b) => a - b),
    numbers(0, 2000),
  )
  const spread = await cli.shell('logq cat t -p 1-4 | wc -l')
  t.true(Number(spread.stdout) > 0)
})

const copies = {
  'a partition directory is replaced by a copy of itself': 'cp -a store/t-0 copy && mv store/t-0 old && mv copy store/t-0',
  'a partition directory is deleted and copied back': 'cp -a store/t-0 copy && rm -rf store/t-0 && cp -a copy store/t-0',
  'a partition directory is moved away and back': 'mv store/t-0 away && sleep 1 && mv away store/t-0',
  'the store is replaced by a copy of itself': 'cp -a store copy && mv store old && mv copy store',
  'the store is moved away and back': 'mv store away && sleep 1 && mv away store',
  'the store is restored from an archive': 'tar -cf store.tar store && rm -rf store && sleep 0.5 && tar -xf store.tar',
} as const

for (const [what, script] of Object.entries(copies)) {
  test(`${what}: each record once, before, across and after`, async (t) => {
    const cli = makeCli(t)
    await create(cli, 'segment.bytes=1024')
    await send(cli, 0, 100)
    const tail = follow(cli)
    await tail.waitForOutput('99\n', { timeoutMs: waitMs })
    await send(cli, 100, 200)
    // The last records are appended in the same breath, so that the follower meets them in the one or the other directory.
    const swapped = await cli.shell(`seq 200 299 | logq produce t -k k && ${script} && seq 300 399 | logq produce t -k k`)
    t.is(swapped.stderr, '')
    await send(cli, 400, 500)
    const { printed, said } = await endOf(tail, 499)
    t.deepEqual(printed, numbers(0, 500), said)
    t.notRegex(said, /deleted|now ends|anew|damaged/)
    if (script.includes('sleep 1')) t.regex(said, /waiting.*\n.*going on where it was left\n/)
  })
}

test('a partition directory that is away when following begins is waited for', async (t) => {
  const cli = makeCli(t)
  await send(cli, 0, 100)
  await cli.shell('logq topic add-partitions t 2 && seq 100 109 | logq produce t -k k -p 1 && mv store/t-1 away')
  for (const begin of ['-o start', '-n 1000']) {
    const tail = cli.start(`exec logq tail -f ${begin} t`, { timeoutMs })
    await tail.waitForOutput(/'t-1' has no directory any more; waiting/, { stream: 'stderr', timeoutMs: waitMs })
    await cli.shell('mv away store/t-1')
    await tail.waitForOutput((text) => text.split('\n').length > 110, { timeoutMs: waitMs })
    tail.signal('SIGINT')
    const { stdout } = await tail.finished
    const printed = stdout.toString().trimEnd().split('\n').map(Number)
    t.deepEqual(
      printed.toSorted((a, b) => a - b),
      numbers(0, 110),
    )
    await cli.shell('mv store/t-1 away')
  }
})

test('a topic that is removed and made anew while following begins ends no follower', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create other')
  const changes = cli.start('while :; do seq 50 | logq produce t; logq topic rm -y t; done', { timeoutMs })
  const tails: Running[] = []
  for (let n = 0; n < 12; n += 1) {
    tails.push(cli.start(`exec logq tail -f t ${n % 2 === 0 ? '-o start' : ''}`, { timeoutMs }))
    await new Promise((resolve) => setTimeout(resolve, 60))
  }
  await new Promise((resolve) => setTimeout(resolve, 1500))
  changes.signal('SIGKILL', { group: true })
  for (const tail of tails) tail.signal('SIGINT')
  for (const tail of tails) {
    const { signal, stderr } = await tail.finished
    t.is(signal, 'SIGINT', stderr)
  }
})

test('an older backup takes the place of the directory: said with both offsets, and followed from its end', async (t) => {
  const cli = makeCli(t)
  await send(cli, 0, 100)
  await cli.shell('cp -a store/t-0 backup')
  await send(cli, 100, 150)
  const tail = follow(cli)
  await tail.waitForOutput('149\n', { timeoutMs: waitMs })
  await cli.shell('mv store/t-0 broken && mv backup store/t-0')
  await tail.waitForOutput(/'t-0' was read up to offset 149 and now ends at 100; going on from there/, {
    stream: 'stderr',
    timeoutMs: waitMs,
  })
  await send(cli, 1000, 1010)
  const { printed } = await endOf(tail, 1009)
  t.deepEqual(printed, [...numbers(0, 150), ...numbers(1000, 1010)])
})

test('a topic that is created later is waited for aloud, and followed from its first record', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create other')
  const tail = follow(cli)
  await tail.waitForOutput(/topic 't' does not exist in store .*: waiting for it/, { stream: 'stderr', timeoutMs: waitMs })
  await send(cli, 0, 100)
  await send(cli, 100, 200)
  const { printed, said } = await endOf(tail, 199)
  t.deepEqual(printed, numbers(0, 200))
  t.regex(said, /'t' was created/)
})

test('a directory that never comes back is said once, and the command can be interrupted', async (t) => {
  const cli = makeCli(t)
  await send(cli, 0, 10)
  const tail = follow(cli)
  await tail.waitForOutput('9\n', { timeoutMs: waitMs })
  renameSync(`${cli.store}/t-0`, `${cli.directory}/gone`)
  await tail.waitForOutput(/'t-0' has no directory any more; waiting/, { stream: 'stderr', timeoutMs: waitMs })
  tail.signal('SIGINT')
  const { signal, stderr } = await tail.finished
  t.is(signal, 'SIGINT')
  t.is(stderr.split('\n').length, 2)
})

/** What the kernel says when its watches are used up, and what it does when its queue of events is full: nothing. */
const withoutHints = {
  'no watch is to be had': `throw Object.assign(new Error('no space left'), { code: 'ENOSPC' })`,
  'hints get lost': `return Object.assign(new (require('node:events').EventEmitter)(), { close() {}, ref() {}, unref() {} })`,
} as const

for (const [what, body] of Object.entries(withoutHints)) {
  test(`where ${what}, polling goes on`, async (t) => {
    const cli = makeCli(t)
    const preload = `const fs = require('node:fs'); fs.watch = () => { process.stderr.write('watched\\\\n'); ${body} }; require('node:module').syncBuiltinESMExports()`
    await cli.shell(`printf '%b' ${JSON.stringify(preload).replaceAll('$', '\\$')} > preload.cjs`)
    await send(cli, 0, 10)
    const tail = follow(cli, { NODE_OPTIONS: `--require=${cli.directory}/preload.cjs` })
    await tail.waitForOutput('watched', { stream: 'stderr', timeoutMs: waitMs })
    for (let n = 10; n < 60; n += 10) await send(cli, n, n + 10)
    const { printed } = await endOf(tail, 59)
    t.deepEqual(printed, numbers(0, 60))
  })
}
