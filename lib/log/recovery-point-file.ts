/** Reads and writes the `recovery-point` file. Writers hold the append lock (format-spec/recovery-point.md). */
import { openOrCreateFile, readSmallFile, unshareFile, writeFully } from '../system/durable.js'
import { RECOVERY_POINT_FILE } from './file-names.js'
import type { LogContext } from './log-context.js'
import { decodeRecoveryPoint, encodeRecoveryPoint, recoveryPointSlotPosition, type RecoveryPoint } from './recovery-point.js'

/** Undefined when there is none, or neither slot is whole: then everything has to be verified. */
export function readRecoveryPoint(context: Pick<LogContext, 'system' | 'directory'>): RecoveryPoint | undefined {
  const bytes = readSmallFile(context.system.fs, recoveryPointPath(context))
  return bytes === undefined ? undefined : decodeRecoveryPoint(bytes)
}

/** Notes that everything below `offset` is on the device. Not synced: it is a cache of what is true anyway. */
export function writeRecoveryPoint(context: LogContext, point: Omit<RecoveryPoint, 'sequence'>): void {
  const { fs } = context.system
  const sequence = (readRecoveryPoint(context)?.sequence ?? 0) + 1
  const path = recoveryPointPath(context)
  unshareFile(context.system, path, context.ownership)
  const fd = openOrCreateFile(context.system, path, context.ownership)
  try {
    writeFully(fs, fd, encodeRecoveryPoint({ sequence, ...point }), recoveryPointSlotPosition(sequence), path)
  } finally {
    fs.close(fd)
  }
}

/**
 * Notes a point in both slots, durably: no older one comes back after a power cut. For changes of closed segments, after which a position
 * in one of them would say nothing.
 */
export function pinRecoveryPoint(context: LogContext, point: Omit<RecoveryPoint, 'sequence'>): void {
  const { fs } = context.system
  writeRecoveryPoint(context, point)
  writeRecoveryPoint(context, point)
  const fd = fs.open(recoveryPointPath(context), 'read-write')
  try {
    fs.fdatasyncBlocking(fd)
  } finally {
    fs.close(fd)
  }
  fs.syncDirectory(context.directory)
}

function recoveryPointPath(context: Pick<LogContext, 'directory'>): string {
  return `${context.directory}/${RECOVERY_POINT_FILE}`
}
