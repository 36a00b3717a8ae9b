/** What every part of a log needs to know: where it is, whose it is, and how it is configured. */
import type { Ownership } from '../system/durable.js'
import type { System } from '../system/system.js'

/** The settings that the log itself obeys; names as in Kafka, in camel case. */
export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly indexIntervalBytes: number
}

export interface LogContext {
  readonly system: System
  /** Path of the partition directory. */
  readonly directory: string
  readonly topic: string
  readonly partition: number
  readonly ownership: Ownership
  /** Asked anew for each append, so that a changed configuration is obeyed by running producers. */
  readonly config: () => LogConfig
}

/** `access-0`, as messages name a partition. */
export function partitionName(context: Pick<LogContext, 'topic' | 'partition'>): string {
  return `${context.topic}-${context.partition}`
}
