/**
 * A member of a consumer group: joins, notices what becomes of the group, commits, hands partitions over, leaves. There is no
 * coordinator process: whoever notices a change makes the next generation, under the group's lock (format-spec/group.md, "protocol").
 *
 * Joining: 1 the member's lock, lease and file (member-presence.ts); 2 group.json names it, in a new generation.
 * Noticing: 1 somebody is gone, or wants other topics, or a topic has other partitions; 2 under the lock this is looked at again, and
 * group.json replaced; 3 the files of those who are gone are removed.
 * Handing over: 1 the last commit of the partitions is appended; 2 and synced; 3 group.json gives them to their new owner.
 * Leaving: as handing over, of everything; 4 the member's files are removed.
 * Crash between any of these: the member is found dead, and what it owned goes to others, who begin at what was committed.
 *
 * What is safe does not depend on who is thought to be alive: under the lock, a commit is taken from the owner of a partition alone.
 */
import { LogqError, isLogqError } from '../../errors.js'
import type { StoredOffset, TopicCommit } from '../../store/group/committed-offsets.js'
import { GroupFiles, type LockedGroup } from '../../store/group/group-files.js'
import type { GroupState } from '../../store/group/group-state.js'
import { Liveness, bootIdText } from '../../store/group/liveness.js'
import type { MemberFile } from '../../store/group/member-file.js'
import { MemberPresence, fenced, sweepMembers } from '../../store/group/member-presence.js'
import { isLegalName, NAME_RULE } from '../../store/names.js'
import type { Store } from '../../store/store.js'
import { TopicIds } from '../../store/topic-ids.js'
import type { LockWait } from '../../system/lock-wait.js'
import type { TopicPartition } from '../assignors.js'
import { admitMember, newMemberId } from './admit-member.js'
import { GoneMembers } from './gone-members.js'
import { DEFAULT_SESSION_TIMEOUT_MS, type GroupMemberOptions } from './member-options.js'
import { partitionCounts } from './partition-counts.js'
import {
  acknowledge,
  isOtherwiseOwned,
  isOutOfDate,
  isOwner,
  partitionsOf,
  replan,
  withMember,
  withoutPresent,
} from './plan.js'

/** Offsets of one topic to be committed, by partition. */
export type OffsetsToCommit = readonly TopicCommit[]

const LOOK_MS = 250
/** From a hint to the look: what is being changed is changed by then. */
const HINT_MS = 20
/** After a hint that came to nothing. Each commit of anybody is one: to be told of each would cost more than the commits do. */
const QUIET_MS = 100
const TOPICS_LOOK_MS = 1_000
const SYNC_MS = 1_000
const LONGEST_INSTANCE_ID = 200

export class GroupMember {
  readonly #files: GroupFiles
  readonly #liveness: Liveness
  readonly #presence: MemberPresence
  readonly #goneMembers: GoneMembers
  readonly #topicIds: TopicIds
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #state: GroupState
  #isFenced = false
  #topicsAtMs = -Infinity
  #syncTimer: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined
  #unwatch: (() => void) | undefined
  #isHinted = false

  private constructor(
    readonly store: Store,
    readonly group: string,
    readonly id: string,
    private readonly options: GroupMemberOptions,
    parts: { files: GroupFiles; liveness: Liveness; presence: MemberPresence; state: GroupState },
  ) {
    this.#files = parts.files
    this.#liveness = parts.liveness
    this.#topicIds = new TopicIds(store)
    this.#goneMembers = new GoneMembers(id, parts.liveness, store.system.clock)
    this.#presence = parts.presence
    this.#state = parts.state
  }

  /**
   * Joins a group, which is created when there is none. Throws LOGQ_USAGE for a name that cannot be one, LOGQ_CONFLICT when the static
   * name is in use or the group has another assignor, LOGQ_READ_ONLY_STORE, LOGQ_ABORTED, LOGQ_BUSY, or a system error.
   */
  static async join(store: Store, group: string, options: GroupMemberOptions): Promise<GroupMember> {
    const { system, ownership } = store
    const { instanceId, sessionTimeoutMs = DEFAULT_SESSION_TIMEOUT_MS } = options
    if (instanceId !== undefined && (!isLegalName(instanceId) || instanceId.length > LONGEST_INSTANCE_ID))
      throw new LogqError('LOGQ_USAGE', `'${instanceId}' cannot be the name of a member`, NAME_RULE)
    const files = GroupFiles.openOrCreate(store, group)
    const liveness = new Liveness(system, files.directory)
    try {
      const id = newMemberId(store, options)
      const file: MemberFile = {
        member: id,
        subscription: options.subscription,
        host: options.host,
        pid: system.self.pid,
        startTicks: system.self.startTicks,
        bootId: bootIdText(system),
        command: options.command,
        joined: new Date(system.clock.nowMs()).toISOString(),
        sessionTimeoutMs,
      }
      const presence = await MemberPresence.begin(system, files.directory, file, ownership) // 1
      try {
        const state = await files.change((locked) => admitMember(files, locked, id, options, liveness), options.wait) // 2
        system.failpoint('group-join.after-state')
        const member = new GroupMember(store, group, id, options, { files, liveness, presence, state })
        member.#begin()
        return member
      } catch (error) {
        await presence.end()
        throw error
      }
    } catch (error) {
      liveness.close()
      files.close()
      throw error
    }
  }

  /** As this process saw the group last. */
  get state(): GroupState {
    return this.#state
  }

  /** Others took this member for dead, or it was put out: it has to join anew. */
  get isFenced(): boolean {
    return this.#isFenced
  }

  /** What it may read; `kept` leaves out what it is to hand back. Nothing when fenced. */
  get partitions(): { readonly owned: readonly TopicPartition[]; readonly kept: readonly TopicPartition[] } {
    return this.#isFenced ? { owned: [], kept: [] } : partitionsOf(this.#state, this.id)
  }

  /** Called when the group changed, or something failed; it must not throw. */
  onChange: () => void = () => undefined

  /** What is committed for partitions, of whoever committed it. Throws LOGQ_FENCED, LOGQ_CORRUPT when that cannot be read. */
  async committed(partitions: readonly TopicPartition[]): Promise<(StoredOffset | undefined)[]> {
    let found: (StoredOffset | undefined)[] = []
    await this.#change(({ state, requireOffsets }) => {
      const offsets = requireOffsets()
      const topics = new Set(partitions.map(({ topic }) => topic))
      const topicIds = new Map([...topics].map((topic) => [topic, this.#topicIds.idOf(topic) ?? '']))
      found = partitions.map(({ topic, partition }) => offsets.get(topic, topicIds.get(topic) ?? '', partition))
      return state
    })
    return found
  }

  /**
   * Commits offsets, all of them or none; those of topics that were removed meanwhile are passed over. They are durable within a second,
   * or after `sync`. Throws LOGQ_FENCED when this member is not the owner of each partition any more; LOGQ_CORRUPT when earlier commits
   * cannot be read; or a system error.
   */
  async commit(topics: OffsetsToCommit): Promise<void> {
    this.#throwFailure()
    await this.#change((locked) => this.#commitIn(locked, topics))
    this.#syncTimer ??= this.store.system.clock.sleep(SYNC_MS, this.#stop.signal).then(async () => {
      this.#syncTimer = undefined
      await this.#files.sync().catch((error: unknown) => this.#fail(error))
    })
  }

  /** Returns when everything committed so far is on the device. */
  async sync(): Promise<void> {
    await this.#files.sync()
  }

  /**
   * Takes note of the present generation: what this member owns, is not to keep, and `isBusy` does not hold on to, is handed over. Its
   * last offsets must have been committed. Throws LOGQ_FENCED, or a system error.
   */
  async handOver(isBusy: (topic: string, partition: number) => boolean = () => false): Promise<void> {
    await this.sync() // 2
    await this.#change(({ state, saveState }) => {
      const next = acknowledge(state, this.id, isBusy)
      this.store.system.failpoint('group-hand-over.before-state')
      if (next.members[this.id]?.generation !== state.members[this.id]?.generation || isOtherwiseOwned(state, next))
        saveState(next) // 3
      return next
    })
  }

  /** Leaves the group. What was not committed is delivered to others again. Rejects when the group cannot be changed. */
  async leave(): Promise<void> {
    await this.#end()
    try {
      if (this.#isFenced) return
      await this.#files.sync() // 2
      await this.#files.change((locked) => {
        const { state } = locked
        if (state.members[this.id] === undefined) return
        this.store.system.failpoint('group-leave.before-state')
        const next = withoutPresent(state, [this.id])
        locked.saveState(replan(next, partitionCounts(this.store, next))) // 3
      }, this.#wait)
      this.store.system.failpoint('group-leave.after-state')
    } catch (error) {
      // A group that was removed has no members.
      if (!isLogqError(error, 'LOGQ_UNKNOWN_GROUP')) throw error
    } finally {
      await this.#presence.end() // 4
      this.#closeFiles()
    }
  }

  /** Lets go of everything without telling the group: it notices by itself. */
  async abandon(): Promise<void> {
    await this.#end()
    await this.#presence.end()
    this.#closeFiles()
  }

  #closeFiles(): void {
    this.#liveness.close()
    this.#topicIds.close()
    this.#files.close()
  }

  get #wait(): LockWait {
    return { ...this.options.wait, signal: undefined }
  }

  #begin(): void {
    this.#loop = this.#watchGroup()
  }

  async #end(): Promise<void> {
    this.#stop.abort()
    this.#endHints()
    this.#wake?.()
    await this.#loop
    await this.#syncTimer
  }

  #commitIn({ state, commit }: LockedGroup, given: OffsetsToCommit): GroupState {
    // Of a topic that was removed meanwhile there is nothing to commit; of one that was created anew, it would void what others committed.
    const topics = given.filter(({ topic, topicId }) => this.#topicIds.idOf(topic) === topicId)
    if (topics.length === 0) return state
    const owned = topics.every(({ topic, offsets }) =>
      [...offsets.keys()].every((partition) => isOwner(state, this.id, topic, partition)),
    )
    if (!owned) {
      this.#isFenced = true
      throw fenced(this.group, this.id)
    }
    commit({ generation: state.generation, member: this.id, timeMs: this.store.system.clock.nowMs(), topics })
    return state
  }

  /** Under the lock, as a member. Throws LOGQ_FENCED when this is none any more. */
  async #change(change: (locked: LockedGroup) => GroupState): Promise<void> {
    try {
      const next = await this.#files.change((locked) => {
        if (locked.state.members[this.id] !== undefined) return change(locked)
        throw fenced(this.group, this.id)
      }, this.#wait)
      this.#see(next)
    } catch (error) {
      // A group that was removed has no members.
      if (isLogqError(error, 'LOGQ_FENCED') || isLogqError(error, 'LOGQ_UNKNOWN_GROUP')) {
        this.#isFenced = true
        throw fenced(this.group, this.id)
      }
      throw error
    }
  }

  #see(state: GroupState): void {
    if (state === this.#state) return
    this.#state = state
    if (state.members[this.id] === undefined) this.#isFenced = true
    this.onChange()
  }

  async #watchGroup(): Promise<void> {
    const { clock } = this.store.system
    const { signal } = this.#stop
    const isOver = () => signal.aborted || this.#isFenced
    while (!isOver()) {
      this.#awaitHint()
      await this.#lookSafely()
      if (isOver()) break
      await this.#hintWithin(LOOK_MS)
      if (!this.#isHinted || isOver()) continue
      this.#endHints()
      await clock.sleep(HINT_MS, signal)
      const before = this.#state
      await this.#lookSafely()
      if (this.#state === before) await clock.sleep(QUIET_MS, signal)
    }
    this.#endHints()
    if (!signal.aborted) this.onChange()
  }

  /** One hint, after which `#isHinted`; before a look, so that none is missed. */
  #awaitHint(): void {
    this.#isHinted = false
    this.#unwatch ??= this.store.system.hints.watch(this.#files.directory, () => {
      this.#isHinted = true
      this.#wake?.()
    })
  }

  #endHints(): void {
    this.#unwatch?.()
    this.#unwatch = undefined
  }

  async #hintWithin(ms: number): Promise<void> {
    if (this.#isHinted || this.#stop.signal.aborted) return
    const enough = new AbortController()
    this.#wake = () => enough.abort()
    await this.store.system.clock.sleep(ms, enough.signal)
    this.#wake = undefined
  }

  async #lookSafely(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_ABORTED') && !isLogqError(error, 'LOGQ_FENCED')) this.#fail(error)
    }
  }

  /** One look at the group: what others changed, and what has to be changed. */
  async #look(): Promise<void> {
    const { state, isStateDamaged } = this.#files.read()
    if (!isStateDamaged) this.#see(state)
    if (this.#isFenced) return
    if (!isStateDamaged) await this.#presence.renew()
    const gone = isStateDamaged ? [] : this.#goneMembers.among(state)
    const topics = this.#topicsNow(state)
    if (gone.length === 0 && topics === undefined && !isStateDamaged) return
    await this.#change((locked) => {
      // Others may have been quicker.
      const still = gone.filter(
        (member) => locked.state.members[member] !== undefined && this.#goneMembers.isGone(locked.state, member),
      )
      let next = withoutPresent(locked.state, still)
      const own = next.members[this.id]
      if (own !== undefined && topics !== undefined) next = withMember(next, this.id, { ...own, topics })
      const counts = partitionCounts(this.store, next)
      if (still.length === 0 && sameTopics(own?.topics, topics) && !isOutOfDate(next, counts)) return locked.state
      next = replan(next, counts)
      this.store.system.failpoint('group-rebalance.before-state')
      locked.saveState(next)
      this.store.system.failpoint('group-rebalance.after-state')
      for (const member of still) this.#liveness.forget(member)
      sweepMembers(this.store.system, this.#files.directory, (member) => next.members[member] !== undefined)
      return next
    })
  }

  /** Its topics, when they or the partitions of any topic changed; looked at once a second. */
  #topicsNow(state: GroupState): readonly string[] | undefined {
    const nowMs = this.store.system.clock.monotonicMs()
    if (nowMs - this.#topicsAtMs < TOPICS_LOOK_MS) return undefined
    this.#topicsAtMs = nowMs
    const topics = this.options.topics()
    const isSame = sameTopics(state.members[this.id]?.topics, topics) && !isOutOfDate(state, partitionCounts(this.store, state))
    return isSame ? undefined : topics
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.onChange()
  }

  /** What went wrong while nobody waited. */
  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Throws what went wrong while nobody waited. */
  check(): void {
    this.#throwFailure()
  }
}

function sameTopics(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return b === undefined || (a?.length === b.length && a.every((topic, n) => topic === b[n]))
}
