/**
 * Everything that can go wrong, as values with a stable code.
 *
 * The command line maps a code to an exit status in one table (cli/exit-status.ts); library users compare `error.code`.
 * A message is lower case, has no full stop, names its subject in single quotes, and says the next useful step in `hint`.
 */

/** Stable codes; a code is never renamed or given another meaning within a major version. */
export type ErrorCode =
  | 'LOGQ_IO' // the operating system refused: full disk, permission, a failed read or write
  | 'LOGQ_USAGE' // an argument or option is wrong
  | 'LOGQ_UNKNOWN_STORE' // the store does not exist, or is not a store
  | 'LOGQ_UNKNOWN_TOPIC'
  | 'LOGQ_UNKNOWN_PARTITION'
  | 'LOGQ_UNKNOWN_GROUP'
  | 'LOGQ_TOPIC_EXISTS' // a topic of that name, or one too like it, exists
  | 'LOGQ_TOPIC_REMOVED' // the topic was removed while it was in use
  | 'LOGQ_READ_ONLY_STORE' // a Kafka log.dir opens read-only
  | 'LOGQ_NEWER_FORMAT' // written by a newer logq
  | 'LOGQ_INVALID_RECORD' // one input item cannot become a record
  | 'LOGQ_RECORD_TOO_LARGE' // a record above max.message.bytes
  | 'LOGQ_SOME_ITEMS_FAILED' // some items failed, each named before
  | 'LOGQ_SYNC_FAILED' // an fsync failed, in this or in an earlier process
  | 'LOGQ_CORRUPT' // bytes that were synced are wrong or missing
  | 'LOGQ_FENCED' // somebody else has what this process had: a member of a group that was taken for dead
  | 'LOGQ_CONFLICT' // sealed, follower, a differing configuration
  | 'LOGQ_GONE' // data that was there no longer exists
  | 'LOGQ_TIMEOUT'
  | 'LOGQ_BUSY' // a lock is held and waiting was not wanted
  | 'LOGQ_ABORTED' // an AbortSignal

/** Where a damaged byte is, as someone with a hex dump needs it. */
export interface CorruptionPlace {
  readonly topic?: string
  readonly partition?: number
  /** First offset that cannot be read. */
  readonly offset?: number
  readonly file: string
  /** Byte place in `file`. */
  readonly position: number
}

export class LogqError extends Error {
  readonly code: ErrorCode
  /** The next useful command or step, without a full stop. */
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'LogqError'
    this.code = code
    this.hint = options.hint
  }
}

/** Bytes that were promised to be on disk are wrong. Never repaired without being asked (`logq fsck --repair`). */
export class CorruptionError extends LogqError {
  readonly place: CorruptionPlace

  constructor(what: string, place: CorruptionPlace, options: { hint?: string; cause?: unknown } = {}) {
    super('LOGQ_CORRUPT', `${what} ${describePlace(place)}`, options)
    this.name = 'CorruptionError'
    this.place = place
  }
}

function describePlace(place: CorruptionPlace): string {
  const where = `in '${place.file}' at position ${place.position}`
  const offset = place.offset === undefined ? '' : ` (offset ${place.offset})`
  return where + offset
}

/** Whether something that was caught is an error of logq, and of a certain kind. */
export function isLogqError(error: unknown, code?: ErrorCode): error is LogqError {
  return error instanceof LogqError && (code === undefined || error.code === code)
}

/** Whether damage, or the operating system, keeps something from being read: what stands elsewhere may be read all the same. */
export function isUnreadable(error: unknown): boolean {
  return isLogqError(error, 'LOGQ_CORRUPT') || (error instanceof Error && 'syscall' in error)
}

/** The `code` of a Node.js system error (`ENOENT`, `ENOSPC` …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? (namelessError(error)?.code ?? error.code) : undefined
}

/** Why a system call failed, in words: `no space left on device`, without the code, the call and its path. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = namelessError(error)
  if (known !== undefined) return known.reason
  const reason = error.message.replace(`${systemErrorCode(error) ?? ''}: `, '')
  const end = 'syscall' in error && typeof error.syscall === 'string' ? reason.indexOf(`, ${error.syscall}`) : -1
  return end === -1 ? reason : reason.slice(0, end)
}

/**
 * What Node.js has no name for, by its number on Linux and on macOS. The code of such an error is 'Unknown system error -122', or, from
 * reads and writes at a place, 'UNKNOWN'.
 */
function namelessError(error: object): { readonly code: string; readonly reason: string } | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code !== 'UNKNOWN' && !code.startsWith('Unknown system error')) return undefined
  switch ('errno' in error ? error.errno : undefined) {
    case -122:
    case -69:
      return { code: 'EDQUOT', reason: 'disk quota exceeded' }
    case -116:
    case -70:
      return { code: 'ESTALE', reason: 'stale file handle' }
    default:
      return undefined
  }
}

/** The next useful step after an error of the operating system, where there is one whatever was tried; undefined for all others. */
export function systemHint(error: unknown): string | undefined {
  const code = systemErrorCode(error) ?? ''
  return Object.hasOwn(SYSTEM_HINTS, code) ? SYSTEM_HINTS[code] : undefined
}

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'free space, or inodes (df -i), on that disk, then run the command again',
  EDQUOT: 'free space within the quota, then run the command again',
  EFBIG: 'a file size limit was reached (ulimit -f)',
  EMFILE: 'too many files are open for one process (ulimit -n)',
  ENFILE: 'too many files are open on this machine (sysctl fs.file-max)',
  ENOMEM: 'free memory on this machine, or raise the limit of this process, then run the command again',
  EROFS: 'the file system is mounted read-only: see the kernel log (dmesg) when it was not you',
  EIO: 'the device may be failing: see the kernel log (dmesg), then logq fsck',
  EACCES: 'see who may use it with ls -ld, and run the command as that user',
  EPERM: 'see whether it is immutable (lsattr), or belongs to another user (ls -ld)',
  ELOOP: 'a symbolic link stands in the way: see ls -ld for each part of the path',
  ENAMETOOLONG: 'use a shorter path for the store, or a shorter topic name',
}
