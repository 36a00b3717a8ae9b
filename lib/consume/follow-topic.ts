/**
 * Following a topic: everything that is appended to any of its partitions, as soon as it is visible. Change hints wake it, and it polls
 * as well (50 ms when busy, up to 1 s when idle), since hints get lost. A position is a topic id and an offset, never a file or a place
 * in one: rolls, retention, compaction, and a directory that another copy takes the place of are passed over, with each record given
 * once. What cannot be given is told of: offsets that were deleted before they were read, and a log that ends before the position.
 *
 * A topic that goes away is waited for. The same one, when it comes back, is gone on with where it was; another one of that name from
 * its start.
 */
import { isLogqError } from '../errors.js'
import type { PassedOver } from '../log/damage.js'
import { LogReader } from '../log/log-reader.js'
import { IsolationJudge } from '../log/isolation.js'
import { isSurelyStable, readEndOffset } from '../log/last-stable-offset.js'
import {
  listSegments,
  logEndOffset,
  logStartOffset,
  readStateBlock,
  type Isolation,
  type ViewContext,
} from '../log/log-view.js'
import { sliceOf, type BatchSlice } from '../log/read-partition.js'
import { readingContext } from '../store/archive/reading-context.js'
import { LiveTopic } from '../store/live-topic.js'
import { TOPICS_DIRECTORY } from '../store/names.js'
import { selectPartitions, viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import type { TopicFile } from '../store/topic-file.js'
import { findTopic, partitionDirectory } from '../store/topics.js'
import { whenFetched } from '../system/awaited-bytes.js'
import type { Clock } from '../system/system.js'

export interface FollowOptions {
  /** Offset to go on from, by partition. Partitions that are not named are followed from their start. */
  readonly fromOffsets: ReadonlyMap<number, number>
  /** The topic that `fromOffsets` were looked up in: another one of that name is followed from its start. */
  readonly topicId?: string
  /** Only these; partitions added later are then left out. */
  readonly partitions?: readonly number[]
  /** A topic that does not exist is waited for, and followed from its start. Without it, LOGQ_UNKNOWN_TOPIC is thrown. */
  readonly awaitTopic?: boolean
  /** Damage is passed over, and told of here. Without it, CorruptionError is thrown. */
  readonly onDamage?: ((damage: PassedOver) => void) | undefined
  /** With 'read_committed', the default, a partition stands still at a transaction that is open, until its end is there. */
  readonly isolation?: Isolation | undefined
  readonly signal?: AbortSignal
}

export type FollowStep =
  | ({ readonly kind: 'batch' } & BatchSlice)
  /** Nothing more at present: what was printed should be flushed. `offsetOf` says how far each partition was read, control batches too. */
  | { readonly kind: 'pause'; readonly offsetOf: (partition: number) => number | undefined }
  | FollowNotice

/** What whoever follows should be told. */
export type FollowNotice =
  /** The topic does not exist; it is waited for (`awaitTopic`). */
  | { readonly kind: 'absent' }
  /** The topic that was waited for exists, and is followed from its start. */
  | { readonly kind: 'created' }
  /** The topic is gone; it, or its successor, will be followed when there is one. */
  | { readonly kind: 'removed' }
  /** Another topic of that name is there, and is followed from its start. */
  | { readonly kind: 'recreated' }
  /** The topic exists, but the directory of a partition is gone, or marked as removed. It is waited for. */
  | { readonly kind: 'unreachable'; readonly partition: number; readonly reason: 'missing' | 'marked-removed' }
  /** After 'removed' or 'unreachable': the same topic is there again, and is followed from where it was left. */
  | { readonly kind: 'restored' }
  /** The offsets in [fromOffset, toOffset) were deleted before they were read. */
  | { readonly kind: 'skipped'; readonly partition: number; readonly fromOffset: number; readonly toOffset: number }
  /** The log ends below the first offset asked for, which is waited for. */
  | { readonly kind: 'ahead'; readonly partition: number; readonly fromOffset: number; readonly logEndOffset: number }
  /** The log, which was read up to `fromOffset`, ends earlier by now. What is appended at its new end is followed. */
  | { readonly kind: 'shortened'; readonly partition: number; readonly fromOffset: number; readonly logEndOffset: number }

const POLL_BUSY_MS = 50
const POLL_IDLE_MS = 1_000
/** Batches of one partition before the others get their turn. */
const TURN_BATCHES = 16
/** So many partitions are looked at every time. */
const FEW_PARTITIONS = 8
/** Of more, those of which no hint came are looked at once in this time. */
const SWEEP_MS = 4_000
/** With more partitions than this, files are closed between looks. */
const MAX_OPEN_READERS = 256
/** Directories that are renamed into each other's place are away for less than this, which is nothing to speak of. */
const AWAY_GRACE_MS = 250
/** A directory that is being copied into place grows; this long at most it is waited for until it stands still. */
const MAX_GROWING_MS = 2_000
const STILL_MS = 200
/** A log that is short for this long is so for good. */
const SHORT_GRACE_MS = 500

/** Where one partition is followed. */
interface Place {
  /** Offset of the next record to be given. */
  offset: number
  /** Whether the offset was asked for or reached: only then are offsets that are missing before the first record a loss. */
  isKnown: boolean
  /** Whether the log was seen to reach up to the offset. */
  isReached: boolean
  /** Where and since when the log ends below the offset. */
  short?: { readonly logEndOffset: number; readonly sinceMs: number } | undefined
}

/** Never ends by itself: abort the signal. Throws LOGQ_UNKNOWN_TOPIC, CorruptionError or a system error. */
export async function* followTopic(
  store: Store,
  topic: string,
  options: FollowOptions,
): AsyncGenerator<FollowStep, void, undefined> {
  const { signal } = options
  let live: LiveTopic | undefined
  if (options.awaitTopic === true && findTopic(store, topic) === undefined) {
    yield { kind: 'absent' }
    live = await awaited(store, topic, signal)
    if (live === undefined) return
    yield { kind: 'created' }
  } else {
    live = new LiveTopic(store, topic)
  }
  let places = placesAt(options.fromOffsets)
  if (options.topicId !== undefined && options.topicId !== live.file.topicId) {
    yield { kind: 'removed' }
    yield { kind: 'recreated' }
    places = new Map()
  }
  for (;;) {
    try {
      yield* followIncarnation(live, options, places)
      return
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_TOPIC_REMOVED')) throw error
    }
    const { topicId } = live.file
    live = yield* comeBack(live, options)
    if (live === undefined) return
    if (live.file.topicId !== topicId) places = new Map()
  }
}

function placesAt(offsets: ReadonlyMap<number, number>): Map<number, Place> {
  return new Map([...offsets].map(([partition, offset]) => [partition, { offset, isKnown: true, isReached: false }]))
}

/** Waits until a topic exists; undefined when the signal aborts before. */
async function awaited(store: Store, topic: string, signal: AbortSignal | undefined): Promise<LiveTopic | undefined> {
  const wake = new Wake(store)
  try {
    while (signal?.aborted !== true) {
      wake.clear()
      if (findTopic(store, topic) !== undefined) return new LiveTopic(store, topic)
      await wake.waitLonger(signal)
    }
  } finally {
    wake.close()
  }
  return undefined
}

/** Why a topic cannot be followed at present: what is said of it when that stays so. */
type Obstacle = Extract<FollowNotice, { readonly kind: 'removed' | 'unreachable' }>

/** The same topic, when nothing is in the way of going on, or the next one of its name; undefined when the signal aborts before. */
async function* comeBack(
  { store, topic, file }: LiveTopic,
  { partitions, signal }: FollowOptions,
): AsyncGenerator<FollowStep, LiveTopic | undefined, undefined> {
  const { clock } = store.system
  const wake = new Wake(store)
  const fromMs = clock.monotonicMs()
  let said: Obstacle | undefined
  try {
    while (signal?.aborted !== true) {
      wake.clear()
      const present = findTopic(store, topic)
      if (present !== undefined && present.topicId !== file.topicId) {
        if (said?.kind !== 'removed') yield { kind: 'removed' }
        yield { kind: 'recreated' }
        return new LiveTopic(store, topic)
      }
      const obstacle = present === undefined ? ({ kind: 'removed' } as const) : obstacleOf(store, present, partitions)
      if (obstacle === undefined) {
        await untilStill(store, file, signal)
        if (said !== undefined) yield { kind: 'restored' }
        return new LiveTopic(store, topic)
      }
      const isFew = clock.monotonicMs() - fromMs < AWAY_GRACE_MS
      if (!isFew && said?.kind !== obstacle.kind) {
        yield obstacle
        said = obstacle
      }
      await (isFew ? clock.sleep(POLL_BUSY_MS, signal) : wake.waitLonger(signal))
    }
  } finally {
    wake.close()
  }
  return undefined
}

/** A partition that is not where the topic file says. A lock file that was deleted and made anew is nothing in the way. */
function obstacleOf(store: Store, file: TopicFile, wanted: readonly number[] | undefined): Obstacle | undefined {
  for (const partition of wanted ?? selectPartitions(store, file)) {
    if (store.system.fs.pathStatus(partitionDirectory(store, file.topic, partition)) === undefined) {
      return { kind: 'unreachable', partition, reason: 'missing' }
    }
    const state = readStateBlock(viewContext(store, file.topic, partition))
    if (state?.status === 'deleted') return { kind: 'unreachable', partition, reason: 'marked-removed' }
  }
  return undefined
}

/** A topic that came back may still be on its way, file by file: returns when its files stand still. */
async function untilStill(store: Store, file: TopicFile, signal: AbortSignal | undefined): Promise<void> {
  const { clock } = store.system
  const fromMs = clock.monotonicMs()
  let before = filesOf(store, file)
  while (signal?.aborted !== true && clock.monotonicMs() - fromMs < MAX_GROWING_MS) {
    await clock.sleep(STILL_MS, signal)
    const now = filesOf(store, file)
    if (now === before) return
    before = now
  }
}

/** Names and sizes of the files of a topic, to be compared. */
function filesOf(store: Store, { topic, partitions }: TopicFile): string {
  const { fs } = store.system
  const files: string[] = []
  for (let partition = 0; partition < partitions; partition += 1) {
    const directory = partitionDirectory(store, topic, partition)
    if (fs.pathStatus(directory) === undefined) continue
    for (const name of fs.list(directory)) files.push(`${name} ${fs.pathStatus(`${directory}/${name}`)?.sizeBytes ?? ''}`)
    files.push('')
  }
  return files.join('\n')
}

/** `places` is kept up to date. Throws LOGQ_TOPIC_REMOVED when the topic, or a directory of it, is not there any more. */
async function* followIncarnation(
  live: LiveTopic,
  options: FollowOptions,
  places: Map<number, Place>,
): AsyncGenerator<FollowStep, void, undefined> {
  const { store, topic } = live
  const { signal } = options
  const followed = new Map<number, FollowedPartition>()
  const wake = new Wake(store)
  const turns = new Turns(store.system.clock)
  try {
    while (signal?.aborted !== true) {
      live.refresh()
      for (const partition of selectPartitions(store, live.file, options.partitions)) {
        if (followed.has(partition)) continue
        const place = places.get(partition) ?? { offset: 0, isKnown: false, isReached: false }
        places.set(partition, place)
        const context = await readingContext(store, topic, partition, { ...options, file: live.file })
        followed.set(partition, new FollowedPartition(context, place))
        turns.add(partition)
        wake.watch(partitionDirectory(store, topic, partition), () => turns.add(partition))
      }
      wake.clear()
      let found = false
      for (const number of turns.take([...followed.keys()])) {
        const partition = followed.get(number)
        if (partition === undefined) continue
        for await (const step of partition.turn(signal)) {
          if (step.kind === 'batch') found = true
          yield step
        }
        if (!partition.isAtEnd) turns.add(number)
        if (followed.size > MAX_OPEN_READERS) partition.close()
      }
      if (found) {
        wake.expectMore()
        continue
      }
      yield { kind: 'pause', offsetOf: (partition) => places.get(partition)?.offset }
      await wake.waitLonger(signal)
    }
  } finally {
    wake.close()
    for (const partition of followed.values()) partition.close()
  }
}

/**
 * Which partitions to look at: those that a hint named, or that had more; and in case a hint was lost, each of them every few seconds.
 * To look at a thousand every time costs more than to read what they have.
 */
class Turns {
  readonly #due = new Set<number>()
  #sweptMs: number
  /** Those in front were not looked at for longest. */
  #nextSwept = 0

  constructor(private readonly clock: Clock) {
    this.#sweptMs = clock.monotonicMs()
  }

  add(partition: number): void {
    this.#due.add(partition)
  }

  /** Those that are due of all that are followed. */
  take(partitions: readonly number[]): number[] {
    const nowMs = this.clock.monotonicMs()
    const share = partitions.length <= FEW_PARTITIONS ? 1 : Math.min(1, (nowMs - this.#sweptMs) / SWEEP_MS)
    const count = Math.ceil(partitions.length * share)
    this.#sweptMs = nowMs
    for (let n = 0; n < count; n += 1) {
      const partition = partitions[(this.#nextSwept + n) % partitions.length]
      if (partition !== undefined) this.#due.add(partition)
    }
    this.#nextSwept = (this.#nextSwept + count) % Math.max(1, partitions.length)
    const due = [...this.#due]
    this.#due.clear()
    return due
  }
}

class FollowedPartition {
  /** Nothing more is to be done before something is appended. */
  isAtEnd = false
  #reader: LogReader
  readonly #judge: IsolationJudge
  /** Whether no transaction that began before the place is open any more: such a one is not met in reading on. */
  #isStable = false

  constructor(
    private readonly context: ViewContext,
    private readonly place: Place,
  ) {
    this.#reader = new LogReader(context, place.offset)
    this.#judge = new IsolationJudge(context)
  }

  close(): void {
    this.#judge.close()
    this.#reader.close()
  }

  /** What the partition has, up to its turn's share. */
  async *turn(signal: AbortSignal | undefined): AsyncGenerator<FollowStep, void, undefined> {
    const { place } = this
    this.isAtEnd = false
    this.#isStable ||= isSurelyStable(this.context, place.offset) || isStableNow(this.context, place.offset)
    if (!this.#isStable) return
    for (let taken = 0; taken < TURN_BATCHES && signal?.aborted !== true; taken += 1) {
      const reader = this.#reader
      const batch = reader.poll()
      if (batch === 'end') {
        yield* this.#lookAtEnd()
        return
      }
      if (batch === 'suspect') {
        await reader.settle(signal)
        continue
      }
      const verdict = batch.isPlain ? 'shown' : await whenFetched(() => this.#judge.judge(batch), signal)
      if (verdict === 'open') {
        // The batch is read again when more is there: the log may also be cut, or removed, meanwhile.
        this.#begin(place.offset)
        return
      }
      yield* this.#passOver(batch.baseOffset)
      const fromOffset = place.offset
      place.offset = reader.nextOffset
      place.isKnown = true
      place.isReached = true
      place.short = undefined
      if (verdict === 'hidden') continue
      const slice = await sliceOf(reader, this.context, batch, fromOffset, Infinity)
      if (slice !== undefined) yield { kind: 'batch', ...slice }
    }
  }

  #begin(offset: number): void {
    this.#reader.close()
    this.#reader = new LogReader(this.context, offset)
  }

  /** Goes on at an offset; tells of what retention deleted before it was read. Compaction leaves gaps of which nothing is told. */
  *#passOver(offset: number): IterableIterator<FollowStep> {
    const { context, place } = this
    const fromOffset = place.offset
    if (offset <= fromOffset) return
    place.offset = offset
    if (!place.isKnown) return
    const toOffset = Math.min(offset, logStartOffset(context, listSegments(context)))
    if (fromOffset < toOffset) yield { kind: 'skipped', partition: context.partition, fromOffset, toOffset }
  }

  /** The log ends at the place, as it should, or above it, when all records in between were deleted, or below it. */
  *#lookAtEnd(): IterableIterator<FollowStep> {
    const { context, place } = this
    const { partition, system } = context
    const { logEndOffset } = this.#reader
    if (logEndOffset === undefined) return
    if (logEndOffset >= place.offset) {
      yield* this.#passOver(logEndOffset)
      place.isKnown = true
      place.isReached = true
      place.short = undefined
      this.isAtEnd = true
      return
    }
    const nowMs = system.clock.monotonicMs()
    const isNew = place.short === undefined
    place.short ??= { logEndOffset, sinceMs: nowMs }
    const fromOffset = place.offset
    if (!place.isReached) {
      if (isNew) yield { kind: 'ahead', partition, fromOffset, logEndOffset }
      return
    }
    if (nowMs - place.short.sinceMs < SHORT_GRACE_MS) return
    // What was appended since then is new.
    place.offset = place.short.logEndOffset
    place.short = undefined
    this.#begin(place.offset)
    yield { kind: 'shortened', partition, fromOffset, logEndOffset: place.offset }
  }
}

function isStableNow(context: ViewContext, offset: number): boolean {
  const segments = listSegments(context)
  const logEnd = logEndOffset(context, segments)
  return readEndOffset(context, segments, logEnd) >= Math.min(offset, logEnd)
}

/** Sleeps until a hint comes, the time is over, or the signal aborts. */
class Wake {
  readonly #unwatch: (() => void)[] = []
  #isWoken = false
  #resume: (() => void) | undefined
  #nextWaitMs = POLL_BUSY_MS

  constructor(private readonly store: Store) {
    if (store.kind === 'logq') this.watch(`${store.path}/${TOPICS_DIRECTORY}`)
  }

  watch(directory: string, onChange: () => void = () => undefined): void {
    const onHint = () => {
      onChange()
      this.#isWoken = true
      this.#resume?.()
    }
    this.#unwatch.push(this.store.system.hints.watch(directory, onHint))
  }

  /** To be called before looking: a hint that comes while looking must not get lost. */
  clear(): void {
    this.#isWoken = false
  }

  /** The next wait is a short one. */
  expectMore(): void {
    this.#nextWaitMs = POLL_BUSY_MS
  }

  /** Waits twice as long as the last time, up to a second, as long as no hint comes. */
  async waitLonger(signal: AbortSignal | undefined): Promise<void> {
    await this.#wait(this.#nextWaitMs, signal)
    this.#nextWaitMs = this.#isWoken ? POLL_BUSY_MS : Math.min(2 * this.#nextWaitMs, POLL_IDLE_MS)
  }

  async #wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
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
