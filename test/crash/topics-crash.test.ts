import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { isTemporaryName } from '../../lib/system/durable.js'
import { openOrCreateStore, openStore } from '../../lib/store/store.js'
import { addPartitions, alterTopic, createTopic, findTopic, listTopics, removeTopic } from '../../lib/store/topics.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { STORE, produce, tinyStore, values } from '../store/tiny-store.js'
import { crashAt, crashEverywhere, type Scenario } from './crash-everywhere.js'

/** Names that may stand in a store and its topics directory once a topic command has been through. */
function judgeStoreLitter(system: FakeSystem, topics: Readonly<Record<string, number>>): void {
  const directories = Object.entries(topics).flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, n) => `${topic}-${n}`),
  )
  const expected = ['lock', 'logq.json', 'topics', ...directories].sort()
  const found = system.fs.list(STORE)
  if (found.join(' ') !== expected.join(' ')) throw new Error(`the store holds ${found.join(' ')}, not ${expected.join(' ')}`)
  const files = system.fs.list(`${STORE}/topics`)
  const wanted = Object.keys(topics).map((topic) => `${topic}.json`)
  if (files.join(' ') !== wanted.sort().join(' ')) throw new Error(`topics/ holds ${files.join(' ')}`)
}

/** Whatever died before, the next commands work, and leave nothing of it behind. */
async function judgeStore(system: FakeSystem, topic: string): Promise<void> {
  const store = await openOrCreateStore(system, STORE)
  const before = findTopic(store, topic)
  if (before === undefined) await createTopic(store, topic, { partitions: 2 })
  for (let partition = 0; partition < (before?.partitions ?? 2); partition += 1) {
    const already = (await values(store, topic, partition)).length
    await produce(store, topic, ['x'], { partition })
    if ((await values(store, topic, partition)).length !== already + 1) throw new Error(`partition ${partition} took no record`)
    const litter = system.fs.list(`${STORE}/${topic}-${partition}`).filter(isTemporaryName)
    if (litter.length > 0) throw new Error(`partition ${partition} holds ${litter.join(' ')}`)
  }
  await removeTopic(store, topic)
  const kept = Object.fromEntries(listTopics(store).map((name) => [name, findTopic(store, name)?.partitions ?? 0]))
  judgeStoreLitter(system, kept)
}

const creating = (): Scenario => {
  let isAcknowledged = false
  return {
    prepare: async (system) => {
      isAcknowledged = false
      await tinyStore(null, system)
    },
    run: async (system) => {
      await createTopic(openStore(system, STORE), 'new', { partitions: 2 })
      isAcknowledged = true
    },
    check: async (after) => {
      if (isAcknowledged && findTopic(openStore(after, STORE), 'new') === undefined) throw new Error('the topic is gone')
      await judgeStore(after, 'new')
    },
  }
}

const CREATE_STEPS: readonly (readonly [number, string, string])[] = [
  [1, 'the intent was written', 'topic-create.after-intent'],
  [2, 'a partition directory was made', 'create.after-directory'],
  [2, 'its recovery point was written', 'create.after-recovery-point'],
  [2, 'its leader epoch was written', 'create.after-leader-epoch'],
  [2, 'its first segment was created', 'create.after-segment'],
  [3, 'the directories were synced', 'topic-create.before-commit'],
]

for (const [number, what, failpoint] of CREATE_STEPS) {
  test(`createTopic() step ${number}: a crash when ${what} leaves no topic, and room for it`, async (t) => {
    await crashAt(creating(), failpoint)
    if (failpoint.startsWith('create.')) await crashAt(creating(), failpoint, 2)
    t.pass()
  })
}

test('createTopic() may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere(creating())
  t.true(deaths > 40, `${deaths} deaths`)
  for (const [, , step] of CREATE_STEPS) t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
})

const adding = (): Scenario => {
  let isAcknowledged = false
  return {
    prepare: async (system) => {
      isAcknowledged = false
      const { store } = await tinyStore({ partitions: 1 }, system)
      await produce(store, 't', ['a', 'b'])
    },
    run: async (system) => {
      await addPartitions(openStore(system, STORE), 't', 3)
      isAcknowledged = true
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const { partitions } = findTopic(store, 't') ?? { partitions: 0 }
      if (partitions !== 3 && (partitions !== 1 || isAcknowledged)) throw new Error(`${partitions} partitions`)
      if ((await values(store, 't')).join('') !== 'ab') throw new Error('records are gone')
      if (partitions === 1) await addPartitions(store, 't', 3)
      await judgeStore(after, 't')
    },
  }
}

test('addPartitions() steps 1 and 2: a crash before the topic file is replaced leaves the topic as it was', async (t) => {
  await crashAt(adding(), 'create.after-directory')
  await crashAt(adding(), 'topic-add-partitions.before-commit')
  t.pass()
})

test('addPartitions() may die before any change of the disk', async (t) => {
  const { deaths } = await crashEverywhere(adding())
  t.true(deaths > 40, `${deaths} deaths`)
})

const removing = (): Scenario => {
  let isAcknowledged = false
  return {
    prepare: async (system) => {
      isAcknowledged = false
      const { store } = await tinyStore({ partitions: 2 }, system)
      await produce(store, 't', ['a', 'b'], { partition: 0 })
      await createTopic(store, 'other')
      await produce(store, 'other', ['kept'])
    },
    run: async (system) => {
      await removeTopic(openStore(system, STORE), 't')
      isAcknowledged = true
    },
    check: async (after) => {
      const store = openStore(after, STORE)
      const isThere = findTopic(store, 't') !== undefined
      if (isAcknowledged && isThere) throw new Error('the topic came back')
      if (isThere && (await values(store, 't')).join('') !== 'ab') throw new Error('half a topic is there')
      await judgeStore(after, 't')
      if ((await values(store, 'other')).join() !== 'kept') throw new Error('another topic lost records')
    },
  }
}

const REMOVE_STEPS: readonly (readonly [number, string, string])[] = [
  [1, 'the topic file was renamed', 'topic-rm.after-intent'],
  [2, 'a partition was marked deleted', 'topic-rm.after-mark'],
  [3, 'its directory was renamed aside', 'topic-rm.after-rename'],
  [4, 'its files were unlinked', 'topic-rm.before-end'],
]

for (const [number, what, failpoint] of REMOVE_STEPS) {
  test(`removeTopic() step ${number}: a crash when ${what} leaves no topic, and the next command finishes`, async (t) => {
    await crashAt(removing(), failpoint)
    if (number === 2 || number === 3) await crashAt(removing(), failpoint, 2)
    t.pass()
  })
}

test('removeTopic() may die before any change of the disk', async (t) => {
  const { deaths, behind } = await crashEverywhere(removing())
  t.true(deaths > 20, `${deaths} deaths`)
  for (const [, , step] of REMOVE_STEPS) t.true((behind.get(step) ?? 0) > 0, `a death behind ${step}`)
})

test('alterTopic() may die before any change of the disk, and the topic has the old settings or the new ones', async (t) => {
  const [before, altered] = ['{"segment.bytes":1000}', '{"segment.bytes":2000,"retention.ms":5}']
  let isAcknowledged = false
  const { deaths } = await crashEverywhere({
    prepare: async (system) => {
      isAcknowledged = false
      await tinyStore({ config: { 'segment.bytes': 1000 } }, system)
    },
    run: async (system) => {
      await alterTopic(openStore(system, STORE), 't', { 'segment.bytes': 2000, 'retention.ms': 5 })
      isAcknowledged = true
    },
    check: async (after) => {
      const config = JSON.stringify(findTopic(openStore(after, STORE), 't')?.config)
      const isWhole = config === altered || (config === before && !isAcknowledged)
      if (!isWhole) throw new Error(`the settings are ${config}`)
      await judgeStore(after, 't')
    },
  })
  t.true(deaths >= 5, `${deaths} deaths`)
})

test('openOrCreateStore() may die before any change of the disk, and the next call creates the store', async (t) => {
  const { deaths, behind } = await crashEverywhere({
    prepare: () => undefined,
    run: async (system) => {
      await openOrCreateStore(system, STORE)
    },
    check: async (after) => {
      // Until the store is there, opening it says so.
      try {
        openStore(after, STORE)
      } catch (error) {
        if (!isLogqError(error, 'LOGQ_UNKNOWN_STORE')) throw error
      }
      await judgeStore(after, 't')
    },
  })
  t.true(deaths > 8, `${deaths} deaths`)
  t.true((behind.get('store.before-file') ?? 0) > 0)
})
