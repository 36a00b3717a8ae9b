/** Faults of the disk and what they cost a producer, most of them on a disk in memory, whose power can be cut. */
import type { ExecutionContext } from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { Producer } from '../../lib/produce/producer.js'
import { openStore, type Store } from '../../lib/store/store.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import type { PowerCut } from '../helpers/memory-disk.js'
import { makeCli } from '../helpers/run-cli.js'
import { hasSmallDisk, onSmallDisk } from '../helpers/small-disk.js'
import { beside } from '../log/tiny-log.js'
import { STORE, text, tinyStore, values } from '../store/tiny-store.js'

const SEEDS = 40
const RECORDS = 12

function expected(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `record ${n} ${'x'.repeat(300)}`)
}

/** Appends batches of one record, and gives how many are acknowledged: with acks 1 a sync comes after every fifth. */
async function produceSome(store: Store, acks: 0 | 1): Promise<number> {
  const producer = await Producer.open(store, 't', { acks })
  let acknowledged = 0
  for (const [n, value] of expected(RECORDS).entries()) {
    await producer.add({ value: text(value) })
    await producer.flush()
    if (acks === 0) acknowledged = n + 1
    if (n % 5 !== 4) continue
    await producer.sync()
    acknowledged = n + 1
  }
  // The process stands still here, and is cut off.
  return acknowledged
}

function powerCuts(): PowerCut[] {
  const seeds = Array.from({ length: SEEDS }, (_, seed) => ({ seed, keepUnsynced: 'random' as const }))
  return [{ seed: 0, keepUnsynced: 'none' }, { seed: 0, keepUnsynced: 'all' }, ...seeds]
}

/** What is left after a power cut, before and after the next producer has begun; an error that reading or appending ends with. */
async function leftAfter(system: FakeSystem, cut: PowerCut): Promise<{ records: string[]; error?: unknown }> {
  const disk = system.disk.afterPowerCut(cut)
  const store = openStore(beside(system, { disk, rebooted: true }), STORE)
  try {
    const append = async () => {
      const producer = await Producer.open(store, 't')
      try {
        await producer.add({ value: text('next') })
        await producer.sync()
      } finally {
        await producer.close(true)
      }
    }
    await append().catch(async (error: unknown) => {
      // Whoever cuts what is damaged and was not synced says so; the next one goes on.
      if (!isLogqError(error, 'LOGQ_CORRUPT') || !error.message.includes('quarantine')) throw error
      await append()
    })
    const records = await values(store, 't')
    if (records.pop() !== 'next') throw new Error('the record that was appended afterwards is not the last one')
    return { records }
  } catch (error) {
    return { records: [], error }
  }
}

export async function checkPowerCut(t: ExecutionContext, acks: 0 | 1, cost: string): Promise<void> {
  const { system, store } = await tinyStore()
  const acknowledged = await produceSome(store, acks)
  const counts: number[] = []
  for (const cut of powerCuts()) {
    const { records, error } = await leftAfter(system, cut)
    t.is(error, undefined, JSON.stringify(cut))
    t.deepEqual(records, expected(records.length), JSON.stringify(cut))
    counts.push(records.length)
  }
  if (acks === 1) t.is(cost, 'nothing')
  t.is(Math.min(...counts) < acknowledged, acks === 0, `${acknowledged} acknowledged, left: ${counts.join(' ')}`)
}

export async function checkFailedFsync(t: ExecutionContext, acks: 0 | 1, cost: string): Promise<void> {
  t.is(cost, acks === 0 ? 'the last records, from the synced offset on' : 'nothing')
  const { system, store } = await tinyStore()
  const synced = await Producer.open(store, 't')
  await synced.add({ value: text('synced') })
  await synced.close()
  const producer = await Producer.open(store, 't', { acks })
  await producer.add({ value: text('appended') })
  await producer.flush()
  const failing = acks === 1 ? system : beside(system)
  failing.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  if (acks === 1) {
    t.true(isLogqError(await t.throwsAsync(producer.sync()), 'LOGQ_SYNC_FAILED'))
  } else {
    await producer.sync()
    const other = await Producer.open(openStore(failing, STORE), 't')
    await other.add({ value: text('of another') })
    t.true(isLogqError(await t.throwsAsync(other.sync()), 'LOGQ_SYNC_FAILED'))
    await other.close(true)
  }
  await producer.close(true)
  const later = openStore(beside(system, { pid: 1500 }), STORE)
  t.deepEqual(await values(later, 't'), ['synced'])
  const refused = await Producer.open(later, 't')
  await refused.add({ value: text('later') })
  t.true(isLogqError(await t.throwsAsync(refused.sync()), 'LOGQ_SYNC_FAILED'))
  await refused.close(true)
}

export async function checkLyingDisk(t: ExecutionContext, acks: 0 | 1, cost: string): Promise<void> {
  t.is(cost, 'the last records, from some offset on')
  const { system, store } = await tinyStore()
  system.process.fdatasync = () => Promise.resolve()
  system.process.fdatasyncBlocking = () => undefined
  const acknowledged = await produceSome(store, acks)
  const isSmall = (name: string) => !name.endsWith('.log')
  let least = acknowledged
  for (const cut of powerCuts()) {
    const { records, error } = await leftAfter(system, cut)
    // What is missing is missing at the end, or is noticed.
    if (error === undefined) t.deepEqual(records, expected(records.length), JSON.stringify(cut))
    else t.true(isLogqError(error, 'LOGQ_CORRUPT'), error instanceof Error ? error.message : '')
    if (error === undefined) least = Math.min(least, records.length)
  }
  t.true(least < acknowledged)
  const noticed = await leftAfter(system, { seed: 0, keepUnsynced: (name) => (isSmall(name) ? 'all' : 'none') })
  t.is(isLogqError(noticed.error, 'LOGQ_CORRUPT'), acks === 1)
}

export async function checkFullDisk(t: ExecutionContext, acks: 0 | 1, cost: string): Promise<void> {
  t.is(cost, 'nothing')
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '400k',
      `export LOGQ_STORE=disk/store; seq -f 'line %g' 40000 > lines
       logq produce t --acks ${acks} --print-offsets --batch-bytes 3000 lines > places; echo "status $?"
       mount -o remount,size=4m disk; echo afterwards | logq produce t; echo "status $?"
       n=$(wc -l < places); [ $n -gt 1000 ] && [ $n -lt 40000 ] && echo some
       paste -d ' ' places <(head -n $n lines) > wanted; logq cat t -F '%t:%p@%o %v\\n' > all
       head -n $n all | cmp - wanted && echo 'all that was acknowledged'; tail -n +$((n + 1)) all | sed 's/.* //'; logq fsck -q; echo "status $?"`,
    ),
    { timeoutMs: 60_000 },
  )
  t.is(done.stdout.toString(), 'status 1\nstatus 0\nsome\nall that was acknowledged\nafterwards\nstatus 0\n', done.stderr)
}

export async function checkDamage(t: ExecutionContext, acks: 0 | 1, cost: string): Promise<void> {
  t.is(cost, acks === 0 ? 'the damaged batches, and unsynced ones behind them' : 'the damaged batches')
  const cli = makeCli(t)
  const log = 'store/t-0/00000000000000000000.log'
  const done = await cli.shell(
    `seq 1001 1010 | logq produce t; seq 1011 1040 | logq produce t --acks ${acks} --batch-bytes 100
     size=$(stat -c %s ${log}); printf X | dd of=${log} bs=1 seek=$((size / 2)) conv=notrunc status=none
     logq cat t > first; echo "status $?"; logq cat t --on-corrupt skip > beside 2> named; echo "status $?"; grep -c damaged named
     echo more | logq produce t; echo "status $?"; echo more | logq produce t; echo "status $?"
     logq cat t --on-corrupt skip > after 2> /dev/null; echo "status $?"
     comm -12 beside <(seq 1001 1040) | wc -l; comm -12 after <(seq 1001 1040) | wc -l; tail -n 1 after; ls store/t-0 | grep -c quarantine`,
  )
  const [...report] = done.stdout.toString().trimEnd().split('\n')
  t.log(report.join(', '))
  const [first, skipping, named, next, again, after, besideCount, afterCount, last, quarantine] = report
  t.deepEqual([first, skipping, named, last], ['status 5', 'status 5', '1', 'more'], done.stderr)
  t.true(Number(besideCount) >= 10 && Number(besideCount) < 40)
  if (acks === 1) {
    // Nothing is cut: the records behind the damage stay, and the damage goes on to be named.
    t.deepEqual([next, again, after, quarantine], ['status 0', 'status 0', 'status 5', '0'])
    t.is(afterCount, besideCount)
    t.true(Number(afterCount) > 30)
  } else {
    t.deepEqual([next, again, after, quarantine], ['status 5', 'status 0', 'status 0', '1'])
    t.true(Number(afterCount) >= 10 && Number(afterCount) < 40)
  }
}
