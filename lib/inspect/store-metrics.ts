/** What there is to be measured of a store now, as figures for a monitoring system. Reads only. */
import { LogqError, isLogqError } from '../errors.js'
import { describeGroup } from '../consume/group/groups.js'
import { listGroups } from '../store/group/group-paths.js'
import type { Store } from '../store/store.js'
import { listTopics } from '../store/topics.js'
import { topicUsage } from './disk-usage.js'
import type { MetricFamily, Sample } from './open-metrics.js'

/** Told of what cannot be read: it is left out, counted, and the others are measured. */
export type OnTrouble = (error: unknown) => void | Promise<void>

const families = {
  logq_log_start_offset: { help: 'First offset of the partition that can be read.' },
  logq_log_end_offset: { help: 'Offset that the next record of the partition gets.' },
  logq_partition_size_bytes: { unit: 'bytes', help: 'Sizes of all files of the partition.' },
  logq_partition_segments: { help: 'Segments of the partition.' },
  logq_newest_timestamp_seconds: { unit: 'seconds', help: 'Latest timestamp in the partition, since the Unix epoch.' },
  logq_group_committed_offset: { help: 'Offset from which the group goes on in the partition.' },
  logq_group_lag_records: { unit: 'records', help: 'Records of the partition that the group has not read.' },
  logq_group_lag_bytes: { unit: 'bytes', help: 'Bytes of the batches that hold them.' },
  logq_group_lag_seconds: { unit: 'seconds', help: 'Age of the oldest of them by its timestamp; 0 when there is none.' },
  logq_group_members: { help: 'Members of the group that are alive.' },
  logq_store_free_bytes: { unit: 'bytes', help: 'Free for this user on the file system of the store.' },
  logq_store_total_bytes: { unit: 'bytes', help: 'In use or free for this user on that file system.' },
  logq_unreadable: { help: 'Topics, partitions and groups that could not be read.' },
} as const satisfies Record<string, Omit<MetricFamily, 'name' | 'samples'>>

type FamilyName = keyof typeof families

/** All families, also those without samples. Memory: some samples for each partition and each group that reads it. */
export async function storeMetrics(store: Store, onTrouble: OnTrouble): Promise<MetricFamily[]> {
  const samples = new Map<FamilyName, Sample[]>()
  let unreadable = 0
  const add = (name: FamilyName, labels: Sample['labels'], value: number | undefined) => {
    if (value === undefined) return
    const all = samples.get(name) ?? []
    samples.set(name, all)
    all.push({ labels, value })
  }
  const trouble = async (error: unknown) => {
    unreadable += 1
    await onTrouble(error)
  }
  for (const topic of listTopics(store)) await attempt(() => addTopic(store, topic, add, trouble), trouble)
  for (const group of listGroups(store)) await attempt(() => addGroup(store, group, add), trouble)
  const { fs } = store.system
  add('logq_store_free_bytes', {}, fs.freeBytes(store.path))
  add('logq_store_total_bytes', {}, fs.totalBytes(store.path))
  add('logq_unreadable', {}, unreadable)
  return Object.entries(families).map(([name, family]) => ({ name, ...family, samples: samples.get(name as FamilyName) ?? [] }))
}

type Add = (name: FamilyName, labels: Sample['labels'], value: number | undefined) => void

async function addTopic(store: Store, topic: string, add: Add, trouble: OnTrouble): Promise<void> {
  for (const { partition, offsets, sizeBytes, segments, troubles } of topicUsage(store, topic) ?? []) {
    const labels = { topic, partition }
    add('logq_log_start_offset', labels, offsets?.logStartOffset)
    add('logq_log_end_offset', labels, offsets?.logEndOffset)
    add('logq_partition_size_bytes', labels, sizeBytes)
    add('logq_partition_segments', labels, segments.length)
    const newestMs = segments.reduce((newest, { largestTimestampMs }) => Math.max(newest, largestTimestampMs), -1)
    add('logq_newest_timestamp_seconds', labels, newestMs < 0 ? undefined : newestMs / 1000)
    for (const error of troubles) await trouble(error)
  }
}

async function addGroup(store: Store, group: string, add: Add): Promise<void> {
  const { members, partitions, problems } = await describeGroup(store, group)
  const [problem] = problems
  if (problem !== undefined) throw new LogqError('LOGQ_CORRUPT', problem, { hint: `see 'logq group show ${group}'` })
  for (const { topic, partition, currentOffset, lagRecords, lagBytes, lagMs } of partitions) {
    const labels = { group, topic, partition }
    add('logq_group_committed_offset', labels, currentOffset)
    add('logq_group_lag_records', labels, lagRecords)
    add('logq_group_lag_bytes', labels, lagBytes)
    add('logq_group_lag_seconds', labels, lagMs / 1000)
  }
  add('logq_group_members', { group }, members.filter(({ presence }) => presence === 'alive').length)
}

async function attempt(measure: () => Promise<void>, trouble: OnTrouble): Promise<void> {
  try {
    await measure()
  } catch (error) {
    // Removed meanwhile: it is not to be measured any more.
    if (isLogqError(error) && ['LOGQ_UNKNOWN_TOPIC', 'LOGQ_UNKNOWN_GROUP', 'LOGQ_TOPIC_REMOVED'].includes(error.code)) return
    await trouble(error)
  }
}
