/**
 * `topic clone`: a new topic with the records, offsets and settings of another one. Its partitions are made in `.import-…/` in the store
 * first; then they get their names, and the topic exists (store/topics.ts, createTopicFrom). Killed before, the next change of a topic
 * removes what is left.
 */
import { LogqError } from '../../errors.js'
import { requireWritable, type Store } from '../../store/store.js'
import { checkTopicName } from '../../store/names.js'
import { createTopicFrom, findTopic, getTopic, openImportDirectory } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import { shareTopic, type SharedTopic } from './share-topic.js'

/**
 * Clones a topic up to the ends of its partitions as they are when each is copied; others may append meanwhile. The clone has a topic id
 * of its own, and no committed offsets. All is on the device on return. Throws LOGQ_USAGE, LOGQ_UNKNOWN_TOPIC, LOGQ_TOPIC_EXISTS,
 * LOGQ_TOPIC_REMOVED, LOGQ_SYNC_FAILED, LOGQ_CORRUPT, LOGQ_READ_ONLY_STORE, LOGQ_BUSY, LOGQ_ABORTED, or a system error; then there is no
 * clone.
 */
export async function cloneTopic(store: Store, topic: string, name: string, wait: LockWait = {}): Promise<SharedTopic> {
  requireWritable(store, { allowNetworkFileSystem: true })
  checkTopicName(name)
  const file = getTopic(store, topic)
  if (findTopic(store, name) !== undefined)
    throw new LogqError('LOGQ_TOPIC_EXISTS', `topic '${name}' exists already`, { hint: `see 'logq topic show ${name}'` })
  const place = await openImportDirectory(store, wait)
  try {
    const directories: string[] = []
    const directoryOf = (partition: number) => (directories[partition] = `${place.path}/${partition}`)
    const shared = await shareTopic(store, file, directoryOf, wait)
    store.system.failpoint('topic-clone.before-create')
    const { partitioner, config } = file
    await createTopicFrom(store, name, directories, { ...wait, partitioner, config })
    return shared
  } finally {
    place.close()
  }
}
