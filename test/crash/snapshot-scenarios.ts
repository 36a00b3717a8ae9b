/** Snapshots and clones that die on the way: there is a whole one or none, and nothing is taken from the topic. */
import { checkPartition } from '../../lib/maintain/check-store.js'
import { cloneTopic } from '../../lib/maintain/snapshot/clone-topic.js'
import { listSnapshots, removeSnapshot } from '../../lib/maintain/snapshot/snapshots.js'
import { takeSnapshot } from '../../lib/maintain/snapshot/take-snapshot.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { findTopic } from '../../lib/store/topics.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { VALUES, archivableStore as segmentedStore } from '../archive/tiny-archive.js'
import { STORE, produce, values } from '../store/tiny-store.js'
import type { Scenario } from './crash-everywhere.js'

async function mustBeWhole(store: Store, topic: string, wanted: readonly string[] = VALUES): Promise<void> {
  const found = await values(store, topic)
  if (found.join() !== wanted.join()) throw new Error(`'${topic}' in ${store.path} has ${found.length} records`)
  const { findings } = await checkPartition(store, topic, 0)
  const bad = findings.find(({ kind }) => kind === 'damage')
  if (bad !== undefined) throw new Error(bad.message)
}

function mustHaveNoLitter({ fs }: FakeSystem, directory: string): void {
  const litter = fs.list(directory).filter((name) => name.startsWith('.'))
  if (litter.length > 0) throw new Error(`${litter.join()} is left in ${directory}`)
}

export const takingSnapshot: Scenario = {
  prepare: async (system) => {
    await segmentedStore(system)
  },
  run: async (system) => {
    await takeSnapshot(openStore(system, STORE), 'now')
  },
  check: async (after) => {
    const store = openStore(after, STORE)
    await mustBeWhole(store, 't')
    for (const { path } of listSnapshots(store)) await mustBeWhole(openStore(after, path), 't')
    await takeSnapshot(store, 'then')
    mustHaveNoLitter(after, `${STORE}/snapshots`)
    const then = openStore(after, `${STORE}/snapshots/then`)
    await produce(then, 't', ['more'])
    await mustBeWhole(then, 't', [...VALUES, 'more'])
    await produce(store, 't', ['other'])
    await mustBeWhole(store, 't', [...VALUES, 'other'])
    await mustBeWhole(then, 't', [...VALUES, 'more'])
  },
}

export const removingSnapshot: Scenario = {
  prepare: async (system) => {
    const { store } = await segmentedStore(system)
    await takeSnapshot(store, 'now')
  },
  run: async (system) => {
    await removeSnapshot(openStore(system, STORE), 'now')
  },
  check: async (after) => {
    const store = openStore(after, STORE)
    for (const { path } of listSnapshots(store)) await mustBeWhole(openStore(after, path), 't')
    await takeSnapshot(store, 'then')
    mustHaveNoLitter(after, `${STORE}/snapshots`)
    await mustBeWhole(store, 't')
  },
}

export const cloning: Scenario = {
  prepare: async (system) => {
    await segmentedStore(system)
  },
  run: async (system) => {
    await cloneTopic(openStore(system, STORE), 't', 'copy')
  },
  check: async (after) => {
    const store = openStore(after, STORE)
    await mustBeWhole(store, 't')
    if (findTopic(store, 'copy') === undefined) await cloneTopic(store, 't', 'copy')
    await mustBeWhole(store, 'copy')
    await produce(store, 'copy', ['more'])
    await mustBeWhole(store, 't')
    await mustBeWhole(store, 'copy', [...VALUES, 'more'])
  },
}
