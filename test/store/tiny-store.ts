/** Stores in memory, and what tests want to do with one in few words. */
import { listSegments, logEndOffset } from '../../lib/log/log-view.js'
import { Producer, type ProducerOptions } from '../../lib/produce/producer.js'
import type { RecordInput } from '../../lib/record/record.js'
import { readRecordsOf } from '../../lib/consume/placed-record.js'
import { viewContext } from '../../lib/store/partition.js'
import { openOrCreateStore, type Store } from '../../lib/store/store.js'
import { createTopic, type CreateTopicOptions } from '../../lib/store/topics.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'

export const STORE = '/data/store'

export interface TinyStore {
  readonly system: FakeSystem
  readonly store: Store
}

/** A new store in a world of its own, with a topic `t` unless its options are null. */
export async function tinyStore(topic: CreateTopicOptions | null = {}, system = createFakeSystem()): Promise<TinyStore> {
  const store = await openOrCreateStore(system, STORE)
  if (topic !== null) await createTopic(store, 't', topic)
  return { system, store }
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

export function keyed(key: string, value: string): RecordInput {
  return { key: text(key), value: text(value) }
}

/** Produces values, durably. */
export async function produce(
  store: Store,
  topic: string,
  records: readonly (string | RecordInput)[],
  options: ProducerOptions = {},
): Promise<void> {
  const producer = await Producer.open(store, topic, options)
  for (const record of records) await producer.add(typeof record === 'string' ? { value: text(record) } : record)
  await producer.close()
}

/** The values of one partition, by reading. */
export async function values(store: Store, topic: string, partition = 0): Promise<string[]> {
  const context = viewContext(store, topic, partition)
  const end = logEndOffset(context, listSegments(context))
  const found: string[] = []
  for await (const record of readRecordsOf(context, 0, end)) found.push(Buffer.from(record.value ?? []).toString())
  return found
}
