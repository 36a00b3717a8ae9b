import test from 'ava'
import { BatchScanner } from '../../lib/log/batch-scanner.js'
import { Log } from '../../lib/log/log.js'
import { recover } from '../../lib/log/recovery.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { FIRST_LOG, createPartitionInMemory, hex } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

interface DescribedBatch {
  readonly position: number
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly values: readonly string[]
  readonly maxTimestampMs: number
}

const [example] = readWorkedExamples('segment.md')
const bytes = example?.bytes ?? new Uint8Array()
const batches = example?.expected as readonly DescribedBatch[]

test('segment.md: the bytes are the batches that the page says', (t) => {
  const { system, context, put } = createPartitionInMemory()
  put(FIRST_LOG, bytes)
  const fd = system.fs.open(`${context.directory}/${FIRST_LOG}`, 'read')
  const scanner = new BatchScanner(system.fs, fd, 0, { checkCrc: true })
  const found: DescribedBatch[] = []
  let step = scanner.next()
  for (; step.kind === 'batch'; step = scanner.next()) {
    const { position, batch } = step
    const { sizeBytes, baseOffset, lastOffset } = batch
    const values = [...batch.records()].map(({ value }) => Buffer.from(value ?? []).toString())
    found.push({ position, sizeBytes, baseOffset, lastOffset, values, maxTimestampMs: Number(batch.maxTimestampMs) })
  }
  t.is(step.kind, 'end')
  t.deepEqual(found, batches)
})

test('segment.md: appending what the page says writes the bytes', async (t) => {
  const { context, get } = createPartitionInMemory()
  const log = Log.open(context)
  for (const { values, maxTimestampMs } of batches) {
    const builder = new BatchBuilder({ codec: 'none' })
    const firstTimestampMs = maxTimestampMs - 5 * (values.length - 1)
    for (const [n, value] of values.entries()) {
      const timestampMs = firstTimestampMs + 5 * n
      builder.append({ key: null, value: Buffer.from(value), headers: [], timestampMs })
    }
    await log.append({ bytes: builder.seal().bytes, lastOffsetDelta: values.length - 1, maxTimestampMs })
  }
  await log.close()
  t.is(hex(get(FIRST_LOG)), hex(bytes))
})

test('segment.md: cut anywhere behind its first batch, the example is a log of that batch with a torn tail', (t) => {
  const [first] = batches
  for (let length = first?.sizeBytes ?? 0; length < bytes.length; length += 1) {
    const { context, put, get } = createPartitionInMemory()
    put(FIRST_LOG, bytes.subarray(0, length))
    const recovered = recover(context, 0)
    recovered.files.close()
    t.is(recovered.tail.logEndOffset, 2)
    t.is(recovered.quarantined, undefined)
    t.is(hex(get(FIRST_LOG)), hex(bytes.subarray(0, first?.sizeBytes)))
  }
})
