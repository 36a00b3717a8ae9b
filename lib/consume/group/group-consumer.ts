/**
 * Reading as a member of a consumer group: the partitions that the group gives to this member, each from what is committed, and the
 * offsets of what was delivered, committed in time. `GroupMember` keeps the membership; here are the records.
 *
 *     const consumer = await joinGroup(store, 'billing', ['orders'])
 *     for await (const record of consumer.records()) await charge(record) // committed when the next one is asked for
 *     await consumer.close()
 */
import { isLogqError, LogqError } from '../../errors.js'
import { ensureSynced } from '../../log/ensure-synced.js'
import type { Isolation } from '../../log/log-view.js'
import type { BatchSlice } from '../../log/read-partition.js'
import { viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import { compileTopicPattern, isTopicPattern } from '../../store/topic-pattern.js'
import { findTopic, getTopic, listTopics } from '../../store/topics.js'
import type { AssignorName, TopicPartition } from '../assignors.js'
import { followTopic, type FollowNotice, type FollowStep } from '../follow-topic.js'
import { recordsOf, type PlacedRecord } from '../placed-record.js'
import type { RecordPredicate } from '../../record/record-predicate.js'
import type { LockWait } from '../../system/lock-wait.js'
import { GroupMember } from './group-member.js'
import { startOffset, type OffsetReset, type StartOffset } from './start-offset.js'

export interface JoinGroupOptions {
  /** Where to begin in a partition of which nothing was committed. Default 'earliest'. */
  readonly offsetReset?: OffsetReset
  /** Default: that of the group, or cooperative-sticky. */
  readonly assignor?: AssignorName
  /** A name that this member keeps over restarts: its partitions wait for it for `graceMs` (default 60,000). */
  readonly instanceId?: string
  readonly graceMs?: number
  /** A member that stands still for so long loses its partitions. At least 2,000, default 10,000. Being slow is not standing still. */
  readonly sessionTimeoutMs?: number
  /** Offsets of what was delivered are committed so often, in `records()` and by `commitInTime()`. Default 1,000. */
  readonly commitIntervalMs?: number
  /** Partitions came, or are about to go: those that go are handed over when the promise resolves, what was delivered of them committed. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => void | Promise<void>
  /** Ends the iteration, without an error. */
  readonly signal?: AbortSignal
  /** Default 'read_committed': no records of transactions that were aborted, and none from one on that is open. */
  readonly isolation?: Isolation
  /** What others see of this member. Default: 'library' and the name of the machine. */
  readonly command?: string
  readonly host?: string
  readonly lockWait?: LockWait
}

/** What there is to be done, one after the other. */
export type ConsumerStep =
  /** Records. Say with `delivered` how far they were dealt with. Holds until the next step is asked for. */
  | ({ readonly kind: 'batch'; readonly topic: string } & BatchSlice)
  /**
   * Nothing more at present: what was printed should be flushed. `reached` are partitions in which nothing that is given lies between what
   * was given and that offset: control batches, or what compaction left out. It is to be `delivered` too.
   */
  | { readonly kind: 'pause'; readonly reached: readonly ReachedOffset[] }
  /** These partitions go to others when the next step is asked for: what is dealt with by then should be said to be `delivered`. */
  | { readonly kind: 'revoking'; readonly partitions: readonly TopicPartition[] }
  | { readonly kind: 'assigned'; readonly partitions: readonly AssignedPartition[] }
  /** This member stood still for too long and lost its partitions; it joins anew. */
  | { readonly kind: 'fenced' }
  | { readonly kind: 'notice'; readonly topic: string; readonly notice: FollowNotice }

/** What became of the membership. */
export type ConsumerEvent = Extract<ConsumerStep, { readonly kind: 'revoking' | 'assigned' | 'fenced' }>

export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  readonly start: StartOffset
}

export interface ReachedOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export interface GroupRecord extends PlacedRecord {
  readonly topic: string
}

interface Position {
  readonly topicId: string
  /** Offset behind the last record that was dealt with. */
  offset: number
  leaderEpoch: number
  committedOffset: number
  /** Everything below is known to be on the device. */
  syncedOffset: number
}

const DEFAULT_COMMIT_INTERVAL_MS = 1_000

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

/** What a consumer wants: as it was given, and the topics that this comes to at present. */
export interface ConsumerSubscription {
  readonly given: readonly string[]
  readonly topicsNow: () => string[]
}

async function compileSubscription(store: Store, given: readonly string[]): Promise<ConsumerSubscription> {
  const names = given.filter((topic) => !isTopicPattern(topic))
  for (const topic of names) getTopic(store, topic)
  const patterns = await Promise.all(given.filter(isTopicPattern).map(compileTopicPattern))
  const topicsNow = (): string[] => {
    const matching =
      patterns.length === 0 ? [] : listTopics(store).filter((topic) => patterns.some((matches) => matches(topic)))
    return [...new Set([...names, ...matching])].sort()
  }
  return { given, topicsNow }
}

export class GroupConsumer {
  #member: GroupMember | undefined
  readonly #positions = new Map<string, Map<number, Position>>()
  readonly #readers = new Map<string, TopicReader>()
  /** Those that have a step to be taken, in turn. */
  readonly #ready: TopicReader[] = []
  /** Partitions of which something is being done at present: they are not handed over meanwhile. */
  readonly #busy = new Set<string>()
  #committedAtMs: number
  #wake: () => void = () => undefined
  #isChanged = true
  #isClosed = false

  constructor(
    readonly store: Store,
    readonly group: string,
    private readonly subscription: ConsumerSubscription,
    private readonly options: JoinGroupOptions,
  ) {
    this.#committedAtMs = store.system.clock.monotonicMs()
    options.signal?.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** The id of this member, as others see it. */
  get memberId(): string {
    return this.#joined.id
  }

  get generation(): number {
    return this.#joined.state.generation
  }

  /** What this member reads at present. */
  get assignment(): TopicPartition[] {
    return [...this.#positions].flatMap(([topic, ofTopic]) => [...ofTopic.keys()].map((partition) => ({ topic, partition })))
  }

  /** Offset behind what was dealt with of a partition that this member has. */
  position(topic: string, partition: number): number | undefined {
    return this.#positions.get(topic)?.get(partition)?.offset
  }

  /** There are more members than partitions: none is this member's, or about to be. */
  get isSpare(): boolean {
    const { state, id } = this.#joined
    return !this.#isChanged && !Object.values(state.assignment).some((members) => members.includes(id))
  }

  /** What the group has committed, whoever did. Undefined for what nobody has. */
  async committed(partitions: readonly TopicPartition[]): Promise<(number | undefined)[]> {
    return (await this.#joined.committed(partitions)).map((stored) => stored?.offset)
  }

  /** For `joinGroup`. */
  async join(): Promise<void> {
    const { options, subscription } = this
    const { assignor, instanceId, graceMs, sessionTimeoutMs, lockWait, signal } = options
    this.#member = await GroupMember.join(this.store, this.group, {
      topics: subscription.topicsNow,
      subscription: subscription.given,
      command: options.command ?? 'library',
      host: options.host ?? 'localhost',
      ...(assignor === undefined ? {} : { assignor }),
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      wait: { ...lockWait, ...(signal === undefined ? {} : { signal }) },
    })
    this.#member.onChange = () => {
      this.#isChanged = true
      this.#wake()
    }
    this.#isChanged = true
  }

  /**
   * Everything there is to be done, until the signal aborts or the consumer is closed. Commits only when asked to: see `delivered`,
   * `commit` and `commitInTime`. Throws CorruptionError, LOGQ_CORRUPT for damaged commits, what `startOffset` throws, or a system error.
   */
  async *steps(): AsyncGenerator<ConsumerStep, void, undefined> {
    try {
      while (!this.#isOver) {
        if (this.#isChanged) yield* this.#follow()
        const step = await this.#nextStep()
        if (step !== undefined) yield step
      }
    } finally {
      for (const reader of this.#readers.values()) await reader.stop()
      this.#readers.clear()
    }
  }

  /**
   * Does what the group asks for, without reading anything: partitions that `holding` does not hold on to go, others come. For those who
   * read `assignment` from `position` on by themselves. Returns what became of it. Throws what `steps` throws.
   */
  async settle(): Promise<ConsumerEvent[]> {
    const events: ConsumerEvent[] = []
    while (this.#isChanged && !this.#isOver) for await (const event of this.#follow()) events.push(event)
    return events
  }

  /** Records one by one, each taken for dealt with when the next one is asked for. Commits every `commitIntervalMs`, and at the end. */
  async *records(matches?: RecordPredicate): AsyncGenerator<GroupRecord, void, undefined> {
    for await (const step of this.steps()) {
      if (step.kind === 'batch') {
        const { topic, partition, batch } = step
        for (const record of recordsOf(topic, step, { matches })) {
          yield { ...record, topic }
          this.delivered(topic, partition, record.offset + 1, batch.partitionLeaderEpoch)
          await this.commitInTime()
        }
        this.delivered(topic, partition, batch.nextOffset, batch.partitionLeaderEpoch)
      } else if (step.kind === 'revoking') {
        await this.options.onRevoked?.(step.partitions)
      } else if (step.kind === 'assigned') {
        await this.options.onAssigned?.(step.partitions)
      } else if (step.kind === 'pause') {
        for (const { topic, partition, offset } of step.reached) this.delivered(topic, partition, offset)
        await this.commit()
      }
    }
    await this.commit()
  }

  /** Everything of a partition below `offset` is dealt with, and may be committed. Of a partition that is gone, nothing is noted. */
  delivered(topic: string, partition: number, offset: number, leaderEpoch = -1): void {
    const position = this.#positions.get(topic)?.get(partition)
    if (position === undefined || offset <= position.offset) return
    position.offset = offset
    if (leaderEpoch >= 0) position.leaderEpoch = leaderEpoch
  }

  /** While `work` runs, the partition stays with this member, however long that takes. */
  async holding<Result>(topic: string, partition: number, work: () => Promise<Result>): Promise<Result> {
    const key = `${topic}:${partition}`
    this.#busy.add(key)
    try {
      return await work()
    } finally {
      this.#busy.delete(key)
      this.#isChanged = true
    }
  }

  /**
   * Commits what was delivered. Durable within a second, or when `close` returns. False when this member was fenced meanwhile: nothing
   * was committed then, and others deliver it again.
   */
  async commit(): Promise<boolean> {
    this.#committedAtMs = this.store.system.clock.monotonicMs()
    const due = [...this.#positions].flatMap(([topic, ofTopic]) =>
      [...ofTopic]
        .filter(([, { offset, committedOffset }]) => offset > committedOffset)
        .map(([partition, position]) => ({ topic, partition, position })),
    )
    if (due.length === 0) return true
    // What is noted meanwhile is for the next commit.
    const taken = due.map(({ topic, partition, position }) => ({
      topic,
      partition,
      position,
      offset: position.offset,
      leaderEpoch: position.leaderEpoch,
    }))
    await this.#makeDurable(taken)
    const topics = [...new Set(taken.map(({ topic }) => topic))].map((topic) => {
      const ofTopic = taken.filter((one) => one.topic === topic)
      const offsets = new Map(ofTopic.map(({ partition, offset, leaderEpoch }) => [partition, { offset, leaderEpoch }]))
      return { topic, topicId: ofTopic[0]?.position.topicId ?? '', offsets }
    })
    try {
      await this.#joined.commit(topics)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_FENCED')) throw error
      this.#isChanged = true
      return false
    }
    for (const { position, offset } of taken) position.committedOffset = offset
    return true
  }

  /** Commits when the last commit is `commitIntervalMs` ago. */
  async commitInTime(): Promise<void> {
    const { commitIntervalMs = DEFAULT_COMMIT_INTERVAL_MS } = this.options
    if (this.store.system.clock.monotonicMs() - this.#committedAtMs >= commitIntervalMs) await this.commit()
  }

  /** Makes commits durable at once. */
  async sync(): Promise<void> {
    await this.#joined.sync()
  }

  /** Commits what was delivered, durably, and leaves the group. An iteration that is waited for ends. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#wake()
    const member = this.#member
    if (member === undefined) return
    this.#member = undefined
    try {
      for (const reader of this.#readers.values()) await reader.stop()
      this.#member = member
      await this.commit()
    } finally {
      this.#member = undefined
      await member.leave()
    }
  }

  get #isOver(): boolean {
    return this.#isClosed || this.options.signal?.aborted === true
  }

  get #joined(): GroupMember {
    if (this.#member === undefined) throw new LogqError('LOGQ_USAGE', `the consumer of group '${this.group}' is closed`)
    return this.#member
  }

  /** Does what the group asks for: hands over, takes over, or joins anew. */
  async *#follow(): AsyncGenerator<ConsumerEvent, void, undefined> {
    this.#isChanged = false
    this.#joined.check()
    if (this.#joined.isFenced) {
      yield { kind: 'fenced' }
      await this.#rejoin()
    }
    const member = this.#joined
    const kept = new Set(member.partitions.kept.map(keyOf))
    const revoked = this.assignment.filter((one) => !kept.has(keyOf(one)) && !this.#busy.has(keyOf(one)))
    if (revoked.length > 0) {
      yield { kind: 'revoking', partitions: revoked }
      if (!(await this.commit())) {
        this.#isChanged = true
        return
      }
      await this.#drop(revoked)
    }
    try {
      if (member.state.members[member.id]?.generation !== member.state.generation || revoked.length > 0)
        await member.handOver((topic, partition) => this.#busy.has(keyOf({ topic, partition })))
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_FENCED')) throw error
      this.#isChanged = true
      return
    }
    const added = member.partitions.kept.filter(({ topic, partition }) => this.#positions.get(topic)?.has(partition) !== true)
    if (added.length === 0) return
    try {
      const assigned = await this.#take(added)
      if (assigned.length > 0) yield { kind: 'assigned', partitions: assigned }
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_FENCED')) throw error
      this.#isChanged = true
    }
  }

  async #rejoin(): Promise<void> {
    const fencedMember = this.#joined
    await this.#drop(this.assignment)
    await fencedMember.abandon()
    await this.join()
  }

  /** Begins to read partitions, where their offsets say. */
  async #take(added: readonly TopicPartition[]): Promise<AssignedPartition[]> {
    const committed = await this.#joined.committed(added)
    const assigned: AssignedPartition[] = []
    for (const [n, { topic, partition }] of added.entries()) {
      const topicId = findTopic(this.store, topic)?.topicId
      if (topicId === undefined) continue
      const context = viewContext(this.store, topic, partition)
      const start = startOffset(context, this.group, committed[n], this.options.offsetReset ?? 'earliest')
      // From its end: what is appended before the first commit must not be passed over after a crash.
      const isToBeNoted = start.instead !== undefined || (start.isNew && this.options.offsetReset === 'latest')
      const position: Position = {
        topicId,
        offset: start.offset,
        leaderEpoch: committed[n]?.leaderEpoch ?? -1,
        committedOffset: isToBeNoted ? -1 : start.offset,
        syncedOffset: 0,
      }
      const ofTopic = this.#positions.get(topic)
      if (ofTopic === undefined) this.#positions.set(topic, new Map([[partition, position]]))
      else ofTopic.set(partition, position)
      assigned.push({ topic, partition, start })
    }
    await this.#restart(new Set(added.map(({ topic }) => topic)))
    if (!(await this.commit())) this.#isChanged = true
    return assigned
  }

  async #drop(revoked: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of revoked) {
      const ofTopic = this.#positions.get(topic)
      ofTopic?.delete(partition)
      if (ofTopic?.size === 0) this.#positions.delete(topic)
    }
    await this.#restart(new Set(revoked.map(({ topic }) => topic)))
  }

  /** Reads these topics from what was dealt with on: of what was read ahead, nothing was given. */
  async #restart(topics: ReadonlySet<string>): Promise<void> {
    for (const topic of topics) {
      await this.#readers.get(topic)?.stop()
      this.#readers.delete(topic)
      const positions = this.#positions.get(topic)
      if (positions !== undefined)
        this.#readers.set(topic, new TopicReader(this.store, topic, positions, this.options.isolation))
    }
  }

  /** The next thing that a topic has; undefined when the group changed before, or the signal aborted. */
  async #nextStep(): Promise<ConsumerStep | undefined> {
    const reader = await this.#readyReader()
    if (reader === undefined) return undefined
    const { topic } = reader
    const step = await reader.take()
    if (step === undefined) {
      // The reader was stopped, or its topic is gone: the group will say what becomes of it.
      this.#readers.delete(topic)
      return undefined
    }
    if (step.kind === 'batch') return { ...step, kind: 'batch', topic }
    if (step.kind === 'pause') {
      const reached = [...(this.#positions.get(topic) ?? [])].flatMap(([partition, { offset }]) => {
        const readOffset = step.offsetOf(partition) ?? 0
        return readOffset > offset ? [{ topic, partition, offset: readOffset }] : []
      })
      return { kind: 'pause', reached }
    }
    this.#heed(topic, step)
    return { kind: 'notice', topic, notice: step }
  }

  /** The one that has had something for longest; undefined when the group changed before, or the signal aborted. */
  async #readyReader(): Promise<TopicReader | undefined> {
    for (const reader of this.#readers.values()) {
      reader.ask(() => {
        this.#ready.push(reader)
        this.#wake()
      })
    }
    const mustStop = (): boolean => this.#isChanged || this.#isOver
    // A promise of its own each time: a race would leave something behind for each step in a reader that is idle meanwhile.
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#ready.length === 0 && !mustStop()) await woken
    while (!mustStop()) {
      const first = this.#ready.shift()
      // Some were stopped since.
      if (first === undefined || this.#readers.get(first.topic) === first) return first
    }
    return undefined
  }

  /** The reader goes on elsewhere than at what was dealt with: positions go there too, and are committed so. */
  #heed(topic: string, notice: FollowNotice): void {
    const positions = this.#positions.get(topic)
    if (positions === undefined) return
    if (notice.kind === 'recreated') {
      const topicId = findTopic(this.store, topic)?.topicId ?? ''
      for (const partition of positions.keys())
        positions.set(partition, { topicId, offset: 0, leaderEpoch: -1, committedOffset: -1, syncedOffset: 0 })
    } else if (notice.kind === 'shortened') {
      const position = positions.get(notice.partition)
      if (position !== undefined) Object.assign(position, { offset: notice.logEndOffset, leaderEpoch: -1, committedOffset: -1 })
    }
  }

  async #makeDurable(
    taken: readonly {
      readonly topic: string
      readonly partition: number
      readonly position: Position
      readonly offset: number
    }[],
  ): Promise<void> {
    for (const { topic, partition, position, offset } of taken) {
      if (position.syncedOffset >= offset) continue
      try {
        position.syncedOffset = await ensureSynced(viewContext(this.store, topic, partition), offset)
      } catch (error) {
        // Of a topic that was removed there is nothing to be synced.
        if (!isLogqError(error, 'LOGQ_TOPIC_REMOVED')) throw error
      }
    }
  }
}

/** One topic as `followTopic` gives it, with at most one step asked for ahead. */
class TopicReader {
  #steps: AsyncGenerator<FollowStep, void, undefined> | undefined
  readonly #stop = new AbortController()
  #pending: Promise<FollowStep | undefined> | undefined

  constructor(
    private readonly store: Store,
    readonly topic: string,
    private readonly positions: ReadonlyMap<number, Position>,
    private readonly isolation: Isolation | undefined,
  ) {}

  /** Asks for the next step, unless that was done; `onReady` is called once, when `take` can take it. */
  ask(onReady: () => void): void {
    if (this.#pending !== undefined) return
    this.#steps ??= this.#begin()
    this.#pending = this.#steps.next().then(({ value }) => value ?? undefined)
    this.#pending.then(onReady, onReady)
  }

  /** The step that was asked for; undefined at the end. Rejects with what reading failed with. */
  async take(): Promise<FollowStep | undefined> {
    const step = this.#pending
    this.#pending = undefined
    return await step
  }

  #begin(): AsyncGenerator<FollowStep, void, undefined> {
    const topicId = [...this.positions.values()][0]?.topicId
    return followTopic(this.store, this.topic, {
      partitions: [...this.positions.keys()],
      fromOffsets: new Map([...this.positions].map(([partition, { offset }]) => [partition, offset])),
      ...(topicId === undefined ? {} : { topicId }),
      awaitTopic: true,
      isolation: this.isolation,
      signal: this.#stop.signal,
    })
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    // What it was about to throw does not matter any more.
    await this.#pending?.catch(() => undefined)
    await this.#steps?.return()
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}
