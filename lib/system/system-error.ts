/**
 * Errors shaped like the ones node:fs throws, for what logq refuses by itself and for file systems that tests put in place of the
 * real one. Callers tell them apart by `code`; nobody should need to know which of the two threw.
 */

export interface SystemError extends Error {
  code: string
  syscall: string
  path?: string
}

/** `detail` replaces the usual words after the code, where logq knows better what is wrong ("is a symbolic link"). */
export function systemError(code: string, syscall: string, path?: string, detail?: string): SystemError {
  const words = detail ?? MEANINGS[code] ?? 'unknown error'
  const error: Error & Partial<SystemError> = new Error(
    `${code}: ${words}, ${syscall}${path === undefined ? '' : ` '${path}'`}`,
  )
  error.code = code
  error.syscall = syscall
  if (path !== undefined) error.path = path
  return error as SystemError
}

const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EAGAIN: 'resource temporarily unavailable',
  EBADF: 'bad file descriptor',
  EDQUOT: 'disk quota exceeded',
  EEXIST: 'file already exists',
  EFBIG: 'file too large',
  EINVAL: 'invalid argument',
  EIO: 'i/o error',
  EISDIR: 'illegal operation on a directory',
  ELOOP: 'too many symbolic links encountered',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'name too long',
  ENFILE: 'file table overflow',
  ENOENT: 'no such file or directory',
  ENOMEM: 'not enough memory',
  ENOSPC: 'no space left on device',
  ENOTDIR: 'not a directory',
  ENOTEMPTY: 'directory not empty',
  EPERM: 'operation not permitted',
  EPIPE: 'broken pipe',
  EROFS: 'read-only file system',
}
