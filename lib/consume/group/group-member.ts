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
import type { CommittedOffset, StoredOffset, TopicCommit } from '../../store/group/committed-offsets.js'
import { GroupFiles, type LockedGroup } from '../../store/group/group-files.js'
import type { GroupMemberState, GroupState } from '../../store/group/group-state.js'
import { Liveness, bootIdText } from '../../store/group/liveness.js'
import type { MemberFile } from '../../store/group/member-file.js'
import { MemberPresence, fenced, sweepMembers } from '../../store/group/member-presence.js'
import { isLegalName, NAME_RULE } from '../../store/names.js'
import type { Store } from '../../store/store.js'
import { findTopic } from '../../store/topics.js'
import type { LockWait } from '../../system/lock-wait.js'
import type { AssignorName, TopicPartition } from '../assignors.js'
import {
  acknowledge,
  isOutOfDate,
  isOwner,
  partitionsOf,
  replan,
  wantedTopics,
  withMember,
  withSuccessor,
  withoutMembers,
} from './plan.js'

export interface GroupMemberOptions {
  /** Names of topics, as of now. Called again every second: a pattern may match more by then. */
  readonly topics: () => readonly string[]
  /** As they were given, for those who look at the group. */
  readonly subscription: readonly string[]
  /** What the process calls itself, for the same. */
  readonly command: string
  readonly host: string
  /** Default: that of the group, or cooperative-sticky. Another one than the group has is LOGQ_CONFLICT. */
  readonly assignor?: AssignorName
  /** A name that the member keeps over restarts: it gets the same partitions back. */
  readonly instanceId?: string
  /** How long the partitions of a static member wait for it. Default 60,000. */
  readonly graceMs?: number
  /** At least 2,000. Default 10,000. */
  readonly sessionTimeoutMs?: number
  /** How joining waits for other processes. Later changes are waited for without its signal: they are what an orderly end consists of. */
  readonly wait?: LockWait
}

/** Offsets of one topic to be committed, by partition. */
export type OffsetsToCommit = readonly TopicCommit[]

export const DEFAULT_SESSION_TIMEOUT_MS = 10_000
export const DEFAULT_GRACE_MS = 60_000
const LOOK_MS = 250
const SHORTEST_LOOK_MS = 20
const TOPICS_LOOK_MS = 1_000
/** Members of whom each looks after so many others: in a large group not everybody has to probe everybody. */
const WATCHED_MEMBERS = 16
const SYNC_MS = 1_000
const LONGEST_INSTANCE_ID = 200

export class GroupMember {
  readonly #files: GroupFiles
  readonly #liveness: Liveness
  readonly #presence: MemberPresence
  readonly #away = new Map<string, number>()
  readonly #stop = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #state: GroupState
  #isFenced = false
  #topicsAtMs = -Infinity
  #syncTimer: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #wake: (() => void) | undefined
  #unwatch: (() => void) | undefined

  private constructor(
    readonly store: Store,
    readonly group: string,
    readonly id: string,
    private readonly options: GroupMemberOptions,
    parts: { files: GroupFiles; liveness: Liveness; presence: MemberPresence; state: GroupState },
  ) {
    this.#files = parts.files
    this.#liveness = parts.liveness
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
        const state = await files.change((locked) => addMember(files, locked, id, options, liveness), options.wait) // 2
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
      found = partitions.map(({ topic, partition }) =>
        offsets.get(topic, findTopic(this.store, topic)?.topicId ?? '', partition),
      )
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
        const next = this.#without(state, [this.id])
        locked.saveState(replan(next, countsOf(this.store, next))) // 3
      }, this.#wait)
      this.store.system.failpoint('group-leave.after-state')
    } catch (error) {
      // A group that was removed has no members.
      if (!isLogqError(error, 'LOGQ_UNKNOWN_GROUP')) throw error
    } finally {
      await this.#presence.end() // 4
      this.#liveness.close()
      this.#files.close()
    }
  }

  /** Lets go of everything without telling the group: it notices by itself. */
  async abandon(): Promise<void> {
    await this.#end()
    await this.#presence.end()
    this.#liveness.close()
    this.#files.close()
  }

  get #wait(): LockWait {
    return { ...this.options.wait, signal: undefined }
  }

  #begin(): void {
    this.#unwatch = this.store.system.hints.watch(this.#files.directory, () => this.#wake?.())
    this.#loop = this.#watchGroup()
  }

  async #end(): Promise<void> {
    this.#stop.abort()
    this.#unwatch?.()
    this.#wake?.()
    await this.#loop
    await this.#syncTimer
  }

  #commitIn({ state, commit }: LockedGroup, given: OffsetsToCommit): GroupState {
    // Of a topic that was removed meanwhile there is nothing to commit; of one that was created anew, it would void what others committed.
    const topics = given.filter(({ topic, topicId }) => findTopic(this.store, topic)?.topicId === topicId)
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
    const isOver = () => signal.aborted
    while (!isOver() && !this.#isFenced) {
      try {
        await this.#look()
      } catch (error) {
        if (isLogqError(error, 'LOGQ_ABORTED')) return
        if (!isLogqError(error, 'LOGQ_FENCED')) this.#fail(error)
      }
      if (isOver()) return
      // Each commit of anybody is a hint too.
      await clock.sleep(SHORTEST_LOOK_MS, signal)
      const enough = new AbortController()
      this.#wake = () => enough.abort()
      if (isOver()) return
      await clock.sleep(LOOK_MS - SHORTEST_LOOK_MS, enough.signal)
      this.#wake = undefined
    }
    this.onChange()
  }

  /** One look at the group: what others changed, and what has to be changed. */
  async #look(): Promise<void> {
    const { state, isStateDamaged } = this.#files.read()
    if (!isStateDamaged) this.#see(state)
    if (this.#isFenced) return
    if (!isStateDamaged) await this.#presence.renew()
    const gone = isStateDamaged ? [] : this.#gone(state)
    const topics = this.#topicsNow(state)
    if (gone.length === 0 && topics === undefined && !isStateDamaged) return
    await this.#change((locked) => {
      // Others may have been quicker.
      const still = gone.filter((member) => locked.state.members[member] !== undefined && this.#isGone(locked.state, member))
      let next = this.#without(locked.state, still)
      const own = next.members[this.id]
      if (own !== undefined && topics !== undefined) next = withMember(next, this.id, { ...own, topics })
      const counts = countsOf(this.store, next)
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

  /** Members that are to be taken out, or are static and away by now. */
  #gone(state: GroupState): string[] {
    const others = Object.keys(state.members).filter((member) => member !== this.id)
    const after = others.findIndex((member) => member > this.id)
    const inTurn = after === -1 ? others : [...others.slice(after), ...others.slice(0, after)]
    return inTurn.slice(0, WATCHED_MEMBERS).filter((member) => this.#isGone(state, member))
  }

  #isGone(state: GroupState, member: string): boolean {
    const { isAway = false, graceMs = DEFAULT_GRACE_MS } = state.members[member] ?? {}
    if (!isAway) {
      this.#away.delete(member)
      return this.#liveness.verdict(member) !== 'alive'
    }
    const nowMs = this.store.system.clock.monotonicMs()
    const sinceMs = this.#away.get(member) ?? nowMs
    this.#away.set(member, sinceMs)
    return nowMs - sinceMs >= graceMs
  }

  /** Static members stay, as ones that are away, until their grace is over. */
  #without(state: GroupState, gone: readonly string[]): GroupState {
    const leaving = gone.filter((member) => isStatic(state.members[member]) && state.members[member]?.isAway !== true)
    const stays = new Set(leaving)
    const next = withoutMembers(
      state,
      gone.filter((member) => !stays.has(member)),
    )
    const members = { ...next.members }
    for (const member of leaving) {
      const present = members[member]
      if (present !== undefined) members[member] = { ...present, isAway: true }
    }
    return { ...next, members }
  }

  /** Its topics, when they or the partitions of any topic changed; looked at once a second. */
  #topicsNow(state: GroupState): readonly string[] | undefined {
    const nowMs = this.store.system.clock.monotonicMs()
    if (nowMs - this.#topicsAtMs < TOPICS_LOOK_MS) return undefined
    this.#topicsAtMs = nowMs
    const topics = this.options.topics()
    const isSame = sameTopics(state.members[this.id]?.topics, topics) && !isOutOfDate(state, countsOf(this.store, state))
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

function addMember(
  { store, directory }: GroupFiles,
  { state, saveState }: LockedGroup,
  id: string,
  options: GroupMemberOptions,
  liveness: Liveness,
): GroupState {
  const { instanceId, graceMs = DEFAULT_GRACE_MS } = options
  const wants: Omit<GroupMemberState, 'generation'> = {
    topics: options.topics(),
    ...(instanceId === undefined ? {} : { instanceId, graceMs }),
  }
  // Whoever is dead is not waited for.
  const dead = Object.entries(state.members)
    .filter(([member, known]) => !isStatic(known) && liveness.verdict(member) === 'dead')
    .map(([member]) => member)
  const alive = withoutMembers(state, dead)
  const previous = Object.entries(alive.members).find(
    ([, known]) => instanceId !== undefined && known.instanceId === instanceId,
  )
  if (previous !== undefined && previous[1].isAway !== true && liveness.verdict(previous[0]) === 'alive') {
    const pid = liveness.file(previous[0])?.pid
    throw new LogqError(
      'LOGQ_CONFLICT',
      `the member '${instanceId ?? ''}' is in the group already${pid === undefined ? '' : `, as process ${pid}`}`,
      {
        hint: 'choose another name for --member, or end that process',
      },
    )
  }
  const isAlone = Object.keys(alive.members).length === 0
  const assignor = options.assignor ?? state.assignor
  if (!isAlone && assignor !== state.assignor) {
    throw new LogqError('LOGQ_CONFLICT', `the group assigns partitions by '${state.assignor}', not by '${assignor}'`, {
      hint: 'all members of a group need the same --assignor',
    })
  }
  const joined = previous === undefined ? withMember(alive, id, wants) : withSuccessor(alive, previous[0], id, wants)
  const next = replan({ ...joined, assignor: isAlone ? assignor : state.assignor }, countsOf(store, joined))
  store.system.failpoint('group-join.before-state')
  saveState(next)
  for (const member of dead) liveness.forget(member)
  sweepMembers(store.system, directory, (member) => next.members[member] !== undefined)
  return next
}

/** Partitions of the topics that anybody in the group wants, as they are now. */
function countsOf(store: Store, state: GroupState): Map<string, number> {
  const counts = new Map<string, number>()
  for (const topic of wantedTopics(state)) {
    const file = findTopic(store, topic)
    if (file !== undefined) counts.set(topic, file.partitions)
  }
  return counts
}

function newMemberId(store: Store, { instanceId, host }: GroupMemberOptions): string {
  const unique = Buffer.from(store.system.random.bytes(4)).toString('hex')
  const name = host.replaceAll(/[^a-zA-Z0-9._]/g, '').slice(0, 60) || 'host'
  return instanceId === undefined ? `${name}-${store.system.self.pid}-${unique}` : `${instanceId}-${unique}`
}

function isStatic(member: GroupMemberState | undefined): boolean {
  return member?.instanceId !== undefined
}

function sameTopics(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return b === undefined || (a?.length === b.length && a.every((topic, n) => topic === b[n]))
}

function isOtherwiseOwned(a: GroupState, b: GroupState): boolean {
  return Object.entries(b.owners).some(([topic, list]) =>
    list.some((owner, partition) => a.owners[topic]?.[partition] !== owner),
  )
}

export type { CommittedOffset }
