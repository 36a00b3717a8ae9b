/**
 * Sees to it that records are on the device, from a process that only reads them: before a group commits an offset, or a copy leaves the
 * machine, everything below must be durable here (format-spec/ordering.md, "syncing").
 */
import { systemErrorCode } from '../errors.js'
import { LOG_SUFFIX, segmentFileName } from './file-names.js'
import { listSegments, readStateBlock, type ViewContext } from './log-view.js'
import { readRecoveryPoint } from './recovery-point-file.js'

/**
 * Returns when everything below `offset` is on the device; the offset up to which that is known then. A segment that is closed was synced
 * when it was closed, so only the active one is. Throws a system error when the sync fails.
 */
export async function ensureSynced(context: ViewContext, offset: number): Promise<number> {
  const known = syncedOffset(context)
  if (known >= offset) return known
  const { fs } = context.system
  for (;;) {
    const active = listSegments(context).at(-1)
    if (active === undefined || active >= offset) return offset
    let fd: number
    try {
      fd = fs.open(`${context.directory}/${segmentFileName(active, LOG_SUFFIX)}`, 'read')
    } catch (error) {
      // Deleted or replaced since the listing.
      if (systemErrorCode(error) === 'ENOENT') continue
      throw error
    }
    try {
      await fs.fdatasync(fd)
      return offset
    } finally {
      fs.close(fd)
    }
  }
}

function syncedOffset(context: ViewContext): number {
  const state = readStateBlock(context)
  return Math.max(readRecoveryPoint(context)?.offset ?? 0, state?.valid === true ? state.syncedOffset : 0)
}
