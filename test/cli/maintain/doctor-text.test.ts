/** The words of doctor: a sentence for each kind of finding, in the form of all messages, and lines that fit a terminal. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { commandGroups } from '../../../cli/command-list.js'
import { doctorText } from '../../../cli/maintain/doctor-text.js'
import { runCommandLine } from '../../../cli/run.js'
import type { DoctorFinding } from '../../../lib/inspect/doctor/doctor-finding.js'
import { fakeWorld } from '../../helpers/fake-world.js'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 10, 28, 12)

type Kind = DoctorFinding['kind']
type Example<Of extends Kind> = readonly [Omit<Extract<DoctorFinding, { kind: Of }>, 'kind'>, string]

const at = { topic: 't', partition: 0 }
const ok = { severity: 'ok' } as const
const warning = { severity: 'warning' } as const
const critical = { severity: 'critical' } as const
const holder = { pid: 7, command: 'logq produce t', isStopped: true, startedMs: NOW_MS - 5000 }

const examples: { readonly [Of in Kind]: Example<Of> } = {
  kept: [
    {
      ...ok,
      ...at,
      reason: 'not-due',
      segments: [3],
      sizeBytes: 2048,
      fromOffset: 3,
      toOffset: 4,
      dueMs: NOW_MS + DAY_MS,
      lastDueMs: NOW_MS + DAY_MS,
      dueAfterBytes: 1024,
      heldBy: [],
    },
    't-0: 1 segment, 2KiB, offset 3, is not expired: it goes on 2026-11-29T12:00Z (in 1d); or sooner, when 1KiB more are appended',
  ],
  removable: [
    {
      ...ok,
      ...at,
      reasons: ['expired', 'excess'],
      segments: [0, 2],
      sizeBytes: 10,
      fromOffset: 1,
      toOffset: 4,
      sharedBytes: 5,
    },
    "t-0: 2 segments, 10B, offsets 1 to 3, go with the next 'logq retain': they are older than retention.ms, or the partition is larger than retention.bytes; 5B of that stay on disk under other names, as in snapshots",
  ],
  segment: [
    {
      ...ok,
      ...at,
      baseOffset: 2,
      toOffset: 4,
      sizeBytes: 10,
      maxTimestampMs: NOW_MS,
      modifiedMs: NOW_MS,
      reason: 'not-due',
      dueMs: NOW_MS + DAY_MS,
      dueAfterBytes: null,
    },
    't-0: segment 2: 10B, newest record 2026-11-28T12:00:00Z, written 2026-11-28T12:00:00Z, not-due, due on 2026-11-29T12:00Z (in 1d)',
  ],
  'below-log-start': [
    { severity: 'notice', ...at, segmentCount: 1, logStartOffset: 5 },
    "t-0: 1 segment below the log start, offset 5, was left by a command that was killed; the next 'logq retain' removes it",
  ],
  retention: [
    {
      ...warning,
      topic: 't',
      retentionMs: 14 * DAY_MS,
      retentionBytes: 1024,
      lastRunMs: NOW_MS - 9 * DAY_MS,
      removableSegments: 1,
      removableBytes: 10,
      nextDueMs: null,
      dueSinceMs: NOW_MS - 5 * DAY_MS,
    },
    "t: WARNING: retention.ms 14d, retention.bytes 1KiB; the next 'logq retain' removes 1 segment, 10B; nothing else is due by its age; it ran last on 2026-11-19T12:00Z (9d ago), though something is due since 2026-11-23T12:00:00Z: is it in no crontab? see logq-cron(7)",
  ],
  clock: [
    { ...warning, topic: 't', lastRunMs: NOW_MS + DAY_MS, leavingBytes: 99, totalBytes: 100 },
    "t: WARNING: 'logq retain' refuses to remove 99B of 100B, since the clock looks wrong: it ran last on 2026-11-29T12:00Z (in 1d); when the clock is right, run once: logq retain t --force",
  ],
  'future-timestamps': [
    { severity: 'notice', ...at, segments: [0], sizeBytes: 10, maxTimestampMs: NOW_MS + DAY_MS, modifiedMs: NOW_MS },
    "t-0: 1 segment, 10B, has timestamps up to 2026-11-29T12:00:00Z, which is still to come, though written by 2026-11-28T12:00:00Z: a producer's clock is ahead; retention goes by the time of writing",
  ],
  'late-timestamps': [
    { severity: 'ok', ...at, segments: [0, 1], sizeBytes: 10, maxTimestampMs: NOW_MS - 3 * DAY_MS, modifiedMs: NOW_MS },
    't-0: 2 segments, 10B, have timestamps up to 3d older than the last write (imported, copied, or late); retention goes by the timestamps',
  ],
  compaction: [
    {
      ...ok,
      ...at,
      dirtyBytes: 1,
      cleanBytes: 3,
      activeBytes: 2,
      youngBytes: 5,
      minDirtyRatio: 0.5,
      isDue: false,
      dueMs: NOW_MS + DAY_MS,
    },
    't-0: it is compacted, so that the latest record of each key stays: 1B of 4B are new since the last pass (25 %); a pass is due above 50 %, or on 2026-11-29T12:00Z (in 1d); one is made now by: logq compact t --min-dirty 0; 5B are younger than min.compaction.lag.ms, and 2B are in the active segment, and not looked at yet',
  ],
  'sync-failed': [
    { ...critical, ...at, syncedOffset: 5 },
    't-0: CRITICAL: an fsync failed: records from offset 5 on may be lost, nobody can append, and readers stop there; see the kernel log (dmesg), then run: logq fsck --repair t',
  ],
  unclean: [
    { severity: 'notice', ...at, unverifiedBytes: 9 },
    't-0: the last 9B are not known to be whole, as after a kill or a power cut; the next append verifies them; to look now: logq fsck t',
  ],
  'lost-end': [
    { ...critical, ...at, recoveryPointOffset: 9 },
    't-0: CRITICAL: the log ends below offset 9, up to which it was on the device: records are lost; run: logq fsck --repair t, or restore it',
  ],
  'damaged-segments': [
    { ...critical, ...at, segments: [4, 8] },
    't-0: CRITICAL: in 2 segments, the first at offset 4, something is no batch; retention takes such a segment for as young as its file; run: logq fsck t',
  ],
  status: [{ severity: 'notice', ...at, status: 'sealed' }, 't-0: it is sealed: nobody appends'],
  'missing-directory': [
    { ...critical, ...at, path: 's/t-0' },
    "t-0: CRITICAL: its directory 's/t-0' is missing; put it back, or have an empty one made: logq fsck --repair t",
  ],
  'damaged-file': [
    { ...critical, path: 's/topics/t.json', problem: "'s/topics/t.json' is not a JSON object" },
    "store: CRITICAL: 's/topics/t.json' is not a JSON object",
  ],
  unreadable: [
    { ...critical, group: 'g', code: 'EACCES', problem: 'permission denied', hint: 'see who may use it' },
    "group 'g': CRITICAL: it cannot be looked at: permission denied; see who may use it",
  ],
  'left-over': [
    { severity: 'notice', what: 'unfinished', paths: ['a', 'b'], count: 5, sizeBytes: 10, isInUse: false },
    "store: 'a', 'b' and 3 more, 10B, are left of a command that was killed; the next one of its kind removes them",
  ],
  lock: [
    { ...critical, ...at, lock: 'append', path: 's/t-0/lock', host: 'vm', holders: [holder], waiterCount: 2 },
    "t-0: CRITICAL: the append lock, 's/t-0/lock', is held by process 7 on vm (logq produce t, started 5s ago); 2 processes wait for it; it is stopped, so nobody else can append; let it go on: kill -CONT 7; or end it",
  ],
  member: [
    {
      ...warning,
      group: 'g',
      member: 'm',
      presence: 'still',
      host: 'far',
      pid: 9,
      command: 'logq consume t -g g',
      joinedMs: null,
      partitions: ['t-0'],
    },
    "group 'g': WARNING: member m, process 9 on far (logq consume t -g g), shows no sign of life, and has t-0; others take over after its session timeout: see logq group show g",
  ],
  'group-behind': [
    {
      ...warning,
      ...at,
      group: 'g',
      committedOffset: 3,
      lagRecords: 1,
      lagBytes: 10,
      lagMs: 2 * DAY_MS,
      member: null,
      isWaitedFor: false,
      nextRunRecords: 0,
      overtakenMs: NOW_MS + 3_600_000,
      overtakenAfterBytes: null,
    },
    "group 'g' in t-0: WARNING: it is 1 record, 10B and 2d behind (committed is offset 3; nobody reads it); retention overtakes it on 2026-11-28T13:00Z (in 1h)",
  ],
  'group-lost': [
    { ...warning, ...at, group: 'g', committedOffset: 3, lostOffsets: 2 },
    "group 'g' in t-0: WARNING: 2 offsets from 3 on were removed before the group had read them; it goes on at the log start",
  ],
  'group-damaged': [
    { ...critical, group: 'g', problem: 'commits may be missing' },
    "group 'g': CRITICAL: commits may be missing; see: logq group show g",
  ],
  snapshot: [
    { ...ok, snapshot: 'before', takenMs: NOW_MS - DAY_MS, sizeBytes: 2048, unsharedBytes: 1024 },
    "store: snapshot 'before', taken on 2026-11-27T12:00Z (1d ago), holds 2KiB, of which nothing else has 1KiB; that is freed by: logq snapshot rm before",
  ],
  disk: [{ ...warning, freeBytes: 1024, totalBytes: 1 << 20 }, 'store: WARNING: 1KiB of 1MiB are free on the file system'],
  'kafka-directory': [
    { severity: 'notice', path: 'k' },
    "store: 'k' is a log directory of Kafka: what stays in it, and for how long, is Kafka's to say",
  ],
}

for (const [kind, [finding, text]] of Object.entries(examples)) {
  test(`${kind} in words`, (t) => {
    t.is(doctorText({ kind, ...finding } as DoctorFinding, NOW_MS), text)
  })
}

test('a time that no calendar has, and what goes at no time', (t) => {
  const [kept] = examples.kept
  const never = { ...kept, kind: 'kept', dueMs: null, lastDueMs: null, dueAfterBytes: null } as const
  t.true(doctorText(never, NOW_MS).endsWith('is kept for ever: neither retention.ms nor retention.bytes limits the topic'))
  t.true(doctorText({ ...never, dueMs: Number.MAX_SAFE_INTEGER }, NOW_MS).endsWith('it goes in more years than a calendar has'))
  const forDays = { ...never, reason: 'held', heldBy: ['g', 'h'], dueMs: NOW_MS + DAY_MS } as const
  t.true(doctorText(forDays, NOW_MS).endsWith("held by groups 'g', 'h'; the hard limit ends that on 2026-11-29T12:00Z (in 1d)"))
})

test('on a terminal no line is wider than it, and the lines that go on are indented', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'logq-doctor-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const run = async (words: readonly string[], terminals: readonly 'stdout'[], stdin = '') => {
    const world = fakeWorld({ stdin, terminals, env: { LOGQ_STORE: join(directory, 'store') } })
    t.is(await runCommandLine(words, commandGroups, world), 'done')
    return world.streams.stdout.text()
  }
  await run(['produce', 't'], [], 'a\nb\n')
  const piped = await run(['doctor'], [])
  const shown = await run(['doctor'], ['stdout'])
  const lines = shown.trimEnd().split('\n')
  t.true(piped.split('\n').some((line) => line.length > 80))
  t.true(lines.every((line) => line.length <= 80))
  t.true(lines.some((line) => /^ {2}\S/.test(line)))
  const words = (text: string) => text.replaceAll(/\(\w+ (ago|\w+)\)|\d+[GM]iB/g, '').split(/\s+/)
  t.deepEqual(words(shown), words(piped))
})
