/** What lies in a partition directory beside its segments: small files that are damaged, what was left over, and what no log needs. */
import { isLogqError } from '../../errors.js'
import {
  ARCHIVED_PREFIX,
  ARCHIVE_LOCK_FILE,
  CLEANER_DIRECTORY,
  CLEANER_LOCK_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  QUARANTINE_DIRECTORY,
  parseSegmentFileName,
  segmentFileName,
} from '../../log/file-names.js'
import type { ViewContext } from '../../log/log-view.js'
import { oddKind } from '../../maintain/odd-file.js'
import { MAX_MANIFEST_BYTES, parseArchivedFile } from '../../store/archive/archived-files.js'
import { isTemporaryName, readSmallFile } from '../../system/durable.js'
import { dumpSmallFile } from '../dump-small-file.js'
import { fileKind } from '../file-kind.js'
import type { DoctorFinding } from './doctor-finding.js'
import { LeftOvers, isFresh } from './left-overs.js'

/** `isCompacting`: whoever is at work in `cleaner/` is there. Throws LOGQ_TOPIC_REMOVED, or a system error. */
export function partitionFiles(context: ViewContext, names: readonly string[], isCompacting: boolean): DoctorFinding[] {
  const { system, directory, topic, partition } = context
  const at = { topic, partition }
  const left = new LeftOvers(system.fs, at)
  const findings: DoctorFinding[] = []
  const present = new Set(names)
  for (const name of names) {
    const path = `${directory}/${name}`
    if (isTemporaryName(name)) left.add('unfinished', path, isFresh(system, path))
    else if (name === QUARANTINE_DIRECTORY) left.add('quarantine', path)
    else if (name === CLEANER_DIRECTORY) left.addFull('unfinished', path, isCompacting)
    else if (/\.(deleted|swap|cleaned)$/.test(name)) left.add('kafka-deleted', path)
    // A segment that is being made has its indexes first.
    else if (isIndexWithoutLog(name, present) && !isFresh(system, path)) left.add('index-without-log', path)
    else if (![CLEANER_LOCK_FILE, ARCHIVE_LOCK_FILE].includes(name)) {
      const problem = problemOf(context, name)
      if (problem === 'unknown') left.add('unknown', path)
      else if (problem !== undefined) findings.push({ kind: 'damaged-file', ...at, path, ...problem })
    }
  }
  return [...findings, ...left.findings()]
}

type Problem = Pick<DoctorFinding & { kind: 'damaged-file' }, 'problem' | 'severity'>

/** Undefined for a file that is as it should be, as far as its own bytes say. */
function problemOf({ system, directory }: ViewContext, name: string): Problem | 'unknown' | undefined {
  const path = `${directory}/${name}`
  const odd = oddKind(system.fs, path)
  const isNeeded = name.endsWith(LOG_SUFFIX) || name === LOG_START_OFFSET_FILE
  if (odd !== undefined) {
    const isKnown =
      /\.(log|index|timeindex|txnindex|snapshot)$/.test(name) || NAMES.has(name) || name.startsWith(ARCHIVED_PREFIX)
    return isKnown ? { severity: isNeeded ? 'critical' : 'warning', problem: `${odd} stands in its place` } : 'unknown'
  }
  if (name.startsWith(ARCHIVED_PREFIX)) return archivedProblem(system.fs, path)
  const kind = fileKind(system.fs, path)
  if (kind === undefined) return 'unknown'
  switch (kind) {
    case 'log':
    case 'offset-index':
    case 'time-index':
    case 'transaction-index':
    case 'producer-snapshot':
    case 'text':
      return undefined
    default: {
      const { fault } = dumpSmallFile(system, path, kind)
      return fault === undefined ? undefined : { severity: isNeeded ? 'critical' : 'notice', problem: fault }
    }
  }
}

const NAMES: ReadonlySet<string> = new Set([
  'lock',
  'recovery-point',
  LOG_START_OFFSET_FILE,
  LEADER_EPOCH_CHECKPOINT_FILE,
  LEADER_EPOCH_IDS_FILE,
  'known-gaps',
  'cleaner-offset',
])

/** Retention takes what it speaks of for not archived. */
function archivedProblem(fs: ViewContext['system']['fs'], path: string): Problem | undefined {
  try {
    const bytes = readSmallFile(fs, path, MAX_MANIFEST_BYTES)
    if (bytes !== undefined) parseArchivedFile(bytes, path)
    return undefined
  } catch (error) {
    if (isLogqError(error)) return { severity: 'warning', problem: error.message }
    throw error
  }
}

function isIndexWithoutLog(name: string, present: ReadonlySet<string>): boolean {
  for (const suffix of ['.index', '.timeindex'] as const) {
    const base = parseSegmentFileName(name, suffix)
    if (base !== undefined) return !present.has(segmentFileName(base, LOG_SUFFIX))
  }
  return false
}
