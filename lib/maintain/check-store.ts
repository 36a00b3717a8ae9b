/**
 * Checking and repairing by store, topic and partition: what `logq fsck` calls. Here are also the checks of what a store has above its
 * partitions: topic files, and directories that belong to no topic (format-spec/topic.md).
 */
import { LogqError, isLogqError, systemErrorCode } from '../errors.js'
import { createPartition } from '../log/create-partition.js'
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from '../log/file-names.js'
import type { LockWait } from '../log/partition-lock.js'
import { CREATING_SUFFIX, REMOVING_SUFFIX, TOPICS_DIRECTORY, partitionsInListing, topicsInListing } from '../store/names.js'
import { appendContext, viewContext } from '../store/partition.js'
import { requireWritable, withStoreLock, type Store } from '../store/store.js'
import { TopicConfig } from '../store/topic-config.js'
import type { TopicFile } from '../store/topic-file.js'
import { checkPartitioner, findTopic, getTopic, listTopics, partitionDirectory, topicPath } from '../store/topics.js'
import { overBadPages } from '../system/bad-pages.js'
import type { Finding } from './finding.js'
import { inspectPartition, type InspectOptions, type PartitionCheck, type PartitionInspection } from './inspect-partition.js'
import { repairPartition as repair, type RepairReport } from './repair-partition.js'

/**
 * What is wrong with topic files and partition directories as such; their records are looked at by `checkPartition`. Throws a
 * system error.
 */
export async function checkTopicFiles(store: Store): Promise<Finding[]> {
  if (store.kind === 'kafka') return []
  const { fs } = store.system
  const topics = new Map<string, TopicFile | undefined>()
  const findings: Finding[] = []
  for (const topic of listTopics(store)) {
    const file = topicPath(store, topic)
    try {
      const found = findTopic(store, topic)
      topics.set(topic, found)
      if (found !== undefined) await checkPartitioner(found.partitioner)
      if (found !== undefined && found.topic !== topic) {
        findings.push({ kind: 'damage', file, message: `it names another topic, '${found.topic}': correct it by hand` })
      }
    } catch (error) {
      if (!(error instanceof LogqError) && !isRefusal(error)) throw error
      topics.set(topic, undefined)
      findings.push({ kind: 'damage', file, message: `${messageOf(error)}: correct it by hand, or restore it` })
    }
  }
  const intents = fs.list(`${store.path}/${TOPICS_DIRECTORY}`)
  const pending = [CREATING_SUFFIX, REMOVING_SUFFIX].flatMap((suffix) => topicsInListing(intents, suffix))
  for (const topic of pending) {
    const message = `a command that created or removed topic '${topic}' was killed; the next topic command finishes it`
    findings.push({ kind: 'note', file: `${store.path}/${TOPICS_DIRECTORY}`, message })
  }
  for (const { topic, partition } of partitionsInListing(fs.list(store.path))) {
    if (pending.includes(topic)) continue
    const finding = orphanOf(store, topic, partition, topics)
    if (finding !== undefined) findings.push(finding)
  }
  return findings
}

/** A partition directory that no topic file speaks for. */
function orphanOf(
  store: Store,
  topic: string,
  partition: number,
  topics: ReadonlyMap<string, TopicFile | undefined>,
): Finding | undefined {
  const file = topics.get(topic)
  if (file === undefined ? topics.has(topic) : partition < file.partitions) return undefined
  const directory = partitionDirectory(store, topic, partition)
  const whose = file === undefined ? `of a topic that has no topic file` : `of a partition that the topic file does not count`
  if (holdsRecords(store, directory)) return { kind: 'damage', file: directory, message: `it holds records ${whose}` }
  return { kind: 'note', file: directory, message: `it is an empty directory ${whose}` }
}

function holdsRecords(store: Store, directory: string): boolean {
  const { fs } = store.system
  if (fs.pathStatus(directory)?.kind !== 'directory') return false
  return segmentBaseOffsets(fs.list(directory)).some(
    (base) => base > 0 || (fs.pathStatus(`${directory}/${segmentFileName(base, LOG_SUFFIX)}`)?.sizeBytes ?? 0) > 0,
  )
}

export interface CheckOptions {
  readonly signal?: AbortSignal
}

/**
 * Reads every batch and every record of a partition, and checks CRCs, offsets, leader epochs, indexes and the small files.
 * Changes nothing, and keeps nobody from appending. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_ABORTED, LOGQ_TOPIC_REMOVED when the topic
 * was removed meanwhile, or a system error.
 */
export async function checkPartition(
  store: Store,
  topic: string,
  partition: number,
  options: CheckOptions = {},
): Promise<PartitionCheck> {
  const file = getTopic(store, topic)
  try {
    return (await inspectStorePartition(store, file, partition, options)).check
  } catch (error) {
    if (!isDirectoryMissing(error)) throw error
    if (findTopic(store, topic)?.topicId !== file.topicId) throw error
    return missingDirectory(store, topic, partition)
  }
}

/** All that a check comes upon, for those who show it. Throws as `inspectPartition`. */
export function inspectStorePartition(
  store: Store,
  file: TopicFile,
  partition: number,
  options: Pick<InspectOptions, 'signal' | 'onlySegment'> = {},
): Promise<PartitionInspection> {
  const context = viewContext(overBadPagesOf(store), file.topic, partition)
  return inspectPartition(context, { gapsAreNormal: areGapsNormal(store, file), isOwn: store.kind === 'logq', ...options })
}

/**
 * Repairs a partition of a logq store: every batch that can be read is kept at its offset, a copy of what is rewritten is kept in
 * quarantine/. What is whole is not touched. Waits for the append lock and holds it. Throws LOGQ_READ_ONLY_STORE,
 * LOGQ_UNKNOWN_TOPIC, LOGQ_BUSY, LOGQ_ABORTED (then nothing was changed), LOGQ_TOPIC_REMOVED, or a system error.
 */
export async function repairPartition(
  store: Store,
  topic: string,
  partition: number,
  wait: LockWait = {},
): Promise<RepairReport> {
  requireWritable(store, { allowNetworkFileSystem: true })
  const file = getTopic(store, topic)
  const config = new TopicConfig(file.config)
  try {
    const tolerant = overBadPagesOf(store)
    const context = appendContext(tolerant, topic, partition, () => config)
    return await repair(context, viewContext(tolerant, topic, partition), { gapsAreNormal: areGapsNormal(store, file) }, wait)
  } catch (error) {
    if (!isDirectoryMissing(error)) throw error
    if (findTopic(store, topic)?.topicId !== file.topicId) throw error
    const check = missingDirectory(store, topic, partition)
    return { check, rewritten: [], moved: [], rebuilt: await createAgain(store, file, partition, wait), cut: undefined }
  }
}

/** What the device cannot read is damage like any other. */
function overBadPagesOf(store: Store): Store {
  return { ...store, system: overBadPages(store.system) }
}

function areGapsNormal(store: Store, file: TopicFile): boolean {
  return store.kind === 'kafka' || new TopicConfig(file.config).choice('cleanup.policy').includes('compact')
}

export function isDirectoryMissing(error: unknown): boolean {
  return isLogqError(error, 'LOGQ_TOPIC_REMOVED') || systemErrorCode(error) === 'ENOTDIR'
}

function missingDirectory(store: Store, topic: string, partition: number): PartitionCheck {
  const directory = partitionDirectory(store, topic, partition)
  const finding: Finding = { kind: 'damage', file: directory, message: 'the partition directory is missing' }
  return { topic, partition, segmentCount: 0, batchCount: 0, recordCount: 0, sizeBytes: 0, findings: [finding] }
}

/** An empty partition, so that the topic can be used. A file that stands in its place is left alone. */
async function createAgain(store: Store, file: TopicFile, partition: number, wait: LockWait): Promise<string[]> {
  const directory = partitionDirectory(store, file.topic, partition)
  const create = () => {
    if (findTopic(store, file.topic)?.topicId !== file.topicId) return []
    createPartition(store.system, directory, store.ownership)
    store.system.fs.syncDirectory(store.path)
    return [directory]
  }
  return withStoreLock(store, create, wait)
}

/** Something else than a file stands in place of a topic file. */
function isRefusal(error: unknown): boolean {
  return ['ELOOP', 'EINVAL', 'EISDIR'].includes(systemErrorCode(error) ?? '')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
