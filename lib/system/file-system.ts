/**
 * The file system as the log engine sees it: synchronous calls for what the page cache answers in microseconds, and one
 * asynchronous call, `fdatasync`, for what can block for long. Every module that touches files gets one of these passed in, so
 * that tests can put a faulty or a crashing one in its place (test/helpers/memory-file-system.ts, faulty-file-system.ts).
 *
 * Errors are Node.js system errors: an `Error` with `code` ('ENOENT', 'ENOSPC' …), `syscall` and, where there is one, `path`.
 */

/** What `open` may be asked for. Every open also carries O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC. */
export type OpenMode =
  | 'read' // O_RDONLY
  | 'read-write' // O_RDWR, the file must exist
  | 'create' // O_RDWR | O_CREAT, keeps what is there
  | 'create-new' // O_RDWR | O_CREAT | O_EXCL

export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly device: number
  readonly inode: number
  /** Names that the file has: what is written in place is written under all of them. */
  readonly links: number
  readonly sizeBytes: number
  /** Bytes of the blocks that the file takes on the device; less than its size where it has holes. */
  readonly allocatedBytes: number
  readonly modifiedMs: number
  /** Permission bits, e.g. 0o600. */
  readonly mode: number
  readonly userId: number
  readonly groupId: number
}

export interface FileSystem {
  /** Opens a regular file. A symlink, FIFO, device or directory in its place is refused (ELOOP, or EINVAL naming what it is). */
  open(path: string, mode: OpenMode, permissions?: number): number
  close(fd: number): void
  /** One pread. Returns the bytes read, fewer only at the end of the file. */
  read(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number
  /** One pwrite. Returns the bytes written; fewer than asked means that an error is waiting (a full disk, a file size limit). */
  write(fd: number, buffer: Uint8Array, start: number, length: number, position: number): number
  truncate(fd: number, sizeBytes: number): void
  /** Returns when the file's data are on the device. A failed one has lost data: never retry it (RELIABILITY: fsyncgate). */
  fdatasync(fd: number): Promise<void>
  /** The same, blocking: for changes that hold a lock over it (roll, recovery, creation). */
  fdatasyncBlocking(fd: number): void
  /** Makes the entries of a directory (creations, renames, removals) durable. */
  syncDirectory(path: string): void
  fileStatus(fd: number): FileStatus
  /** lstat; undefined when nothing is there (ENOENT, ENOTDIR). */
  pathStatus(path: string): FileStatus | undefined
  /** Names in a directory, sorted. */
  list(path: string): string[]
  /** Only root can name an owner. */
  makeDirectory(path: string, permissions?: number, owner?: { readonly userId: number; readonly groupId: number }): void
  removeDirectory(path: string): void
  rename(from: string, to: string): void
  /** Gives a file a second name (EEXIST; EXDEV, EPERM, EMLINK and others where that cannot be). A symbolic link is not followed. */
  link(from: string, to: string): void
  unlink(path: string): void
  changeMode(fd: number, permissions: number): void
  changeOwner(fd: number, userId: number, groupId: number): void
  /** statfs type number of the file system that holds `path` (0xEF53 ext4, 0x6969 NFS …). */
  fileSystemType(path: string): number
  /** Bytes that this user can still write to the file system that holds `path`. */
  freeBytes(path: string): number
  /** Bytes of that file system that are in use or free for this user: what `df` takes a percentage of. */
  totalBytes(path: string): number
}
