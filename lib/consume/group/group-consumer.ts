/**
 * Reading as a member of a consumer group: the partitions that the group gives to this member, each from what is committed, and the
 * offsets of what was delivered, committed in time. `GroupMember` keeps the membership, `TopicReaders` read, `Positions` say how far.
 */
import { isLogqError, LogqError } from '../../errors.js'
import type { RecordPredicate } from '../../record/record-predicate.js'
import { readingContext } from '../../store/archive/reading-context.js'
import type { Store } from '../../store/store.js'
import { findTopic } from '../../store/topics.js'
import type { TopicPartition } from '../assignors.js'
import { recordsOf } from '../placed-record.js'
import type { AssignedPartition, BatchStep, ConsumerEvent, ConsumerStep, GroupRecord } from './consumer-step.js'
import { GroupMember } from './group-member.js'
import type { JoinGroupOptions } from './join-options.js'
import { commitOf, makeDurable, Positions, type Position } from './positions.js'
import { startOffset } from './start-offset.js'
import type { Subscription } from './subscription.js'
import { TopicReaders } from './topic-readers.js'

const DEFAULT_COMMIT_INTERVAL_MS = 1_000

export class GroupConsumer {
  #member: GroupMember | undefined
  readonly #positions = new Positions()
  readonly #readers: TopicReaders
  /** Partitions of which something is being done at present: they are not handed over meanwhile. */
  readonly #busy = new Set<string>()
  #committedAtMs: number
  #isChanged = true
  #isClosed = false

  constructor(
    readonly store: Store,
    readonly group: string,
    private readonly subscription: Subscription,
    private readonly options: JoinGroupOptions,
  ) {
    this.#committedAtMs = store.system.clock.monotonicMs()
    this.#readers = new TopicReaders(store, this.#positions, options.isolation)
    options.signal?.addEventListener('abort', () => this.#readers.wake(), { once: true })
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
    return this.#positions.partitions
  }

  /** Offset behind what was dealt with of a partition that this member has. */
  position(topic: string, partition: number): number | undefined {
    return this.#positions.get(topic, partition)?.offset
  }

  /** There are more members than partitions: none is this member's, or about to be. */
  get isSpare(): boolean {
    const { state, id, isFenced } = this.#joined
    // Whoever was put out joins again, and has its share then.
    return !this.#isChanged && !isFenced && !Object.values(state.assignment).some((members) => members.includes(id))
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
      host: options.host ?? this.store.system.self.hostName,
      ...(assignor === undefined ? {} : { assignor }),
      ...(instanceId === undefined ? {} : { instanceId }),
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
      wait: { ...lockWait, ...(signal === undefined ? {} : { signal }) },
    })
    this.#member.onChange = () => {
      this.#isChanged = true
      this.#readers.wake()
    }
    this.#isChanged = true
  }

  /**
   * Everything there is to be done, until the signal aborts or the consumer is closed. Commits only when asked to: see `delivered`,
   * `commit` and `commitInTime`. Throws CorruptionError, LOGQ_CORRUPT for damaged commits, what `startOffset` throws, or a system error.
   */
  async *steps(): AsyncGenerator<ConsumerStep, void, undefined> {
    try {
      // An iteration before this one may have been ended, and its readers with it.
      this.#positions.forgetGiven()
      await this.#readers.restart(this.assignment.map(({ topic }) => topic))
      while (!this.#isOver) {
        if (this.#isChanged) yield* this.#follow()
        const step = await this.#nextStep()
        if (step !== undefined) yield step
      }
    } finally {
      await this.#readers.stop()
    }
  }

  /**
   * Does what the group asks for, without reading anything: partitions that `holding` does not hold on to go, others come. For those who
   * read `assignment` from `position` on by themselves. Returns what became of it. Throws what `steps` throws.
   */
  async settle(): Promise<ConsumerEvent[]> {
    const events: ConsumerEvent[] = []
    const topicIdOf = (topic: string): string | undefined => findTopic(this.store, topic)?.topicId
    this.#positions.beginAnew(topicIdOf, (one) => !this.#busy.has(keyOf(one)))
    while (this.#isChanged && !this.#isOver) for await (const event of this.#follow()) events.push(event)
    return events
  }

  /** Records one by one, each taken for dealt with when the next one is asked for. Commits every `commitIntervalMs`, and at the end. */
  async *records(matches?: RecordPredicate): AsyncGenerator<GroupRecord, void, undefined> {
    for await (const step of this.steps()) {
      if (step.kind === 'batch') {
        yield* this.#recordsOf(step, matches)
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
    this.#positions.delivered(topic, partition, offset, leaderEpoch)
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
    const due = this.#positions.due()
    if (due.length === 0) return true
    await makeDurable(this.store, due)
    try {
      await this.#joined.commit(commitOf(due))
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_FENCED')) throw error
      this.#isChanged = true
      return false
    }
    for (const { position, offset } of due) position.committedOffset = offset
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
    this.#readers.wake()
    const member = this.#member
    if (member === undefined) return
    this.#member = undefined
    try {
      await this.#readers.stop()
      this.#member = member
      await this.commit()
    } finally {
      this.#member = undefined
      await member.leave()
    }
  }

  /** Ends between two records when the group changed or nothing more is wanted: dealing with all of a batch may take hours. */
  async *#recordsOf(step: BatchStep, matches: RecordPredicate | undefined): AsyncGenerator<GroupRecord, void, undefined> {
    const { topic, partition, batch } = step
    for (const record of recordsOf(topic, step, { matches })) {
      yield { ...record, topic }
      this.delivered(topic, partition, record.offset + 1, batch.partitionLeaderEpoch)
      await this.commitInTime()
      if (!this.#isChanged && !this.#isOver) continue
      // The rest of what was given is given again, to whoever has the partition then.
      this.#positions.given(topic, partition, record.offset + 1)
      await this.#readers.restart([topic])
      return
    }
    this.delivered(topic, partition, batch.nextOffset, batch.partitionLeaderEpoch)
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
    const added = member.partitions.kept.filter(({ topic, partition }) => this.#positions.get(topic, partition) === undefined)
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
    const files = new Map([...new Set(added.map(({ topic }) => topic))].map((topic) => [topic, findTopic(this.store, topic)]))
    for (const [n, { topic, partition }] of added.entries()) {
      const file = files.get(topic)
      if (file === undefined) continue
      const { topicId } = file
      const context = await readingContext(this.store, topic, partition, { file })
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
      this.#positions.add({ topic, partition }, position)
      assigned.push({ topic, partition, start })
    }
    await this.#readers.restart(added.map(({ topic }) => topic))
    if (!(await this.commit())) this.#isChanged = true
    return assigned
  }

  async #drop(revoked: readonly TopicPartition[]): Promise<void> {
    this.#positions.remove(revoked)
    await this.#readers.restart(revoked.map(({ topic }) => topic))
  }

  /** The next thing that a topic has; undefined when the group changed before, or the signal aborted. */
  async #nextStep(): Promise<ConsumerStep | undefined> {
    const reader = await this.#readers.next(() => this.#isChanged || this.#isOver)
    if (reader === undefined) return undefined
    const { topic } = reader
    const step = await reader.take()
    if (step === undefined) {
      // The reader was stopped, or its topic is gone: the group will say what becomes of it.
      this.#readers.forget(topic)
      return undefined
    }
    if (step.kind === 'batch') {
      this.#positions.given(topic, step.partition, Math.min(step.toOffset, step.batch.nextOffset))
      return { ...step, kind: 'batch', topic }
    }
    if (step.kind === 'pause') {
      const reached = [...(this.#positions.ofTopic(topic) ?? [])].flatMap(([partition, { offset }]) => {
        const readOffset = step.offsetOf(partition) ?? 0
        return readOffset > offset ? [{ topic, partition, offset: readOffset }] : []
      })
      return { kind: 'pause', reached }
    }
    this.#positions.heed(topic, step, findTopic(this.store, topic)?.topicId ?? '')
    return { kind: 'notice', topic, notice: step }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`
}
