/**
 * tail -f over any number of topics: those that exist, those that are named and do not exist yet, and those that are created later
 * and match a pattern. Each is followed by itself; the first one that fails, or has printed enough, ends all.
 */
import { followTopic } from '../../lib/consume/follow-topic.js'
import type { ViewOptions } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { MAX_PARTITIONS, findTopic, getTopic, listTopics } from '../../lib/store/topics.js'
import { describeNotice } from './follow-notice.js'
import type { Io } from '../io.js'
import { selectPartitions, type PartitionList } from '../values/partition-list.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import { partitionsOf } from './reading.js'
import type { TimeLimits } from './time-limits.js'

/** Where following goes on, in which topic of that name. */
export interface FollowStart {
  readonly topic: string
  /** Absent for a topic that is waited for. */
  readonly topicId?: string
  readonly fromOffsets: ReadonlyMap<number, number>
  /** It was removed, or a directory of it was away, when it was to be begun with. */
  readonly isAnew?: true
}

export interface Following {
  readonly store: Store
  readonly partitions: PartitionList | undefined
  readonly printer: BatchPrinter
  readonly limits: TimeLimits
  readonly view: ViewOptions
  readonly io: Io
}

/** How often one looks for a topic that is not there yet. */
const LOOK_MS = 200

/** `absent` are topics to be waited for; `matches` says which topics that are created later are followed too. */
export async function followAll(
  starts: readonly FollowStart[],
  absent: readonly string[],
  matches: ((topic: string) => boolean) | undefined,
  following: Following,
): Promise<void> {
  const { store, limits, io } = following
  const { signal } = limits
  const known = new Set([...starts.map(({ topic }) => topic), ...absent])
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  const run = (task: Promise<void>): void => {
    const ended = task
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => {
        running.delete(ended)
        limits.end()
      })
    running.add(ended)
  }
  for (const start of starts) run(followOne(start, following))
  for (const topic of absent) run(followOne({ topic, fromOffsets: new Map() }, following))
  if (matches !== undefined) run(awaitMatches())
  while (running.size > 0) await Promise.race(running)
  if (failure !== undefined) throw failure.error

  async function awaitMatches(): Promise<void> {
    while (!signal.aborted) {
      for (const topic of listTopics(store)) {
        if (known.has(topic) || matches?.(topic) !== true) continue
        known.add(topic)
        try {
          partitionsOf(store, getTopic(store, topic), following.partitions)
        } catch (error) {
          // A topic without the partition of -p, or removed again: the others go on.
          await io.failWith(error)
          continue
        }
        run(followNew(topic, following))
      }
      await io.system.clock.sleep(LOOK_MS, signal)
    }
  }
}

/** From its start. */
async function followNew(topic: string, following: Following): Promise<void> {
  const { topicId } = getTopic(following.store, topic)
  await followOne({ topic, topicId, fromOffsets: new Map() }, following)
}

async function followOne(
  { topic, topicId, fromOffsets, isAnew }: FollowStart,
  { store, partitions: list, printer, limits, view, io }: Following,
): Promise<void> {
  // Where there is one of its name already, that is told of when it is followed.
  const isGone = isAnew === true && findTopic(store, topic) === undefined
  if (isGone) await io.warn(describeNotice(topic, { kind: 'removed' }))
  const options = {
    fromOffsets,
    awaitTopic: true,
    onDamage: view.onDamage,
    isolation: view.isolation,
    signal: limits.signal,
    ...(topicId === undefined || isGone ? {} : { topicId }),
    ...(list === undefined ? {} : { partitions: partitionsIn(store, topic, list) }),
  }
  for await (const step of followTopic(store, topic, options)) {
    if (step.kind === 'batch') {
      const before = printer.printedCount
      await printer.print(topic, step)
      if (printer.printedCount > before) limits.notePrinted()
    } else if (step.kind === 'pause') {
      await io.output().flush()
    } else if (step.kind !== 'absent') {
      // That it is absent was said, with what it may be called instead.
      await io.warn(describeNotice(topic, step))
    }
    if (printer.isDone) return
  }
}

/** Of a topic that is waited for, those that it has to have. */
export function partitionsIn(store: Store, topic: string, list: PartitionList): number[] {
  const file = findTopic(store, topic)
  return file === undefined ? selectPartitions(list, topic, MAX_PARTITIONS) : partitionsOf(store, file, list)
}
