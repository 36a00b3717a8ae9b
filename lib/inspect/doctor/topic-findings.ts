/** What is to be said of one topic: partition by partition, and of its retention as a whole. */
import { systemErrorCode } from '../../errors.js'
import { ARCHIVE_LOCK_FILE, CLEANER_LOCK_FILE, LOCK_FILE } from '../../log/file-names.js'
import { isCompacted } from '../../maintain/compact/compact-topic.js'
import { isRetained } from '../../maintain/retain/retain-topic.js'
import { RetentionLook, type RetentionWishes, type SeenSegments } from '../../maintain/retain/retention-look.js'
import { selectPartitions, viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import type { TopicFile } from '../../store/topic-file.js'
import { findTopic, partitionDirectory } from '../../store/topics.js'
import { attempt, goingOn } from './attempt.js'
import { compactionFinding } from './compaction-finding.js'
import type { DoctorFinding } from './doctor-finding.js'
import type { Locks } from './lock-findings.js'
import { partitionFiles } from './partition-files.js'
import { partitionState } from './partition-state.js'
import { TopicRetentionSum, partitionRetention } from './retention-findings.js'
import { timestampFindings } from './timestamp-findings.js'

export interface TopicExamination {
  readonly store: Store
  readonly file: TopicFile
  readonly wishes: RetentionWishes
  readonly locks: Locks
  /** When retention looked at it last. */
  readonly lastRunMs: number | undefined
  readonly perSegment: boolean
  readonly signal: AbortSignal | undefined
}

export async function* topicFindings(examination: TopicExamination): AsyncGenerator<DoctorFinding, void, undefined> {
  const { store, file, wishes, lastRunMs, signal } = examination
  const look = new RetentionLook(store, file, wishes)
  const isKept = store.kind === 'logq' && isRetained(file)
  const sum = new TopicRetentionSum()
  for (const partition of selectPartitions(store, file)) {
    if (signal?.aborted === true) return
    yield* goingOn({ topic: file.topic, partition }, () =>
      partitionFindings(examination, partition, look, isKept ? sum : undefined),
    )
  }
  if (isKept) yield* sum.findings(look, file, lastRunMs)
}

async function* partitionFindings(
  { store, file, locks, perSegment }: TopicExamination,
  partition: number,
  look: RetentionLook,
  sum: TopicRetentionSum | undefined,
): AsyncGenerator<DoctorFinding, void, undefined> {
  const { topic } = file
  const at = { topic, partition }
  const directory = partitionDirectory(store, topic, partition)
  const names = namesIn(store, directory)
  if (names === undefined) {
    // Removed as a whole, it is not to be looked at any more.
    if (isThere(store, file)) yield { kind: 'missing-directory', severity: 'critical', ...at, path: directory }
    return
  }
  const compacting = locks.at(`${directory}/${CLEANER_LOCK_FILE}`, { lock: 'compaction', ...at })
  yield* locks.at(`${directory}/${LOCK_FILE}`, { lock: 'append', ...at })
  yield* compacting
  yield* locks.at(`${directory}/${ARCHIVE_LOCK_FILE}`, { lock: 'archive', ...at })
  const context = viewContext(store, topic, partition, { file })
  if (store.kind === 'logq') yield* await attempt(at, () => partitionState(context))
  yield* await attempt(at, () => partitionFiles(context, names, compacting.length > 0))
  const config = new TopicConfig(file.config)
  yield* await attempt(at, () => {
    if (sum === undefined) return timesOf(look.see(partition), at, look.nowMs, -1)
    const outlook = look.outlook(partition)
    sum.add(outlook)
    return [...partitionRetention(outlook, topic, perSegment), ...timesOf(outlook, at, look.nowMs, look.retentionMs)]
  })
  if (store.kind === 'logq' && isCompacted(file))
    yield* await attempt(at, () => [compactionFinding(context, config, look.nowMs)])
}

function timesOf(
  { closed, active }: Pick<SeenSegments, 'closed' | 'active'>,
  at: { readonly topic: string; readonly partition: number },
  nowMs: number,
  retentionMs: number,
): DoctorFinding[] {
  const segments = active === undefined ? closed : [...closed, active]
  // The last one may have a batch half-way in.
  const damaged = segments.slice(0, -1).filter(({ isDamaged }) => isDamaged)
  const damage: DoctorFinding = {
    kind: 'damaged-segments',
    severity: 'critical',
    ...at,
    segments: damaged.map(({ baseOffset }) => baseOffset),
  }
  return [...(damaged.length > 0 ? [damage] : []), ...timestampFindings(segments, at, nowMs, retentionMs)]
}

/** Undefined when there is no such directory. Throws for one that may not be looked into. */
function namesIn({ system: { fs } }: Store, directory: string): string[] | undefined {
  try {
    return fs.list(directory)
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) throw error
    return undefined
  }
}

function isThere(store: Store, file: TopicFile): boolean {
  return findTopic(store, file.topic)?.topicId === file.topicId
}
