/**
 * Following a topic: everything that is appended to any of its partitions, as soon as it is visible. Change hints wake it, and it polls
 * as well (50 ms when busy, up to 1 s when idle), since hints get lost. It notices a roll, added partitions, and that the topic was
 * removed and created anew: then it goes on with the successor, from its start.
 */
import { isLogqError } from '../errors.js'
import { LogReader } from '../log/log-reader.js'
import { LiveTopic } from '../store/live-topic.js'
import { TOPICS_DIRECTORY } from '../store/names.js'
import { selectPartitions, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { findTopic, partitionDirectory } from '../store/topics.js'
import { sliceOf, type BatchSlice } from '../log/read-partition.js'

export interface FollowOptions {
  /** Offset to go on from, by partition. Partitions that are not named are followed from their start. */
  readonly fromOffsets: ReadonlyMap<number, number>
  /** The topic that `fromOffsets` were looked up in: another one of that name is followed from its start. */
  readonly topicId?: string
  /** Only these; partitions added later are then left out. */
  readonly partitions?: readonly number[]
  readonly signal?: AbortSignal
}

export type FollowStep =
  | ({ readonly kind: 'batch' } & BatchSlice)
  /** Nothing more at present: what was printed should be flushed. */
  | { readonly kind: 'pause' }
  /** The topic is gone; its successor will be followed when there is one. */
  | { readonly kind: 'removed' }
  | { readonly kind: 'recreated' }

const POLL_BUSY_MS = 50
const POLL_IDLE_MS = 1_000
/** Batches of one partition before the others get their turn. */
const TURN_BATCHES = 16
/** With more partitions than this, files are closed between looks. */
const MAX_OPEN_READERS = 256

/** Never ends by itself: abort the signal. Throws CorruptionError or a system error. */
export async function* followTopic(
  store: Store,
  topic: string,
  options: FollowOptions,
): AsyncGenerator<FollowStep, void, undefined> {
  let live: LiveTopic | undefined = new LiveTopic(store, topic)
  let reached = new Map(options.fromOffsets)
  if (options.topicId !== undefined && options.topicId !== live.file.topicId) {
    yield { kind: 'removed' }
    yield { kind: 'recreated' }
    reached = new Map()
  }
  while (live !== undefined) {
    try {
      yield* followIncarnation(live, options, reached)
      return
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_TOPIC_REMOVED')) throw error
    }
    if (options.signal?.aborted === true) return
    // A lock file that was deleted and made anew looks like a removal, and is none: the records are where they were.
    if (isThere(store, live.file)) {
      await store.system.clock.sleep(POLL_BUSY_MS, options.signal)
      continue
    }
    yield { kind: 'removed' }
    live = await successorOf(live, options.signal)
    if (live !== undefined) yield { kind: 'recreated' }
    reached = new Map()
  }
}

/** Whether the topic exists with this id and all its partitions. */
function isThere(store: Store, { topic, topicId, partitions }: TopicFile): boolean {
  if (findTopic(store, topic)?.topicId !== topicId) return false
  const numbers = Array.from({ length: partitions }, (_, partition) => partition)
  return numbers.every((partition) => store.system.fs.pathStatus(partitionDirectory(store, topic, partition)) !== undefined)
}

/** The next topic of that name; undefined when the signal aborts before there is one. */
async function successorOf({ store, topic, file }: LiveTopic, signal: AbortSignal | undefined): Promise<LiveTopic | undefined> {
  while (signal?.aborted !== true) {
    try {
      const successor = new LiveTopic(store, topic)
      // The same topic may come back too, when its directories were moved away and restored.
      if (successor.file.topicId !== file.topicId || isThere(store, successor.file)) return successor
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_UNKNOWN_TOPIC')) throw error
    }
    await store.system.clock.sleep(POLL_BUSY_MS, signal)
  }
  return undefined
}

/** `reached` is kept up to date: offsets to go on from. */
async function* followIncarnation(
  live: LiveTopic,
  options: FollowOptions,
  reached: Map<number, number>,
): AsyncGenerator<FollowStep, void, undefined> {
  const { store, topic } = live
  const { signal } = options
  const readers = new Map<number, LogReader>()
  const wake = new Wake(store)
  let idleMs = POLL_BUSY_MS
  try {
    while (signal?.aborted !== true) {
      live.refresh()
      const partitions = selectPartitions(store, live.file, options.partitions)
      for (const partition of partitions) {
        if (readers.has(partition)) continue
        const context = viewContext(store, topic, partition)
        wake.watch(context.directory)
        readers.set(partition, new LogReader(context, reached.get(partition) ?? 0))
      }
      wake.clear()
      let found = false
      for (const [partition, reader] of readers) {
        for await (const slice of turn(reader, partition, signal)) {
          found = true
          yield { kind: 'batch', ...slice }
          reached.set(partition, reader.nextOffset)
        }
        if (readers.size > MAX_OPEN_READERS) reader.close()
      }
      if (found) {
        idleMs = POLL_BUSY_MS
        continue
      }
      yield { kind: 'pause' }
      await wake.wait(idleMs, signal)
      idleMs = wake.isWoken ? POLL_BUSY_MS : Math.min(2 * idleMs, POLL_IDLE_MS)
    }
  } finally {
    wake.close()
    for (const reader of readers.values()) reader.close()
  }
}

/** What one partition has, up to its turn's share. */
async function* turn(
  reader: LogReader,
  partition: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchSlice, void, undefined> {
  for (let taken = 0; taken < TURN_BATCHES && signal?.aborted !== true; taken += 1) {
    const fromOffset = reader.nextOffset
    const batch = reader.poll()
    if (batch === 'end') return
    if (batch === 'suspect') {
      await reader.settle(signal)
      continue
    }
    if (batch.isControl) continue
    yield await sliceOf(reader, partition, batch, fromOffset, Infinity)
  }
}

/** Sleeps until a hint comes, the time is over, or the signal aborts. */
class Wake {
  readonly #unwatch: (() => void)[] = []
  #isWoken = false
  #resume: (() => void) | undefined

  constructor(private readonly store: Store) {
    if (store.kind === 'logq') this.watch(`${store.path}/${TOPICS_DIRECTORY}`)
  }

  watch(directory: string): void {
    const onHint = () => {
      this.#isWoken = true
      this.#resume?.()
    }
    this.#unwatch.push(this.store.system.hints.watch(directory, onHint))
  }

  get isWoken(): boolean {
    return this.#isWoken
  }

  /** To be called before looking: a hint that comes while looking must not get lost. */
  clear(): void {
    this.#isWoken = false
  }

  async wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#isWoken || signal?.aborted === true) return
    const enough = new AbortController()
    const onAbort = () => {
      enough.abort()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#resume = onAbort
    await this.store.system.clock.sleep(ms, enough.signal)
    this.#resume = undefined
    signal?.removeEventListener('abort', onAbort)
  }

  close(): void {
    for (const unwatch of this.#unwatch) unwatch()
  }
}
