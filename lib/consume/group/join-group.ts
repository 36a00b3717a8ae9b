/**
 * Joining a consumer group: the way in for programs.
 *
 *     const consumer = await joinGroup(store, 'billing', ['orders'])
 *     for await (const record of consumer.records()) await charge(record) // committed when the next one is asked for
 *     await consumer.close()
 */
import type { Store } from '../../store/store.js'
import { GroupConsumer } from './group-consumer.js'
import type { JoinGroupOptions } from './join-options.js'
import { compileSubscription } from './subscription.js'

/**
 * Joins a consumer group, which is created when there is none. `topics` are names, which must exist, and patterns, which may match more
 * later. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_CONFLICT (another assignor, a static name in use), LOGQ_READ_ONLY_STORE, LOGQ_USAGE, or a
 * system error.
 */
export async function joinGroup(
  store: Store,
  group: string,
  topics: readonly string[],
  options: JoinGroupOptions = {},
): Promise<GroupConsumer> {
  const consumer = new GroupConsumer(store, group, await compileSubscription(store, topics), options)
  await consumer.join()
  return consumer
}
