/**
 * How old the newest record of a topic is, for those who watch whether anything still arrives. A timestamp is what a producer says; the
 * time at which the file was last written is what the file system says. The earlier of the two counts: a timestamp in the future does
 * not make a topic look alive, nor does a copy of old records.
 */
import type { Store } from '../store/store.js'
import { topicUsage, type SegmentUsage } from './disk-usage.js'

/**
 * When the newest record was written, in ms since the Unix epoch; undefined where there is none. Costs a few look-ups a segment. Throws
 * what `topicUsage` throws, and LOGQ_CORRUPT or a system error where times cannot be read.
 */
export function newestRecordMs(store: Store, topic: string): number | undefined {
  let newestMs: number | undefined
  for (const { segments, troubles } of topicUsage(store, topic) ?? []) {
    const [trouble] = troubles
    if (trouble !== undefined) throw trouble
    for (const segment of segments) {
      if (segment.logBytes > 0) newestMs = Math.max(newestMs ?? -1, writtenMs(segment))
    }
  }
  return newestMs
}

/** When the newest record of a segment was written. */
export function writtenMs({ largestTimestampMs, modifiedMs }: SegmentUsage): number {
  return largestTimestampMs < 0 ? modifiedMs : Math.min(largestTimestampMs, modifiedMs)
}
