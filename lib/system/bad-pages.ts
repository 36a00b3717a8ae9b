/**
 * A system for those who pass over damage (`--on-corrupt skip`, `fsck`): a page that the device cannot read counts as zeros, which no
 * checksum takes for records, so that what stands before and behind it can be had. Everybody else gets the error.
 */
import { systemErrorCode } from '../errors.js'
import type { FileSystem } from './file-system.js'
import type { System } from './system.js'

/** The kernel reads whole pages, and fails for a whole one. */
const PAGE_BYTES = 4096

export function overBadPages(system: System): System {
  const { fs } = system
  const read: FileSystem['read'] = (fd, buffer, start, length, position) => {
    try {
      return fs.read(fd, buffer, start, length, position)
    } catch (error) {
      if (systemErrorCode(error) !== 'EIO') throw error
    }
    // Up to the end of this page only: the next call goes on behind it.
    const inPage = Math.min(length, PAGE_BYTES - (position % PAGE_BYTES))
    try {
      return fs.read(fd, buffer, start, inPage, position)
    } catch (error) {
      if (systemErrorCode(error) !== 'EIO') throw error
    }
    const count = Math.max(0, Math.min(inPage, fs.fileStatus(fd).sizeBytes - position))
    buffer.fill(0, start, start + count)
    return count
  }
  return { ...system, fs: withRead(fs, read) }
}

function withRead(fs: FileSystem, read: FileSystem['read']): FileSystem {
  return {
    read,
    open: (...values) => fs.open(...values),
    close: (...values) => fs.close(...values),
    write: (...values) => fs.write(...values),
    truncate: (...values) => fs.truncate(...values),
    fdatasync: (...values) => fs.fdatasync(...values),
    fdatasyncBlocking: (...values) => fs.fdatasyncBlocking(...values),
    syncDirectory: (...values) => fs.syncDirectory(...values),
    fileStatus: (...values) => fs.fileStatus(...values),
    pathStatus: (...values) => fs.pathStatus(...values),
    list: (...values) => fs.list(...values),
    makeDirectory: (...values) => fs.makeDirectory(...values),
    removeDirectory: (...values) => fs.removeDirectory(...values),
    rename: (...values) => fs.rename(...values),
    unlink: (...values) => fs.unlink(...values),
    changeMode: (...values) => fs.changeMode(...values),
    changeOwner: (...values) => fs.changeOwner(...values),
    fileSystemType: (...values) => fs.fileSystemType(...values),
    freeBytes: (...values) => fs.freeBytes(...values),
    totalBytes: (...values) => fs.totalBytes(...values),
  }
}
