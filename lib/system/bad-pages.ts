/**
 * A system for those who pass over damage (`--on-corrupt skip`, `fsck`): a page that the device cannot read counts as zeros, which no
 * checksum takes for records, so that what stands before and behind it can be had; `whyUnread` tells such zeros from those of the file.
 * Everybody else gets the error.
 */
import { systemErrorCode } from '../errors.js'
import type { FileSystem } from './file-system.js'
import type { System } from './system.js'

/** The kernel reads whole pages, and fails for a whole one. */
const PAGE_BYTES = 4096

interface Stretch {
  readonly from: number
  to: number
}

/** What could not be read of the file that had such a page last: readers go through one file after the other. */
interface Unread {
  file: string
  readonly stretches: Stretch[]
}

/** By the file system of `overBadPages`. */
const unreadOf = new WeakMap<FileSystem, Unread>()

/** In words, what could not be read of the bytes [from, to) of a file; undefined where all of it was, or nobody goes over bad pages. */
export function whyUnread(fs: FileSystem, fd: number, from: number, to: number): string | undefined {
  const unread = unreadOf.get(fs)
  if (unread?.file !== fileOf(fs, fd)) return undefined
  const stretch = unread.stretches.find((candidate) => candidate.from < to && candidate.to > from)
  return stretch === undefined
    ? undefined
    : `bytes ${stretch.from} to ${stretch.to - 1} cannot be read from the device: i/o error`
}

function fileOf(fs: FileSystem, fd: number): string {
  const { device, inode } = fs.fileStatus(fd)
  return `${device}:${inode}`
}

function note(unread: Unread, file: string, from: number, to: number): void {
  if (unread.file !== file) {
    unread.file = file
    unread.stretches.length = 0
  }
  if (unread.stretches.some((known) => known.from <= from && known.to >= to)) return
  const before = unread.stretches.find((known) => known.from <= from && known.to >= from)
  if (before === undefined) unread.stretches.push({ from, to })
  else before.to = to
}

export function overBadPages(system: System): System {
  const { fs } = system
  const unread: Unread = { file: '', stretches: [] }
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
    if (count > 0) note(unread, fileOf(fs, fd), position, position + count)
    return count
  }
  const over = withRead(fs, read)
  unreadOf.set(over, unread)
  return { ...system, fs: over }
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
    link: (...values) => fs.link(...values),
    unlink: (...values) => fs.unlink(...values),
    changeMode: (...values) => fs.changeMode(...values),
    changeOwner: (...values) => fs.changeOwner(...values),
    fileSystemType: (...values) => fs.fileSystemType(...values),
    freeBytes: (...values) => fs.freeBytes(...values),
    totalBytes: (...values) => fs.totalBytes(...values),
  }
}
