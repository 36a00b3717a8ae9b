/** Waiting until a group has read a record: so that what was written is known to have been dealt with. */
import { GroupFiles } from '../../store/group/group-files.js'
import { groupDirectory, groupExists } from '../../store/group/group-paths.js'
import type { Store } from '../../store/store.js'
import type { TopicFile } from '../../store/topic-file.js'
import { findTopic } from '../../store/topics.js'

const POLL_MS = 100

/** What a commit that is waited for lacks. */
export type AbsentPart = 'topic' | 'partition' | 'group'

export interface AwaitCommitOptions {
  readonly signal?: AbortSignal
  /** The topic, the partition or the group does not exist yet; it is waited for. Called once for each. */
  readonly onAbsent?: (what: AbsentPart) => void | Promise<void>
}

/**
 * True when the group has committed an offset above `offset`; false when the signal aborts before. Throws LOGQ_USAGE for a name that
 * cannot be one, LOGQ_CORRUPT where commits cannot be read, or a system error.
 */
export async function awaitCommit(
  store: Store,
  group: string,
  { topic, partition, offset }: { readonly topic: string; readonly partition: number; readonly offset: number },
  { signal, onAbsent }: AwaitCommitOptions = {},
): Promise<boolean> {
  const { clock, hints } = store.system
  let files: GroupFiles | undefined
  const said = new Set<AbsentPart>()
  let wake = (): void => undefined
  const unwatch = hints.watch(groupDirectory(store, group), () => wake())
  try {
    while (signal?.aborted !== true) {
      // Another group of that name may have taken its place.
      if (files !== undefined && store.system.fs.pathStatus(files.directory) === undefined) {
        files.close()
        files = undefined
      }
      if (files === undefined && groupExists(store, group)) files = GroupFiles.open(store, group)
      const file = findTopic(store, topic)
      const topicId = file?.topicId
      const committed = topicId === undefined ? undefined : files?.readSurely().offsets.get(topic, topicId, partition)
      if (committed !== undefined && committed.offset > offset) return true
      const absent = whatIsAbsent(file, partition, files)
      if (absent !== undefined && !said.has(absent)) {
        said.add(absent)
        await onAbsent?.(absent)
      }
      const enough = new AbortController()
      wake = () => enough.abort()
      signal?.addEventListener('abort', wake, { once: true })
      await clock.sleep(POLL_MS, enough.signal)
      signal?.removeEventListener('abort', wake)
    }
    return false
  } finally {
    unwatch()
    files?.close()
  }
}

function whatIsAbsent(topic: TopicFile | undefined, partition: number, group: GroupFiles | undefined): AbsentPart | undefined {
  if (topic === undefined) return 'topic'
  if (partition >= topic.partitions) return 'partition'
  return group === undefined ? 'group' : undefined
}
