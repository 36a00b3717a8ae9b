/**
 * Creates and removes partition directories. Both are steps of a topic change that holds the store's lock (lib/store/topics.ts).
 *
 * Creating, safe to repeat after a crash at any step: 1 directory, 2 recovery point at offset 0, 3 leader epoch 0, 4 first segment,
 * 5 lock file with a live state block; the directory is synced last. Without a valid state block the first append recovers.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import {
  createDirectory,
  isTemporaryName,
  openOrCreateFile,
  removeQuietly,
  writeFully,
  type Ownership,
} from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import type { System } from '../system/system.js'
import { LOCK_FILE, LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from './file-names.js'
import { newEpochId, writeLeaderEpochs } from './leader-epoch-file.js'
import type { LogContext } from './log-context.js'
import { PartitionLock, type LockWait } from './partition-lock.js'
import { writeRecoveryPoint } from './recovery-point-file.js'
import { SegmentFiles } from './segment-files.js'
import { encodeStateBlock, type StateBlock } from './state-block.js'

/** Everything is durable on return but the entry of `directory` in its parent: the caller syncs that one for all partitions at once. */
export function createPartition(system: System, directory: string, ownership: Ownership): void {
  const { fs } = system
  try {
    createDirectory(system, directory, ownership)
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
    refuseNonEmpty(system, directory)
    // Of a creation that was cut off; the partition is in no topic, so nobody is at work in it.
    for (const name of fs.list(directory)) if (isTemporaryName(name)) removeQuietly(fs, `${directory}/${name}`)
  }
  const context = creationContext(system, directory, ownership)
  system.failpoint('create.after-directory')
  writeRecoveryPoint(context, { offset: 0, segmentBaseOffset: 0, position: 0 })
  system.failpoint('create.after-recovery-point')
  writeLeaderEpochs(context, [{ epoch: 0, startOffset: 0, id: newEpochId(context) }])
  system.failpoint('create.after-leader-epoch')
  if (!segmentBaseOffsets(fs.list(directory)).includes(0)) SegmentFiles.create(system, directory, 0, ownership).close()
  system.failpoint('create.after-segment')
  writeFirstStateBlock(system, directory, ownership)
  fs.syncDirectory(directory)
}

/**
 * Marks a partition as deleted, durably, so that processes that have it open stop using it. Waits for whoever holds the append lock.
 */
export async function markPartitionDeleted(system: System, directory: string, wait: LockWait): Promise<void> {
  const lock = PartitionLock.open(system, directory)
  try {
    await lock.acquire(wait)
    try {
      lock.writeState({ ...(lock.readState() ?? emptyState(system)), status: 'deleted', valid: false })
      lock.syncStatus()
    } finally {
      lock.release()
    }
  } finally {
    lock.close()
  }
}

/**
 * Removes a directory of files, one level deep and its sub-directories of files (quarantine/). What is gone already is no error. Of
 * something else in its place, such as a symbolic link, the name goes, and nothing that it points at.
 */
export function removePartitionDirectory(system: System, directory: string): void {
  const { fs } = system
  const status = fs.pathStatus(directory)
  if (status === undefined) return
  if (status.kind !== 'directory') {
    unlinkUnlessGone(fs, directory)
    return
  }
  for (const name of fs.list(directory)) {
    const path = `${directory}/${name}`
    if (fs.pathStatus(path)?.kind === 'directory') removePartitionDirectory(system, path)
    else unlinkUnlessGone(fs, path)
  }
  fs.removeDirectory(directory)
}

/** An error is thrown, and not left to the removal of the directory, which could only say that it is not empty. */
function unlinkUnlessGone(fs: FileSystem, path: string): void {
  try {
    fs.unlink(path)
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error
  }
}

function creationContext(system: System, directory: string, ownership: Ownership): LogContext {
  const config = () => ({ segmentBytes: 0, segmentMs: 0, indexIntervalBytes: 0 })
  return { system, directory, topic: '', partition: 0, ownership, config }
}

/** What a creation that crashed left behind is taken over; records that somebody wrote are not. */
function refuseNonEmpty(system: System, directory: string): void {
  const { fs } = system
  const status = fs.pathStatus(directory)
  if (status?.kind !== 'directory') throw new LogqError('LOGQ_IO', `cannot create '${directory}': something else has that name`)
  for (const base of segmentBaseOffsets(fs.list(directory))) {
    const segment = fs.pathStatus(`${directory}/${segmentFileName(base, LOG_SUFFIX)}`)
    if (base > 0 || (segment?.sizeBytes ?? 0) > 0) {
      throw new LogqError('LOGQ_TOPIC_EXISTS', `'${directory}' holds records of a topic that the store does not know`, {
        hint: 'move the directory away, or give the topic another name',
      })
    }
  }
}

function writeFirstStateBlock(system: System, directory: string, ownership: Ownership): void {
  const { fs } = system
  const log = fs.pathStatus(`${directory}/${segmentFileName(0, LOG_SUFFIX)}`)
  const path = `${directory}/${LOCK_FILE}`
  const fd = openOrCreateFile(system, path, ownership)
  try {
    const state: StateBlock = { ...emptyState(system), valid: true, device: log?.device ?? 0, inode: log?.inode ?? 0 }
    writeFully(fs, fd, encodeStateBlock(state), 0, path)
    fs.fdatasyncBlocking(fd)
  } finally {
    fs.close(fd)
  }
}

function emptyState(system: System): StateBlock {
  return {
    status: 'live',
    valid: false,
    bootId: system.self.bootId,
    leaderEpoch: 0,
    activeBaseOffset: 0,
    device: 0,
    inode: 0,
    logBytes: 0,
    logEndOffset: 0,
    syncedOffset: 0,
    maxTimestampMs: -1,
    maxTimestampOffset: 0,
    firstTimestampMs: -1,
    bytesSinceIndexEntry: 0,
    offsetIndexBytes: 0,
    timeIndexBytes: 0,
    timeIndexTimestampMs: -1,
    holderPid: system.self.pid,
    holderStartTicks: system.self.startTicks,
  }
}
