/** What a file is, by its name and, where that says nothing, by its first bytes. Files may lie anywhere. */
import {
  CLEANER_OFFSET_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  QUARANTINE_DIRECTORY,
  RECOVERY_POINT_FILE,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
} from '../log/file-names.js'
import { KNOWN_GAPS_FILE } from '../log/known-gaps.js'
import { PEEK_BYTES, peekBatchSize } from '../record/batch.js'
import { STORE_FILE, TOPICS_DIRECTORY, TOPIC_SUFFIX } from '../store/names.js'
import { parentDirectory, readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'

export type FileKind =
  | 'log'
  | 'offset-index'
  | 'time-index'
  | 'transaction-index'
  | 'producer-snapshot'
  | 'lock'
  | 'store-lock'
  | 'recovery-point'
  | 'log-start-offset'
  | 'leader-epoch-checkpoint'
  | 'leader-epoch-ids'
  | 'known-gaps'
  | 'cleaner-offset'
  | 'dedupe-index'
  | 'topic'
  | 'store'
  /** Another small text file of Kafka's. */
  | 'text'

const NAMES: Readonly<Record<string, FileKind>> = {
  [RECOVERY_POINT_FILE]: 'recovery-point',
  [LOG_START_OFFSET_FILE]: 'log-start-offset',
  [LEADER_EPOCH_CHECKPOINT_FILE]: 'leader-epoch-checkpoint',
  [LEADER_EPOCH_IDS_FILE]: 'leader-epoch-ids',
  [KNOWN_GAPS_FILE]: 'known-gaps',
  [CLEANER_OFFSET_FILE]: 'cleaner-offset',
  [STORE_FILE]: 'store',
}

const SUFFIXES: readonly (readonly [string, FileKind])[] = [
  [LOG_SUFFIX, 'log'],
  [OFFSET_INDEX_SUFFIX, 'offset-index'],
  [TIME_INDEX_SUFFIX, 'time-index'],
  [TRANSACTION_INDEX_SUFFIX, 'transaction-index'],
  [PRODUCER_SNAPSHOT_SUFFIX, 'producer-snapshot'],
]

/** Kafka appends these to the names of segment files that it is about to remove or to put in place. */
const KAFKA_SUFFIX = /\.(deleted|swap|cleaned)$/
const KAFKA_TEXT = /^(.*-checkpoint|partition\.metadata|meta\.properties)$/

const DEDUPE_INDEX = /^dedupe-(key|value|header-[0-9a-f]{16})$/

/** Undefined for what a dump does not know. Throws a system error: what is no regular file is refused. */
export function fileKind(fs: FileSystem, path: string): FileKind | undefined {
  const name = nameOf(path)
  const directory = parentDirectory(path)
  const isKept = nameOf(directory) === QUARANTINE_DIRECTORY
  // A second file of a name gets a number in quarantine/.
  const plain = isKept ? name.replace(/\.\d+$/, '') : name.replace(KAFKA_SUFFIX, '')
  const bySuffix = SUFFIXES.find(([suffix]) => plain.endsWith(suffix))?.[1]
  if (bySuffix !== undefined) return bySuffix
  if (isKept && /^\d+\.\d+\.\d+(\.\d+)?$/.test(name)) return 'log'
  if (plain === LOCK_FILE) return fs.pathStatus(`${directory}/${STORE_FILE}`) === undefined ? 'lock' : 'store-lock'
  if (Object.hasOwn(NAMES, plain)) return NAMES[plain]
  if (DEDUPE_INDEX.test(plain)) return 'dedupe-index'
  if (nameOf(directory) === TOPICS_DIRECTORY && name.endsWith(TOPIC_SUFFIX)) return 'topic'
  if (KAFKA_TEXT.test(name)) return 'text'
  return beginsWithBatch(fs, path) ? 'log' : undefined
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function beginsWithBatch(fs: FileSystem, path: string): boolean {
  const fd = fs.open(path, 'read')
  try {
    const bytes = readUpTo(fs, fd, 0, PEEK_BYTES)
    return peekBatchSize(bytes, 0, bytes.length) > 0
  } finally {
    fs.close(fd)
  }
}
