/** Partitions in memory that are small enough to be looked at as a whole, and what a test wants to know of one. */
import { isLogqError } from '../../lib/errors.js'
import { createPartition } from '../../lib/log/create-partition.js'
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName, type SegmentSuffix } from '../../lib/log/file-names.js'
import type { LogConfig, LogContext } from '../../lib/log/log-context.js'
import { listSegments, logEndOffset } from '../../lib/log/log-view.js'
import { Log, type BatchToAppend } from '../../lib/log/log.js'
import { readPartition } from '../../lib/log/read-partition.js'
import type { RecordToAppend } from '../../lib/record/batch-builder.js'
import type { Codec } from '../../lib/record/codec.js'
import { ownershipOf, readUpTo } from '../../lib/system/durable.js'
import type { System } from '../../lib/system/system.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { batchOf, textRecord } from '../record/arbitrary-records.js'

export const DIRECTORY = '/store/tiny-0'
export const START_MS = 1_700_000_000_000

/** No roll, and an index entry for every batch but the first. */
export const TINY_CONFIG: LogConfig = { segmentBytes: 1 << 20, segmentMs: 1e12, indexIntervalBytes: 0 }

/** A partition that is there already. */
export function tinyContext(system: System, config: Partial<LogConfig> = {}): LogContext {
  const status = system.fs.pathStatus(DIRECTORY)
  if (status === undefined) throw new Error(`${DIRECTORY} is missing`)
  const whole = { ...TINY_CONFIG, ...config }
  return { system, directory: DIRECTORY, topic: 'tiny', partition: 0, ownership: ownershipOf(status), config: () => whole }
}

/** Makes the partition, durably. */
export function createTiny(system: System, config: Partial<LogConfig> = {}): LogContext {
  const ownership = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }
  system.fs.makeDirectory('/store', 0o700)
  system.fs.syncDirectory('/')
  createPartition(system, DIRECTORY, ownership)
  system.fs.syncDirectory('/store')
  return tinyContext(system, config)
}

/** Another process on the same disk and clock; after a power cut it runs under another kernel. */
export function beside(
  system: FakeSystem,
  options: { pid?: number; disk?: FakeSystem['disk']; rebooted?: boolean } = {},
): FakeSystem {
  const pid = options.pid ?? system.self.pid + 1
  const bootId = options.rebooted === true ? system.self.bootId.map((byte) => byte ^ 0xff) : system.self.bootId
  return createFakeSystem({ seed: pid, disk: options.disk ?? system.disk, clock: system.clock, pid, bootId })
}

export function batch(values: readonly string[], timestampMs = START_MS, codec: Codec = 'none'): BatchToAppend {
  return batchOfRecords(
    values.map((value) => textRecord(value, timestampMs)),
    codec,
  )
}

export function batchOfRecords(records: readonly RecordToAppend[], codec: Codec = 'none'): BatchToAppend {
  const maxTimestampMs = Math.max(...records.map(({ timestampMs }) => Number(timestampMs)))
  return { bytes: batchOf(records, { codec }), lastOffsetDelta: records.length - 1, maxTimestampMs }
}

/** Appends each list as a batch of its own, and syncs. */
export async function fill(context: LogContext, batches: readonly (readonly string[])[], timestampStepMs = 1): Promise<void> {
  const log = Log.open(context)
  const first = logEndOffset(context, listSegments(context))
  for (const [n, values] of batches.entries()) await log.append(batch(values, START_MS + (first + n) * timestampStepMs))
  await log.sync()
  await log.close()
}

/** `offset:value` of everything that a reader gets, from an offset to the log end offset. */
export async function readAll(
  context: LogContext,
  from = 0,
  to = logEndOffset(context, listSegments(context)),
  records: string[] = [],
): Promise<string[]> {
  for await (const { batch: found, fromOffset, toOffset } of readPartition(context, from, to)) {
    for (const { offset, value } of found.records()) {
      if (offset >= fromOffset && offset < toOffset) records.push(`${offset}:${Buffer.from(value ?? []).toString()}`)
    }
  }
  return records
}

/**
 * The same, up to where a damaged tail can no longer be read: whether that is told to readers before a writer has judged it is
 * their affair.
 */
export async function readWhatCanBeRead(context: LogContext): Promise<string[]> {
  const records: string[] = []
  try {
    await readAll(context, 0, undefined, records)
  } catch (error) {
    if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
  }
  return records
}

export function names(system: System, directory = DIRECTORY): string[] {
  return system.fs.list(directory)
}

export function bases(system: System): number[] {
  return segmentBaseOffsets(names(system))
}

export function pathOf(baseOffset: number, suffix: SegmentSuffix = LOG_SUFFIX): string {
  return `${DIRECTORY}/${segmentFileName(baseOffset, suffix)}`
}

export function readFile(system: System, path: string): Uint8Array {
  const fd = system.fs.open(path, 'read')
  try {
    return readUpTo(system.fs, fd, 0, system.fs.fileStatus(fd).sizeBytes)
  } finally {
    system.fs.close(fd)
  }
}

/** Puts these bytes in place of a file's, durably: what somebody's editor or a bad disk would do. */
export function overwrite(system: System, path: string, bytes: Uint8Array): void {
  const fd = system.fs.open(path, 'create', 0o600)
  try {
    system.fs.truncate(fd, 0)
    system.fs.write(fd, bytes, 0, bytes.length, 0)
    system.fs.fdatasyncBlocking(fd)
  } finally {
    system.fs.close(fd)
  }
}

export function appendBytes(system: System, path: string, bytes: Uint8Array): void {
  overwrite(system, path, Buffer.concat([readFile(system, path), bytes]))
}

export function sizeOf(system: System, path: string): number {
  return system.fs.pathStatus(path)?.sizeBytes ?? -1
}
