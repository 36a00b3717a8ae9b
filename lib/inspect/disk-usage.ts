/**
 * How much a topic takes on disk, by partition, segment and file. Sizes come from the directory, offsets and times from the ends of the
 * log and its indexes, so that a large topic costs no more than a small one with as many segments. Reads only. What is retained,
 * rolled or removed meanwhile is counted or not, and is no error.
 */
import { isLogqError, isUnreadable, systemErrorCode } from '../errors.js'
import { BatchPlaces } from '../log/batch-places.js'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  parseSegmentFileName,
  segmentFileName,
  type SegmentSuffix,
} from '../log/file-names.js'
import { anchorBelow } from '../log/index-anchor.js'
import { bytesFrom, listSegments, offsetForTimestamp, type ViewContext } from '../log/log-view.js'
import { partitionOffsets, selectPartitions, viewContext, type PartitionOffsets } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { findTopic, getTopic } from '../store/topics.js'
import type { FileSystem } from '../system/file-system.js'

export interface DiskUsage {
  /** Sum of the sizes of the files. */
  readonly sizeBytes: number
  /** Bytes of the blocks that they take: less where Kafka preallocated an index, more for many small files. */
  readonly allocatedBytes: number
}

export interface FileUsage extends DiskUsage {
  /** Within the partition directory: `00000000000000000000.log`, `quarantine/0.120.4096`. */
  readonly name: string
}

export interface SegmentUsage extends DiskUsage {
  readonly baseOffset: number
  readonly logBytes: number
  /** Of both indexes. */
  readonly indexBytes: number
  /** Largest timestamp of the first batch, and of all batches; -1 for none. */
  readonly firstTimestampMs: number
  readonly largestTimestampMs: number
  /** When the .log was written last, in ms since the Unix epoch; -1 where it cannot be opened. */
  readonly modifiedMs: number
}

export interface PartitionUsage extends DiskUsage {
  readonly topic: string
  readonly partition: number
  readonly logBytes: number
  readonly indexBytes: number
  /** Of all other files, quarantine/ among them. */
  readonly otherBytes: number
  /** What kept offsets or times from being read: damage, a read error, or something else than a file in place of a segment. Sizes are
   * right. */
  readonly troubles: readonly Error[]
  /** Log start offset to log end offset; undefined where damage hides them. */
  readonly offsets: PartitionOffsets | undefined
  /** Ascending. */
  readonly segments: readonly SegmentUsage[]
  /** By name. */
  readonly files: readonly FileUsage[]
}

/**
 * The usage of each partition that is here, or of those asked for, ascending. Undefined when the topic was removed meanwhile. Throws
 * LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, LOGQ_CORRUPT for a damaged topic file, or a system error.
 */
export function topicUsage(store: Store, topic: string, partitions?: readonly number[]): PartitionUsage[] | undefined {
  const file = getTopic(store, topic)
  const usages = selectPartitions(store, file, partitions).map((partition) => partitionUsage(store, topic, partition))
  return usages.every(({ files }) => files.length > 0) || findTopic(store, topic)?.topicId === file.topicId ? usages : undefined
}

function partitionUsage(store: Store, topic: string, partition: number): PartitionUsage {
  const context = viewContext(store, topic, partition)
  const baseOf = (name: string, suffix: SegmentSuffix) => parseSegmentFileName(name, suffix)
  const isLog = ({ name }: FileUsage) => baseOf(name, LOG_SUFFIX) !== undefined
  const isIndex = ({ name }: FileUsage) =>
    baseOf(name, OFFSET_INDEX_SUFFIX) !== undefined || baseOf(name, TIME_INDEX_SUFFIX) !== undefined
  const troubles: Error[] = []
  const tell = (error: unknown) => {
    if (error instanceof Error && troubles.every(({ message }) => message !== error.message)) troubles.push(error)
  }
  const files = filesIn(store.system.fs, context.directory, '', tell)
  const byName = new Map(files.map((file) => [file.name, file]))
  const segments = files.flatMap((file) => {
    const base = baseOf(file.name, LOG_SUFFIX)
    return base === undefined ? [] : [segmentUsage(context, base, file, byName, tell)]
  })
  return {
    topic,
    partition,
    ...sum(files),
    logBytes: sum(files.filter(isLog)).sizeBytes,
    indexBytes: sum(files.filter(isIndex)).sizeBytes,
    otherBytes: sum(files.filter((file) => !isLog(file) && !isIndex(file))).sizeBytes,
    offsets: offsetsOf(context, tell),
    segments,
    files,
    troubles,
  }
}

/**
 * All files of a directory and of those in it, by name; none when it is gone, or cannot be listed (which is told). What is no regular
 * file counts as its entry does.
 */
function filesIn(fs: FileSystem, directory: string, prefix: string, tell: (error: unknown) => void): FileUsage[] {
  let names: string[]
  try {
    names = fs.list(directory)
  } catch (error) {
    if (!isGone(error) && !isUnreadable(error)) throw error
    if (!isGone(error)) tell(error)
    return []
  }
  return names.flatMap((name) => {
    const status = fs.pathStatus(`${directory}/${name}`)
    if (status === undefined) return []
    if (status.kind === 'directory') return filesIn(fs, `${directory}/${name}`, `${prefix}${name}/`, tell)
    return [{ name: prefix + name, sizeBytes: status.sizeBytes, allocatedBytes: status.allocatedBytes }]
  })
}

function segmentUsage(
  context: ViewContext,
  baseOffset: number,
  log: FileUsage,
  byName: ReadonlyMap<string, FileUsage>,
  tell: (error: unknown) => void,
): SegmentUsage {
  const suffixes = [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const
  const indexes = suffixes.flatMap((suffix) => byName.get(segmentFileName(baseOffset, suffix)) ?? [])
  return {
    baseOffset,
    ...sum([log, ...indexes]),
    logBytes: log.sizeBytes,
    indexBytes: sum(indexes).sizeBytes,
    ...timesOf(context, baseOffset, tell),
  }
}

/** From the indexes, and from the headers of the batches behind the last entry. */
function timesOf(
  context: ViewContext,
  baseOffset: number,
  tell: (error: unknown) => void,
): Pick<SegmentUsage, 'firstTimestampMs' | 'largestTimestampMs' | 'modifiedMs'> {
  const { fs } = context.system
  const opened: number[] = []
  const open = (suffix: SegmentSuffix) => {
    const fd = fs.open(`${context.directory}/${segmentFileName(baseOffset, suffix)}`, 'read')
    opened.push(fd)
    return fd
  }
  try {
    const logFd = open(LOG_SUFFIX)
    const places = new BatchPlaces(fs, logFd)
    let largest = -1
    let from = 0
    try {
      const descriptors = { baseOffset, logFd, offsetIndexFd: open(OFFSET_INDEX_SUFFIX), timeIndexFd: open(TIME_INDEX_SUFFIX) }
      const anchor = anchorBelow(fs, descriptors, fs.fileStatus(logFd).sizeBytes)
      largest = anchor.maxTimestampMs
      from = anchor.logBytes
    } catch (error) {
      // Without an index, all headers are looked at.
      if (systemErrorCode(error) === undefined) throw error
    }
    for (const { maxTimestampMs } of places.from(from)) largest = Math.max(largest, maxTimestampMs)
    const { modifiedMs } = fs.fileStatus(logFd)
    return { firstTimestampMs: places.at(0)?.maxTimestampMs ?? -1, largestTimestampMs: largest, modifiedMs }
  } catch (error) {
    // Gone meanwhile, something else than a file, or a device that fails: its size is all that can be said.
    if (!isUnreadable(error)) throw error
    if (!isGone(error)) tell(error)
    return { firstTimestampMs: -1, largestTimestampMs: -1, modifiedMs: -1 }
  } finally {
    for (const fd of opened) fs.close(fd)
  }
}

function offsetsOf(context: ViewContext, tell: (error: unknown) => void): PartitionOffsets | undefined {
  try {
    return partitionOffsets(context)
  } catch (error) {
    if (!isGone(error) && !isUnreadable(error)) throw error
    if (!isGone(error)) tell(error)
    return undefined
  }
}

/**
 * Bytes of the batches from the first record on whose timestamp is at least `timestampMs`: what was appended since, as far as the
 * records' own timestamps say so. Undefined where damage hides it.
 */
export async function bytesSince(
  store: Store,
  topic: string,
  partition: number,
  timestampMs: number,
): Promise<number | undefined> {
  const context = viewContext(store, topic, partition)
  try {
    const segments = listSegments(context)
    const offset = await offsetForTimestamp(context, segments, timestampMs)
    return offset === undefined ? 0 : bytesFrom(context, segments, offset)
  } catch (error) {
    if (!isGone(error) && !isUnreadable(error)) throw error
    return undefined
  }
}

function sum(usages: readonly DiskUsage[]): DiskUsage {
  return {
    sizeBytes: usages.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    allocatedBytes: usages.reduce((total, { allocatedBytes }) => total + allocatedBytes, 0),
  }
}

function isGone(error: unknown): boolean {
  return isLogqError(error, 'LOGQ_TOPIC_REMOVED') || ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')
}
