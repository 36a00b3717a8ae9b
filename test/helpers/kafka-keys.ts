/** Keys, and the partitions that Kafka's Java client gives them: made by test/kafka/run.sh --vectors. */
import { fixture } from './project.js'

export interface KafkaKeys {
  /** Numbers of partitions. */
  readonly counts: readonly number[]
  /** A key, as base64, and its partition for each of `counts`. */
  readonly keys: readonly (readonly [key: string, partitions: readonly number[]])[]
}

export function kafkaKeys(): KafkaKeys {
  return JSON.parse(fixture('kafka/keys.json').toString()) as KafkaKeys
}
