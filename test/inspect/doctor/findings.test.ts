/** What doctor finds in stores that something is the matter with: each kind, and that nothing of it is changed. */
import test from 'ava'
import { changeOffsets } from '../../../lib/consume/group/change-offsets.js'
import { isDamage, type DoctorFinding } from '../../../lib/inspect/doctor/doctor-finding.js'
import { examineStore, type ExamineOptions } from '../../../lib/inspect/doctor/examine-store.js'
import { PartitionLock } from '../../../lib/log/partition-lock.js'
import { trimPartition } from '../../../lib/maintain/retain/trim-partition.js'
import { takeSnapshot } from '../../../lib/maintain/snapshot/take-snapshot.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { noteRetain } from '../../../lib/store/last-retain.js'
import { openStore, type Store } from '../../../lib/store/store.js'
import { createTopic, getTopic } from '../../../lib/store/topics.js'
import type { FileSystem, OpenMode } from '../../../lib/system/file-system.js'
import { systemError } from '../../../lib/system/system-error.js'
import type { LockHolders } from '../../../lib/system/system.js'
import { archivableStore, change, filesBelow } from '../../archive/tiny-archive.js'
import { createFakeSystem, FAKE_START_MS, type FakeSystem } from '../../helpers/fake-system.js'
import { STORE, keyed, produce, text, tinyStore } from '../../store/tiny-store.js'

const DAY_MS = 86_400_000

async function examine(store: Store, options: ExamineOptions = {}): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = []
  for await (const finding of examineStore(store, options)) findings.push(finding)
  return findings
}

/** Kind and severity of what needs attention; what is as it should be is left out. */
function troubles(findings: readonly DoctorFinding[]): string[] {
  return findings.filter(({ severity }) => severity !== 'ok').map(({ kind, severity }) => `${kind} ${severity}`)
}

function only<Kind extends DoctorFinding['kind']>(
  findings: readonly DoctorFinding[],
  kind: Kind,
): Extract<DoctorFinding, { kind: Kind }>[] {
  return findings.filter((finding): finding is Extract<DoctorFinding, { kind: Kind }> => finding.kind === kind)
}

/** Puts a file there. */
function put({ fs }: FakeSystem, path: string, content = '12345'): void {
  const fd = fs.open(`${STORE}/${path}`, 'create')
  fs.truncate(fd, 0)
  fs.write(fd, text(content), 0, content.length, 0)
  fs.close(fd)
}

test('in a store in which all is well, nothing needs a hand, and each segment has its reason', async (t) => {
  const { store } = await archivableStore()
  const findings = await examine(store)
  t.deepEqual(troubles(findings), [])
  t.deepEqual(
    only(findings, 'kept').map(({ reason, segments, dueMs }) => [reason, segments, dueMs]),
    [
      ['not-due', [0, 1, 2, 3], FAKE_START_MS + 14 * DAY_MS],
      ['active', [4], FAKE_START_MS + 14 * DAY_MS],
    ],
  )
  t.deepEqual(
    only(findings, 'retention').map(({ lastRunMs, nextDueMs, removableSegments }) => [lastRunMs, nextDueMs, removableSegments]),
    [[null, FAKE_START_MS + 14 * DAY_MS, 0]],
  )
  t.is(only(findings, 'disk').length, 1)
})

test('it changes nothing, and works where nothing can be changed', async (t) => {
  const { system, store } = await archivableStore()
  GroupFiles.openOrCreate(store, 'g').close()
  await changeOffsets(store, 'g', { command: 'test' }, [{ topic: 't', partition: 0, offset: 1 }])
  await takeSnapshot(store, 'before')
  const before = filesBelow(system, STORE)
  system.clock.setWallClock(system.clock.nowMs() + 30 * DAY_MS)
  const options = { keepUntilAckedBy: ['*'], perSegment: true }
  const found = await examine(openStore(system, STORE), options)
  t.deepEqual(filesBelow(system, STORE), before)
  const readOnly = { ...system, fs: readOnlyFileSystem(system.fs) }
  t.deepEqual(await examine(openStore(readOnly, STORE), options), found)
})

function readOnlyFileSystem(fs: FileSystem): FileSystem {
  const refuse = (path: string) => {
    throw systemError('EROFS', 'open', path)
  }
  return new Proxy(fs, {
    get(target, name: keyof FileSystem) {
      if (name === 'open') return (path: string, mode: OpenMode) => (mode === 'read' ? target.open(path, mode) : refuse(path))
      const isReading = ['close', 'read', 'fileStatus', 'pathStatus', 'list', 'freeBytes', 'totalBytes'].includes(name)
      return isReading ? target[name].bind(target) : refuse
    },
  })
}

test('a partition that is damaged is told of, and the others go on', async (t) => {
  const { system, store } = await archivableStore()
  await createTopic(store, 'u', { partitions: 2 })
  await produce(
    store,
    'u',
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => keyed(key, key)),
  )
  put(system, 't-0/log-start-offset', 'junk')
  put(system, 't-0/recovery-point', 'x'.repeat(64))
  put(system, 't-0/archived-01234567', 'junk')
  system.fs.makeDirectory(`${STORE}/t-0/archived-89abcdef`, 0o755)
  for (const name of system.fs.list(`${STORE}/u-1`)) system.fs.unlink(`${STORE}/u-1/${name}`)
  system.fs.removeDirectory(`${STORE}/u-1`)
  put(system, 'topics/w.json', 'junk')
  put(system, 'last-retain', 'junk')
  const findings = await examine(store)
  t.deepEqual(
    only(findings, 'damaged-file').map(({ path, severity }) => [path.slice(STORE.length + 1), severity]),
    [
      ['topics/w.json', 'critical'],
      ['t-0/archived-01234567', 'warning'],
      ['t-0/archived-89abcdef', 'warning'],
      ['t-0/log-start-offset', 'critical'],
      ['t-0/recovery-point', 'notice'],
      ['last-retain', 'notice'],
    ],
  )
  t.deepEqual(
    only(findings, 'missing-directory').map(({ topic, partition }) => [topic, partition]),
    [['u', 1]],
  )
  t.deepEqual(
    only(findings, 'kept').map(({ topic, partition }) => [topic, partition]),
    [
      ['t', 0],
      ['t', 0],
      ['u', 0],
    ],
  )
  t.is(findings.filter(isDamage).length, 3)
})

test('a partition, and a group, that this user may not look into hide no other one', async (t) => {
  const { system, store } = await archivableStore(createFakeSystem(), { partitions: 2 })
  for (const group of ['g', 'h']) {
    GroupFiles.openOrCreate(store, group).close()
    await changeOffsets(store, group, { command: 'test' }, [{ topic: 't', partition: 1, offset: 0 }])
  }
  const refused = new Set([`${STORE}/t-0`, `${STORE}/groups/g/offsets`])
  const fs = new Proxy<FileSystem>(system.fs, {
    get(target, name: keyof FileSystem) {
      if (name !== 'open' && name !== 'list') return target[name].bind(target)
      return (path: string, mode: OpenMode) => {
        if (refused.has(path)) throw systemError('EACCES', name, path)
        return name === 'open' ? target.open(path, mode) : target.list(path)
      }
    },
  })
  const findings = await examine({ ...store, system: { ...system, fs } })
  t.deepEqual(
    only(findings, 'unreadable').map(({ topic, partition, group, code, hint }) => [
      topic,
      partition,
      group,
      code,
      hint !== null,
    ]),
    [
      ['t', 0, undefined, 'EACCES', true],
      [undefined, undefined, 'g', 'EACCES', true],
    ],
  )
  t.false(findings.some(isDamage))
  t.true(only(findings, 'retention').length === 1)
})

test('a failed fsync, and an end that is not known to be whole or is lost', async (t) => {
  const { system, store } = await archivableStore()
  const lock = PartitionLock.open(system, `${STORE}/t-0`)
  const state = lock.readState()
  if (state === undefined) throw new Error('there is a state block')
  lock.writeState({ ...state, status: 'sync-failed', syncedOffset: 3 })
  t.deepEqual(
    only(await examine(store), 'sync-failed').map(({ syncedOffset, severity }) => [syncedOffset, severity]),
    [[3, 'critical']],
  )
  lock.writeState({ ...state, valid: false })
  change(system.fs, `${STORE}/t-0/recovery-point`, () => new Uint8Array(0))
  t.deepEqual(
    only(await examine(store), 'unclean').map(({ severity }) => severity),
    ['notice'],
  )
  lock.writeState({ ...state, status: 'sealed' })
  t.deepEqual(
    only(await examine(store), 'status').map(({ status }) => status),
    ['sealed'],
  )
  lock.writeState(state)
  lock.close()
  await produce(store, 't', ['one more'])
  const active = `${STORE}/t-0/${'4'.padStart(20, '0')}.log`
  change(system.fs, active, (bytes) => bytes.subarray(0, 10))
  const [lost] = only(await examine(store), 'lost-end')
  t.is(lost?.recoveryPointOffset, 6)
  t.true(lost !== undefined && isDamage(lost))
})

test('a closed segment that is damaged is told of, and its timestamps are not believed', async (t) => {
  const { system, store } = await archivableStore()
  const third = `${STORE}/t-0/${'2'.padStart(20, '0')}`
  system.fs.unlink(`${third}.index`)
  system.clock.setWallClock(FAKE_START_MS + 5 * DAY_MS)
  change(system.fs, `${third}.log`, (bytes) => bytes.subarray(0, bytes.length - 3))
  const findings = await examine(store)
  const damaged = only(findings, 'damaged-segments')
  t.deepEqual(
    damaged.map(({ segments }) => segments),
    [[2]],
  )
  t.true(damaged.every(isDamage))
  t.is(only(findings, 'kept')[0]?.lastDueMs, FAKE_START_MS + 19 * DAY_MS, 'it is as young as its file')
})

test('timestamps that are ahead, and such that are late', async (t) => {
  const { system, store } = await tinyStore({ config: { 'segment.bytes': 256 } })
  const nowMs = system.clock.nowMs()
  for (const timestampMs of [nowMs, nowMs + 5 * DAY_MS, nowMs - 20 * DAY_MS, nowMs])
    await produce(store, 't', [{ value: text('x'.repeat(200)), timestampMs }])
  const findings = await examine(store)
  t.deepEqual(
    only(findings, 'future-timestamps').map(({ segments, maxTimestampMs, severity }) => [segments, maxTimestampMs, severity]),
    [[[1], nowMs + 5 * DAY_MS, 'notice']],
  )
  t.deepEqual(
    only(findings, 'late-timestamps').map(({ segments, severity }) => [segments, severity]),
    [[[2], 'notice']],
  )
  // What was written ahead goes by the time of writing.
  system.clock.setWallClock(nowMs + 15 * DAY_MS)
  t.deepEqual(only(await examine(store), 'removable')[0]?.segments, [0, 1, 2, 3])
})

test('retention that nobody runs, and one that refuses since the clock jumped', async (t) => {
  const { system, store } = await archivableStore()
  const { topicId } = getTopic(store, 't')
  const startMs = system.clock.nowMs()
  const retention = async () =>
    only(await examine(store), 'retention').map(({ severity, dueSinceMs }) => [severity, dueSinceMs])
  system.clock.setWallClock(startMs + 15 * DAY_MS)
  t.deepEqual(await retention(), [['ok', startMs + 14 * DAY_MS]], 'it is due for a day')
  system.clock.setWallClock(startMs + 17 * DAY_MS)
  t.deepEqual(await retention(), [['warning', startMs + 14 * DAY_MS]])
  await noteRetain(store, [topicId], startMs + 16 * DAY_MS)
  t.deepEqual(await retention(), [['ok', startMs + 14 * DAY_MS]], 'it ran yesterday')
  system.clock.setWallClock(startMs + 60 * DAY_MS)
  t.deepEqual(
    only(await examine(store), 'clock').map(({ lastRunMs, severity }) => [lastRunMs, severity]),
    [[startMs + 16 * DAY_MS, 'warning']],
  )
})

test('a group that retention overtakes, one that it waits for, and one that has lost records', async (t) => {
  const { system, store } = await archivableStore()
  for (const [group, offset] of [
    ['slow', 1],
    ['quick', 5],
  ] as const) {
    GroupFiles.openOrCreate(store, group).close()
    await changeOffsets(store, group, { command: 'test' }, [{ topic: 't', partition: 0, offset }])
  }
  const behind = async (options: ExamineOptions = {}) =>
    only(await examine(store, options), 'group-behind').map(
      ({ group, lagRecords, isWaitedFor, nextRunRecords, overtakenMs, severity }) => [
        group,
        lagRecords,
        isWaitedFor,
        nextRunRecords,
        overtakenMs,
        severity,
      ],
    )
  const dueMs = FAKE_START_MS + 14 * DAY_MS
  t.deepEqual(await behind(), [['slow', 4, false, 0, dueMs, 'ok']])
  system.clock.setWallClock(dueMs - DAY_MS)
  t.deepEqual(await behind(), [['slow', 4, false, 0, dueMs, 'warning']], 'there is a day left')
  system.clock.setWallClock(dueMs + 1)
  t.deepEqual(await behind(), [['slow', 4, false, 4, dueMs + 1, 'warning']])
  t.deepEqual(await behind({ keepUntilAckedBy: ['*'] }), [['slow', 4, true, 0, null, 'ok']])
  t.deepEqual(await behind({ keepUntilAckedBy: ['*'], hardMs: 20 * DAY_MS }), [
    ['slow', 4, true, 0, FAKE_START_MS + 20 * DAY_MS, 'ok'],
  ])
  const held = only(await examine(store, { keepUntilAckedBy: ['slow'] }), 'kept')
  t.deepEqual(
    held.map(({ reason, heldBy }) => [reason, heldBy]),
    [['held', ['slow']]],
  )
  await t.throwsAsync(examine(store, { keepUntilAckedBy: ['nobody'] }), { code: 'LOGQ_UNKNOWN_GROUP' })
  await trimPartition(store, 't', 0, 3)
  t.deepEqual(
    only(await examine(store), 'group-lost').map(({ group, lostOffsets }) => [group, lostOffsets]),
    [['slow', 2]],
  )
})

test('commits that are damaged', async (t) => {
  const { system, store } = await archivableStore()
  GroupFiles.openOrCreate(store, 'g').close()
  await changeOffsets(store, 'g', { command: 'test' }, [{ topic: 't', partition: 0, offset: 1 }])
  change(system.fs, `${STORE}/groups/g/offsets`, (bytes) => bytes.map((byte, n) => (n === 20 ? byte ^ 1 : byte)))
  put(system, 'groups/g/offsets.damaged-1', 'x')
  const findings = await examine(store)
  t.deepEqual(troubles(findings), ['group-damaged critical', 'left-over notice'])
  t.true(findings.filter(isDamage).length === 1)
})

test('a compacted topic: how dirty, and when a pass is due', async (t) => {
  const { store } = await tinyStore({
    config: { 'segment.bytes': 256, 'cleanup.policy': 'compact', 'max.compaction.lag.ms': 9 * DAY_MS },
  })
  for (const n of [1, 2, 3, 4, 5, 6, 7]) await produce(store, 't', [keyed('k', `value ${n}`)])
  const findings = await examine(store)
  t.deepEqual(only(findings, 'kept'), [])
  t.deepEqual(
    only(findings, 'compaction').map(({ cleanBytes, isDue, dueMs }) => [cleanBytes, isDue, dueMs]),
    [[0, true, FAKE_START_MS + 9 * DAY_MS]],
  )
})

test('what was left over, by what it is; what is fresh may be at work', async (t) => {
  const { system, store } = await archivableStore()
  await takeSnapshot(store, 'before')
  const directory = (path: string) => system.fs.makeDirectory(`${STORE}/${path}`, 0o700)
  directory('t-0/quarantine')
  directory('t-0/cleaner')
  directory('.import-0123456789ab')
  directory('.removed-0123456789ab')
  directory('snapshots/.new-0123456789ab')
  const files = [
    't-0/quarantine/0.1.2',
    't-0/cleaner/0',
    't-0/.tmp-0123456789ab',
    't-0/mine',
    `t-0/${'9'.padStart(20, '0')}.index`,
    `t-0/${'9'.padStart(20, '0')}.log.deleted`,
  ]
  for (const path of [...files, '.import-0123456789ab/x', 'mine', 'topics/z.rm']) put(system, path)
  const left = async () =>
    only(await examine(store), 'left-over').map(
      ({ what, count, sizeBytes, isInUse, topic }) => `${topic ?? 'store'} ${what} ${count} ${sizeBytes} ${isInUse}`,
    )
  t.true((await left()).includes('t unfinished 1 5 true'), 'the temporary file was written a moment ago')
  system.clock.setWallClock(system.clock.nowMs() + 3_600_000)
  t.deepEqual((await left()).sort(), [
    'store unfinished 4 10 false',
    'store unknown 1 5 false',
    't index-without-log 1 5 false',
    't kafka-deleted 1 5 false',
    't quarantine 1 5 false',
    't unfinished 2 10 false',
    't unknown 1 5 false',
  ])
  const [snapshot] = only(await examine(store), 'snapshot')
  t.is(snapshot?.takenMs, FAKE_START_MS)
  t.true((snapshot?.unsharedBytes ?? 0) < (snapshot?.sizeBytes ?? 0))
  system.clock.setWallClock(system.clock.nowMs() + 30 * DAY_MS)
  const [removable] = only(await examine(store), 'removable')
  t.true((removable?.sharedBytes ?? 0) > 0 && (removable?.sharedBytes ?? 0) < (removable?.sizeBytes ?? 0))
})

test('a lock whose holders are all stopped is critical, one that is held in passing is not', async (t) => {
  const fake = createFakeSystem()
  const { store } = await archivableStore(fake)
  const process = { pid: 7, command: 'logq produce t', isStopped: true, startedMs: 5 }
  const seen = async (held: LockHolders) => {
    const lockInode = fake.fs.pathStatus(`${STORE}/t-0/lock`)?.inode
    const table = { holdersOf: ({ inode }: { readonly inode: number }) => (inode === lockInode ? held : undefined) }
    const system = { ...fake, processes: { lockTable: () => table, find: () => undefined } }
    return only(await examine({ ...store, system }), 'lock')
  }
  const [stuck] = await seen({ processes: [process], waiterCount: 2 })
  t.deepEqual(
    [stuck?.severity, stuck?.lock, stuck?.topic, stuck?.partition, stuck?.waiterCount],
    ['critical', 'append', 't', 0, 2],
  )
  t.false(stuck === undefined || isDamage(stuck))
  t.deepEqual(
    (await seen({ processes: [{ ...process, isStopped: false }], waiterCount: 0 })).map(({ severity }) => severity),
    ['ok'],
  )
  t.deepEqual(
    (await seen({ processes: [], waiterCount: 0 })).map(({ severity }) => severity),
    ['ok'],
  )
})

test('some topics: with the groups that read them, and nothing of the rest', async (t) => {
  const { store } = await archivableStore()
  await createTopic(store, 'u')
  await produce(store, 'u', ['a'])
  for (const [group, topic] of [
    ['g', 't'],
    ['h', 'u'],
  ] as const) {
    GroupFiles.openOrCreate(store, group).close()
    await changeOffsets(store, group, { command: 'test' }, [{ topic, partition: 0, offset: 0 }])
  }
  const findings = await examine(store, { topics: ['u', 'gone'] })
  t.deepEqual([...new Set(findings.map((finding) => ('topic' in finding ? finding.topic : finding.kind)))], ['u'])
  t.deepEqual(
    only(findings, 'group-behind').map(({ group }) => group),
    ['h'],
  )
  const stopped = new AbortController()
  stopped.abort()
  t.deepEqual(
    (await examine(store, { signal: stopped.signal })).filter((finding) => 'partition' in finding),
    [],
  )
})
