/**
 * Errors as people read them: one line that says what failed, and a second with the next useful step.
 *
 *     logq produce: topic 'acess' does not exist
 *       hint: did you mean 'access'? a new topic is made with 'logq topic create acess'
 */
import { isLogqError, LogqError, systemErrorCode, systemHint, systemReason } from '../lib/errors.js'

/** An argument or option that is wrong: exit status 2. */
export function usageError(message: string, hint?: string): LogqError {
  return new LogqError('LOGQ_USAGE', message, hint === undefined ? {} : { hint })
}

export interface ErrorText {
  readonly message: string
  readonly hint: string | undefined
}

/** Message and hint of anything that was thrown, on one line each and without escapes (the gate of print/escape.ts comes after). */
export function describeError(error: unknown): ErrorText {
  if (isLogqError(error)) return { message: error.message, hint: error.hint }
  const code = systemErrorCode(error)
  if (code !== undefined && error instanceof Error) return { message: describeSystemError(error), hint: systemHint(error) }
  if (error instanceof Error) {
    return {
      message: `unexpected error: ${error.message}`,
      hint: 'this is a defect of logq; LOGQ_DEBUG=1 shows where it happened',
    }
  }
  return { message: `unexpected error: ${String(error)}`, hint: undefined }
}

/**
 * `ENOENT: no such file or directory, open 'x'` becomes `cannot open 'x': no such file or directory`. With `subject` the path is
 * replaced by a name that the user knows, such as 'standard output'.
 */
export function describeSystemError(error: Error, subject?: string): string {
  const syscall = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : undefined
  const path = 'path' in error && typeof error.path === 'string' ? error.path : undefined
  const reason = systemReason(error)
  const to = 'dest' in error && typeof error.dest === 'string' ? ` to '${error.dest}'` : ''
  const what = subject ?? (path === undefined ? undefined : `'${path}'${to}`)
  // A page that cannot be read is looked for at its place.
  const at =
    systemErrorCode(error) === 'EIO' && 'position' in error && typeof error.position === 'number'
      ? ` at position ${error.position}`
      : ''
  if (syscall === undefined) return what === undefined ? reason : `${what}: ${reason}`
  return `cannot ${verbOf(syscall)}${what === undefined ? '' : ` ${what}${at}`}: ${reason}`
}

/** A system error as one of logq, with the hint, of something that the user knows by this name. */
export function failureOf(error: Error, subject: string): LogqError {
  const hint = systemHint(error)
  return new LogqError('LOGQ_IO', describeSystemError(error, subject), {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  })
}

const verbs: Readonly<Record<string, string>> = {
  open: 'open',
  openat: 'open',
  read: 'read',
  pread: 'read',
  write: 'write',
  pwrite: 'write',
  writev: 'write',
  fsync: 'sync',
  fdatasync: 'sync',
  ftruncate: 'truncate',
  lstat: 'look at',
  stat: 'look at',
  fstat: 'look at',
  statfs: 'look at',
  scandir: 'list',
  opendir: 'list',
  unlink: 'remove',
  rmdir: 'remove',
  rename: 'rename',
  mkdir: 'create',
  fchmod: 'change the mode of',
  fchown: 'change the owner of',
}

function verbOf(syscall: string): string {
  return (Object.hasOwn(verbs, syscall) ? verbs[syscall] : undefined) ?? syscall
}
