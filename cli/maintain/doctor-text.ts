/** What `doctor` says: a sentence for each finding, with the next step where there is one. */
import type { DoctorFinding } from '../../lib/inspect/doctor/doctor-finding.js'
import type { ProcessDescription } from '../../lib/system/system.js'
import { formatDuration, roundDuration, roundSize } from '../values/units.js'
import { countOf, groupsText, keptText, offsetsText, whenText } from './kept-text.js'

type FindingOf<Kind extends DoctorFinding['kind']> = Extract<DoctorFinding, { readonly kind: Kind }>
type Words = { readonly [Kind in DoctorFinding['kind']]: (finding: FindingOf<Kind>, nowMs: number) => string }

const MARKS = { ok: '', notice: '', warning: 'WARNING: ', critical: 'CRITICAL: ' } as const

export function doctorText(finding: DoctorFinding, nowMs: number): string {
  // The table has the words of this very kind.
  const say = words[finding.kind] as (finding: DoctorFinding, nowMs: number) => string
  return `${subjectOf(finding)}: ${MARKS[finding.severity]}${say(finding, nowMs)}`
}

function subjectOf(finding: DoctorFinding): string {
  const { topic, partition, group } = { topic: undefined, partition: undefined, group: undefined, ...finding }
  const place = topic === undefined ? undefined : partition === undefined ? topic : `${topic}-${partition}`
  if (group === undefined) return place ?? 'store'
  return place === undefined ? `group '${group}'` : `group '${group}' in ${place}`
}

const words: Words = {
  kept: (finding, nowMs) => keptText(finding, finding.topic, nowMs),
  removable: ({ reasons, segments, sizeBytes, fromOffset, toOffset, sharedBytes }) => {
    const shared =
      sharedBytes === 0 ? '' : `; ${roundSize(sharedBytes)} of that stay on disk under other names, as in snapshots`
    const why = reasons.map((reason) => REASONS[reason]).join(', or ')
    return `${countOf(segments.length, 'segment')}, ${roundSize(sizeBytes)}, ${offsetsText(fromOffset, toOffset)}, ${segments.length === 1 ? 'goes' : 'go'} with the next 'logq retain': ${why}${shared}`
  },
  segment: ({ baseOffset, sizeBytes, maxTimestampMs, modifiedMs, reason, dueMs }, nowMs) => {
    const newest = maxTimestampMs < 0 ? 'no timestamp' : `newest record ${timeText(maxTimestampMs)}`
    const due = dueMs === null ? '' : `, due ${whenText(dueMs, nowMs)}`
    return `segment ${baseOffset}: ${roundSize(sizeBytes)}, ${newest}, written ${timeText(modifiedMs)}, ${reason}${due}`
  },
  'below-log-start': ({ segmentCount, logStartOffset }) =>
    `${countOf(segmentCount, 'segment')} below the log start, offset ${logStartOffset}, ${segmentCount === 1 ? 'was' : 'were'} left by a command that was killed; the next 'logq retain' removes ${segmentCount === 1 ? 'it' : 'them'}`,
  retention: (finding, nowMs) => retentionText(finding, nowMs),
  clock: ({ topic, lastRunMs, leavingBytes, totalBytes }, nowMs) =>
    `'logq retain' refuses to remove ${roundSize(leavingBytes)} of ${roundSize(totalBytes)}, since the clock looks wrong: it ran last ${whenText(lastRunMs, nowMs)}; when the clock is right, run once: logq retain ${topic} --force`,
  'future-timestamps': ({ segments, sizeBytes, maxTimestampMs, modifiedMs }, nowMs) => {
    const when = maxTimestampMs > nowMs ? ', which is still to come' : ''
    return `${countOf(segments.length, 'segment')}, ${roundSize(sizeBytes)}, ${have(segments.length)} timestamps up to ${timeText(maxTimestampMs)}${when}, though written by ${timeText(modifiedMs)}: a producer's clock is ahead; retention goes by the time of writing`
  },
  'late-timestamps': ({ severity, segments, sizeBytes, maxTimestampMs, modifiedMs }) => {
    const early = severity === 'ok' ? '' : ': what was written lately goes at once'
    return `${countOf(segments.length, 'segment')}, ${roundSize(sizeBytes)}, ${have(segments.length)} timestamps up to ${roundDuration(modifiedMs - maxTimestampMs)} older than the last write (imported, copied, or late); retention goes by the timestamps${early}`
  },
  compaction: (finding, nowMs) => compactionText(finding, nowMs),
  'sync-failed': ({ topic, syncedOffset }) =>
    `an fsync failed: records from offset ${syncedOffset} on may be lost, nobody can append, and readers stop there; see the kernel log (dmesg), then run: logq fsck --repair ${topic}`,
  unclean: ({ topic, unverifiedBytes }) =>
    `the last ${roundSize(unverifiedBytes)} are not known to be whole, as after a kill or a power cut; the next append verifies them; to look now: logq fsck ${topic}`,
  'lost-end': ({ topic, recoveryPointOffset }) =>
    `the log ends below offset ${recoveryPointOffset}, up to which it was on the device: records are lost; run: logq fsck --repair ${topic}, or restore it`,
  'damaged-segments': ({ topic, segments }) =>
    `in ${countOf(segments.length, 'segment')}, the first at offset ${segments[0] ?? 0}, something is no batch; retention takes such a segment for as young as its file; run: logq fsck ${topic}`,
  status: ({ status }) => STATUSES[status],
  'missing-directory': ({ topic, path }) =>
    `its directory '${path}' is missing; put it back, or have an empty one made: logq fsck --repair ${topic}`,
  'damaged-file': ({ topic, path, problem, severity }) => {
    const next = topic === undefined || severity === 'notice' ? '' : `; run: logq fsck ${topic}`
    return `${problem.includes(`'${path}'`) ? problem : `'${path}': ${problem}`}${next}`
  },
  unreadable: ({ problem, hint }) => `it cannot be looked at: ${problem}${hint === null ? '' : `; ${hint}`}`,
  'left-over': (finding) => leftOverText(finding),
  lock: (finding, nowMs) => lockText(finding, nowMs),
  member: (finding) => memberText(finding),
  'group-behind': (finding, nowMs) => behindText(finding, nowMs),
  'group-lost': ({ committedOffset, lostOffsets }) =>
    `${lostOffsets} offsets from ${committedOffset} on were removed before the group had read them; it goes on at the log start`,
  'group-damaged': ({ group, problem }) => `${problem}; see: logq group show ${group}`,
  snapshot: ({ snapshot, takenMs, sizeBytes, unsharedBytes }, nowMs) => {
    const when = takenMs === null ? '' : `, taken ${whenText(takenMs, nowMs)},`
    return `snapshot '${snapshot}'${when} holds ${roundSize(sizeBytes)}, of which nothing else has ${roundSize(unsharedBytes)}; that is freed by: logq snapshot rm ${snapshot}`
  },
  disk: ({ freeBytes, totalBytes }) => `${roundSize(freeBytes)} of ${roundSize(totalBytes)} are free on the file system`,
  'kafka-directory': ({ path }) =>
    `'${path}' is a log directory of Kafka: what stays in it, and for how long, is Kafka's to say`,
}

const REASONS = {
  expired: 'they are older than retention.ms',
  excess: 'the partition is larger than retention.bytes',
  'hard-limit': 'the hard limit is reached',
} as const

const STATUSES = {
  follower: 'it is a follower: its leader says what is appended and removed',
  sealed: 'it is sealed: nobody appends',
  deleted: 'it is being removed',
} as const

const HELD_UP = {
  append: ['the append lock', 'nobody else can append'],
  compaction: ['the lock of compaction', 'nobody else can compact it'],
  archive: ['the lock of archiving', 'nobody else can archive it'],
  group: ['the lock of the group', 'nobody can commit or join'],
  store: ["the store's lock", 'no topic can be made, changed or removed'],
  import: ['the lock of an import', 'what it made stays'],
  snapshot: ['the lock of a snapshot that is being made', 'what it made stays'],
} as const

function have(count: number): string {
  return count === 1 ? 'has' : 'have'
}

/** To the second, UTC. */
function timeText(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? String(timeMs) : date.toISOString().replace(/\.\d+Z$/, 'Z')
}

function retentionText(finding: FindingOf<'retention'>, nowMs: number): string {
  const { retentionMs, retentionBytes, lastRunMs, removableSegments, removableBytes, nextDueMs, dueSinceMs, severity } = finding
  const limits = [
    retentionMs < 0 ? 'no retention.ms' : `retention.ms ${formatDuration(retentionMs)}`,
    retentionBytes < 0 ? 'no retention.bytes' : `retention.bytes ${roundSize(retentionBytes)}`,
  ].join(', ')
  const next = removableSegments === 0 ? 'nothing' : `${countOf(removableSegments, 'segment')}, ${roundSize(removableBytes)}`
  const then = nextDueMs === null ? 'nothing else is due by its age' : `something else is due ${whenText(nextDueMs, nowMs)}`
  const last = lastRunMs === null ? 'it never ran' : `it ran last ${whenText(lastRunMs, nowMs)}`
  const late =
    severity === 'ok' || dueSinceMs === null
      ? ''
      : `, though something is due since ${timeText(dueSinceMs)}: is it in no crontab? see logq-cron(7)`
  return `${limits}; the next 'logq retain' removes ${next}; ${then}; ${last}${late}`
}

function compactionText(finding: FindingOf<'compaction'>, nowMs: number): string {
  const { topic, dirtyBytes, cleanBytes, activeBytes, youngBytes, minDirtyRatio, isDue, dueMs } = finding
  const total = dirtyBytes + cleanBytes
  const part = total === 0 ? 0 : Math.floor((100 * dirtyBytes) / total)
  const others = [
    ...(youngBytes > 0 ? [`${roundSize(youngBytes)} are younger than min.compaction.lag.ms`] : []),
    ...(activeBytes > 0 ? [`${roundSize(activeBytes)} are in the active segment`] : []),
  ]
  const not = others.length === 0 ? '' : `; ${others.join(', and ')}, and not looked at yet`
  const when = isDue
    ? `a pass is due, and 'logq compact ${topic}' makes it`
    : `a pass is due above ${Math.round(minDirtyRatio * 100)} %${dueMs === null ? '' : `, or ${whenText(dueMs, nowMs)}`}; one is made now by: logq compact ${topic} --min-dirty 0`
  return `it is compacted, so that the latest record of each key stays: ${roundSize(dirtyBytes)} of ${roundSize(total)} are new since the last pass (${part} %); ${when}${not}`
}

function leftOverText({ what, paths, count, sizeBytes, isInUse }: FindingOf<'left-over'>): string {
  const named = paths.map((path) => `'${path}'`).join(', ')
  const more = count > paths.length ? ` and ${count - paths.length} more` : ''
  const size = `${named}${more}, ${roundSize(sizeBytes)},`
  const are = count === 1 ? 'is' : 'are'
  switch (what) {
    case 'quarantine':
      return `${size} holds what recovery and repair took out of the log; when nothing in it is wanted any more, remove it by hand`
    case 'unfinished':
      return isInUse
        ? `${size} ${are} being worked on now`
        : `${size} ${are} left of a command that was killed; the next one of its kind removes ${count === 1 ? 'it' : 'them'}`
    case 'index-without-log':
      return `${size} ${are} of segments that are gone; the next recovery removes ${count === 1 ? 'it' : 'them'}`
    case 'kafka-deleted':
      return `${size} ${are} left of segments that Kafka removed or replaced; logq does not read ${count === 1 ? 'it' : 'them'}`
    case 'damaged-offsets':
      return `${size} ${are} kept of damaged commits, from before they were written anew; remove by hand when not wanted`
    case 'unknown':
      return `${size} ${are} unknown to logq, which leaves ${count === 1 ? 'it' : 'them'} alone`
  }
}

function lockText({ lock, path, holders, waiterCount, severity, host }: FindingOf<'lock'>, nowMs: number): string {
  const [name, effect] = HELD_UP[lock]
  const who =
    holders.length === 0 ? 'a process of another user' : holders.map((one) => processText(one, host, nowMs)).join(', ')
  const wait = waiterCount === 0 ? '' : `; ${countOf(waiterCount, 'process').replace(/processs$/, 'processes')} wait for it`
  const pids = holders.map(({ pid }) => pid).join(' ')
  const stopped = severity === 'critical' ? `; it is stopped, so ${effect}; let it go on: kill -CONT ${pids}; or end it` : ''
  return `${name}, '${path}', is held by ${who}${wait}${stopped}`
}

function processText({ pid, command, startedMs }: ProcessDescription, host: string, nowMs: number): string {
  const since = startedMs === undefined ? '' : `, started ${roundDuration(Math.max(0, nowMs - startedMs))} ago`
  return `process ${pid} on ${host} (${shorten(command)}${since})`
}

const LONGEST_COMMAND = 80

function shorten(command: string): string {
  return command.length > LONGEST_COMMAND ? `${command.slice(0, LONGEST_COMMAND)}…` : command
}

function memberText({ group, member, presence, host, pid, command, joinedMs, partitions }: FindingOf<'member'>): string {
  const who = pid === null ? '' : `, process ${pid} on ${host ?? 'an unknown machine'} (${shorten(command ?? '')}),`
  const since = joinedMs === null ? '' : ` since ${timeText(joinedMs)}`
  const what = partitions.length === 0 ? 'no partition' : partitions.slice(0, NAMED).join(', ')
  const more = partitions.length > NAMED ? ` and ${partitions.length - NAMED} more` : ''
  const holds = `${what}${more}`
  switch (presence) {
    case 'alive':
      return `member ${member}${who} is there${since}, and reads ${holds}`
    case 'away':
      return `member ${member} is away, and ${holds} wait for it`
    case 'dead':
      return `member ${member}${who} is gone; whoever joins or commits next takes it out`
    case 'still':
      return `member ${member}${who} shows no sign of life, and has ${holds}; others take over after its session timeout: see logq group show ${group}`
    case 'stopped':
      return `member ${member}${who} is stopped, and has ${holds}; let it go on: kill -CONT ${pid ?? ''}; or end it`
  }
}

const NAMED = 5

function behindText(finding: FindingOf<'group-behind'>, nowMs: number): string {
  const { group, committedOffset, lagRecords, lagBytes, lagMs, member, isWaitedFor, nextRunRecords } = finding
  const where = committedOffset === null ? 'nothing is committed' : `committed is offset ${committedOffset}`
  const reader = member === null ? 'nobody reads it' : `member ${member} reads it`
  const far = `it is ${countOf(lagRecords, 'record')}, ${roundSize(lagBytes)} and ${roundDuration(lagMs)} behind (${where}; ${reader})`
  if (nextRunRecords > 0)
    return `${far}; the next 'logq retain' removes ${countOf(nextRunRecords, 'record')} that it has not read${isWaitedFor ? ', by the hard limit' : `; to keep them: logq retain --keep-until-acked-by ${group}`}`
  const { overtakenMs, overtakenAfterBytes } = finding
  const ends = [
    ...(overtakenMs === null ? [] : [whenText(overtakenMs, nowMs)]),
    ...(overtakenAfterBytes === null ? [] : [`when ${roundSize(overtakenAfterBytes)} more are appended`]),
  ]
  if (ends.length > 0) return `${far}; retention overtakes it ${ends.join(', or ')}`
  return `${far}; retention ${isWaitedFor ? `waits for ${groupsText([group])}` : 'does not overtake it, as things stand'}`
}
