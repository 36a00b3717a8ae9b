/**
 * A program of a stranger who uses the library: tarball.long.ts compiles it against the packed tarball and runs it, and
 * consumer.test.ts runs it here. It prints what it stored.
 */
import { createNodeSystem, createTopic, isLogqError, openOrCreateStore, Producer, readRecords } from '../../lib/index.js'
import type { LogqError, Store, TopicRecord } from '../../lib/index.js'

export async function storeAndRead(directory: string, values: readonly string[]): Promise<string[]> {
  const store: Store = await openOrCreateStore(createNodeSystem(), directory)
  await createTopic(store, 'events', { partitions: 2 })
  const producer = await Producer.open(store, 'events')
  for (const value of values)
    await producer.add({ key: new TextEncoder().encode('user'), value: new TextEncoder().encode(value) })
  await producer.close()
  const found: string[] = []
  for await (const record of readRecords(store, 'events')) found.push(textOf(record))
  return found
}

/** Whether a lease can be taken, which takes a file of the package that nothing imports. */
export async function takesLease(path: string): Promise<boolean> {
  const lease = await createNodeSystem().leases.hold(path, { staleMs: 10_000, onLost: () => undefined })
  await lease.release()
  return true
}

/** What an error of the library is called. */
export async function codeOf(work: () => Promise<unknown>): Promise<LogqError['code'] | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (isLogqError(error)) return error.code
    throw error
  }
}

function textOf({ value }: TopicRecord): string {
  return value === null ? 'null' : new TextDecoder().decode(value)
}
