/**
 * The one table of exit statuses: numbers, names, meanings, and which one wins when several hold. Man pages and --help print it,
 * tests walk it, and every error passes through it on its way out.
 */
import { isLogqError, type ErrorCode } from '../lib/errors.js'

interface ExitStatusRow {
  readonly number: number
  /** One sentence fragment for the man page, without a full stop. */
  readonly meaning: string
}

/** In the order of their numbers, as the man pages print them. */
export const exitStatuses = {
  done: { number: 0, meaning: 'Done, and on disk; also when the reader of standard output closed it' },
  failed: {
    number: 1,
    meaning:
      'Failed: input or output, a full disk, permission, an unknown topic or partition, a newer format; or some items failed, each named on standard error',
  },
  usage: { number: 2, meaning: 'Usage: an option or operand is wrong, or a question could not be asked without a terminal' },
  noMatch: { number: 3, meaning: 'Ran, and nothing matched' },
  timeout: { number: 4, meaning: 'Timed out' },
  corruption: { number: 5, meaning: 'Corruption: bytes that were on disk are damaged or missing' },
  conflict: { number: 6, meaning: 'Conflict: what is stored, or who owns it, is not what the command expected' },
  gone: { number: 7, meaning: 'The data asked for no longer exist' },
  tryAgain: { number: 75, meaning: 'Try again: a lock is held and waiting was not wanted' },
  commandNotExecutable: { number: 126, meaning: 'The given command could not be executed' },
  commandNotFound: { number: 127, meaning: 'The given command was not found' },
} as const satisfies Record<string, ExitStatusRow>

export type ExitStatus = keyof typeof exitStatuses

/** The status that says most first. A signal, which is no exit status, comes before all of them (main.ts). */
const precedence: readonly ExitStatus[] = [
  'usage',
  'commandNotExecutable',
  'commandNotFound',
  'conflict',
  'corruption',
  'gone',
  'failed',
  'timeout',
  'tryAgain',
  'noMatch',
  'done',
]

/** The one of two statuses that a command ends with when both hold. */
export function strongerStatus(a: ExitStatus, b: ExitStatus): ExitStatus {
  return precedence.indexOf(a) <= precedence.indexOf(b) ? a : b
}

const statusOfCode: Record<ErrorCode, ExitStatus> = {
  LOGQ_IO: 'failed',
  LOGQ_USAGE: 'usage',
  LOGQ_UNKNOWN_STORE: 'failed',
  LOGQ_UNKNOWN_TOPIC: 'failed',
  LOGQ_UNKNOWN_PARTITION: 'failed',
  LOGQ_UNKNOWN_GROUP: 'failed',
  LOGQ_TOPIC_EXISTS: 'failed',
  LOGQ_TOPIC_REMOVED: 'failed',
  LOGQ_READ_ONLY_STORE: 'failed',
  LOGQ_NEWER_FORMAT: 'failed',
  LOGQ_INVALID_RECORD: 'failed',
  LOGQ_RECORD_TOO_LARGE: 'failed',
  LOGQ_SOME_ITEMS_FAILED: 'failed',
  LOGQ_SYNC_FAILED: 'failed',
  LOGQ_CORRUPT: 'corruption',
  LOGQ_FENCED: 'conflict',
  LOGQ_CONFLICT: 'conflict',
  LOGQ_GONE: 'gone',
  LOGQ_TIMEOUT: 'timeout',
  LOGQ_BUSY: 'tryAgain',
  LOGQ_ABORTED: 'failed',
}

/** What a command that was ended by this error exits with. System errors and anything unforeseen are 'failed'. */
export function statusOfError(error: unknown): ExitStatus {
  return isLogqError(error) ? statusOfCode[error.code] : 'failed'
}
