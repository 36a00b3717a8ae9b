/** One record's place as `produce --print-offsets` prints it: TOPIC:PARTITION@OFFSET. */
import { usageError } from '../errors.js'
import { parseWholeNumber } from './units.js'

export interface Place {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

/** Kafka's partition numbers are int32. */
const MAX_PARTITION = 2 ** 31 - 1

/** Undefined for a text that can only be a topic: no topic's name has a colon or an at sign. Throws a usage error for the rest. */
export function parsePlace(text: string): Place | undefined {
  if (!/[:@]/.test(text)) return undefined
  const [, topic, partition, offset] = /^([^:@]+):(\d+)@(\d+)$/.exec(text) ?? []
  if (topic === undefined || partition === undefined || offset === undefined)
    throw usageError(`invalid place '${text}'`, 'a place is written as TOPIC:PARTITION@OFFSET, such as events:0@42')
  return { topic, partition: parseWholeNumber(partition, { maximum: MAX_PARTITION }), offset: parseWholeNumber(offset) }
}

export function formatPlace({ topic, partition, offset }: Place): string {
  return `${topic}:${partition}@${offset}`
}
