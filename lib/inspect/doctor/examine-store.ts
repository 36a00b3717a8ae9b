/**
 * Explains a store: why each thing is still on disk, who holds locks, which groups are behind, what is damaged or was left over, and what
 * retention does next. Reads only, takes no lock but the moment's look whether a member of a group lives (as group show does), and goes on
 * past what cannot be read. Memory: what is known of the segments of one partition.
 */
import { listGroups, requireGroup } from '../../store/group/group-paths.js'
import { readLastRetain } from '../../store/last-retain.js'
import type { Store } from '../../store/store.js'
import { findTopic, listTopics, topicPath } from '../../store/topics.js'
import type { RetentionWishes } from '../../maintain/retain/retention-look.js'
import { attempt, goingOn } from './attempt.js'
import type { DoctorFinding } from './doctor-finding.js'
import { groupFindings } from './group-findings.js'
import { Locks } from './lock-findings.js'
import { storeFindings, topicFileFindings } from './store-findings.js'
import { topicFindings } from './topic-findings.js'

/** The wishes are those of the run of retention that is asked about. */
export interface ExamineOptions extends RetentionWishes {
  /** These topics, and the groups that read them; by default the whole store. */
  readonly topics?: readonly string[]
  /** Also a finding for each segment. */
  readonly perSegment?: boolean
  /** Ends it between two partitions. */
  readonly signal?: AbortSignal
}

/** Topics, then groups, then the store. A topic that is not there is passed over. Throws LOGQ_UNKNOWN_GROUP, or a system error. */
export async function* examineStore(
  store: Store,
  options: ExamineOptions = {},
): AsyncGenerator<DoctorFinding, void, undefined> {
  const { topics, perSegment = false, signal, ...wishes } = options
  requireGroups(store, wishes.keepUntilAckedBy ?? [])
  const isAborted = () => signal?.aborted === true
  const locks = new Locks(store.system)
  if (store.kind === 'kafka') yield { kind: 'kafka-directory', severity: 'notice', path: store.path }
  const broken = new Set<string>()
  if (topics === undefined) {
    for (const finding of await attempt({}, () => topicFileFindings(store))) {
      if (finding.kind === 'damaged-file') broken.add(finding.path)
      yield finding
    }
  }
  const lastRuns = readLastRetain(store)
  for (const topic of topics ?? listTopics(store)) {
    if (isAborted()) return
    if (store.kind === 'logq' && broken.has(topicPath(store, topic))) continue
    yield* goingOn({ topic }, () => {
      const file = findTopic(store, topic)
      const lastRunMs = file === undefined ? undefined : lastRuns.get(file.topicId)
      return file === undefined ? [] : topicFindings({ store, file, wishes, locks, lastRunMs, perSegment, signal })
    })
  }
  if (store.kind === 'kafka') return
  const chosen = topics === undefined ? undefined : new Set(topics)
  for (const group of listGroups(store)) {
    if (isAborted()) return
    yield* goingOn({ group }, () => groupFindings({ store, group, topics: chosen, wishes, locks }))
  }
  if (topics === undefined) yield* storeFindings(store, locks)
}

/** One that is there and damaged is told of when it comes to it. */
function requireGroups(store: Store, groups: readonly string[]): void {
  const present = new Set(listGroups(store))
  for (const group of groups) if (group !== '*' && !present.has(group)) requireGroup(store, group)
}
