/** What is to be said of a store above its topics: what was left over or is under way, snapshots, and the disk. */
import { isLogqError } from '../../errors.js'
import { LOCK_FILE } from '../../log/file-names.js'
import { checkTopicFiles } from '../../maintain/check-store.js'
import { UNFINISHED_PREFIX, describeSnapshot, snapshotNames, snapshotsDirectory } from '../../maintain/snapshot/snapshots.js'
import { groupsDirectory } from '../../store/group/group-paths.js'
import {
  CREATING_SUFFIX,
  IMPORTING_SUFFIX,
  IMPORT_DIRECTORY_PREFIX,
  LAST_RETAIN_FILE,
  REMOVING_SUFFIX,
  STORE_FILE,
  STORE_LOCK_FILE,
  TOPICS_DIRECTORY,
  partitionsInListing,
} from '../../store/names.js'
import { parseJsonObject, type Store } from '../../store/store.js'
import { isTemporaryName, readSmallFile } from '../../system/durable.js'
import { attempt } from './attempt.js'
import type { DoctorFinding } from './doctor-finding.js'
import { LeftOvers, isFresh, listQuietly } from './left-overs.js'
import type { Locks } from './lock-findings.js'

/** Below this part of the file system, there is little left. */
const LITTLE_FREE_PART = 0.05

/** Topic files, and partition directories of no topic. */
export async function topicFileFindings(store: Store): Promise<DoctorFinding[]> {
  const found = await checkTopicFiles(store)
  return found.flatMap(({ kind, file, message }): DoctorFinding[] => {
    if (kind === 'damage') return [{ kind: 'damaged-file', severity: 'critical', path: file, problem: message }]
    // What is under way in the directory of topic files is told of by the names of its files.
    if (file === `${store.path}/${TOPICS_DIRECTORY}`) return []
    return [{ kind: 'left-over', severity: 'notice', what: 'unknown', paths: [file], count: 1, sizeBytes: 0, isInUse: false }]
  })
}

export async function* storeFindings(store: Store, locks: Locks): AsyncGenerator<DoctorFinding, void, undefined> {
  const locked = locks.at(`${store.path}/${STORE_LOCK_FILE}`, { lock: 'store' })
  yield* locked
  yield* lastRetainFinding(store)
  const { findings, left } = leftOvers(store, locks, locks.isKnown ? locked.length > 0 : undefined)
  yield* findings
  yield* left
  for (const name of snapshotNames(store)) yield* await attempt({}, () => [snapshotFinding(store, name)])
  yield diskFinding(store)
}

const KNOWN: ReadonlySet<string> = new Set([
  STORE_FILE,
  STORE_LOCK_FILE,
  LAST_RETAIN_FILE,
  TOPICS_DIRECTORY,
  'groups',
  'snapshots',
  'replicas',
  'archive',
  // Of the file system, where the store is all of it.
  'lost+found',
])

const PENDING: ReadonlySet<string> = new Set([CREATING_SUFFIX, REMOVING_SUFFIX, IMPORTING_SUFFIX])

function leftOvers(
  store: Store,
  locks: Locks,
  isStoreLocked: boolean | undefined,
): { readonly findings: DoctorFinding[]; readonly left: DoctorFinding[] } {
  const { system, path } = store
  const { fs } = system
  const left = new LeftOvers(fs)
  const findings: DoctorFinding[] = []
  const partitions = new Set(partitionsInListing(listQuietly(fs, path)).map(({ topic, partition }) => `${topic}-${partition}`))
  for (const name of listQuietly(fs, path)) {
    const at = `${path}/${name}`
    if (KNOWN.has(name) || partitions.has(name)) continue
    if (isTemporaryName(name)) left.add('unfinished', at, isFresh(system, at))
    else if (name.startsWith('.removed-')) left.add('unfinished', at)
    else if (name.startsWith(IMPORT_DIRECTORY_PREFIX)) {
      const held = locks.at(`${at}/${LOCK_FILE}`, { lock: 'import' })
      findings.push(...held)
      left.add('unfinished', at, held.length > 0)
    } else left.add('unknown', at)
  }
  const topics = `${path}/${TOPICS_DIRECTORY}`
  for (const name of listQuietly(fs, topics)) {
    // Whoever makes or removes a topic holds the store's lock.
    if (isTemporaryName(name) || PENDING.has(name.slice(name.lastIndexOf('.'))))
      left.add('unfinished', `${topics}/${name}`, isStoreLocked ?? isFresh(system, `${topics}/${name}`))
  }
  const groups = groupsDirectory(store)
  for (const name of listQuietly(fs, groups))
    if (isTemporaryName(name)) left.add('unfinished', `${groups}/${name}`, isFresh(system, `${groups}/${name}`))
  const snapshots = snapshotsDirectory(store)
  for (const name of listQuietly(fs, snapshots)) {
    if (!name.startsWith('.')) continue
    const held = name.startsWith(UNFINISHED_PREFIX)
      ? locks.at(`${snapshots}/${name}/${STORE_LOCK_FILE}`, { lock: 'snapshot' })
      : []
    findings.push(...held)
    left.add('unfinished', `${snapshots}/${name}`, held.length > 0)
  }
  return { findings, left: left.findings() }
}

/** Without it, retention does not notice that the clock jumped. */
function lastRetainFinding({ system, path }: Store): DoctorFinding[] {
  const file = `${path}/${LAST_RETAIN_FILE}`
  try {
    const bytes = readSmallFile(system.fs, file, MAX_LAST_RETAIN_BYTES)
    if (bytes !== undefined) parseJsonObject(bytes, file)
    return []
  } catch (error) {
    if (!isLogqError(error)) throw error
    return [{ kind: 'damaged-file', severity: 'notice', path: file, problem: error.message }]
  }
}

const MAX_LAST_RETAIN_BYTES = 16 << 20

function snapshotFinding(store: Store, name: string): DoctorFinding {
  const { takenMs, sizeBytes, unsharedBytes } = describeSnapshot(store, name)
  return { kind: 'snapshot', severity: 'ok', snapshot: name, takenMs: takenMs ?? null, sizeBytes, unsharedBytes }
}

function diskFinding({ system: { fs }, path }: Store): DoctorFinding {
  const freeBytes = fs.freeBytes(path)
  const totalBytes = fs.totalBytes(path)
  return { kind: 'disk', severity: freeBytes < totalBytes * LITTLE_FREE_PART ? 'warning' : 'ok', freeBytes, totalBytes }
}
