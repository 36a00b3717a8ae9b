/**
 * Shows the batches of a log, and their records, after a check has said where the good ones are: nothing is judged here, so that a
 * dump and a check cannot disagree. Of bad places it shows what header stands there, if one does, and goes on where the check did.
 */
import { readInt16, readInt32, readInt64Exactly, readUint32 } from '../bytes/big-endian.js'
import { crc32c } from '../bytes/crc32c.js'
import { BatchScanner } from '../log/batch-scanner.js'
import { crcInFile } from '../log/large-batch.js'
import { parsePartitionDirectoryName } from '../log/file-names.js'
import type { SegmentCheck } from '../maintain/check-segment.js'
import {
  ATTRIBUTES_POSITION,
  BASE_OFFSET_POSITION,
  BASE_SEQUENCE_POSITION,
  BASE_TIMESTAMP_POSITION,
  CODEC_MASK,
  CONTROL_FLAG,
  CRC_POSITION,
  DELETE_HORIZON_FLAG,
  LAST_OFFSET_DELTA_POSITION,
  LEADER_EPOCH_POSITION,
  LENGTH_COUNTS_FROM,
  LENGTH_POSITION,
  LOG_APPEND_TIME_FLAG,
  MAGIC,
  MAGIC_POSITION,
  MAX_TIMESTAMP_POSITION,
  MIN_LENGTH,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  RECORD_COUNT_POSITION,
  TRANSACTIONAL_FLAG,
} from '../record/batch-layout.js'
import { BATCH_HEADER_BYTES, InvalidBatchError, type RecordBatch } from '../record/batch.js'
import { CODECS } from '../record/codec.js'
import { controlType, endMarkerOf } from '../record/control-record.js'
import { loadCodec } from '../record/compression.js'
import { parentDirectory, readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import type { BatchItem, OldMessageItem, PassedItem, RecordItem } from './dump-item.js'
import { nameOf } from './file-kind.js'

export interface LogDumpOptions {
  /** Only batches that have an offset in [fromOffset, toOffset). */
  readonly fromOffset?: number
  readonly toOffset?: number
  /** Only what ends behind this place. */
  readonly fromPosition?: number
  /** At most so many batches. */
  readonly limit?: number
  readonly withRecords?: boolean
}

export type LogItem = BatchItem | RecordItem | OldMessageItem | PassedItem

/** Throws a system error: ENOENT when the file is gone. */
export async function* dumpLog(
  fs: FileSystem,
  file: string,
  check: SegmentCheck,
  options: LogDumpOptions,
): AsyncGenerator<LogItem> {
  const ranges = [
    ...check.goodRanges.map(({ from, to }) => ({ from, to, isGood: true })),
    ...check.badRanges.map(({ from, to }) => ({ from, to, isGood: false })),
  ].sort((a, b) => a.from - b.from)
  const { fromOffset = 0, toOffset = Infinity, fromPosition = 0, limit = Infinity } = options
  const fd = fs.open(file, 'read')
  let shown = 0
  try {
    const shows = (item: LogItem) => item.type !== 'batch' || (item.lastOffset >= fromOffset && item.baseOffset < toOffset)
    for (const { from, to, isGood } of ranges) {
      if (to <= fromPosition) continue
      for await (const item of isGood ? goodBatches(fs, fd, file, from, to, options) : badPlace(fs, fd, file, from, to)) {
        if (item.type === 'record') {
          yield item
          continue
        }
        if (item.position + item.sizeBytes <= fromPosition || !shows(item)) continue
        if (shown === limit) return
        if (item.type !== 'passed-over') shown += 1
        yield item
      }
    }
  } finally {
    fs.close(fd)
  }
}

async function* goodBatches(
  fs: FileSystem,
  fd: number,
  file: string,
  from: number,
  to: number,
  options: LogDumpOptions,
): AsyncGenerator<BatchItem | RecordItem> {
  const { fromOffset = 0, toOffset = Infinity, fromPosition = 0, withRecords = false } = options
  const { topic, partition } = parsePartitionDirectoryName(nameOf(parentDirectory(file))) ?? {}
  const scanner = new BatchScanner(fs, fd, from, { checkCrc: false })
  while (scanner.position < to) {
    const step = scanner.next()
    // Cut off meanwhile, the log ends earlier.
    if (step.kind !== 'batch') return
    const { batch, position } = step
    const item = batchItem(file, position, batch.bytes, crc32c(batch.bytes, ATTRIBUTES_POSITION), true)
    yield item.isControl ? { ...item, ...(await controlOf(batch)) } : item
    const isShown = batch.lastOffset >= fromOffset && batch.baseOffset < toOffset && position + batch.sizeBytes > fromPosition
    if (!withRecords || !isShown) continue
    await loadCodec(batch.codec)
    for (const record of batch.records()) {
      if (record.offset < fromOffset || record.offset >= toOffset) continue
      const sequence = sequenceAfter(batch.baseSequence, record.offset - batch.baseOffset)
      const sizes = { keyBytes: record.key?.length ?? -1, valueBytes: record.value?.length ?? -1 }
      yield { type: 'record', file, batchPosition: position, topic, partition, sequence, ...sizes, record }
    }
  }
}

/** What is there to be seen of a place where nothing can be read. */
function* badPlace(
  fs: FileSystem,
  fd: number,
  file: string,
  from: number,
  to: number,
): Generator<BatchItem | OldMessageItem | PassedItem> {
  const header = readUpTo(fs, fd, from, BATCH_HEADER_BYTES)
  const sizeBytes = header.length < BATCH_HEADER_BYTES ? 0 : readInt32(header, LENGTH_POSITION) + LENGTH_COUNTS_FROM
  if (header[MAGIC_POSITION] === MAGIC && sizeBytes >= MIN_LENGTH + LENGTH_COUNTS_FROM) {
    yield batchItem(file, from, header, from + sizeBytes > to ? undefined : crcInFile(fs, fd, from, sizeBytes), false)
  }
  let position = from
  for (let old = oldMessage(fs, fd, file, position, to); old !== undefined; old = oldMessage(fs, fd, file, position, to)) {
    yield old
    position += old.sizeBytes
  }
  if (position < to) yield { type: 'passed-over', file, position, sizeBytes: to - position }
}

/** `bytes` holds the header at least. */
function batchItem(
  file: string,
  position: number,
  bytes: Uint8Array,
  computedCrc: number | undefined,
  isGood: boolean,
): BatchItem {
  const attributes = readInt16(bytes, ATTRIBUTES_POSITION)
  const has = (flag: number) => (attributes & flag) !== 0
  const baseOffset = readInt64Exactly(bytes, BASE_OFFSET_POSITION)
  const delta = readInt32(bytes, LAST_OFFSET_DELTA_POSITION)
  const codec = attributes & CODEC_MASK
  const baseSequence = readInt32(bytes, BASE_SEQUENCE_POSITION)
  const baseTimestampMs = readInt64Exactly(bytes, BASE_TIMESTAMP_POSITION)
  return {
    type: 'batch',
    file,
    position,
    sizeBytes: readInt32(bytes, LENGTH_POSITION) + LENGTH_COUNTS_FROM,
    baseOffset,
    lastOffset: typeof baseOffset === 'bigint' ? baseOffset + BigInt(delta) : baseOffset + delta,
    leaderEpoch: readInt32(bytes, LEADER_EPOCH_POSITION),
    magic: bytes[MAGIC_POSITION] ?? 0,
    crc: readUint32(bytes, CRC_POSITION),
    computedCrc,
    codec: CODECS[codec] ?? `unknown (${codec})`,
    timestampType: has(LOG_APPEND_TIME_FLAG) ? 'LogAppendTime' : 'CreateTime',
    baseTimestampMs,
    maxTimestampMs: readInt64Exactly(bytes, MAX_TIMESTAMP_POSITION),
    producerId: readInt64Exactly(bytes, PRODUCER_ID_POSITION),
    producerEpoch: readInt16(bytes, PRODUCER_EPOCH_POSITION),
    baseSequence,
    lastSequence: sequenceAfter(baseSequence, delta),
    isTransactional: has(TRANSACTIONAL_FLAG),
    isControl: has(CONTROL_FLAG),
    hasDeleteHorizon: has(DELETE_HORIZON_FLAG),
    deleteHorizonMs: has(DELETE_HORIZON_FLAG) ? baseTimestampMs : undefined,
    recordCount: readInt32(bytes, RECORD_COUNT_POSITION),
    controlType: undefined,
    coordinatorEpoch: undefined,
    isGood,
  }
}

const CONTROL_TYPES = [
  'abort',
  'commit',
  'leader-change',
  'snapshot-header',
  'snapshot-footer',
  'kraft-version',
  'kraft-voters',
]

async function controlOf(batch: RecordBatch): Promise<Pick<BatchItem, 'controlType' | 'coordinatorEpoch'>> {
  const nothing = { controlType: undefined, coordinatorEpoch: undefined }
  try {
    await loadCodec(batch.codec)
    const cursor = batch.cursor()
    const type = cursor.next() ? controlType(cursor.copyKey()) : undefined
    if (type === undefined) return nothing
    return { controlType: CONTROL_TYPES[type] ?? `type ${type}`, coordinatorEpoch: endMarkerOf(batch)?.coordinatorEpoch }
  } catch (error) {
    if (error instanceof InvalidBatchError) return nothing
    throw error
  }
}

/** Sequences go on at 0 after 2^31-1; -1 for none. */
function sequenceAfter(base: number, delta: number): number {
  return base < 0 ? base : (base + delta) % 0x8000_0000
}

const OLD_SIZE_POSITION = 8
const OLD_SIZE_COUNTS_FROM = 12
const OLD_MAGIC_POSITION = 16
/** CRC, magic, attributes, key length, value length. */
const OLD_MINIMUM_BYTES = 14

/** Offset, size, CRC and magic stand where a record batch has base offset, length, leader epoch and magic. */
function oldMessage(fs: FileSystem, fd: number, file: string, position: number, to: number): OldMessageItem | undefined {
  const bytes = readUpTo(fs, fd, position, OLD_MAGIC_POSITION + 1)
  if (bytes.length <= OLD_MAGIC_POSITION) return undefined
  const size = readInt32(bytes, OLD_SIZE_POSITION)
  const magic = bytes[OLD_MAGIC_POSITION] ?? 0
  const sizeBytes = OLD_SIZE_COUNTS_FROM + size
  if (magic >= MAGIC || size < OLD_MINIMUM_BYTES || position + sizeBytes > to) return undefined
  return { type: 'old-message', file, position, sizeBytes, offset: readInt64Exactly(bytes, 0), magic }
}
