/**
 * Members of one consumer group as processes side by side in memory: each can be killed, stopped and continued at any moment. Whatever
 * they do is judged as they do it, by what group.json says at that time; what was wrong is in `problems`.
 */
import type { GroupConsumer } from '../../../lib/consume/group/group-consumer.js'
import { joinGroup } from '../../../lib/consume/group/join-group.js'
import type { JoinGroupOptions } from '../../../lib/consume/group/join-options.js'
import { checkedLines } from '../../../lib/store/group/checked-line.js'
import { commitFromJson, type Commit } from '../../../lib/store/group/committed-offsets.js'
import { GroupFiles, type GroupSnapshot } from '../../../lib/store/group/group-files.js'
import { groupExists } from '../../../lib/store/group/group-paths.js'
import { groupStateName } from '../../../lib/store/group/group-state.js'
import { openStore, type Store } from '../../../lib/store/store.js'
import { findTopic } from '../../../lib/store/topics.js'
import type { Clock, System } from '../../../lib/system/system.js'
import { createFakeSystem, type FakeClock, type FakeSystem } from '../../helpers/fake-system.js'
import type { MemoryDisk } from '../../helpers/memory-disk.js'
import { STORE, produce, tinyStore } from '../../store/tiny-store.js'

const GROUP = 'g'
const OFFSETS = `${STORE}/groups/${GROUP}/offsets`
const SETTLE_MS = 120_000
/** Of no two processes the same, whatever world they are in: a member's name and its random numbers follow from it. */
let lastPid = 5000

export class GroupWorld {
  readonly problems: string[] = []
  readonly members: SimulatedMember[] = []
  /** By topic id and partition: how often each offset was delivered. */
  readonly #delivered = new Map<string, Map<number, number>>()
  readonly #committed = new Map<string, number>()
  readonly #inspector: Store

  private constructor(
    readonly disk: MemoryDisk,
    readonly clock: FakeClock,
    readonly bootId: Uint8Array | undefined,
  ) {
    this.#inspector = openStore(createFakeSystem({ disk, clock, pid: 4999 }), STORE)
  }

  /** A store with a topic `t` of so many partitions, with so many records in each. */
  static async create(partitions: number, records: number): Promise<GroupWorld> {
    const { system, store } = await tinyStore({ partitions })
    const world = GroupWorld.around(system)
    for (let partition = 0; partition < partitions; partition += 1) await world.produce(partition, records, store)
    return world
  }

  /** What there is on the disk of a system that is no more. */
  static around({ disk, clock, self }: FakeSystem): GroupWorld {
    const world = new GroupWorld(disk, clock, self.bootId)
    if (!groupExists(world.store, GROUP)) return world
    const { offsets } = world.snapshot()
    for (const { topic, topicId, partitions } of offsets.topics())
      for (const partition of partitions)
        world.#committed.set(`${topicId}:${partition}`, offsets.get(topic, topicId, partition)?.offset ?? 0)
    return world
  }

  get store(): Store {
    return this.#inspector
  }

  async produce(partition: number, records: number, store = this.#inspector): Promise<void> {
    for (let n = 0; n < records; n += 1) await produce(store, 't', [`${partition}-${n}`], { partition })
  }

  /** Starts a process that reads as a member. */
  async start(options: SimulatedOptions = {}): Promise<SimulatedMember> {
    lastPid += 1
    const pid = lastPid
    const bootId = options.bootId ?? this.bootId
    const system = createFakeSystem({
      disk: this.disk,
      clock: this.clock,
      pid,
      seed: pid,
      ...(bootId === undefined ? {} : { bootId }),
    })
    this.watchCommits(system)
    options.prepare?.(system)
    const member = new SimulatedMember(this, system, options)
    this.members.push(member)
    await member.begin()
    return member
  }

  /** Judges each commit of a process when it is written. */
  watchCommits(system: FakeSystem): void {
    const { fs } = system
    const write = fs.write.bind(fs)
    fs.write = (fd, buffer, start, length, position) => {
      const written = write(fd, buffer, start, length, position)
      if (fs.operations.at(-1)?.path === OFFSETS) {
        for (const { content } of checkedLines(buffer.subarray(start, start + length))) {
          const commit = content === undefined ? undefined : commitFromJson(content)
          if (commit === undefined) this.problems.push('a line of the offsets file was no commit')
          else this.#judge(commit)
        }
      }
      return written
    }
  }

  snapshot(): GroupSnapshot {
    const files = GroupFiles.open(this.#inspector, GROUP)
    try {
      return files.read()
    } finally {
      files.close()
    }
  }

  /** When the group is stable, all that live are members, and each partition is owned by one of them. Returns how long that took. */
  async settled(): Promise<number> {
    const beginMs = this.clock.monotonicMs()
    for (;;) {
      const { state } = this.snapshot()
      const alive = this.members.filter(({ isRunning }) => isRunning).map(({ id }) => id)
      const owners = Object.values(state.owners).flat()
      const count = findTopic(this.#inspector, 't')?.partitions ?? 0
      const isSettled =
        groupStateName(state) === 'Stable' &&
        alive.every((id) => id !== undefined) &&
        Object.keys(state.members).sort().join() === alive.sort().join() &&
        owners.length === count &&
        owners.every((owner) => owner !== null && alive.includes(owner))
      if (isSettled) return this.clock.monotonicMs() - beginMs
      if (this.clock.monotonicMs() - beginMs > SETTLE_MS)
        throw new Error(`not settled: ${JSON.stringify(state)}; alive: ${alive.join()}; ${this.problems.join('; ')}`)
      await this.clock.sleep(50)
    }
  }

  /** When the group has committed so far, in each partition. */
  async committedTo(offset: number, partitions?: readonly number[]): Promise<void> {
    const beginMs = this.clock.monotonicMs()
    const topic = findTopic(this.#inspector, 't')
    const wanted = partitions ?? Array.from({ length: topic?.partitions ?? 0 }, (_, partition) => partition)
    for (;;) {
      const { offsets } = this.snapshot()
      const found = wanted.map((partition) => offsets.get('t', topic?.topicId ?? '', partition)?.offset)
      if (found.every((one) => one === offset)) return
      if (this.clock.monotonicMs() - beginMs > SETTLE_MS)
        throw new Error(`committed: ${found.join()}, wanted: ${offset}; ${this.problems.join('; ')}`)
      await this.clock.sleep(50)
    }
  }

  /** How often each record of a partition was delivered. */
  deliveries(partition: number): number[] {
    const topicId = findTopic(this.#inspector, 't')?.topicId ?? ''
    const ofPartition = this.#delivered.get(`${topicId}:${partition}`) ?? new Map<number, number>()
    return Array.from({ length: Math.max(-1, ...ofPartition.keys()) + 1 }, (_, offset) => ofPartition.get(offset) ?? 0)
  }

  /** Ends all members, in an orderly way. */
  async end(): Promise<void> {
    for (const member of this.members) if (member.isRunning) await member.close()
  }

  /** A member deals with a record. */
  noteDelivered(member: SimulatedMember, topic: string, partition: number, offset: number): void {
    const { state } = this.snapshot()
    if (state.owners[topic]?.[partition] !== member.id && !member.mayBeLate)
      this.problems.push(`${member.id ?? '?'} read ${topic}:${partition}@${offset}, which is not its own`)
    const key = `${findTopic(this.#inspector, topic)?.topicId ?? ''}:${partition}`
    const ofPartition = this.#delivered.get(key) ?? new Map<number, number>()
    this.#delivered.set(key, ofPartition.set(offset, (ofPartition.get(offset) ?? 0) + 1))
  }

  #judge({ generation, member, topics }: Commit): void {
    if (['seek', 'skip', 'undo'].includes(member)) return
    const { state } = this.snapshot()
    if (generation !== state.generation)
      this.problems.push(`${member} committed in generation ${generation} of ${state.generation}`)
    for (const { topic, topicId, offsets } of topics) {
      for (const [partition, committed] of offsets) {
        const place = `${topic}:${partition}`
        const key = `${topicId}:${partition}`
        if (state.owners[topic]?.[partition] !== member)
          this.problems.push(`${member} committed for ${place}, which is not its own`)
        if (committed === null) {
          this.problems.push(`${member} took the offset of ${place} away`)
          continue
        }
        const { offset } = committed
        const before = this.#committed.get(key) ?? -1
        if (offset < before) this.problems.push(`${member} set ${place} back from ${before} to ${offset}`)
        this.#committed.set(key, offset)
        for (let below = 0; below < offset; below += 1)
          if ((this.#delivered.get(key)?.get(below) ?? 0) === 0 && before <= below)
            this.problems.push(`${member} committed ${offset} of ${place}, and ${below} was never delivered`)
      }
    }
  }
}

export interface SimulatedOptions extends JoinGroupOptions {
  readonly bootId?: Uint8Array
  /** Before it joins: failpoints, faults. */
  readonly prepare?: (system: FakeSystem) => void
  /** Commits after each batch. Default: only when nothing more is there, and every second. */
  readonly isEager?: boolean
}

export class SimulatedMember {
  /** Was stopped in the midst of something: what it had in its hands it may still deal with. */
  mayBeLate = false
  isRunning = false
  readonly events: string[] = []
  readonly #gate = new Gate()
  readonly #system: System
  #consumer: GroupConsumer | undefined
  #isDead = false
  #loop: Promise<void> = Promise.resolve()

  constructor(
    private readonly world: GroupWorld,
    readonly fake: FakeSystem,
    private readonly options: SimulatedOptions,
  ) {
    this.#system = { ...fake, clock: stoppable(fake.clock, this.#gate) }
  }

  get id(): string | undefined {
    return this.#consumer?.memberId
  }

  get consumer(): GroupConsumer {
    if (this.#consumer === undefined) throw new Error('it has not joined')
    return this.#consumer
  }

  async begin(): Promise<void> {
    const { isEager: _eager, prepare: _prepare, bootId: _bootId, ...options } = this.options
    this.#consumer = await joinGroup(openStore(this.#system, STORE), GROUP, ['t'], options)
    this.isRunning = true
    this.#loop = this.#read().catch((error: unknown) => {
      if (!this.#isDead) this.world.problems.push(String(error instanceof Error ? error.stack : error))
    })
  }

  async #read(): Promise<void> {
    const { consumer } = this
    for await (const step of consumer.steps()) {
      await this.#gate.open
      if (this.#isDead) return
      if (step.kind === 'batch') {
        const { topic, partition, batch } = step
        const end = Math.min(step.toOffset, batch.nextOffset)
        for (let offset = step.fromOffset; offset < end; offset += 1) {
          this.world.noteDelivered(this, topic, partition, offset)
          consumer.delivered(topic, partition, offset + 1, batch.partitionLeaderEpoch)
        }
        if (this.options.isEager === true) await consumer.commit()
        else await consumer.commitInTime()
      } else {
        this.events.push(step.kind)
        if (step.kind === 'pause') await consumer.commit()
      }
      this.mayBeLate = false
    }
  }

  /** As SIGKILL. */
  kill(): void {
    this.isRunning = false
    this.#isDead = true
    this.fake.process.kill()
    this.#bury()
  }

  /** For one that died by itself, or whose machine did: what is left of it in memory goes on no more. */
  #bury(): void {
    this.#gate.close(false)
    this.#consumer?.close().catch(() => undefined)
  }

  /** As SIGSTOP. */
  stop(): void {
    this.isRunning = false
    this.mayBeLate = true
    this.fake.leases.stop()
    this.#gate.close(true)
  }

  /** As SIGCONT. */
  cont(): void {
    this.isRunning = true
    this.fake.leases.cont()
    this.#gate.close(false)
  }

  async close(): Promise<void> {
    this.isRunning = false
    this.#isDead = true
    await this.consumer.close()
    await this.#loop
  }
}

/** Shut, it lets nothing through. */
class Gate {
  open: Promise<void> = Promise.resolve()
  #letGo: () => void = () => undefined

  close(isClosed: boolean): void {
    this.#letGo()
    if (isClosed)
      this.open = new Promise((resolve) => {
        this.#letGo = resolve
      })
  }
}

function stoppable(clock: FakeClock, gate: Gate): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: async (ms, signal) => {
      await clock.sleep(ms, signal)
      await gate.open
    },
  }
}
