/**
 * Everything that changes a consumer group, killed before each of its changes of the disk, and with the power cut there: what was
 * promised is kept, and the next member finds a group that works.
 */
import test from 'ava'
import { changeOffsets, undoChange } from '../../lib/consume/group/change-offsets.js'
import type { GroupConsumer } from '../../lib/consume/group/group-consumer.js'
import { joinGroup } from '../../lib/consume/group/join-group.js'
import { removeGroup, renameGroup } from '../../lib/consume/group/groups.js'
import { GroupFiles } from '../../lib/store/group/group-files.js'
import { groupExists, listGroups } from '../../lib/store/group/group-paths.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { findTopic } from '../../lib/store/topics.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { GroupWorld, type SimulatedMember } from '../consume/group/group-world.js'
import { STORE, produce, tinyStore } from '../store/tiny-store.js'
import { crashAt, crashEverywhere, type Scenario } from './crash-everywhere.js'

const PARTITIONS = 2
const RECORDS = 3
const OPTIONS = { sessionTimeoutMs: 2_000 }

async function prepare(system: FakeSystem): Promise<void> {
  const { store } = await tinyStore({ partitions: PARTITIONS }, system)
  for (let partition = 0; partition < PARTITIONS; partition += 1)
    for (let n = 0; n < RECORDS; n += 1) await produce(store, 't', [`${n}`], { partition })
}

/** What must not be taken back any more, by partition. */
type Promised = Map<number, number>

/** Reads until the group has dealt with everything, or `isEnough` says so; commits after each record, durably. */
async function read(consumer: GroupConsumer, promised: Promised, isEnough: () => boolean): Promise<void> {
  for await (const step of consumer.steps()) {
    if (step.kind === 'batch') {
      const offset = Math.min(step.toOffset, step.batch.nextOffset)
      consumer.delivered(step.topic, step.partition, offset, step.batch.partitionLeaderEpoch)
      if (await consumer.commit()) {
        await consumer.sync()
        promised.set(step.partition, offset)
      }
    }
    if (isEnough()) return
  }
}

/** A member that lives as long as the work; whatever becomes of that, nothing of it goes on. */
async function asMember(system: FakeSystem, work: (consumer: GroupConsumer) => Promise<void>): Promise<void> {
  const consumer = await joinGroup(openStore(system, STORE), 'g', ['t'], OPTIONS)
  let isDone = false
  try {
    await work(consumer)
    isDone = true
  } finally {
    const closed = consumer.close()
    await (isDone ? closed : closed.catch(() => undefined))
  }
}

function committedIn(store: Store, group = 'g'): (number | undefined)[] {
  if (!groupExists(store, group)) return Array.from({ length: PARTITIONS }, () => undefined)
  const files = GroupFiles.open(store, group)
  const { offsets, damage } = files.read()
  files.close()
  if (damage.length > 0) throw new Error('the offsets are taken for damaged')
  const topicId = findTopic(store, 't')?.topicId ?? ''
  return Array.from({ length: PARTITIONS }, (_, partition) => offsets.get('t', topicId, partition)?.offset)
}

/** What was promised is there, and a new member gets everything, and reads it to its end. */
async function judge(after: FakeSystem, promised: Promised, survivor?: SimulatedMember): Promise<void> {
  const world = GroupWorld.around(after)
  const before = committedIn(world.store)
  for (const [partition, offset] of promised)
    if ((before[partition] ?? -1) < offset) throw new Error(`committed ${before.join()}, promised ${offset} of ${partition}`)
  if (survivor !== undefined) world.members.push(survivor)
  await world.start(OPTIONS)
  await world.settled()
  for (let partition = 0; partition < PARTITIONS; partition += 1)
    if (committedIn(world.store)[partition] !== RECORDS) await world.committedTo(RECORDS)
  await world.end()
  if (world.problems.length > 0) throw new Error(world.problems.join('; '))
  const left = world.store.system.fs.list(`${STORE}/groups/g`).sort().join(' ')
  if (left !== 'group.json lock members offsets') throw new Error(`the group holds ${left}`)
  const members = world.store.system.fs.list(`${STORE}/groups/g/members`)
  if (members.length > 0) throw new Error(`of members there is left ${members.join(' ')}`)
}

/** Joins, reads, commits and leaves, alone. */
function living(): Scenario {
  let promised: Promised = new Map()
  return {
    prepare,
    run: async (system) => {
      promised = new Map()
      await asMember(system, (consumer) =>
        read(consumer, promised, () => promised.get(0) === RECORDS && promised.get(1) === RECORDS),
      )
    },
    check: (after) => judge(after, promised),
  }
}

test('a member that is alone may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere(living(), 1)
  t.true(deaths > 40, `${deaths} deaths`)
  // Between these two only the lease is taken.
  await crashAt(living(), 'group-join.after-lock')
  for (const step of ['group-join.after-lease', 'group-join.before-state', 'group-leave.before-state'])
    t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
})

/** Of two members one dies: the one that comes, or the one that gives half of its partitions to the other one. */
function sharing(dies: 'the new one' | 'the old one'): Scenario {
  let promised: Promised = new Map()
  let survivor: SimulatedMember | undefined
  let world: GroupWorld | undefined
  const startSurvivor = async (system: FakeSystem): Promise<void> => {
    world = GroupWorld.around(system)
    survivor = await world.start({ ...OPTIONS, isEager: true })
  }
  const bothHave = (): boolean => {
    const owners = world?.snapshot().state.owners['t'] ?? []
    return new Set(owners).size === PARTITIONS
  }
  return {
    prepare: async (system) => {
      survivor?.kill()
      survivor = undefined
      await prepare(system)
      if (dies === 'the new one') {
        await startSurvivor(system)
        await world?.settled()
      }
    },
    run: async (system) => {
      promised = new Map()
      await asMember(system, async (consumer) => {
        let isOther = dies === 'the new one'
        for await (const step of consumer.steps()) {
          if (step.kind === 'batch') {
            const offset = Math.min(step.toOffset, step.batch.nextOffset)
            consumer.delivered(step.topic, step.partition, offset, step.batch.partitionLeaderEpoch)
          }
          if (step.kind !== 'pause') continue
          if (await consumer.commit()) await consumer.sync()
          if (!isOther) {
            isOther = true
            await startSurvivor(system)
          }
          if (bothHave() && consumer.assignment.length === 1) return
        }
      })
    },
    check: async (after, { rebooted }) => {
      // The one that goes on does so on its own disk alone.
      await judge(after, promised, rebooted ? undefined : survivor)
    },
  }
}

for (const dies of ['the new one', 'the old one'] as const) {
  test(`of two members ${dies} may die before any change of the disk, while partitions are handed over`, async (t) => {
    const { deaths, behind } = await crashEverywhere(sharing(dies), 1)
    t.true(deaths > 20, `${deaths} deaths`)
    const step = dies === 'the new one' ? 'group-join.before-state' : 'group-hand-over.before-state'
    t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
  })
}

test('a power cut right after a partition was handed over takes nothing of its commits back', async (t) => {
  const world = await GroupWorld.create(PARTITIONS, RECORDS)
  await world.start({ ...OPTIONS, isEager: true })
  await world.settled()
  await world.committedTo(RECORDS)
  // Sooner than a member syncs by itself.
  await world.start(OPTIONS)
  while (new Set(world.snapshot().state.owners['t']).size < PARTITIONS) await world.clock.sleep(5)
  const moved = world.snapshot().state.owners['t']?.findIndex((owner) => owner === world.members[1]?.id) ?? -1
  const after = createFakeSystem({ disk: world.disk.afterPowerCut({ seed: 1, keepUnsynced: 'none' }), clock: world.clock })
  t.is(committedIn(openStore(after, STORE))[moved], RECORDS)
  await world.end()
})

async function withCommits(system: FakeSystem): Promise<void> {
  await prepare(system)
  const promised: Promised = new Map()
  await asMember(system, (consumer) =>
    read(consumer, promised, () => promised.get(0) === RECORDS && promised.get(1) === RECORDS),
  )
}

test('a seek and its undoing may die before any change: offsets are those before or after, and can be changed again', async (t) => {
  let acknowledged = 0
  const { deaths } = await crashEverywhere({
    prepare: withCommits,
    run: async (system) => {
      acknowledged = 0
      const store = openStore(system, STORE)
      const wanted = [0, 1].map((partition) => ({ topic: 't', partition, offset: 1 }))
      await changeOffsets(store, 'g', { command: 'seek' }, wanted)
      acknowledged = 1
      await undoChange(store, 'g')
      acknowledged = 2
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const found = committedIn(store).join()
      const possible = acknowledged === 0 ? ['3,3', '1,1'] : acknowledged === 1 ? ['1,1', '3,3'] : ['3,3']
      if (!possible.includes(found)) throw new Error(`committed ${found} after ${acknowledged} acknowledgements`)
      await changeOffsets(store, 'g', { command: 'seek' }, [{ topic: 't', partition: 0, offset: 2 }])
      if (committedIn(store)[0] !== 2) throw new Error('a later seek did nothing')
      await undoChange(store, 'g')
      if (committedIn(store).join() !== found) throw new Error(`a later undo gave ${committedIn(store).join()}, not ${found}`)
    },
  })
  t.true(deaths > 6, `${deaths} deaths`)
})

test('a removal and a renaming may die before any change: the group is there whole, or is not, and nothing is left of it', async (t) => {
  let acknowledged = 0
  const { deaths } = await crashEverywhere({
    prepare: withCommits,
    run: async (system) => {
      acknowledged = 0
      const store = openStore(system, STORE)
      await renameGroup(store, 'g', 'other')
      acknowledged = 1
      await removeGroup(store, 'other')
      acknowledged = 2
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const groups = listGroups(store)
      const possible = [['g', 'other'], ['other', ''], ['']][acknowledged] ?? []
      if (!possible.includes(groups.join())) throw new Error(`groups ${groups.join()} after ${acknowledged} acknowledgements`)
      for (const group of groups)
        if (committedIn(store, group).join() !== '3,3') throw new Error(`${group} has ${committedIn(store, group).join()}`)
      for (const group of groups) await removeGroup(store, group)
      GroupFiles.openOrCreate(store, 'new').close()
      await removeGroup(store, 'new')
      const left = store.system.fs.list(`${STORE}/groups`)
      if (left.length > 0) throw new Error(`groups/ holds ${left.join()}`)
    },
  })
  t.true(deaths > 6, `${deaths} deaths`)
})
