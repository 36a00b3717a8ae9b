/**
 * `last-retain`: by the clock, when retention last looked at each topic (format-spec/retention.md). What retention goes by is the clock;
 * when that jumped, everything looks old. JSON, replaced durably; a missing or damaged one knows of no run.
 */
import { isLogqError } from '../errors.js'
import type { LockWait } from '../system/lock-wait.js'
import { readSmallFile, replaceFile } from '../system/durable.js'
import { LAST_RETAIN_FILE } from './names.js'
import { STORE_FORMAT_VERSION, withStoreLock, type Store } from './store.js'
import { findTopic, listTopics } from './topics.js'

/** By topic id, ms since the Unix epoch. */
export function readLastRetain({ system, path }: Pick<Store, 'system' | 'path'>): ReadonlyMap<string, number> {
  const bytes = readSmallFile(system.fs, `${path}/${LAST_RETAIN_FILE}`, MAX_BYTES)
  try {
    const { topics } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as { topics?: unknown }
    if (typeof topics !== 'object' || topics === null) return new Map()
    return new Map(Object.entries(topics).filter((entry): entry is [string, number] => Number.isSafeInteger(entry[1])))
  } catch {
    return new Map()
  }
}

const MAX_BYTES = 16 << 20

/** Notes that the topics with these ids were looked at, and forgets those that no readable topic file has. Throws as withStoreLock. */
export async function noteRetain(store: Store, topicIds: readonly string[], nowMs: number, wait: LockWait = {}): Promise<void> {
  const note = () => {
    const present = new Set(listTopics(store).flatMap((topic) => topicIdOf(store, topic) ?? []))
    const topics = new Map([...readLastRetain(store)].filter(([topicId]) => present.has(topicId)))
    for (const topicId of topicIds) topics.set(topicId, nowMs)
    const content = { formatVersion: STORE_FORMAT_VERSION, topics: Object.fromEntries(topics) }
    replaceFile(store.system, `${store.path}/${LAST_RETAIN_FILE}`, Buffer.from(`${JSON.stringify(content)}\n`), store.ownership)
  }
  await withStoreLock(store, note, wait)
}

/** Undefined for a topic whose file is damaged, or gone by now. */
function topicIdOf(store: Store, topic: string): string | undefined {
  try {
    return findTopic(store, topic)?.topicId
  } catch (error) {
    if (isLogqError(error)) return undefined
    throw error
  }
}
