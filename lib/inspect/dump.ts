/**
 * Dumps: what is on disk, file by file, with everything that a check finds wrong. A file in a partition directory of a store, logq's or
 * Kafka's, is judged as `fsck` judges it, by the same code; one that lies anywhere else is judged by itself and what lies beside it.
 * Reads only; what others append meanwhile is not shown.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import {
  CLEANER_OFFSET_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  RECOVERY_POINT_FILE,
  TIME_INDEX_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  segmentFileName,
} from '../log/file-names.js'
import { KNOWN_GAPS_FILE } from '../log/known-gaps.js'
import type { ViewContext } from '../log/log-view.js'
import { checkLogFile, describeBadRange, isZeros, type SegmentCheck } from '../maintain/check-segment.js'
import { checkTopicFiles, inspectStorePartition, isDirectoryMissing } from '../maintain/check-store.js'
import { checkSnapshot, checkTransactionFiles } from '../maintain/check-transactions.js'
import type { Finding } from '../maintain/finding.js'
import { inspectPartition, type PartitionInspection } from '../maintain/inspect-partition.js'
import { TOPICS_DIRECTORY } from '../store/names.js'
import { openStore, type Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { findTopic, getTopic, partitionDirectory, topicPath } from '../store/topics.js'
import { parentDirectory } from '../system/durable.js'
import type { System } from '../system/system.js'
import { dumpOffsetIndex, dumpTimeIndex, type IndexFile, type IndexItem } from './dump-index.js'
import type { DumpItem, PassedItem, ProblemItem, TransactionIndexEntryItem } from './dump-item.js'
import { dumpLog, type LogDumpOptions } from './dump-log.js'
import { dumpSmallFile } from './dump-small-file.js'
import { dumpProducerSnapshot, dumpTransactionIndex } from './dump-transactions.js'
import { fileKind, nameOf, type FileKind } from './file-kind.js'

/** `limit` holds for the batches of each log and for the entries of each index. */
export interface DumpOptions extends LogDumpOptions {
  readonly signal?: AbortSignal
}

/** What is known of a file before it is shown. */
interface Judged {
  readonly findings: readonly Finding[]
  /** Of a log. */
  readonly check?: SegmentCheck
  /** Nobody but its own bytes has judged it. */
  readonly isLone?: boolean
}

/**
 * Everything in one file, in order, problems at their places: first a `file` item, then what is in it. The whole file is checked first,
 * whatever the options show. A path without a directory is one in the current directory; give the absolute path where the name of the
 * directory matters. Throws LOGQ_IO for a file that is not of a known kind, LOGQ_ABORTED, or a system error: what is no regular file is
 * refused, unless a check has something to say of it.
 */
export async function* dumpFile(system: System, path: string, options: DumpOptions = {}): AsyncGenerator<DumpItem> {
  const { fs } = system
  const kind = fileKind(fs, path)
  if (kind === undefined) {
    throw new LogqError('LOGQ_IO', `'${path}' is no file that is known here`, {
      hint: 'files are told by their names: 00000000000000000000.log, .index, .timeindex, lock, recovery-point, log-start-offset …',
    })
  }
  if (fs.pathStatus(path)?.kind === 'file') {
    yield* show(system, path, kind, await judge(system, path, kind, options), options)
    return
  }
  const { findings } = fs.pathStatus(path) === undefined ? { findings: [] } : await judge(system, path, kind, options)
  if (findings.length === 0) fs.close(fs.open(path, 'read')) // throws: names what stands there
  yield* findings.map(problem)
}

/**
 * All files of a partition, as `dumpFile`: its segments in order, each with its indexes, then the small files, then what is wrong with
 * the partition as a whole. With a range of offsets or a position, only the segments that have it. What lies in quarantine/ is
 * not shown. Throws as `checkPartition`.
 */
export async function* dumpPartition(
  store: Store,
  topic: string,
  partition: number,
  options: DumpOptions = {},
): AsyncGenerator<DumpItem> {
  const file = getTopic(store, topic)
  const directory = partitionDirectory(store, topic, partition)
  const { fs } = store.system
  const isPart = options.fromOffset !== undefined || options.toOffset !== undefined || options.fromPosition !== undefined
  let inspection: PartitionInspection | undefined
  let names: string[]
  try {
    if (!isPart) inspection = await inspectStorePartition(store, file, partition, signalOf(options))
    names = fs.list(directory)
  } catch (error) {
    if (!isDirectoryMissing(error) && systemErrorCode(error) !== 'ENOENT') throw error
    if (findTopic(store, topic)?.topicId !== file.topicId) throw error
    yield { type: 'problem', kind: 'damage', file: directory, message: 'the partition directory is missing' }
    return
  }
  const shown = new Set<string>()
  for (const name of [...segmentFiles(names, options), ...(isPart ? [] : smallFiles(names))]) {
    const path = `${directory}/${name}`
    const kind = fileKind(fs, path)
    if (kind === undefined || fs.pathStatus(path)?.kind !== 'file') continue
    shown.add(path)
    const base = baseOf(name)
    const known =
      inspection ?? (await inspectStorePartition(store, file, partition, { ...signalOf(options), ...segmentOnly(base) }))
    try {
      yield* show(store.system, path, kind, await judgedBy(store.system, path, kind, known, options.signal), options)
    } catch (error) {
      // Retained meanwhile.
      if (systemErrorCode(error) !== 'ENOENT') throw error
    }
  }
  for (const finding of inspection?.check.findings ?? []) if (!shown.has(finding.file)) yield problem(finding)
}

const SMALL_FILES = [
  LOCK_FILE,
  RECOVERY_POINT_FILE,
  LOG_START_OFFSET_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  KNOWN_GAPS_FILE,
  CLEANER_OFFSET_FILE,
  'partition.metadata',
]

function smallFiles(names: readonly string[]): string[] {
  const many = (name: string) => name.startsWith('dedupe-') || name.endsWith(PRODUCER_SNAPSHOT_SUFFIX)
  return [...SMALL_FILES.filter((one) => names.includes(one)), ...names.filter(many)]
}

const SEGMENT_SUFFIXES = [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX] as const

/** Names of the segment files that may have something of the range, by base offset; of each the .log first. */
function segmentFiles(names: readonly string[], { fromOffset = 0, toOffset = Infinity }: DumpOptions): string[] {
  const bases = [...new Set(names.flatMap((name) => baseOf(name) ?? []))].sort((a, b) => a - b)
  const isThere = new Set(names)
  return bases
    .filter((base, n) => base < toOffset && (bases[n + 1] ?? Infinity) > fromOffset)
    .flatMap((base) => SEGMENT_SUFFIXES.map((suffix) => segmentFileName(base, suffix)))
    .filter((name) => isThere.has(name))
}

function baseOf(name: string): number | undefined {
  return SEGMENT_SUFFIXES.map((suffix) => parseSegmentFileName(name, suffix)).find((base) => base !== undefined)
}

function segmentOnly(base: number | undefined): { onlySegment?: number } {
  return base === undefined ? {} : { onlySegment: base }
}

function signalOf({ signal }: DumpOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal }
}

/** Asks the check that `fsck` would make, where the file is one of a store. */
async function judge(system: System, path: string, kind: FileKind, options: DumpOptions): Promise<Judged> {
  const directory = parentDirectory(path)
  const base = baseOf(nameOf(path))
  if (kind === 'topic') return judgeTopic(system, path)
  if (kind === 'store') return judgeStore(system, path)
  if (kind === 'producer-snapshot') return { findings: [checkSnapshot(system.fs, path) ?? []].flat() }
  const around = storeAround(system, directory)
  if (kind === 'transaction-index') {
    if (base === undefined || system.fs.pathStatus(logOf(directory, base)) === undefined) return { findings: [], isLone: true }
    return { findings: await transactionFindings(loneContext(system, directory), path, options.signal) }
  }
  if (kind === 'log' || kind === 'offset-index' || kind === 'time-index') {
    const isJudgedWithLog = base !== undefined && system.fs.pathStatus(logOf(directory, base)) !== undefined
    if (!isJudgedWithLog) return kind === 'log' ? judgeLoneLog(system, path, options.signal) : { findings: [], isLone: true }
    const how = { ...signalOf(options), onlySegment: base }
    const inspection =
      around === undefined
        ? await inspectPartition(loneContext(system, directory), { gapsAreNormal: true, isOwn: false, isAtRest: true, ...how })
        : await inspectStorePartition(around.store, around.file, around.partition, how)
    return judgedBy(system, path, kind, inspection, options.signal)
  }
  if (around?.store.kind !== 'logq') return { findings: [], isLone: true }
  return judgedBy(
    system,
    path,
    kind,
    await inspectStorePartition(around.store, around.file, around.partition, signalOf(options)),
    options.signal,
  )
}

async function transactionFindings(context: ViewContext, path: string, signal: AbortSignal | undefined): Promise<Finding[]> {
  return (await checkTransactionFiles(context, signal)).filter(({ file }) => file === path)
}

/** What an inspection of its partition says of one file. */
async function judgedBy(
  system: System,
  path: string,
  kind: FileKind,
  inspection: PartitionInspection,
  signal: AbortSignal | undefined,
): Promise<Judged> {
  const findings = inspection.check.findings.filter(({ file }) => file === path)
  if (kind !== 'log') return { findings }
  const base = baseOf(nameOf(path))
  const check = inspection.segments.find(({ baseOffset }) => baseOffset === base)
  if (check !== undefined) return { findings, check }
  // It stands in the wrong place, or came after the check.
  if (system.fs.pathStatus(path)?.kind !== 'file') return { findings }
  return { findings, check: await checkLogFile(loneContext(system, parentDirectory(path)), path, signal) }
}

/** A log under a name that is no segment's, as in quarantine/: only its own bytes can be asked. */
async function judgeLoneLog(system: System, path: string, signal: AbortSignal | undefined): Promise<Judged> {
  const check = await checkLogFile(loneContext(system, parentDirectory(path)), path, signal)
  const bad = check.badRanges.map((range): Finding => {
    const isEnd = range.toOffset === undefined && isZeros(system.fs, path, range.from)
    const message = isEnd ? `${range.reason} (the log ends here)` : describeBadRange(range)
    return { kind: isEnd ? 'note' : 'damage', file: path, position: range.from, offset: range.fromOffset, message }
  })
  const restored = check.goodRanges.flatMap(({ from, restored: header }): Finding[] =>
    header === undefined
      ? []
      : [{ kind: 'damage', file: path, position: from, offset: header.baseOffset, message: header.reason }],
  )
  return { findings: [...bad, ...restored], check }
}

async function judgeTopic(system: System, path: string): Promise<Judged> {
  const directory = parentDirectory(path)
  const store = nameOf(directory) === TOPICS_DIRECTORY ? storeAt(system, parentDirectory(directory)) : undefined
  if (store === undefined) return { findings: [], isLone: true }
  const topic = nameOf(path).replace(/\.json$/, '')
  const findings = await checkTopicFiles(store)
  return { findings: findings.filter(({ file }) => file === topicPath(store, topic)).map((one) => ({ ...one, file: path })) }
}

/** A newer format is no damage: it is shown, and said. */
function judgeStore(system: System, path: string): Judged {
  try {
    openStore(system, parentDirectory(path))
    return { findings: [] }
  } catch (error) {
    if (!(error instanceof LogqError)) throw error
    return { findings: [{ kind: error.code === 'LOGQ_CORRUPT' ? 'damage' : 'note', file: path, message: error.message }] }
  }
}

/** The store and the topic whose partition a directory is; undefined when it is none. */
function storeAround(
  system: System,
  directory: string,
): { readonly store: Store; readonly file: TopicFile; readonly partition: number } | undefined {
  const named = parsePartitionDirectoryName(nameOf(directory))
  if (named === undefined) return undefined
  const store = storeAt(system, parentDirectory(directory))
  if (store === undefined) return undefined
  try {
    const file = findTopic(store, named.topic)
    if (file === undefined || partitionDirectory(store, named.topic, named.partition) !== directory) return undefined
    return { store, file, partition: named.partition }
  } catch (error) {
    if (error instanceof LogqError) return undefined
    throw error
  }
}

function storeAt(system: System, path: string): Store | undefined {
  try {
    return openStore(system, path)
  } catch (error) {
    if (error instanceof LogqError || systemErrorCode(error) !== undefined) return undefined
    throw error
  }
}

function loneContext(system: System, directory: string): ViewContext {
  const { topic, partition } = parsePartitionDirectoryName(nameOf(directory)) ?? { topic: nameOf(directory), partition: 0 }
  return { system, directory, topic, partition }
}

function logOf(directory: string, base: number): string {
  return `${directory}/${segmentFileName(base, LOG_SUFFIX)}`
}

/** The items of a file, and each problem before what stands at its place or behind it. */
async function* show(
  system: System,
  path: string,
  kind: FileKind,
  judged: Judged,
  options: DumpOptions,
): AsyncGenerator<DumpItem> {
  const { fs } = system
  yield { type: 'file', file: path, kind, sizeBytes: fs.pathStatus(path)?.sizeBytes ?? 0 }
  const problems = [...judged.findings].sort((a, b) => (a.position ?? -1) - (b.position ?? -1)).map(problem)
  let next = 0
  for await (const item of itemsOf(system, path, kind, judged, options)) {
    if (options.signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while showing')
    const position = 'position' in item ? item.position : -1
    for (let one = problems[next]; one !== undefined && (one.position ?? -1) <= position; one = problems[next]) {
      yield one
      next += 1
    }
    yield item
  }
  yield* problems.slice(next)
}

async function* itemsOf(
  system: System,
  path: string,
  kind: FileKind,
  { check, isLone = false }: Judged,
  options: DumpOptions,
): AsyncGenerator<DumpItem> {
  const { fs } = system
  switch (kind) {
    case 'log':
      if (check !== undefined) yield* dumpLog(fs, path, check, options)
      return
    case 'offset-index':
      yield* part(checked(dumpOffsetIndex(fs, indexFile(path)), isLone), options)
      return
    case 'time-index':
      yield* part(checked(dumpTimeIndex(fs, indexFile(path)), isLone), options)
      return
    case 'transaction-index':
      yield* checkedEntries(dumpTransactionIndex(fs, path), isLone)
      return
    case 'producer-snapshot':
      yield* dumpProducerSnapshot(fs, path)
      return
    default: {
      const { items, fault } = dumpSmallFile(system, path, kind)
      if (isLone && fault !== undefined) yield { type: 'problem', kind: 'damage', file: path, position: 0, message: fault }
      yield* items
    }
  }
}

function indexFile(path: string): IndexFile {
  const base = baseOf(nameOf(path))
  const baseOffset = base ?? 0
  return { path, baseOffset, logPath: base === undefined ? undefined : logOf(parentDirectory(path), base) }
}

/** An index without a log can at least be asked whether its entries rise. */
function* checked(items: Iterable<IndexItem>, isLone: boolean): Generator<IndexItem | ProblemItem> {
  let before: IndexItem | undefined
  for (const item of items) {
    const fault = isLone ? indexFault(before, item) : undefined
    if (fault !== undefined) yield { type: 'problem', kind: 'cache', file: item.file, position: item.position, message: fault }
    before = item
    yield item
  }
}

function indexFault(before: IndexItem | undefined, item: IndexItem): string | undefined {
  if (item.type === 'passed-over') return 'the size is not a whole number of entries'
  if (item.type === 'offset-index-entry') {
    if (item.logPosition < 0) return 'this is not an entry'
    if (before?.type !== 'offset-index-entry') return undefined
    return item.offset > before.offset && item.logPosition > before.logPosition ? undefined : 'the entries do not rise'
  }
  if (item.type !== 'time-index-entry' || before?.type !== 'time-index-entry') return undefined
  return item.timestampMs > before.timestampMs && item.offset >= before.offset ? undefined : 'the entries do not rise'
}

/** A transaction index without its log: whether its entries rise. */
function* checkedEntries(
  items: Iterable<TransactionIndexEntryItem | PassedItem>,
  isLone: boolean,
): Generator<TransactionIndexEntryItem | PassedItem | ProblemItem> {
  let before: number | bigint = -1
  for (const item of items) {
    const isRising = item.type !== 'passed-over' && item.lastOffset > before && item.firstOffset <= item.lastOffset
    const message = item.type === 'passed-over' ? 'this is not an entry' : 'the entries do not rise'
    const { file, position } = item
    if (isLone && !isRising) yield { type: 'problem', kind: 'cache', file, position, message }
    if (item.type !== 'passed-over') before = item.lastOffset
    yield item
  }
}

/** The entries that were asked for. */
function* part(items: Iterable<IndexItem | ProblemItem>, options: DumpOptions): Generator<IndexItem | ProblemItem> {
  const { fromOffset = 0, toOffset = Infinity, fromPosition = 0, limit = Infinity } = options
  let shown = 0
  for (const item of items) {
    if (item.type === 'offset-index-entry' || item.type === 'time-index-entry') {
      const isBehind = item.type === 'time-index-entry' || item.logPosition >= fromPosition
      if (item.offset < fromOffset || item.offset >= toOffset || !isBehind || shown === limit) continue
      shown += 1
    }
    yield item
  }
}

function problem({ kind, file, position, offset, message }: Finding): ProblemItem {
  return {
    type: 'problem',
    kind,
    file,
    ...(position === undefined ? {} : { position }),
    ...(offset === undefined ? {} : { offset }),
    message,
  }
}
