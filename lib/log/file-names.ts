/**
 * Every name inside a partition directory, built and parsed in one place (format-spec/store.md).
 *
 * Kafka owns the suffixes .log .index .timeindex .txnindex .snapshot .swap .cleaned .deleted; no file of logq's own ends in one.
 */

export const LOG_SUFFIX = '.log'
export const OFFSET_INDEX_SUFFIX = '.index'
export const TIME_INDEX_SUFFIX = '.timeindex'
/** Kafka alone writes these two: of the aborted transactions of a segment, and of the producers at an offset. */
export const TRANSACTION_INDEX_SUFFIX = '.txnindex'
export const PRODUCER_SNAPSHOT_SUFFIX = '.snapshot'
export type SegmentSuffix =
  | typeof LOG_SUFFIX
  | typeof OFFSET_INDEX_SUFFIX
  | typeof TIME_INDEX_SUFFIX
  | typeof TRANSACTION_INDEX_SUFFIX
  | typeof PRODUCER_SNAPSHOT_SUFFIX

export const LOCK_FILE = 'lock'
export const RECOVERY_POINT_FILE = 'recovery-point'
export const LOG_START_OFFSET_FILE = 'log-start-offset'
export const LEADER_EPOCH_CHECKPOINT_FILE = 'leader-epoch-checkpoint'
export const LEADER_EPOCH_IDS_FILE = 'leader-epoch-ids'
export const QUARANTINE_DIRECTORY = 'quarantine'
export const CLEANER_OFFSET_FILE = 'cleaner-offset'
/** Held by the process that compacts the partition. */
export const CLEANER_LOCK_FILE = 'cleaner-lock'
/** Segments that compaction is writing anew; what is left there by one that was killed is swept by the next. */
export const CLEANER_DIRECTORY = 'cleaner'
/** Followed by what the ids are: `dedupe-key`, `dedupe-value`, `dedupe-header-…`. */
export const DEDUPE_INDEX_PREFIX = 'dedupe-'
/** Followed by 8 hexadecimal digits: what is in one archive of the partition. */
export const ARCHIVED_PREFIX = 'archived-'
/** Held while segments of the partition are archived. */
export const ARCHIVE_LOCK_FILE = 'archived.lock'

/** 20 digits, so that `ls` sorts segments numerically. */
const BASE_OFFSET_DIGITS = 20

export function segmentFileName(baseOffset: number, suffix: SegmentSuffix): string {
  return String(baseOffset).padStart(BASE_OFFSET_DIGITS, '0') + suffix
}

/** Base offset of a segment file name, or undefined when the name is not one (or not below 2^53). */
export function parseSegmentFileName(name: string, suffix: SegmentSuffix): number | undefined {
  if (name.length !== BASE_OFFSET_DIGITS + suffix.length || !name.endsWith(suffix)) return undefined
  const digits = name.slice(0, BASE_OFFSET_DIGITS)
  if (!/^\d+$/.test(digits)) return undefined
  const baseOffset = Number(digits)
  return Number.isSafeInteger(baseOffset) ? baseOffset : undefined
}

/** Base offsets of the segments in a listing, ascending. */
export function segmentBaseOffsets(names: readonly string[]): number[] {
  return offsetsOf(names, LOG_SUFFIX)
}

/** The offsets in the names of files of one kind, ascending. */
export function offsetsOf(names: readonly string[], suffix: SegmentSuffix): number[] {
  const bases: number[] = []
  for (const name of names) {
    const base = parseSegmentFileName(name, suffix)
    if (base !== undefined) bases.push(base)
  }
  return bases.sort((a, b) => a - b)
}

export function partitionDirectoryName(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

/** The partition is what stands after the last '-'. Undefined for every name that partitionDirectoryName() cannot have made. */
export function parsePartitionDirectoryName(name: string): { topic: string; partition: number } | undefined {
  const match = /^(.+)-(0|[1-9]\d{0,9})$/.exec(name)
  if (match?.[1] === undefined || match[2] === undefined) return undefined
  return { topic: match[1], partition: Number(match[2]) }
}
