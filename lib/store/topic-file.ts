/** The topic file, `topics/<topic>.json`: what a topic is (format-spec/topic.md). */
import { LogqError } from '../errors.js'
import { checkFormatVersion, parseJsonObject } from './store.js'
import { checkOverrides, type TopicOverrides } from './topic-config.js'

/** Any other text is a CEL expression that gives a number (lib/record/expression.ts). */
export const NAMED_PARTITIONERS = ['murmur2', 'random', 'roundrobin'] as const
export type Partitioner = string
/** As Kafka's Java client: the same key lands on the same partition number. */
export const DEFAULT_PARTITIONER: Partitioner = 'murmur2'
export const TOPIC_FORMAT_VERSION = 1

export interface TopicFile {
  readonly topic: string
  /** 22 characters of base64url, as Kafka writes topic ids. Empty in a Kafka log.dir without partition.metadata. */
  readonly topicId: string
  readonly partitions: number
  readonly partitioner: Partitioner
  /** Settings that differ from the defaults. */
  readonly config: TopicOverrides
  /** RFC 3339, UTC. Empty in a Kafka log.dir. */
  readonly created: string
}

export function isNamedPartitioner(partitioner: Partitioner): boolean {
  return NAMED_PARTITIONERS.some((name) => name === partitioner)
}

export function formatTopicFile(file: TopicFile): Uint8Array {
  const { topic, topicId, partitions, partitioner, config, created } = file
  const content = { formatVersion: TOPIC_FORMAT_VERSION, topic, topicId, partitions, partitioner, config, created }
  return Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`)
}

/** Throws LOGQ_NEWER_FORMAT or LOGQ_CORRUPT, naming the file. */
export function parseTopicFile(bytes: Uint8Array, path: string): TopicFile {
  const content = parseJsonObject(bytes, path)
  checkFormatVersion(content['formatVersion'], path, TOPIC_FORMAT_VERSION)
  const { topic, topicId, partitions, partitioner, created } = content
  if (
    typeof topic !== 'string' ||
    typeof topicId !== 'string' ||
    typeof created !== 'string' ||
    typeof partitioner !== 'string'
  ) {
    throw damaged(path, 'topic, topicId, created or partitioner is wrong')
  }
  if (typeof partitions !== 'number' || !Number.isInteger(partitions) || partitions < 1)
    throw damaged(path, 'partitions is wrong')
  return { topic, topicId, partitions, partitioner, config: checkOverrides(content['config'], path), created }
}

function damaged(path: string, what: string): LogqError {
  return new LogqError('LOGQ_CORRUPT', `'${path}' cannot be used: ${what}`, { hint: 'correct the file by hand, or restore it' })
}
