import test from 'ava'
import fc from 'fast-check'
import type { Commit } from '../../../lib/store/group/committed-offsets.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { openOrCreateStore, type Store } from '../../../lib/store/store.js'
import { createFakeSystem, type FakeSystem } from '../../helpers/fake-system.js'

const OFFSETS = '/s/groups/g/offsets'

async function openGroup(
  system: FakeSystem = createFakeSystem(),
): Promise<{ system: FakeSystem; store: Store; files: GroupFiles }> {
  const store = await openOrCreateStore(system, '/s')
  return { system, store, files: GroupFiles.openOrCreate(store, 'g') }
}

function commitOf(offset: number, generation = 1, partition = 0): Commit {
  const offsets = new Map([[partition, { offset, leaderEpoch: 0 }]])
  return { generation, member: 'm', timeMs: 1_000 + offset, topics: [{ topic: 't', topicId: 'id', offsets }] }
}

function offsetIn(files: GroupFiles, partition = 0): number | undefined {
  return files.read().offsets.get('t', 'id', partition)?.offset
}

function bytesOf(system: FakeSystem, path = OFFSETS): Buffer {
  const fd = system.fs.open(path, 'read')
  const { sizeBytes } = system.fs.fileStatus(fd)
  const bytes = new Uint8Array(sizeBytes)
  system.fs.read(fd, bytes, 0, sizeBytes, 0)
  system.fs.close(fd)
  return Buffer.from(bytes)
}

function overwrite(system: FakeSystem, position: number, bytes: Uint8Array, path = OFFSETS): void {
  const fd = system.fs.open(path, 'read-write')
  system.fs.write(fd, bytes, 0, bytes.length, position)
  system.fs.close(fd)
}

test('the last commit of a partition counts, also for a process that has the file open', async (t) => {
  const { store, files } = await openGroup()
  const other = GroupFiles.open(store, 'g')
  await files.change(({ commit }) => commit(commitOf(5)))
  t.is(offsetIn(other), 5)
  await other.change(({ commit }) => commit(commitOf(7)))
  t.is(offsetIn(files), 7)
})

test('a topic that was created anew begins without offsets', async (t) => {
  const { files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5)))
  const anew = {
    ...commitOf(1),
    topics: [{ topic: 't', topicId: 'other', offsets: new Map([[1, { offset: 3, leaderEpoch: 0 }]]) }],
  }
  await files.change(({ commit }) => commit(anew))
  t.is(offsetIn(files), undefined)
  t.is(files.read().offsets.get('t', 'other', 0), undefined)
  t.is(files.read().offsets.get('t', 'other', 1)?.offset, 3)
})

test('half a line of a process that was killed is passed over, and cut by the next commit', async (t) => {
  const { system, store, files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5)))
  await files.sync()
  const whole = bytesOf(system)
  for (let length = 1; length < whole.length; length += 7) {
    overwrite(system, whole.length, whole.subarray(0, length))
    const fresh = GroupFiles.open(store, 'g')
    t.is(offsetIn(fresh), 5)
    await fresh.change(({ commit }) => commit(commitOf(6)))
    t.is(bytesOf(system).toString().split('\n').length, 3)
    t.is(offsetIn(GroupFiles.open(store, 'g')), 6)
    const fd = system.fs.open(OFFSETS, 'read-write')
    system.fs.truncate(fd, whole.length)
    system.fs.close(fd)
  }
})

test('every byte of what is synced: damage is named, and nobody commits on; a seek by force keeps a copy and the whole lines', async (t) => {
  const { system, store, files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5, 1, 0)))
  await files.change(({ commit }) => commit(commitOf(9, 1, 1)))
  await files.sync()
  const whole = bytesOf(system)
  const secondAt = whole.indexOf('\n') + 1
  for (let position = 0; position < whole.length; position += 1) {
    overwrite(system, position, Uint8Array.of(whole.readUInt8(position) ^ 1))
    const fresh = GroupFiles.open(store, 'g')
    const { damage } = fresh.read()
    t.is(damage.length > 0, true, `byte ${position}`)
    const error = await t.throwsAsync(fresh.change(({ commit }) => commit(commitOf(6))))
    t.regex(error.message, /'\/s\/groups\/g\/offsets' is damaged/)
    fresh.close()
    overwrite(system, position, whole.subarray(position, position + 1))
  }
  overwrite(system, 12, Buffer.from('#'))
  const fresh = GroupFiles.open(store, 'g')
  const copy = await fresh.change(({ salvageOffsets }) => salvageOffsets())
  t.regex(bytesOf(system, copy).toString(), /#/)
  t.is(bytesOf(system).toString(), whole.subarray(secondAt).toString())
  t.is(offsetIn(fresh, 1), 9)
})

test('a file that lost its synced end, or is gone, is damage', async (t) => {
  const { system, store, files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5)))
  await files.change(({ commit }) => commit(commitOf(6)))
  await files.sync()
  const fd = system.fs.open(OFFSETS, 'read-write')
  system.fs.truncate(fd, bytesOf(system).indexOf('\n') + 1)
  system.fs.close(fd)
  t.is(GroupFiles.open(store, 'g').read().damage.length, 1)
})

test('what a power cut leaves between whole lines is no damage, then or later', async (t) => {
  const { system, store, files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5)))
  await files.sync()
  const syncedBytes = bytesOf(system).length
  await files.change(({ commit }) => commit(commitOf(6)))
  await files.change(({ commit }) => commit(commitOf(7)))
  overwrite(system, syncedBytes + 3, Buffer.from('\0\0\0'))
  const fresh = GroupFiles.open(store, 'g')
  t.is(fresh.read().damage.length, 0)
  t.is(offsetIn(fresh), 7)
  await fresh.change(({ commit }) => commit(commitOf(8)))
  await fresh.sync()
  t.is(GroupFiles.open(store, 'g').read().damage.length, 0)
  t.is(offsetIn(GroupFiles.open(store, 'g')), 8)
})

test('a failed write leaves the file as it was', async (t) => {
  const { system, store, files } = await openGroup()
  await files.change(({ commit }) => commit(commitOf(5)))
  const before = bytesOf(system)
  for (const code of ['ENOSPC', 'EIO']) {
    system.fs.failNth({ operation: 'write', pathIncludes: '/offsets', code })
    await t.throwsAsync(files.change(({ commit }) => commit(commitOf(6))))
    t.deepEqual(bytesOf(system), before)
  }
  await files.change(({ commit }) => commit(commitOf(6)))
  t.is(offsetIn(GroupFiles.open(store, 'g')), 6)
})

test('a large file is written anew, and says the same', async (t) => {
  const { system, store, files } = await openGroup()
  const other = GroupFiles.open(store, 'g')
  for (let offset = 1; offset <= 12_000; offset += 1)
    await files.change(({ commit }) => commit(commitOf(offset, 1, offset % 3)))
  t.true(bytesOf(system).length < 1 << 20)
  for (const group of [files, other, GroupFiles.open(store, 'g')])
    t.deepEqual(
      [0, 1, 2].map((partition) => offsetIn(group, partition)),
      [12_000, 11_998, 11_999],
    )
  await other.change(({ commit }) => commit(commitOf(12_001, 1, 0)))
  t.is(offsetIn(files), 12_001)
})

test('property: the fewest commits say the same as all', async (t) => {
  const { CommittedOffsets } = await import('../../../lib/store/group/committed-offsets.js')
  const commit = fc.record({
    generation: fc.nat(5),
    member: fc.constantFrom('a', 'b'),
    timeMs: fc.nat(3),
    topics: fc.array(
      fc.record({
        topic: fc.constantFrom('t', 'u'),
        topicId: fc.constantFrom('1', '2'),
        offsets: fc
          .array(fc.tuple(fc.nat(3), fc.option(fc.record({ offset: fc.nat(9), leaderEpoch: fc.nat(2) }))))
          .map((entries) => new Map(entries)),
      }),
      { maxLength: 3 },
    ),
  })
  fc.assert(
    fc.property(fc.array(commit, { maxLength: 20 }), (commits) => {
      const all = new CommittedOffsets()
      for (const one of commits) all.apply(one)
      const few = new CommittedOffsets()
      for (const one of all.commits()) few.apply(one)
      const list = (offsets: InstanceType<typeof CommittedOffsets>) =>
        offsets
          .topics()
          .flatMap(({ topic, topicId, partitions }) =>
            partitions.map((partition) => [topic, topicId, partition, offsets.get(topic, topicId, partition)]),
          )
      t.deepEqual(list(few), list(all))
    }),
  )
})
