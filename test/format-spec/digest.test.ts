import { createHash } from 'node:crypto'
import test from 'ava'
import { Log } from '../../lib/log/log.js'
import { digestPartition, topicDigest as digestOfTopic } from '../../lib/maintain/digest.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { createPartitionInMemory } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

interface DescribedDigest {
  readonly record: {
    readonly timestampMs: number
    readonly key: string
    readonly value: string
    readonly headers: readonly { readonly key: string; readonly value: null }[]
  }
  readonly partitionDigest: string
  readonly topicDigest: string
}

for (const { bytes, expected } of readWorkedExamples('digest.md')) {
  const { record, partitionDigest, topicDigest } = expected as DescribedDigest

  test('digest.md: the bytes have the digest that the page says', (t) => {
    t.is(createHash('sha256').update(bytes).digest('hex'), partitionDigest)
  })

  test('digest.md: the record that the page says has that digest, and its topic the other', async (t) => {
    const { context } = createPartitionInMemory()
    const builder = new BatchBuilder({ codec: 'none' })
    const { key, value, headers, timestampMs } = record
    builder.append({ key: Buffer.from(key), value: Buffer.from(value), headers, timestampMs })
    const log = Log.open(context)
    await log.append({ bytes: builder.seal().bytes, lastOffsetDelta: 0, maxTimestampMs: timestampMs })
    await log.close()
    const digest = await digestPartition(context, 0, 1)
    t.deepEqual(digest, { partition: 0, digest: partitionDigest, recordCount: 1 })
    t.is(digestOfTopic('events', [digest]).digest, topicDigest)
  })
}
