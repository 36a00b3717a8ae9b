/**
 * The manifest of an archived partition: which segments are in the archive, and how each can be proved (format-spec/archive.md). A copy
 * of it is in the partition itself (archived-files.ts).
 *
 * Lines that prove themselves: the first says of which partition the manifest is, every other one describes a segment. What is read may
 * come from anybody: whatever is not exactly as it must be is an error, and no part of a path is taken from it.
 */
import { LogqError } from '../../errors.js'
import { checkedLines, formatCheckedLine, type JsonObject } from '../group/checked-line.js'
import { isLegalName } from '../names.js'
import { checkFormatVersion } from '../store.js'
import { checkOverrides, type TopicOverrides } from '../topic-config.js'
import type { Partitioner } from '../topic-file.js'
import { MAX_PARTITIONS } from '../topics.js'

export const MANIFEST_FORMAT_VERSION = 1
/** Plain bytes of a compressed block: what is read and decompressed at once, wherever one looks. The last one is shorter. */
export const BLOCK_BYTES = 1 << 20

export const ARCHIVE_CODECS = ['none', 'zstd', 'gzip'] as const
export type ArchiveCodec = (typeof ARCHIVE_CODECS)[number]

/** Whose segments these are, as the topic was when the manifest was written. */
export interface ArchivedPartition {
  readonly topic: string
  readonly topicId: string
  readonly storeId: string
  readonly partition: number
  /** Of the topic. */
  readonly partitions: number
  readonly partitioner: Partitioner
  readonly config: TopicOverrides
}

/** An epoch of which the first batch is in the segment. */
export interface ArchivedEpoch {
  readonly epoch: number
  readonly startOffset: number
}

export interface ArchivedSegment {
  readonly baseOffset: number
  /** Base offset - 1 in a segment without a batch. */
  readonly lastOffset: number
  /** Where the next segment began: no offset from the base offset up to here is anywhere else. */
  readonly endOffset: number
  /** Of the first batch; -1 for none. */
  readonly firstTimestampMs: number
  /** -1 for none. */
  readonly largestTimestampMs: number
  /** Of the segment itself. */
  readonly sizeBytes: number
  readonly sha256: string
  readonly codec: ArchiveCodec
  /** Of the object. */
  readonly storedBytes: number
  readonly storedSha256: string
  /** Sizes of the compressed blocks, in order; each can be decompressed by itself. Empty without a codec. */
  readonly blocks: readonly number[]
  readonly leaderEpochs: readonly ArchivedEpoch[]
}

export interface Manifest {
  readonly partition: ArchivedPartition
  /** Ascending; no two overlap. */
  readonly segments: readonly ArchivedSegment[]
}

export function formatManifest({ partition, segments }: Manifest): Uint8Array {
  const { topic, topicId, storeId, partition: number, partitions, partitioner, config } = partition
  const head = {
    formatVersion: MANIFEST_FORMAT_VERSION,
    topic,
    topicId,
    storeId,
    partition: number,
    partitions,
    partitioner,
    config,
  }
  return Buffer.concat([formatCheckedLine(head), ...segments.map(formatSegment)])
}

function formatSegment(segment: ArchivedSegment): Uint8Array {
  const { baseOffset, lastOffset, endOffset, firstTimestampMs, largestTimestampMs, sizeBytes, sha256 } = segment
  const { codec, storedBytes, storedSha256, blocks, leaderEpochs } = segment
  return formatCheckedLine({
    baseOffset,
    lastOffset,
    endOffset,
    firstTimestampMs,
    largestTimestampMs,
    sizeBytes,
    sha256,
    codec,
    storedBytes,
    storedSha256,
    blocks,
    leaderEpochs: leaderEpochs.map(({ epoch, startOffset }) => ({ epoch, startOffset })),
  })
}

/** `source` names the manifest in errors. Throws LOGQ_CORRUPT, or LOGQ_NEWER_FORMAT. */
export function parseManifest(bytes: Uint8Array, source: string): Manifest {
  const lines = [...checkedLines(bytes)]
  const [head, ...rest] = lines.map(({ content, position }) => {
    if (content === undefined) throw damaged(source, `the line at position ${position} is damaged`)
    return content
  })
  if (head === undefined) throw damaged(source, 'it is empty')
  checkFormatVersion(head['formatVersion'], source, MANIFEST_FORMAT_VERSION)
  const partition = parsePartition(head, source)
  const segments = rest.map((line) => parseSegment(line, source))
  for (const [n, segment] of segments.entries()) {
    const before = segments[n - 1]
    if (before !== undefined && before.endOffset > segment.baseOffset)
      throw damaged(source, `segments ${before.baseOffset} and ${segment.baseOffset} overlap`)
  }
  return { partition, segments }
}

function parsePartition(line: JsonObject, source: string): ArchivedPartition {
  const { topic, topicId, storeId, partition, partitions, partitioner } = line
  if (typeof topic !== 'string' || !isLegalName(topic)) throw damaged(source, `'${String(topic)}' cannot be a topic name`)
  if (!isId(topicId) || !isId(storeId)) throw damaged(source, 'the id of the topic or of the store is none')
  const isPossible = isCount(partitions) && partitions <= MAX_PARTITIONS
  if (!isPossible || !isCount(partition) || partition >= partitions) throw damaged(source, 'the partition is wrong')
  if (typeof partitioner !== 'string') throw damaged(source, 'the partitioner is wrong')
  return { topic, topicId, storeId, partition, partitions, partitioner, config: checkOverrides(line['config'], source) }
}

function parseSegment(line: JsonObject, source: string): ArchivedSegment {
  const { baseOffset, lastOffset, endOffset, firstTimestampMs, largestTimestampMs, sizeBytes, sha256 } = line
  const { codec: name, storedBytes, storedSha256, blocks, leaderEpochs } = line
  if (!isCount(baseOffset) || !isCount(endOffset) || !Number.isSafeInteger(lastOffset))
    throw damaged(source, 'offsets are wrong')
  const wrong = (what: string) => damaged(source, `${what} of segment ${baseOffset} is wrong`)
  if (Number(lastOffset) < baseOffset - 1 || endOffset <= Number(lastOffset) || endOffset <= baseOffset)
    throw wrong('an offset')
  if (!isTime(firstTimestampMs) || !isTime(largestTimestampMs)) throw wrong('a timestamp')
  if (!isFileSize(sizeBytes) || !isFileSize(storedBytes)) throw wrong('the size')
  if (!isDigest(sha256) || !isDigest(storedSha256)) throw wrong('a digest')
  const codec = ARCHIVE_CODECS.find((known) => known === name)
  if (codec === undefined) throw wrong('the codec')
  const checked = { sizeBytes, storedBytes, codec }
  if (!areBlocks(blocks, checked)) throw wrong('a block')
  if (codec === 'none' && (storedBytes !== sizeBytes || storedSha256 !== sha256)) throw wrong('the size')
  return {
    baseOffset,
    lastOffset: Number(lastOffset),
    endOffset,
    firstTimestampMs,
    largestTimestampMs,
    sha256,
    storedSha256,
    ...checked,
    blocks,
    leaderEpochs: parseEpochs(leaderEpochs, () => wrong('a leader epoch')),
  }
}

function parseEpochs(value: unknown, wrong: () => LogqError): ArchivedEpoch[] {
  if (!Array.isArray(value)) throw wrong()
  return value.map((one: unknown) => {
    if (typeof one !== 'object' || one === null) throw wrong()
    const { epoch, startOffset }: { epoch?: unknown; startOffset?: unknown } = one
    if (!isCount(epoch) || epoch > MAX_INT32 || !isCount(startOffset)) throw wrong()
    return { epoch, startOffset }
  })
}

function areBlocks(
  value: unknown,
  segment: Pick<ArchivedSegment, 'sizeBytes' | 'storedBytes' | 'codec'>,
): value is readonly number[] {
  if (!Array.isArray(value) || !value.every(isBlockSize)) return false
  if (segment.codec === 'none') return value.length === 0
  const total = value.reduce((sum, size) => sum + size, 0)
  return value.length === Math.ceil(segment.sizeBytes / BLOCK_BYTES) && total === segment.storedBytes
}

const MAX_INT32 = 0x7fff_ffff

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

/** A segment has at most 2^31 - 1 bytes. What is compressed may be a little larger. */
function isFileSize(value: unknown): value is number {
  return isCount(value) && value <= 2 * MAX_INT32
}

/** What cannot be compressed grows a little; nothing makes it twice as large. */
function isBlockSize(value: unknown): value is number {
  return isCount(value) && value > 0 && value <= 2 * BLOCK_BYTES
}

function isTime(value: unknown): value is number {
  return value === -1 || isCount(value)
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

/** 16 bytes as base64url. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{22}$/.test(value)
}

function damaged(source: string, what: string): LogqError {
  return new LogqError('LOGQ_CORRUPT', `'${source}' cannot be used: ${what}`, {
    hint: 'it is the manifest of an archive: restore it from a copy, or archive to another place',
  })
}
