import test from 'ava'
import fc from 'fast-check'
import { resolveOffsets } from '../../lib/consume/offset-spec.js'
import { isLogqError } from '../../lib/errors.js'
import { lastStableOffset, readEndOffset } from '../../lib/log/last-stable-offset.js'
import { listSegments, logEndOffset, type HeldBack, type ViewContext } from '../../lib/log/log-view.js'
import { readPartitionBackwards } from '../../lib/log/read-backwards.js'
import { readPartition, type BatchSlice } from '../../lib/log/read-partition.js'
import { TransactionMarkers } from '../../lib/log/transaction-markers.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { KafkaLog } from '../helpers/kafka-log.js'

const DIRECTORY = '/kafka/t-0'
/** Two of them differ in the last bit only, beyond 2^53. */
const PRODUCERS = [7, 8, 9_007_199_254_740_993n, 9_007_199_254_740_992n]

interface Model {
  readonly offset: number
  readonly value: string
  /** Undefined for a record without a transaction. */
  readonly producer: number | undefined
}

type Step =
  | { readonly kind: 'plain'; readonly count: number }
  | { readonly kind: 'data'; readonly producer: number; readonly count: number }
  | { readonly kind: 'end'; readonly producer: number; readonly isCommit: boolean }
  | { readonly kind: 'emptyControl'; readonly producer: number }
  | { readonly kind: 'roll' | 'gap' }

const steps = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('plain' as const), count: fc.integer({ min: 1, max: 3 }) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('data' as const),
        producer: fc.nat(PRODUCERS.length - 1),
        count: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('end' as const),
        producer: fc.nat(PRODUCERS.length - 1),
        isCommit: fc.boolean(),
      }),
    },
    fc.record({ kind: fc.constant('emptyControl' as const), producer: fc.nat(PRODUCERS.length - 1) }),
    fc.record({ kind: fc.constantFrom('roll' as const, 'gap' as const) }),
  ),
  { maxLength: 40 },
)

/** What is written, and by reading all of it, record by record, what of it is committed and where the first open transaction begins. */
function write(script: readonly Step[]): { log: KafkaLog; all: string[]; committed: string[]; stable: number } {
  const log = new KafkaLog()
  const records: (Model & { outcome: 'plain' | 'open' | 'committed' | 'aborted' })[] = []
  for (const step of script) {
    if (step.kind === 'plain' || step.kind === 'data') {
      const values = Array.from({ length: step.count }, (_, n) => `v${log.nextOffset + n}`)
      const producer = step.kind === 'data' ? step.producer : undefined
      const { baseOffset } = producer === undefined ? log.plain(...values) : log.data(PRODUCERS[producer] ?? 0, values)
      for (const [n, value] of values.entries())
        records.push({ offset: baseOffset + n, value, producer, outcome: producer === undefined ? 'plain' : 'open' })
    } else if (step.kind === 'end') {
      const id = PRODUCERS[step.producer] ?? 0
      if (step.isCommit) log.commit(id)
      else log.abort(id)
      for (const record of records)
        if (record.producer === step.producer && record.outcome === 'open')
          record.outcome = step.isCommit ? 'committed' : 'aborted'
    } else if (step.kind === 'emptyControl') log.emptyControl(PRODUCERS[step.producer] ?? 0)
    else if (step.kind === 'roll') log.roll()
    else log.gap(3)
  }
  const stable = records.find(({ outcome }) => outcome === 'open')?.offset ?? Infinity
  const text = ({ offset, value }: Model) => `${offset}:${value}`
  const isShown = ({ offset, outcome }: (typeof records)[number]) => offset < stable && outcome !== 'aborted'
  return { log, all: records.map(text), committed: records.filter(isShown).map(text), stable }
}

function contextOf(
  log: Pick<KafkaLog, 'files'>,
  options: Partial<ViewContext> = {},
  leaveOut: (name: string) => boolean = () => false,
): ViewContext {
  const system = createFakeSystem()
  system.fs.makeDirectory('/kafka', 0o700)
  system.fs.makeDirectory(DIRECTORY, 0o700)
  for (const [name, bytes] of log.files()) {
    if (leaveOut(name)) continue
    const fd = system.fs.open(`${DIRECTORY}/${name}`, 'create', 0o600)
    system.fs.write(fd, bytes, 0, bytes.length, 0)
    system.fs.close(fd)
  }
  return { system, directory: DIRECTORY, topic: 't', partition: 0, mayHaveOpenTransactions: true, ...options }
}

async function read(slices: AsyncIterable<BatchSlice>): Promise<string[]> {
  const seen: string[] = []
  for await (const { batch, fromOffset, toOffset } of slices) {
    const records = [...batch.records()].filter(({ offset }) => offset >= fromOffset && offset < toOffset)
    seen.push(...records.map(({ offset, value }) => `${offset}:${Buffer.from(value ?? []).toString()}`))
  }
  return seen
}

const offsetOf = (text: string) => Number(text.split(':')[0])

test('what is read of any log with transactions is what a model says that reads the whole log, forwards and backwards', async (t) => {
  const property = fc.asyncProperty(
    steps,
    fc.nat(60),
    fc.nat(60),
    fc.constantFrom('all', 'none', 'damaged'),
    async (script, a, b, snapshots) => {
      const { log, all, committed, stable } = write(script)
      const context = contextOf(log, {}, (name) => snapshots === 'none' && name.endsWith('.snapshot'))
      if (snapshots === 'damaged') damageSnapshots(context)
      const end = logEndOffset(context, listSegments(context))
      t.is(end, log.endOffset)
      const stableEnd = readEndOffset(context)
      t.is(stableEnd, Math.min(stable, end))
      const [from, to] = a < b ? [a, Math.min(b, end)] : [0, end]
      const within = (record: string) => offsetOf(record) >= from && offsetOf(record) < to
      const spec = { kind: 'range', from: { kind: 'offset', offset: from }, to: { kind: 'offset', offset: to } } as const
      const range = await resolveOffsets(context, spec, 0)
      t.deepEqual(await read(readPartition(context, range.fromOffset, range.toOffset)), committed.filter(within))
      const backwards = await read(readPartitionBackwards(context, from, Math.min(to, stableEnd)))
      t.deepEqual(
        backwards.sort((x, y) => offsetOf(x) - offsetOf(y)),
        committed.filter(within),
      )
      const uncommitted = { ...context, isolation: 'read_uncommitted' as const }
      t.deepEqual(await read(readPartition(uncommitted, from, to)), all.filter(within))
      t.is(readEndOffset(uncommitted), end)
    },
  )
  await fc.assert(property, { numRuns: 300 })
})

function damageSnapshots({ system }: ViewContext): void {
  for (const name of system.fs.list(DIRECTORY)) {
    if (!name.endsWith('.snapshot')) continue
    const fd = system.fs.open(`${DIRECTORY}/${name}`, 'read-write')
    system.fs.write(fd, Uint8Array.of(0xff), 0, 1, 7)
    system.fs.close(fd)
  }
}

test('a window of few markers gives the same answers as a large one', (t) => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 4 }), (script, maxNear) => {
      const { log } = write(script)
      const context = contextOf(log)
      const [small, large] = [new TransactionMarkers(context, maxNear), new TransactionMarkers(context)]
      let offset = 0
      for (const step of script) {
        if (step.kind === 'roll') continue
        if (step.kind === 'data') {
          const id = PRODUCERS[step.producer] ?? 0
          t.is(small.next(id, offset)?.offset, large.next(id, offset)?.offset)
        }
        offset += step.kind === 'gap' ? 3 : 'count' in step ? step.count : 1
      }
      small.close()
      large.close()
    }),
    { numRuns: 200 },
  )
})

test('where reading ends at an open transaction, it is told, with the records from there on', async (t) => {
  const log = new KafkaLog()
  log.plain('a')
  log.data(1, ['b', 'c'])
  log.data(2, ['d'])
  log.commit(2)
  log.plain('e')
  const held: HeldBack[] = []
  const context = contextOf(log, { onHeldBack: (each) => held.push(each) })
  t.deepEqual(await read(readPartition(context, 0, 6)), ['0:a'])
  t.deepEqual(held, [{ topic: 't', partition: 0, lastStableOffset: 1, recordCount: 4 }])
  t.is(lastStableOffset(context, listSegments(context), 1), 1)
})

test('a batch whose marker is gone was committed when a later snapshot knows of no open transaction, or aborted as the index has it', async (t) => {
  const log = new KafkaLog()
  log.data(1, ['a'])
  log.data(2, ['b'])
  log.abort(1)
  log.commit(2)
  log.roll()
  log.plain('c')
  const whole = log.files()
  const [first] = whole.keys()
  const bytes = whole.get(first ?? '') ?? new Uint8Array(0)
  // Two control batches of 78 bytes: what is left is as if they had been cleaned away, which Kafka does not do before their records.
  const cut = (files: Map<string, Uint8Array>) => files.set(first ?? '', bytes.subarray(0, bytes.length - 2 * 78))
  const context = contextOf({ files: () => cut(log.files()) })
  t.deepEqual(await read(readPartition(context, 0, 5)), ['1:b', '4:c'])
  t.is(readEndOffset(context), 5)
  t.deepEqual(await read(readPartitionBackwards(context, 0, 5)), ['4:c', '1:b'])
  const bare = contextOf({ files: () => cut(log.files()) }, {}, (name) => name.endsWith('.snapshot'))
  t.deepEqual(await read(readPartition(bare, 0, 5)), [])
  t.is(readEndOffset(bare), 0)
})

test('damage that may hide a marker stops a reader before the first record that depends on it', async (t) => {
  const log = new KafkaLog()
  log.data(2, ['a'])
  log.commit(2)
  log.data(1, ['b'])
  const { position } = log.plain('damaged')
  log.commit(1)
  log.roll()
  log.plain('c')
  const files = log.files()
  const [first = ''] = files.keys()
  const bytes = Uint8Array.from(files.get(first) ?? [])
  bytes[position + 16] = 7
  files.set(first, bytes)
  const seen: string[] = []
  const context = contextOf({ files: () => files })
  const reading = async () => {
    for await (const { batch } of readPartition(context, 0, 6)) seen.push(String(batch.baseOffset))
  }
  const error = await t.throwsAsync(reading)
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.regex(error.message, /whether offset 2 was committed cannot be told, in '.*' at position 216 \(offset 3\)/)
  t.deepEqual(seen, ['0'])
  const passed: string[] = []
  const skipping = contextOf({ files: () => files }, { onDamage: ({ fromOffset }) => passed.push(String(fromOffset)) })
  t.deepEqual(await read(readPartition(skipping, 0, 6)), ['0:a', '2:b', '5:c'])
  t.deepEqual(passed, ['3'])
})
