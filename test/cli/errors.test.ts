import os from 'node:os'
import test from 'ava'
import { describeError, describeSystemError, usageError } from '../../cli/errors.js'
import { LogqError } from '../../lib/errors.js'
import { systemError } from '../helpers/fake-world.js'

test('describeError() gives message and hint of a LogqError as they are', (t) => {
  t.deepEqual(describeError(new LogqError('LOGQ_GONE', 'gone', { hint: 'look elsewhere' })), {
    message: 'gone',
    hint: 'look elsewhere',
  })
  t.deepEqual(describeError(usageError('wrong')), { message: 'wrong', hint: undefined })
})

test('describeError() says what failed before why for a system error, and names the path', (t) => {
  const cases: [Error, string][] = [
    [
      Object.assign(systemError('ENOENT', 'no such file or directory', "open '/a, b/c'"), { path: '/a, b/c', syscall: 'open' }),
      "cannot open '/a, b/c': no such file or directory",
    ],
    [systemError('ENOSPC', 'no space left on device', 'write'), 'cannot write: no space left on device'],
    [
      Object.assign(systemError('EACCES', 'permission denied', "scandir '/r'"), { path: '/r', syscall: 'scandir' }),
      "cannot list '/r': permission denied",
    ],
    [systemError('EIO', 'i/o error', 'fdatasync'), 'cannot sync: i/o error'],
    [
      Object.assign(systemError('EIO', 'i/o error', "rename '/a' -> '/b'"), { path: '/a', dest: '/b', syscall: 'rename' }),
      "cannot rename '/a' to '/b': i/o error",
    ],
    [systemError('EINVAL', 'invalid argument', 'toString'), 'cannot toString: invalid argument'],
    [Object.assign(new Error('something'), { code: 'EWHATEVER' }), 'something'],
  ]
  for (const [error, message] of cases) t.is(describeError(error).message, message)
})

test('describeError() says the next step for every error that a file system gives', (t) => {
  for (const code of [
    'ENOSPC',
    'EDQUOT',
    'EFBIG',
    'EMFILE',
    'ENFILE',
    'ENOMEM',
    'EROFS',
    'EIO',
    'EACCES',
    'EPERM',
    'ELOOP',
    'ENAMETOOLONG',
  ]) {
    t.regex(describeError(systemError(code, 'whatever', 'write')).hint ?? '', /^[a-z].*[^.]$/, code)
  }
  t.is(describeError(systemError('ENOENT', 'no such file or directory', 'open')).hint, undefined)
})

test('describeError() knows a full quota, for which Node.js has no name: it says so in two ways', (t) => {
  const errno = -os.constants.errno.EDQUOT
  for (const [code, text] of [
    [`Unknown system error ${errno}`, `Unknown system error ${errno}: Unknown system error ${errno}, open '/a'`],
    ['UNKNOWN', "UNKNOWN: unknown error, open '/a'"],
  ]) {
    const error = Object.assign(new Error(text), { errno, code, syscall: 'open', path: '/a' })
    t.deepEqual(describeError(error), {
      message: "cannot open '/a': disk quota exceeded",
      hint: 'free space within the quota, then run the command again',
    })
  }
})

test('describeSystemError() names what the user knows instead of the path', (t) => {
  const error = systemError('ENOSPC', 'no space left on device', 'write')
  t.is(describeSystemError(error, 'standard output'), 'cannot write standard output: no space left on device')
})

test('describeError() calls anything else unexpected', (t) => {
  t.is(describeError(new TypeError('x is not a function')).message, 'unexpected error: x is not a function')
  t.regex(describeError(new TypeError('x')).hint ?? '', /LOGQ_DEBUG/)
  t.is(describeError('thrown text').message, 'unexpected error: thrown text')
  t.is(describeError(undefined).message, 'unexpected error: undefined')
})
