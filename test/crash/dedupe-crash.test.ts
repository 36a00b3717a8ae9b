/** `produce --dedupe-by` that dies before any change of the disk: the run that is started again appends what is missing, once. */
import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { Producer } from '../../lib/produce/producer.js'
import { appendContext } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { STORE, keyed, tinyStore, values } from '../store/tiny-store.js'
import { crashEverywhere } from './crash-everywhere.js'

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f']

/** Appends those of the keys that are not there; gives those that were synced to `onSynced`. */
async function produceNew(store: Store, keys: readonly string[], onSynced: (keys: readonly string[]) => void): Promise<void> {
  const producer = await Producer.open(store, 't', { dedupe: { by: { field: 'key' } } })
  try {
    for (const [n, key] of keys.entries()) {
      await producer.add(keyed(key, key))
      await producer.flush()
      if (n % 2 === 0) continue
      await producer.sync()
      onSynced(keys.slice(0, n + 1))
    }
    await producer.sync()
  } catch (error) {
    await producer.close(true)
    throw error
  }
  await producer.close()
}

test('a producer that looks for duplicates may die before any change of the disk', async (t) => {
  let synced: readonly string[] = []
  const { deaths, behind } = await crashEverywhere({
    prepare: async (system) => {
      const { store } = await tinyStore({ config: { 'segment.bytes': '256', 'index.interval.bytes': '0' } }, system)
      synced = []
      await produceNew(store, KEYS.slice(0, 2), () => undefined)
    },
    run: async (system) => {
      await produceNew(openStore(system, STORE), KEYS, (keys) => {
        synced = keys
      })
    },
    check: async (after, { rebooted }) => {
      const store = openStore(after, STORE)
      const again = () => produceNew(store, KEYS, () => undefined)
      await again().catch(async (error: unknown) => {
        // What a power cut damaged and nobody had synced goes to quarantine, and whoever did that says so.
        if (!rebooted || !isLogqError(error, 'LOGQ_CORRUPT') || !error.message.includes('quarantine')) throw error
        await again()
      })
      const found = await values(store, 't')
      if (found.slice().sort().join('') !== KEYS.join('')) throw new Error(`the log holds ${found.join(' ')}`)
      const kept = found.slice(0, synced.length).join('')
      if (kept !== synced.join('')) throw new Error(`${synced.join(' ')} were synced, ${kept} are there`)
      const context = appendContext(store, 't', 0, () => new TopicConfig({}))
      const { check } = await inspectPartition(context, { gapsAreNormal: false, isOwn: true })
      const damage = check.findings.filter(({ kind }) => kind !== 'note')
      if (damage.length > 0) throw new Error(`fsck: ${JSON.stringify(damage)}`)
    },
  })
  t.true(deaths > 20, `${deaths} deaths`)
  t.true((behind.get('dedupe.after-buckets') ?? 0) > 0)
})
