/** Members of a group that come, go, die, stand still and come back late, in memory; judged by group-world.ts at every step. */
import test, { type ExecutionContext } from 'ava'
import { joinGroup } from '../../../lib/consume/group/join-group.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { openStore } from '../../../lib/store/store.js'
import { addPartitions, createTopic, findTopic, removeTopic } from '../../../lib/store/topics.js'
import { STORE, produce, tinyStore } from '../../store/tiny-store.js'
import { GroupWorld } from './group-world.js'

const SESSION = { sessionTimeoutMs: 2_000 }

function allDelivered(t: ExecutionContext, world: GroupWorld, partitions: number, records: number, atMost = Infinity): void {
  for (let partition = 0; partition < partitions; partition += 1) {
    const counts = world.deliveries(partition)
    t.is(counts.length, records, `partition ${partition}`)
    t.true(
      counts.every((count) => count >= 1 && count <= atMost),
      `partition ${partition}: ${counts.join()}`,
    )
  }
}

test('a new member gets its share, one that leaves hands it over, and nothing is delivered twice', async (t) => {
  const world = await GroupWorld.create(4, 5)
  const first = await world.start()
  await world.committedTo(5)
  const second = await world.start()
  const tookMs = await world.settled()
  t.true(tookMs < 1_000, `${tookMs} ms`)
  // The new owner sees it at its next look.
  await world.clock.sleep(300)
  t.is(first.consumer.assignment.length, 2)
  t.is(second.consumer.assignment.length, 2)
  for (let partition = 0; partition < 4; partition += 1) await world.produce(partition, 3)
  await world.committedTo(8)
  await second.close()
  t.true((await world.settled()) < 1_000)
  for (let partition = 0; partition < 4; partition += 1) await world.produce(partition, 1)
  await world.committedTo(9)
  await world.end()
  allDelivered(t, world, 4, 9, 1)
  t.deepEqual(world.problems, [])
  t.deepEqual(world.snapshot().state.members, {})
  t.deepEqual(world.store.system.fs.list(`${STORE}/groups/g/members`), [])
})

test('partitions of a member that is killed are others’ in less than a second', async (t) => {
  const world = await GroupWorld.create(4, 5)
  const first = await world.start()
  await world.start()
  await world.settled()
  await world.committedTo(5)
  first.kill()
  t.true((await world.settled()) < 1_000)
  for (let partition = 0; partition < 4; partition += 1) await world.produce(partition, 2)
  await world.committedTo(7)
  await world.end()
  allDelivered(t, world, 4, 7)
  t.deepEqual(world.problems, [])
})

test('a member that is killed before it commits: its records are delivered again', async (t) => {
  const world = await GroupWorld.create(1, 0)
  const first = await world.start({
    prepare: (system) => system.fs.failNth({ operation: 'write', pathIncludes: '/offsets', code: 'EIO', persistent: true }),
  })
  await world.settled()
  await world.produce(0, 4)
  while (world.deliveries(0).length < 4) await world.clock.sleep(50)
  first.kill()
  world.problems.splice(0)
  await world.start()
  await world.committedTo(4)
  await world.end()
  t.true(world.deliveries(0).every((count) => count === 2))
  t.deepEqual(world.problems, [])
})

for (const way of ['with the probe', 'by the lease alone'] as const) {
  test(`a member that stands still for too long loses its partitions, comes back late and joins anew, ${way}`, async (t) => {
    const world = await GroupWorld.create(2, 3)
    const prepare = (system: { failpoints: Map<string, () => void> }): void => {
      if (way === 'by the lease alone')
        system.failpoints.set('group.probe', () => {
          throw new Error('no probe')
        })
    }
    const first = await world.start({ ...SESSION, prepare })
    await world.start({ ...SESSION, prepare })
    await world.settled()
    await world.committedTo(3)
    const oldId = first.id
    first.stop()
    for (let partition = 0; partition < 2; partition += 1) await world.produce(partition, 2)
    const tookMs = await world.settled()
    t.true(tookMs > 1_000 && tookMs < 6_000, `${tookMs} ms`)
    await world.committedTo(5)
    first.cont()
    await world.settled()
    t.not(first.id, oldId)
    t.true(first.events.includes('fenced'))
    for (let partition = 0; partition < 2; partition += 1) await world.produce(partition, 2)
    await world.committedTo(7)
    await world.end()
    allDelivered(t, world, 2, 7, 2)
    t.deepEqual(world.problems, [])
    t.deepEqual(world.store.system.fs.list(`${STORE}/groups/g/members`), [])
  })
}

test('the commit of a member that comes back late is refused, and says so', async (t) => {
  const world = await GroupWorld.create(1, 2)
  const first = await world.start(SESSION)
  await world.settled()
  await world.committedTo(2)
  first.stop()
  await world.start(SESSION)
  await world.settled()
  await world.produce(0, 3)
  await world.committedTo(5)
  first.consumer.delivered('t', 0, 5)
  t.false(await first.consumer.commit())
  first.cont()
  await world.settled()
  await world.end()
  t.deepEqual(world.problems, [])
})

test('members that were all stopped for an hour, as a laptop sleeps, go on as they were', async (t) => {
  const world = await GroupWorld.create(2, 3)
  const members = [await world.start(SESSION), await world.start(SESSION)]
  await world.settled()
  await world.committedTo(3)
  const { generation } = world.snapshot().state
  for (const member of members) member.stop()
  await world.clock.sleep(3_600_000)
  for (const member of members) member.cont()
  for (let partition = 0; partition < 2; partition += 1) await world.produce(partition, 2)
  await world.committedTo(5)
  await world.clock.sleep(10_000)
  t.is(world.snapshot().state.generation, generation)
  await world.end()
  allDelivered(t, world, 2, 5, 1)
  t.deepEqual(world.problems, [])
})

test('setting the wall clock, forwards or back, puts nobody out', async (t) => {
  const world = await GroupWorld.create(2, 1)
  await world.start(SESSION)
  await world.start(SESSION)
  await world.settled()
  await world.committedTo(1)
  const { generation } = world.snapshot().state
  let offset = 1
  for (const byMs of [86_400_000, -2 * 86_400_000, 3_000, -3_000]) {
    world.clock.setWallClock(world.clock.nowMs() + byMs)
    for (let partition = 0; partition < 2; partition += 1) await world.produce(partition, 1)
    offset += 1
    await world.committedTo(offset)
    await world.clock.sleep(15_000)
  }
  t.is(world.snapshot().state.generation, generation)
  await world.end()
  allDelivered(t, world, 2, 5, 1)
  t.deepEqual(world.problems, [])
})

test('a member of another machine is known by its lease', async (t) => {
  const world = await GroupWorld.create(2, 2)
  const bootId = Uint8Array.from({ length: 16 }, () => 9)
  const other = await world.start({ ...SESSION, bootId, host: 'other' })
  await world.start(SESSION)
  await world.settled()
  await world.committedTo(2)
  other.kill()
  const tookMs = await world.settled()
  t.true(tookMs > 1_000 && tookMs < 6_000, `${tookMs} ms`)
  await world.produce(0, 1)
  await world.produce(1, 1)
  await world.committedTo(3)
  await world.end()
  t.deepEqual(world.problems, [])
})

test('members of this machine before it was booted again are gone at once, their offsets are not', async (t) => {
  const world = await GroupWorld.create(2, 2)
  const bootId = Uint8Array.from({ length: 16 }, () => 9)
  const before = [await world.start({ bootId }), await world.start({ bootId, instanceId: 'one' })]
  await world.settled()
  await world.committedTo(2)
  for (const member of before) member.kill()
  await world.start({ instanceId: 'one' })
  const tookMs = await world.settled()
  t.true(tookMs < 1_000, `${tookMs} ms`)
  await world.produce(0, 1)
  await world.produce(1, 1)
  await world.committedTo(3)
  await world.end()
  allDelivered(t, world, 2, 3, 1)
  t.deepEqual(world.problems, [])
})

test('added partitions are shared', async (t) => {
  const world = await GroupWorld.create(1, 2)
  await world.start()
  await world.start()
  await world.settled()
  await addPartitions(world.store, 't', 4)
  await world.settled()
  for (let partition = 1; partition < 4; partition += 1) await world.produce(partition, 2)
  await world.committedTo(2)
  await world.end()
  allDelivered(t, world, 4, 2, 1)
  t.deepEqual(world.problems, [])
})

test('what a member was given and has not noted as delivered yet is not given again when partitions come', async (t) => {
  const { system, store } = await tinyStore({ partitions: 1 })
  for (const value of ['a', 'b', 'c']) await produce(store, 't', [value], { partition: 0 })
  const consumer = await joinGroup(openStore(system, STORE), 'g', ['t'])
  const given: string[] = []
  let isLarger = false
  for await (const step of consumer.steps()) {
    if (step.kind === 'batch') given.push(`${step.partition}@${step.fromOffset}`)
    if (given.length === 3 && !isLarger) {
      isLarger = true
      await addPartitions(store, 't', 2)
      await produce(store, 't', ['d'], { partition: 1 })
    }
    if (given.length === 4) break
  }
  t.deepEqual(given, ['0@0', '0@1', '0@2', '1@0'])
  // None of it was noted: an iteration that begins anew gets it.
  for await (const step of consumer.steps()) {
    if (step.kind !== 'batch') continue
    t.is(step.fromOffset, 0)
    break
  }
  await consumer.close()
})

test('a topic that is removed and created anew is read from its start, by the same members', async (t) => {
  const world = await GroupWorld.create(2, 3)
  const members = [await world.start(), await world.start()]
  await world.settled()
  await world.committedTo(3)
  const ids = members.map(({ id }) => id)
  await removeTopic(world.store, 't')
  await world.clock.sleep(3_000)
  t.deepEqual(world.snapshot().state.owners, {})
  await createTopic(world.store, 't', { partitions: 3 })
  for (let partition = 0; partition < 3; partition += 1) await produce(world.store, 't', ['a', 'b'], { partition })
  await world.committedTo(2)
  await world.settled()
  t.deepEqual(
    members.map(({ id }) => id),
    ids,
  )
  await world.end()
  allDelivered(t, world, 3, 2, 1)
  t.deepEqual(world.problems, [])
})

test('a late commit for a topic that was created anew since does not void what others committed for the new one', async (t) => {
  const world = await GroupWorld.create(2, 3)
  const first = await world.start()
  await world.settled()
  await world.committedTo(3)
  first.stop()
  const { topicId } = findTopic(world.store, 't') ?? {}
  await removeTopic(world.store, 't')
  await createTopic(world.store, 't', { partitions: 2 })
  const anew = findTopic(world.store, 't')?.topicId ?? ''
  t.not(anew, topicId)
  const files = GroupFiles.open(world.store, 'g')
  await files.change(({ commit, state }) => {
    const offsets = new Map([[1, { offset: 7, leaderEpoch: -1 }]])
    commit({ generation: state.generation, member: 'seek', timeMs: 1, topics: [{ topic: 't', topicId: anew, offsets }] })
  })
  files.close()
  first.consumer.delivered('t', 0, 9)
  t.true(await first.consumer.commit())
  t.is(world.snapshot().offsets.get('t', anew, 1)?.offset, 7)
  first.kill()
})

test('a static member that is gone for less than its grace gets its partitions back; after it, others do', async (t) => {
  const world = await GroupWorld.create(4, 2)
  const options = { instanceId: 'one', graceMs: 30_000 }
  const first = await world.start(options)
  await world.start({ instanceId: 'two', graceMs: 30_000 })
  await world.settled()
  await world.committedTo(2)
  const had = first.consumer.assignment
  first.kill()
  await world.clock.sleep(10_000)
  const back = await world.start(options)
  await world.settled()
  t.deepEqual(back.consumer.assignment, had)
  back.kill()
  const tookMs = await world.settled()
  t.true(tookMs >= 30_000 && tookMs < 40_000, `${tookMs} ms`)
  await t.throwsAsync(world.start({ instanceId: 'two' }), { code: 'LOGQ_CONFLICT' })
  world.members.pop()
  await t.throwsAsync(world.start({ assignor: 'range' }), { code: 'LOGQ_CONFLICT' })
  world.members.pop()
  await world.end()
  t.deepEqual(world.problems, [])
})

test('of twenty members that are killed nothing is left, and eight share what there is', async (t) => {
  const world = await GroupWorld.create(8, 1)
  await world.start()
  for (let n = 0; n < 20; n += 1) {
    const doomed = await world.start()
    await world.clock.sleep((n % 5) * 100)
    doomed.kill()
  }
  await world.settled()
  await world.clock.sleep(2_000)
  const names = world.store.system.fs.list(`${STORE}/groups/g/members`)
  t.is(names.length, 3, names.join())
  for (let n = 0; n < 7; n += 1) await world.start()
  await world.settled()
  await world.committedTo(1)
  // Who was made an owner last sees it at its next look.
  await world.clock.sleep(300)
  for (const member of world.members) if (member.isRunning) t.is(member.consumer.assignment.length, 1)
  await world.end()
  allDelivered(t, world, 8, 1)
  t.deepEqual(world.problems, [])
})
