/**
 * logq as a library: stores, topics, producing and reading. Exports only.
 *
 *     import { createNodeSystem, openOrCreateStore, createTopic, Producer, readRecords } from 'logq'
 *
 *     const store = await openOrCreateStore(createNodeSystem(), '/var/lib/logq')
 *     await createTopic(store, 'events')
 *     const producer = await Producer.open(store, 'events')
 *     await producer.add({ key: Buffer.from('u1'), value: Buffer.from('login') })
 *     await producer.close()
 *     for await (const record of readRecords(store, 'events')) console.log(record.offset, record.value)
 *
 * Byte arrays are Uint8Array, offsets and timestamps are numbers (timestamps in ms). Everything that can wait takes an
 * AbortSignal. Errors are LogqError with a stable `code`.
 */
export { CorruptionError, LogqError, isLogqError, type CorruptionPlace, type ErrorCode } from './errors.js'

export { createNodeSystem } from './system/node-system.js'
export type { System } from './system/system.js'

export type { Header, LogRecord, RecordInput, TimestampType } from './record/record.js'
export type { Codec } from './record/codec.js'
export { RecordBatch, InvalidBatchError } from './record/batch.js'

export { openOrCreateStore, openStore, type CreateStoreOptions, type Store } from './store/store.js'
export {
  addPartitions,
  alterTopic,
  createTopic,
  findTopic,
  getTopic,
  listTopics,
  removeTopic,
  type CreateTopicOptions,
} from './store/topics.js'
export type { Partitioner, TopicFile } from './store/topic-file.js'
export { TOPIC_SETTINGS, TopicConfig, type SettingName, type TopicOverrides } from './store/topic-config.js'
export { describeTopic, type PartitionDescription, type TopicDescription } from './store/describe-topic.js'

export { Producer, type AppendedRecords, type ProducerOptions, type UnwrittenRecords } from './produce/producer.js'

export type { OffsetSpec, Point, TimePoint } from './consume/offset-spec.js'
export {
  followBatches,
  followRecords,
  readBatches,
  readRecords,
  type PlacedBatch,
  type ReadOptions,
  type TopicRecord,
} from './consume/read.js'

export { checkPartition, checkTopicFiles, repairPartition, type CheckOptions } from './maintain/check-store.js'
export type { PartitionCheck } from './maintain/inspect-partition.js'
export type { Finding } from './maintain/finding.js'
export { digestTopic, type DigestOptions, type PartitionDigest, type TopicDigest } from './maintain/digest.js'
