/** Shows the small files of a partition, a store and a Kafka log directory. A damaged text is shown line by line, as far as it is text. */
import { LogqError, systemErrorCode } from '../errors.js'
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from '../log/file-names.js'
import { parseCleanerOffsets } from '../log/cleaner-file.js'
import { parseKnownGaps } from '../log/known-gaps.js'
import { parseLeaderEpochIds, parseLeaderEpochs } from '../log/leader-epochs.js'
import { parseLogStartOffset } from '../log/log-start-offset.js'
import { RECOVERY_POINT_SLOT_BYTES, decodeRecoveryPoint } from '../log/recovery-point.js'
import { decodeStateBlock, isOfThisBoot, type StateBlock } from '../log/state-block.js'
import { parseJsonObject } from '../store/store.js'
import { parseTopicFile } from '../store/topic-file.js'
import { DEDUPE_HEADER_BYTES, decodeDedupeHeader } from '../produce/dedupe-format.js'
import { parentDirectory, readSmallFile, readUpTo } from '../system/durable.js'
import type { System } from '../system/system.js'
import type { DumpItem, LineItem, RecoveryPointItem, StateBlockItem } from './dump-item.js'
import type { FileKind } from './file-kind.js'

export type SmallFileKind = Exclude<FileKind, 'log' | 'offset-index' | 'time-index' | 'transaction-index' | 'producer-snapshot'>

export interface SmallFileDump {
  readonly items: readonly DumpItem[]
  /** Why the file cannot be used, by its bytes alone; undefined when it can. */
  readonly fault: string | undefined
}

const MAX_BYTES = 64 << 20

/** Throws a system error. */
export function dumpSmallFile(system: System, file: string, kind: SmallFileKind): SmallFileDump {
  if (kind === 'dedupe-index') return { items: dumpDedupeIndex(system, file), fault: undefined }
  let bytes: Uint8Array
  try {
    bytes = readSmallFile(system.fs, file, MAX_BYTES) ?? new Uint8Array(0)
  } catch (error) {
    if (error instanceof LogqError) return { items: [], fault: error.message }
    throw error
  }
  switch (kind) {
    case 'lock':
      return dumpLock(system, file, bytes)
    case 'store-lock':
      return { items: [], fault: undefined }
    case 'recovery-point':
      return dumpRecoveryPoint(file, bytes)
    case 'text':
      return { items: lines(file, bytes), fault: undefined }
    case 'log-start-offset': {
      const offset = parseLogStartOffset(bytes)
      return whole(file, bytes, offset === undefined ? undefined : [{ type: 'log-start-offset', file, offset }])
    }
    case 'leader-epoch-checkpoint':
      return whole(
        file,
        bytes,
        parseLeaderEpochs(bytes)?.map(({ epoch, startOffset }) => ({
          type: 'leader-epoch',
          file,
          leaderEpoch: epoch,
          startOffset,
        })),
      )
    case 'leader-epoch-ids':
      return whole(
        file,
        bytes,
        parseLeaderEpochIds(bytes)?.map(({ epoch, id }) => ({ type: 'leader-epoch-id', file, leaderEpoch: epoch, id })),
      )
    case 'known-gaps':
      return whole(
        file,
        bytes,
        parseKnownGaps(bytes)?.map((gap) => ({ type: 'known-gap', file, ...gap })),
      )
    case 'cleaner-offset': {
      const offsets = parseCleanerOffsets(bytes)
      return whole(file, bytes, offsets === undefined ? undefined : [{ type: 'cleaner-offset', file, ...offsets }])
    }
    case 'topic':
    case 'store':
      return dumpJson(file, bytes, kind)
  }
}

function whole(file: string, bytes: Uint8Array, items: readonly DumpItem[] | undefined): SmallFileDump {
  return items === undefined ? { items: lines(file, bytes), fault: 'it is damaged' } : { items, fault: undefined }
}

/** Fields that are not known are shown too. */
function dumpJson(file: string, bytes: Uint8Array, kind: 'topic' | 'store'): SmallFileDump {
  let content: Record<string, unknown>
  try {
    content = parseJsonObject(bytes, file)
  } catch (error) {
    if (error instanceof LogqError) return { items: lines(file, bytes), fault: error.message }
    throw error
  }
  return { items: [{ type: kind, file, content }], fault: kind === 'topic' ? topicFault(bytes, file) : undefined }
}

function topicFault(bytes: Uint8Array, file: string): string | undefined {
  try {
    parseTopicFile(bytes, file)
    return undefined
  } catch (error) {
    if (error instanceof LogqError) return error.message
    throw error
  }
}

function dumpLock(system: System, file: string, bytes: Uint8Array): SmallFileDump {
  const block = decodeStateBlock(bytes)
  if (block === undefined) return { items: [], fault: 'the state block is damaged' }
  const { bootId, ...fields } = block
  const item: StateBlockItem = {
    type: 'state-block',
    file,
    ...fields,
    bootId: Buffer.from(bootId).toString('hex'),
    isOfThisBoot: isOfThisBoot(block, system.self),
    matchesLog: matchesLog(system, file, block),
  }
  return { items: [item], fault: undefined }
}

/** As the next append will ask before it believes the block. */
function matchesLog({ fs }: System, file: string, block: StateBlock): boolean | undefined {
  const directory = parentDirectory(file)
  const active = segmentBaseOffsets(listOf(() => fs.list(directory))).at(-1)
  if (active === undefined) return undefined
  const status = fs.pathStatus(`${directory}/${segmentFileName(active, LOG_SUFFIX)}`)
  if (status === undefined) return undefined
  const { device, inode, sizeBytes } = status
  const isSame = device === block.device && inode === block.inode && sizeBytes === block.logBytes
  return block.valid && active === block.activeBaseOffset && isSame
}

function listOf(list: () => string[]): string[] {
  try {
    return list()
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    return []
  }
}

/** A damaged one is a cache that whoever needs it builds anew without a word, so that it is worth a note and no more. */
function dumpDedupeIndex({ fs, self }: System, file: string): DumpItem[] {
  const fd = fs.open(file, 'read')
  try {
    const bytes = readUpTo(fs, fd, 0, DEDUPE_HEADER_BYTES)
    if (bytes.length === 0) return []
    const header = decodeDedupeHeader(bytes)
    if (header === undefined) {
      const message = 'it has no whole header; the next producer that needs it builds it anew'
      return [{ type: 'problem', kind: 'note', file, position: 0, message }]
    }
    const { bootId, coveredFromMs, coveredTo, lastBatch, tablePosition, bucketCount, entryCount } = header
    return [
      {
        type: 'dedupe-index',
        file,
        coveredFromMs,
        coveredTo,
        lastBatchBaseOffset: lastBatch?.baseOffset,
        tablePosition,
        bucketCount,
        entryCount,
        bootId: Buffer.from(bootId).toString('hex'),
        isOfThisBoot: Buffer.compare(bootId, self.bootId) === 0,
      },
    ]
  } finally {
    fs.close(fd)
  }
}

/** A slot that was never written is passed over; so is one that a power cut tore, of which the check speaks. */
function dumpRecoveryPoint(file: string, bytes: Uint8Array): SmallFileDump {
  const newest = decodeRecoveryPoint(bytes)
  const items = [0, RECOVERY_POINT_SLOT_BYTES].flatMap((position): RecoveryPointItem[] => {
    const point = decodeRecoveryPoint(bytes.subarray(position, position + RECOVERY_POINT_SLOT_BYTES))
    if (point === undefined) return []
    const { sequence, offset, segmentBaseOffset, position: segmentPosition } = point
    const isNewest = sequence === newest?.sequence
    return [{ type: 'recovery-point', file, position, sequence, offset, segmentBaseOffset, segmentPosition, isNewest }]
  })
  return { items, fault: items.length === 0 && bytes.some((byte) => byte !== 0) ? 'the recovery point is damaged' : undefined }
}

function lines(file: string, bytes: Uint8Array): LineItem[] {
  const text = Buffer.from(bytes).toString('utf8')
  if (text === '') return []
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line, n) => ({ type: 'line', file, line: n + 1, text: line }))
}
