/**
 * Topics: create, list, look up, alter, remove (format-spec/topic.md). All changes hold the store's lock.
 *
 * Creating: 1 `topics/T.new` with the whole topic file, durable; 2 partition directories; 3 the store's directory synced; 4 renamed
 * to `topics/T.json`: the topic exists from here on. Crash before 4: the next topic command removes what is empty, and the file.
 * Importing: the same with `topics/T.imp`, and directories that are copied before, without the store's lock, and renamed at 2.
 * Adding partitions: 1 directories; 2 synced; 3 the topic file replaced. Crash before 3: left-over directories are taken over.
 * Removing: 1 `T.json` renamed to `T.rm`: the topic is gone from here on; 2 each partition marked deleted under its append
 * lock; 3 renamed aside to `.removed-…`; 4 its files unlinked; 5 `T.rm` unlinked. Crash before 5: the next topic command goes on.
 * A partition whose append lock is held at 2 is waited for without the store's lock, and passed over by all other commands.
 */
import { LogqError, isLogqError, systemErrorCode } from '../errors.js'
import { createPartition, markPartitionDeleted, removePartitionDirectory } from '../log/create-partition.js'
import { LOCK_FILE, parsePartitionDirectoryName, partitionDirectoryName } from '../log/file-names.js'
import { PartitionLock, type LockWait } from '../log/partition-lock.js'
import { compileNumberExpression } from '../record/expression.js'
import { isTemporaryName, parentDirectory, readSmallFile, removeQuietly, replaceFile } from '../system/durable.js'
import { kafkaTopics } from './kafka-directory.js'
import {
  CREATING_SUFFIX,
  IMPORTING_SUFFIX,
  IMPORT_DIRECTORY_PREFIX,
  REMOVING_SUFFIX,
  TOPICS_DIRECTORY,
  TOPIC_SUFFIX,
  checkTopicName,
  topicsInListing,
  twinOf,
} from './names.js'
import { makeDirectory, randomId, requireWritable, withStoreLock, type Store } from './store.js'
import { makeUnfinishedDirectory, type UnfinishedDirectory } from './unfinished-directory.js'
import { resolveSettings, type TopicOverrides } from './topic-config.js'
import {
  DEFAULT_PARTITIONER,
  formatTopicFile,
  isNamedPartitioner,
  parseTopicFile,
  type Partitioner,
  type TopicFile,
} from './topic-file.js'

/** And how to wait for other processes. */
export interface CreateTopicOptions extends LockWait {
  /** Default 1. */
  readonly partitions?: number
  readonly partitioner?: Partitioner
  readonly config?: TopicOverrides
}

/** For partitions that came with their records. */
export interface CreateTopicFromOptions extends CreateTopicOptions {
  /** That of the topic which they were part of; default a new one. No other topic of the store may have it. */
  readonly topicId?: string | undefined
}

/** How a change of a topic waits for other processes that are changing topics. */
export type ChangeOptions = LockWait

export const MAX_PARTITIONS = 100_000
const REMOVED_PREFIX = '.removed-'

/** Names of all topics, sorted. */
export function listTopics(store: Store): string[] {
  if (store.kind === 'kafka') return [...kafkaTopics(store).keys()].sort()
  return topicsInListing(store.system.fs.list(topicsDirectory(store)), TOPIC_SUFFIX).sort()
}

/** Undefined when there is no such topic. */
export function findTopic(store: Store, topic: string): TopicFile | undefined {
  if (store.kind === 'kafka') return kafkaTopics(store).get(topic)
  const path = topicPath(store, topic)
  const bytes = readSmallFile(store.system.fs, path)
  return bytes === undefined ? undefined : parseTopicFile(bytes, path)
}

/** Throws LOGQ_USAGE for a name that cannot be one, LOGQ_UNKNOWN_TOPIC with names that are like it. */
export function getTopic(store: Store, topic: string): TopicFile {
  // Kafka's own topics, such as __consumer_offsets, may be read where Kafka keeps them.
  if (store.kind === 'logq') checkTopicName(topic)
  const file = findTopic(store, topic)
  if (file !== undefined) return file
  const twin = twinOf(topic, listTopics(store))
  const hint = twin === undefined ? "see 'logq topic ls'" : `did you mean '${twin}'?`
  throw new LogqError('LOGQ_UNKNOWN_TOPIC', `topic '${topic}' does not exist in store '${store.path}'`, { hint })
}

/** Throws LOGQ_USAGE, LOGQ_TOPIC_EXISTS (also for a twin), LOGQ_READ_ONLY_STORE, or a system error; then nothing is left behind. */
export async function createTopic(store: Store, topic: string, options: CreateTopicOptions = {}): Promise<TopicFile> {
  return await createTopicWith(store, topic, options, {
    suffix: CREATING_SUFFIX,
    place: (partitions) => {
      createPartitions(store, topic, 0, partitions) // 2, 3
    },
    undo: () => {
      undoCreation(store, topic)
    },
  })
}

/**
 * The same for partitions that came with their records: `directories`, one for each, are durable, lie in the store under a name that
 * no partition has, and are renamed.
 */
export async function createTopicFrom(
  store: Store,
  topic: string,
  directories: readonly string[],
  options: CreateTopicFromOptions = {},
): Promise<TopicFile> {
  return await createTopicWith(
    store,
    topic,
    { ...options, partitions: directories.length },
    {
      suffix: IMPORTING_SUFFIX,
      place: () => {
        for (const [partition, directory] of directories.entries()) {
          store.system.fs.rename(directory, partitionDirectory(store, topic, partition))
          store.system.failpoint('topic-import.after-rename')
        }
        store.system.fs.syncDirectory(store.path)
      },
      undo: () => {
        undoImport(store, topic)
      },
    },
  )
}

interface Creation {
  /** Of the topic file while the partitions are being placed. */
  readonly suffix: string
  readonly place: (partitions: number) => void
  readonly undo: () => void
}

async function createTopicWith(
  store: Store,
  topic: string,
  options: CreateTopicFromOptions,
  creation: Creation,
): Promise<TopicFile> {
  checkTopicName(topic)
  const partitions = checkPartitionCount(options.partitions ?? 1)
  const partitioner = await checkPartitioner(options.partitioner ?? DEFAULT_PARTITIONER)
  const config = withoutNulls(resolveSettings(options.config ?? {}))
  requireWritable(store, { allowNetworkFileSystem: true })
  const create = async (): Promise<{ file: TopicFile; busy?: never } | { file?: never; busy: string }> => {
    const busy = (await finishPending(store)).get(topic)
    if (busy !== undefined) return { busy }
    refuseExisting(store, topic)
    if (creation.suffix === IMPORTING_SUFFIX) refuseOrphans(store, topic)
    const file: TopicFile = {
      topic,
      topicId: options.topicId ?? randomId(store.system),
      partitions,
      partitioner,
      config,
      created: new Date(store.system.clock.nowMs()).toISOString(),
    }
    const creating = `${topicsDirectory(store)}/${topic}${creation.suffix}`
    try {
      replaceFile(store.system, creating, formatTopicFile(file), store.ownership) // 1
      store.system.failpoint('topic-create.after-intent')
      creation.place(partitions) // 2, 3
      store.system.failpoint('topic-create.before-commit')
      store.system.fs.rename(creating, topicPath(store, topic)) // 4
      store.system.fs.syncDirectory(topicsDirectory(store))
    } catch (error) {
      try {
        creation.undo()
      } catch {
        // The disk that failed fails again; the next topic command undoes it.
      }
      throw error
    }
    return { file }
  }
  for (;;) {
    const { file, busy } = await withStoreLock(store, create, options)
    if (file !== undefined) return file
    // Until the removed topic of that name is out of the way.
    await waitForAppends(store, busy, options)
  }
}

/**
 * Makes the place where `createTopicFrom` takes partitions from. A kernel lock marks it as in use; without its holder, the next change
 * of a topic removes it.
 */
export async function openImportDirectory(store: Store, wait: LockWait = {}): Promise<UnfinishedDirectory> {
  const { system } = store
  const path = `${store.path}/${IMPORT_DIRECTORY_PREFIX}${Buffer.from(system.random.bytes(6)).toString('hex')}`
  return await withStoreLock(
    store,
    async () => {
      await finishPending(store)
      return makeUnfinishedDirectory(system, path, LOCK_FILE, store.ownership)
    },
    wait,
  )
}

/**
 * Replaces settings; null takes one back to its default. Running producers notice within a second. Throws LOGQ_USAGE,
 * LOGQ_UNKNOWN_TOPIC, LOGQ_READ_ONLY_STORE, LOGQ_ABORTED, or a system error.
 */
export async function alterTopic(
  store: Store,
  topic: string,
  changes: Readonly<Record<string, number | string | null>>,
  wait: ChangeOptions = {},
): Promise<TopicFile> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const resolved = resolveSettings(changes)
  const change = async () => {
    await finishPending(store)
    const file = getTopic(store, topic)
    return writeTopicFile(store, { ...file, config: withoutNulls({ ...file.config, ...resolved }) })
  }
  return withStoreLock(store, change, wait)
}

/**
 * Existing records stay where they are, so that keys may move to other partitions: that is Kafka's behaviour too. Throws as
 * `alterTopic`.
 */
export async function addPartitions(
  store: Store,
  topic: string,
  partitions: number,
  wait: ChangeOptions = {},
): Promise<TopicFile> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const change = async () => {
    await finishPending(store)
    const file = getTopic(store, topic)
    checkPartitionCount(partitions)
    if (partitions <= file.partitions) {
      throw new LogqError('LOGQ_USAGE', `topic '${topic}' has ${file.partitions} partitions already; the number can only grow`)
    }
    createPartitions(store, topic, file.partitions, partitions)
    store.system.failpoint('topic-add-partitions.before-commit')
    return writeTopicFile(store, { ...file, partitions })
  }
  return withStoreLock(store, change, wait)
}

function withoutNulls(settings: Readonly<Record<string, number | string | null>>): TopicOverrides {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null))
}

/**
 * Removes a topic with all its records. Waits for appends that are under way. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_READ_ONLY_STORE,
 * LOGQ_BUSY, LOGQ_ABORTED, or a system error; once it has begun, the next change of a topic finishes it.
 */
export async function removeTopic(store: Store, topic: string, wait: LockWait = {}): Promise<void> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const remove = async () => {
    await finishPending(store)
    getTopic(store, topic)
    store.system.fs.rename(topicPath(store, topic), removingPath(store, topic)) // 1
    store.system.fs.syncDirectory(topicsDirectory(store))
    store.system.failpoint('topic-rm.after-intent')
    return await finishRemoval(store, topic)
  }
  const goOn = () =>
    store.system.fs.pathStatus(removingPath(store, topic)) === undefined ? undefined : finishRemoval(store, topic)
  for (let busy = await withStoreLock(store, remove, wait); busy !== undefined;) {
    // Without the store's lock, so that other topics can be changed meanwhile; somebody else may then finish this removal.
    await waitForAppends(store, busy, wait)
    busy = await withStoreLock(store, goOn, wait)
  }
}

export function partitionDirectory(store: Pick<Store, 'path'>, topic: string, partition: number): string {
  return `${store.path}/${partitionDirectoryName(topic, partition)}`
}

export function topicPath(store: Store, topic: string): string {
  return `${topicsDirectory(store)}/${topic}${TOPIC_SUFFIX}`
}

/**
 * Finishes removals and undoes creations that a killed command left. The caller holds the store's lock. A removal that has to
 * wait for an append is left for later: returns the topics of those, each with a partition directory that is in use.
 */
async function finishPending(store: Store): Promise<Map<string, string>> {
  const busy = new Map<string, string>()
  makeDirectory(store.system, topicsDirectory(store), store.ownership)
  sweepTemporaries(store)
  const names = store.system.fs.list(topicsDirectory(store))
  for (const topic of topicsInListing(names, REMOVING_SUFFIX)) {
    const directory = await finishRemoval(store, topic)
    if (directory !== undefined) busy.set(topic, directory)
  }
  for (const topic of topicsInListing(names, CREATING_SUFFIX)) undoCreation(store, topic)
  for (const topic of topicsInListing(names, IMPORTING_SUFFIX)) undoImport(store, topic)
  return busy
}

/** Left by processes that were killed: whoever writes one holds the store's lock, and that is us now. */
function sweepTemporaries(store: Store): void {
  const { system, path } = store
  for (const directory of [path, topicsDirectory(store)]) {
    for (const name of system.fs.list(directory)) {
      if (isTemporaryName(name)) removeQuietly(system.fs, `${directory}/${name}`)
    }
  }
  for (const name of system.fs.list(path)) {
    if (isRemovedName(name) || (name.startsWith(IMPORT_DIRECTORY_PREFIX) && isAbandoned(store, `${path}/${name}/${LOCK_FILE}`)))
      removePartitionDirectory(system, `${path}/${name}`)
  }
}

/** Whether the process that made a directory ended: nobody holds the lock file in it. */
export function isAbandoned(store: Store, lock: string): boolean {
  const { fs, locks } = store.system
  if (fs.pathStatus(lock) === undefined) return true
  const fd = fs.open(lock, 'read-write')
  try {
    if (!locks.tryLock(fd, false)) return false
    locks.unlock(fd)
    return true
  } finally {
    fs.close(fd)
  }
}

/** The name of a partition that was renamed aside. No partition directory can have it: there is no '-' before the last digits. */
function isRemovedName(name: string): boolean {
  return name.startsWith(REMOVED_PREFIX) && /^[0-9a-f]{12}$/.test(name.slice(REMOVED_PREFIX.length))
}

/**
 * The caller holds the store's lock, so nothing is waited for. Returns a partition directory whose append lock is held, and is
 * done otherwise.
 */
async function finishRemoval(store: Store, topic: string): Promise<string | undefined> {
  const { system, path } = store
  let busy: string | undefined
  for (const directory of directoriesOf(store, topic)) {
    if (system.fs.pathStatus(`${directory}/${LOCK_FILE}`) !== undefined) {
      if (!(await tryMarkDeleted(store, directory))) {
        busy = directory
        continue
      }
      system.failpoint('topic-rm.after-mark')
    }
    const aside = `${path}/${REMOVED_PREFIX}${Buffer.from(system.random.bytes(6)).toString('hex')}`
    system.fs.rename(directory, aside) // 3
    system.failpoint('topic-rm.after-rename')
  }
  system.fs.syncDirectory(path)
  sweepTemporaries(store) // 4
  if (busy !== undefined) return busy
  system.failpoint('topic-rm.before-end')
  system.fs.unlink(removingPath(store, topic)) // 5
  system.fs.syncDirectory(topicsDirectory(store))
  return undefined
}

async function tryMarkDeleted(store: Store, directory: string): Promise<boolean> {
  try {
    await markPartitionDeleted(store.system, directory, { wait: 'no' }) // 2
    return true
  } catch (error) {
    if (isLogqError(error, 'LOGQ_BUSY')) return false
    throw error
  }
}

/**
 * Returns when the append lock of a partition that is being removed was free, or the partition is gone. Nothing is changed here:
 * by then the path may be that of a new topic.
 */
async function waitForAppends(store: Store, directory: string, wait: LockWait): Promise<void> {
  let lock: PartitionLock | undefined
  try {
    lock = PartitionLock.open(store.system, directory)
    await lock.acquire(wait)
    lock.release()
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' && !isLogqError(error, 'LOGQ_TOPIC_REMOVED')) throw error
  } finally {
    lock?.close()
  }
}

/** Partition directories hold no record yet: the topic never existed for anybody. */
function undoCreation(store: Store, topic: string): void {
  const { fs } = store.system
  const path = `${topicsDirectory(store)}/${topic}${CREATING_SUFFIX}`
  if (fs.pathStatus(path) === undefined) return
  if (findTopic(store, topic) === undefined) {
    for (const directory of directoriesOf(store, topic)) {
      if (!holdsRecords(store, directory)) removePartitionDirectory(store.system, directory)
    }
    fs.syncDirectory(store.path)
  }
  fs.unlink(path)
}

/** The topic never existed for anybody, and its partitions are copies. Those that no intent speaks of were refused before. */
function undoImport(store: Store, topic: string): void {
  const { fs } = store.system
  const path = `${topicsDirectory(store)}/${topic}${IMPORTING_SUFFIX}`
  if (fs.pathStatus(path) === undefined) return
  if (findTopic(store, topic) === undefined) {
    for (const directory of directoriesOf(store, topic)) removePartitionDirectory(store.system, directory)
    fs.syncDirectory(store.path)
  }
  fs.unlink(path)
}

function refuseOrphans(store: Store, topic: string): void {
  const [directory] = directoriesOf(store, topic)
  if (directory === undefined) return
  throw new LogqError('LOGQ_TOPIC_EXISTS', `'${directory}' holds records of a topic that the store does not know`, {
    hint: 'move the directory away, or give the topic another name',
  })
}

function holdsRecords(store: Store, directory: string): boolean {
  const { fs } = store.system
  return fs.list(directory).some((name) => name.endsWith('.log') && (fs.pathStatus(`${directory}/${name}`)?.sizeBytes ?? 0) > 0)
}

function directoriesOf(store: Store, topic: string): string[] {
  return store.system.fs
    .list(store.path)
    .filter((name) => parsePartitionDirectoryName(name)?.topic === topic)
    .map((name) => `${store.path}/${name}`)
}

function createPartitions(store: Store, topic: string, from: number, to: number): void {
  for (let partition = from; partition < to; partition += 1) {
    createPartition(store.system, partitionDirectory(store, topic, partition), store.ownership)
  }
  store.system.fs.syncDirectory(store.path)
}

function refuseExisting(store: Store, topic: string): void {
  if (findTopic(store, topic) !== undefined) {
    throw new LogqError('LOGQ_TOPIC_EXISTS', `topic '${topic}' exists already`, { hint: `see 'logq topic show ${topic}'` })
  }
  const twin = twinOf(topic, listTopics(store))
  if (twin !== undefined) {
    throw new LogqError('LOGQ_TOPIC_EXISTS', `topic '${topic}' is too like the existing topic '${twin}'`, {
      hint: "two topics must differ by more than upper and lower case, or '.' for '_'",
    })
  }
}

function writeTopicFile(store: Store, file: TopicFile): TopicFile {
  const path = topicPath(store, file.topic)
  replaceFile(store.system, path, formatTopicFile(file), store.ownership)
  return file
}

/**
 * An expression is compiled once before it is recorded: a topic whose partitioner cannot be used would take no record. Throws
 * LOGQ_USAGE.
 */
export async function checkPartitioner(partitioner: Partitioner): Promise<Partitioner> {
  if (!isNamedPartitioner(partitioner)) await compileNumberExpression(partitioner)
  return partitioner
}

function checkPartitionCount(partitions: number): number {
  if (Number.isInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS) return partitions
  throw new LogqError('LOGQ_USAGE', `a topic cannot have ${partitions} partitions`, { hint: `1 to ${MAX_PARTITIONS}` })
}

function topicsDirectory(store: Store): string {
  return `${store.path}/${TOPICS_DIRECTORY}`
}

function removingPath(store: Store, topic: string): string {
  return `${parentDirectory(topicPath(store, topic))}/${topic}${REMOVING_SUFFIX}`
}
