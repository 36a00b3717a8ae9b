/** What is to be said of a consumer group: its members, how far it is behind, and whether retention overtakes it. */
import { describeMembers, groupProblems, type MemberDescription } from '../../consume/group/groups.js'
import { partitionLag, type PartitionLag } from '../../consume/group/lag.js'
import { segmentOutlooks } from '../../maintain/retain/kept-segments.js'
import { isRetained } from '../../maintain/retain/retain-topic.js'
import { RetentionLook, type RetentionWishes } from '../../maintain/retain/retention-look.js'
import { isRemoval } from '../../maintain/retain/retention-plan.js'
import { GroupFiles, type GroupSnapshot } from '../../store/group/group-files.js'
import { GROUP_LOCK_FILE, OFFSETS_FILE } from '../../store/group/group-paths.js'
import { Liveness, bootIdText } from '../../store/group/liveness.js'
import type { Store } from '../../store/store.js'
import { findTopic, listTopics } from '../../store/topics.js'
import { isTemporaryName } from '../../system/durable.js'
import { attempt } from './attempt.js'
import type { DoctorFinding } from './doctor-finding.js'
import { LeftOvers, isFresh, listQuietly } from './left-overs.js'
import type { Locks } from './lock-findings.js'

/** Where less than this part of the time that records are kept is left, a group should be looked after. */
const NEAR_PART = 0.2

export interface GroupExamination {
  readonly store: Store
  readonly group: string
  /** Undefined for all. */
  readonly topics: ReadonlySet<string> | undefined
  readonly wishes: RetentionWishes
  readonly locks: Locks
}

/** Throws LOGQ_UNKNOWN_GROUP, LOGQ_NEWER_FORMAT, or a system error. */
export async function* groupFindings(examination: GroupExamination): AsyncGenerator<DoctorFinding, void, undefined> {
  const { store, group, topics, locks, wishes } = examination
  const files = GroupFiles.open(store, group)
  const liveness = new Liveness(store.system, files.directory)
  try {
    const snapshot = files.read()
    // A group that retention is to wait for is waited for in every topic.
    const isNamed = wishes.keepUntilAckedBy?.includes(group) === true
    const read = isNamed ? (topics ?? listTopics(store)) : topicsOf(snapshot)
    const wanted = [...read].filter((topic) => topics === undefined || topics.has(topic))
    if (topics !== undefined && wanted.length === 0) return
    yield* locks.at(`${files.directory}/${GROUP_LOCK_FILE}`, { lock: 'group', group })
    for (const problem of groupProblems(files, snapshot)) yield { kind: 'group-damaged', severity: 'critical', group, problem }
    for (const member of describeMembers(snapshot.state, liveness)) yield memberFinding(store, group, member)
    yield* leftOvers(store, files.directory)
    for (const topic of wanted) {
      for (const finding of await attempt({ group, topic }, () => behind(examination, topic, snapshot))) yield finding
    }
  } finally {
    liveness.close()
    files.close()
  }
}

function topicsOf({ offsets, state }: GroupSnapshot): string[] {
  return [...new Set([...offsets.topics().map(({ topic }) => topic), ...Object.keys(state.assignment)])].sort()
}

function memberFinding(
  { system }: Store,
  group: string,
  { member, file, presence, partitions }: MemberDescription,
): DoctorFinding {
  const joinedMs = Date.parse(file?.joined ?? '')
  const isHere = file !== undefined && file.host === system.self.hostName && file.bootId === bootIdText(system)
  const isStopped = presence !== 'dead' && isHere && system.processes.find(file.pid)?.isStopped === true
  const seen = isStopped ? 'stopped' : presence
  return {
    kind: 'member',
    severity: seen === 'stopped' || seen === 'still' ? 'warning' : seen === 'dead' ? 'notice' : 'ok',
    group,
    member,
    presence: seen,
    host: file?.host ?? null,
    pid: file?.pid ?? null,
    command: file?.command ?? null,
    joinedMs: Number.isNaN(joinedMs) ? null : joinedMs,
    partitions: partitions.map(({ topic, partition }) => `${topic}-${partition}`),
  }
}

function leftOvers({ system }: Store, directory: string): DoctorFinding[] {
  const left = new LeftOvers(system.fs)
  for (const name of listQuietly(system.fs, directory)) {
    const path = `${directory}/${name}`
    if (isTemporaryName(name)) left.add('unfinished', path, isFresh(system, path))
    else if (name.startsWith(`${OFFSETS_FILE}.damaged-`)) left.add('damaged-offsets', path)
  }
  return left.findings()
}

async function behind(
  { store, group, wishes }: GroupExamination,
  topic: string,
  { offsets, state }: GroupSnapshot,
): Promise<DoctorFinding[]> {
  const file = findTopic(store, topic)
  if (file === undefined) return []
  const look = isRetained(file) ? new RetentionLook(store, file, wishes) : undefined
  const { keepUntilAckedBy = [] } = wishes
  const hasCommitted = offsets.topics().some((one) => one.topic === topic)
  const isNamed = keepUntilAckedBy.includes(group)
  const isWaitedFor = isNamed || (hasCommitted && keepUntilAckedBy.includes('*'))
  const findings: DoctorFinding[] = []
  for (let partition = 0; partition < file.partitions; partition += 1) {
    const stored = offsets.get(topic, file.topicId, partition)
    if (stored === undefined && state.assignment[topic] === undefined && !isNamed) continue
    const about = { group, topic, partition }
    const found = await attempt(about, async () => {
      const lag = await partitionLag(store, file, partition, { group, stored, member: state.owners[topic]?.[partition] })
      return [...lostFindings(lag), ...(lag.lagRecords > 0 ? [behindFinding(lag, look, isWaitedFor)] : [])]
    })
    findings.push(...found)
  }
  return findings
}

function lostFindings({ group, topic, partition, currentOffset, logStartOffset }: PartitionLag): DoctorFinding[] {
  if (currentOffset === undefined || currentOffset >= logStartOffset) return []
  const lostOffsets = logStartOffset - currentOffset
  return [{ kind: 'group-lost', severity: 'warning', group, topic, partition, committedOffset: currentOffset, lostOffsets }]
}

function behindFinding(lag: PartitionLag, look: RetentionLook | undefined, isWaitedFor: boolean): DoctorFinding {
  const { group, topic, partition, currentOffset, logStartOffset, lagRecords, lagBytes, lagMs, member } = lag
  const fromOffset = Math.max(currentOffset ?? 0, logStartOffset)
  const outlook = look?.outlook(partition)
  const segments = outlook === undefined ? [] : segmentOutlooks(outlook)
  const leaving = segments.filter(({ reason }) => reason !== 'active' && isRemoval(reason))
  const nextRunRecords = Math.max(0, (leaving.at(-1)?.toOffset ?? 0) - fromOffset)
  const at = segments.findIndex(({ toOffset }) => toOffset === null || toOffset > fromOffset)
  // What is due, and waits for older ones, goes with them.
  const next = segments.slice(0, at + 1).findLast(({ reason }) => reason !== 'behind')
  const nowMs = look?.nowMs ?? 0
  const overtakenMs = nextRunRecords > 0 ? nowMs : (next?.dueMs ?? null)
  const keptMs = look?.retentionMs ?? -1
  const isNear = overtakenMs !== null && overtakenMs - nowMs < keptMs * NEAR_PART
  return {
    kind: 'group-behind',
    severity: nextRunRecords > 0 || isNear ? 'warning' : 'ok',
    group,
    topic,
    partition,
    committedOffset: currentOffset ?? null,
    lagRecords,
    lagBytes,
    lagMs,
    member: member ?? null,
    isWaitedFor,
    nextRunRecords,
    overtakenMs,
    overtakenAfterBytes: nextRunRecords > 0 ? 0 : (next?.dueAfterBytes ?? null),
  }
}
