import test from 'ava'
import { exitStatuses, statusOfError, strongerStatus, type ExitStatus } from '../../cli/exit-status.js'
import { CorruptionError, LogqError, type ErrorCode } from '../../lib/errors.js'
import { systemError } from '../helpers/fake-world.js'

const all = Object.keys(exitStatuses) as ExitStatus[]

test('exit statuses have the documented numbers', (t) => {
  t.deepEqual(
    all.map((status) => exitStatuses[status].number),
    [0, 1, 2, 3, 4, 5, 6, 7, 75, 126, 127],
  )
})

test('strongerStatus() ranks 2, 126, 127, 6, 5, 7, 1, 4, 75, 3, 0, whichever comes first', (t) => {
  const ranked = [...all].sort((a, b) => (a === b ? 0 : strongerStatus(a, b) === a ? -1 : 1))
  t.deepEqual(
    ranked.map((status) => exitStatuses[status].number),
    [2, 126, 127, 6, 5, 7, 1, 4, 75, 3, 0],
  )
  for (const a of all) {
    for (const b of all) t.is(strongerStatus(a, b), strongerStatus(b, a))
  }
})

const numbers: Record<ErrorCode, number> = {
  LOGQ_IO: 1,
  LOGQ_USAGE: 2,
  LOGQ_UNKNOWN_STORE: 1,
  LOGQ_UNKNOWN_TOPIC: 1,
  LOGQ_UNKNOWN_PARTITION: 1,
  LOGQ_UNKNOWN_GROUP: 1,
  LOGQ_TOPIC_EXISTS: 1,
  LOGQ_TOPIC_REMOVED: 1,
  LOGQ_READ_ONLY_STORE: 1,
  LOGQ_NEWER_FORMAT: 1,
  LOGQ_INVALID_RECORD: 1,
  LOGQ_RECORD_TOO_LARGE: 1,
  LOGQ_SOME_ITEMS_FAILED: 1,
  LOGQ_SYNC_FAILED: 1,
  LOGQ_CORRUPT: 5,
  LOGQ_FENCED: 6,
  LOGQ_CONFLICT: 6,
  LOGQ_GONE: 7,
  LOGQ_TIMEOUT: 4,
  LOGQ_BUSY: 75,
  LOGQ_ABORTED: 1,
}

test('statusOfError() maps every code to its status', (t) => {
  for (const [code, number] of Object.entries(numbers) as [ErrorCode, number][]) {
    t.is<number, number>(exitStatuses[statusOfError(new LogqError(code, 'x'))].number, number, code)
  }
  t.is(statusOfError(new CorruptionError('bad checksum', { file: 'f', position: 0 })), 'corruption')
})

test('statusOfError() maps system errors and everything else to failed', (t) => {
  for (const code of ['ENOSPC', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENOENT']) {
    t.is(statusOfError(systemError(code, 'reason', 'write')), 'failed', code)
  }
  t.is(statusOfError(new TypeError('x')), 'failed')
  t.is(statusOfError('text'), 'failed')
  t.is(statusOfError(undefined), 'failed')
})
