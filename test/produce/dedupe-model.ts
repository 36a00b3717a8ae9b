/**
 * Producers that look for duplicates, beside ones that do not, on a disk in memory: restarts, kills, power cuts, an index that is deleted
 * or garbled, a log start that moves, timestamps out of order. Each batch is compared with what a naive look through the whole log says.
 */
import { isLogqError } from '../../lib/errors.js'
import { BUCKET_BYTES, entryPosition, usedEntries } from '../../lib/produce/dedupe-format.js'
import { nameOf, type DedupeBy } from '../../lib/produce/dedupe-id.js'
import { dedupeIndexName } from '../../lib/produce/dedupe-index.js'
import { Producer } from '../../lib/produce/producer.js'
import { listSegments, logEndOffset, logStartOffset } from '../../lib/log/log-view.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { readPartition } from '../../lib/log/read-partition.js'
import type { RecordInput } from '../../lib/record/record.js'
import { appendContext, viewContext } from '../../lib/store/partition.js'
import { openOrCreateStore, openStore } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { createTopic } from '../../lib/store/topics.js'
import { readUpTo } from '../../lib/system/durable.js'
import { createFakeSystem, FAKE_START_MS, type FakeSystem } from '../helpers/fake-system.js'
import { createSeededRandom, type SeededRandom } from '../helpers/seeded-random.js'

export interface ModelOptions {
  readonly seed: number
  readonly steps: number
  readonly by: DedupeBy
  /** How many ids there are. */
  readonly ids: number
  readonly batchRecords: number
  readonly settings?: Record<string, number | string>
}

interface ModelCounts {
  appended: number
  duplicates: number
  readonly done: Map<string, number>
}

interface Logged {
  readonly offset: number
  readonly id: string | undefined
  readonly timestampMs: number
}

/** What became of a record: where it is, and whether it was there before. */
interface Place {
  readonly offset: number
  readonly isDuplicate: boolean
}

interface Actor {
  readonly system: FakeSystem
  readonly producer: Producer
  readonly places: Place[]
}

const HOUR_MS = 3_600_000
const WINDOW_MS = HOUR_MS
/** Timestamps lie about so far apart, so that the edge of the window is met to the millisecond. */
const QUARTER_MS = HOUR_MS / 4

export const MODEL_RUNS: readonly {
  readonly title: string
  readonly seeds: number
  readonly options: Omit<ModelOptions, 'seed'>
}[] = [
  { title: 'few ids, small batches', seeds: 4, options: { steps: 80, by: { field: 'key' }, ids: 12, batchRecords: 6 } },
  {
    title: 'many ids, tables that grow',
    seeds: 1,
    options: { steps: 40, by: { field: 'value' }, ids: 6000, batchRecords: 400 },
  },
  {
    title: 'ids in headers, a log that rolls',
    seeds: 3,
    options: {
      steps: 60,
      by: { field: 'header', name: 'id' },
      ids: 40,
      batchRecords: 20,
      settings: { 'segment.bytes': 4000 },
    },
  },
]

/** Runs with seeds from one on; gives how often each thing was done. Throws when anything is other than the naive look says. */
export async function runModels(
  options: Omit<ModelOptions, 'seed'>,
  firstSeed: number,
  count: number,
): Promise<Map<string, number>> {
  const done = new Map<string, number>()
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const counts = await runModel({ ...options, seed })
    for (const [what, times] of [...counts.done, ['appended', counts.appended], ['duplicates', counts.duplicates]] as const) {
      done.set(what, (done.get(what) ?? 0) + times)
    }
  }
  return done
}

async function runModel(options: ModelOptions): Promise<ModelCounts> {
  const model = new Model(options)
  await model.start()
  for (let step = 0; step < options.steps; step += 1) await model.step()
  return model.counts
}

class Model {
  readonly counts: ModelCounts = { appended: 0, duplicates: 0, done: new Map() }
  readonly #random: SeededRandom
  #boots = 0
  #pids = 1000
  #system: FakeSystem
  #actors: Actor[] = []

  constructor(private readonly options: ModelOptions) {
    this.#random = createSeededRandom(options.seed)
    this.#system = this.#process()
  }

  async start(): Promise<void> {
    const store = await openOrCreateStore(this.#system, '/store')
    await createTopic(store, 't', { config: this.options.settings ?? {} })
  }

  async step(): Promise<void> {
    const choice = this.#random.integer(100)
    if (choice < 50) await this.#noted('append', () => this.#append())
    else if (choice < 60) await this.#noted('append beside', () => this.#appendBeside())
    else if (choice < 68) await this.#noted('append at once', () => this.#appendAtOnce())
    else if (choice < 74) await this.#noted('restart', () => this.#restart())
    else if (choice < 80) await this.#noted('kill', () => this.#kill())
    else if (choice < 84) await this.#noted('power cut', () => this.#cutPower())
    else if (choice < 88) await this.#noted('delete', () => this.#deleteIndex())
    else if (choice < 93) await this.#noted('garble', () => this.#garbleIndex())
    else if (choice < 96) await this.#noted('log start', () => this.#moveStart())
    else await this.#noted('time', () => this.#system.clock.advance(this.#random.integer(9) * QUARTER_MS))
  }

  async #noted(what: string, work: () => Promise<void> | void): Promise<void> {
    this.counts.done.set(what, (this.counts.done.get(what) ?? 0) + 1)
    await work()
  }

  async #append(): Promise<void> {
    const actor = await this.#someActor()
    const records = this.#someRecords()
    const before = await this.#log()
    const end = this.#end()
    await this.#produce(actor, records)
    const expected = this.#judge(before, end, records)
    for (const [n, place] of actor.places.entries()) {
      const wanted = expected[n]
      const record = records[n]
      if (place.isDuplicate !== wanted?.isDuplicate || (!place.isDuplicate && place.offset !== wanted.offset)) {
        this.#fail(`record ${n} (id ${this.#idOf(record)}): ${JSON.stringify(place)}, not ${JSON.stringify(wanted)}`)
      }
    }
    await this.#checkPlaces(actor, records)
  }

  /** By a producer that does not look for duplicates. */
  async #appendBeside(): Promise<void> {
    const producer = await Producer.open(openStore(this.#process(), '/store'), 't')
    for (const record of this.#someRecords()) await producer.add(record)
    await producer.close()
  }

  /** Several at a time, some of which do not look for duplicates: nobody knows the order, but every verdict must be true of the log. */
  async #appendAtOnce(): Promise<void> {
    const actors = [await this.#someActor(), await this.#newActor(), await this.#newActor()]
    const work = actors.map((actor) => ({ actor, records: this.#someRecords() }))
    await Promise.all([...work.map(({ actor, records }) => this.#produce(actor, records)), this.#appendBeside()])
    const log = await this.#log()
    for (const { actor, records } of work) {
      for (const [n, { offset, isDuplicate }] of actor.places.entries()) {
        const record = records[n]
        if (isDuplicate || record === undefined) continue
        const like = this.#firstLike(log, record)
        if (like !== undefined && like.offset < offset)
          this.#fail(`offset ${offset} was appended, and offset ${like.offset} is its like`)
      }
      await this.#checkPlaces(actor, records)
    }
  }

  async #produce(actor: Actor, records: readonly RecordInput[]): Promise<void> {
    actor.places.length = 0
    for (const record of records) await actor.producer.add(record)
    if (this.#random.chance(0.5)) await actor.producer.sync()
    else await actor.producer.flush()
    if (actor.places.length !== records.length) this.#fail(`${actor.places.length} places of ${records.length} records`)
    for (const { isDuplicate } of actor.places) {
      if (isDuplicate) this.counts.duplicates += 1
      else this.counts.appended += 1
    }
  }

  /** Where a record is said to be, one with its id is, and it is not too old. */
  async #checkPlaces({ places }: Actor, records: readonly RecordInput[]): Promise<void> {
    const log = new Map((await this.#log()).map((record) => [record.offset, record]))
    for (const [n, { offset }] of places.entries()) {
      const record = records[n]
      const there = log.get(offset)
      if (record === undefined || there === undefined || !this.#isLike(there, record))
        this.#fail(`no like of record ${n} is at ${offset}`)
    }
  }

  async #restart(): Promise<void> {
    for (const { producer } of this.#actors.splice(0, 1 + this.#random.integer(3))) await producer.close()
  }

  #kill(): void {
    for (const { system } of this.#actors.splice(0, 1 + this.#random.integer(3))) system.process.kill()
  }

  /** Mostly with names that are durable and a log that is synced, so that it is the index alone that the cut tears. */
  async #cutPower(): Promise<void> {
    this.#boots += 1
    if (this.#random.chance(0.8)) {
      for (const { producer } of this.#actors) await producer.sync()
      for (const path of ['/', '/store', '/store/t-0']) this.#system.fs.syncDirectory(path)
    }
    const disk = this.#system.disk.crash({ seed: this.#random.integer(1000), keepUnsynced: 'random' })
    this.#actors = []
    this.#system = this.#process(disk)
    // A torn end of the log is cut, and the command that finds it says so and appends nothing; the next one goes on.
    await this.#appendBeside().catch((error: unknown) => {
      if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
    })
  }

  #deleteIndex(): void {
    if (this.#system.fs.pathStatus(this.#indexPath()) !== undefined) this.#system.fs.unlink(this.#indexPath())
  }

  /** Damage, as a disk or a person does it: bytes that are others, zeros, a file that is cut. */
  #garbleIndex(): void {
    const { fs } = this.#system
    const sizeBytes = fs.pathStatus(this.#indexPath())?.sizeBytes ?? 0
    if (sizeBytes === 0) return
    const fd = fs.open(this.#indexPath(), 'read-write')
    if (this.#random.chance(0.2)) fs.truncate(fd, this.#random.integer(sizeBytes))
    else if (this.#random.chance(0.3)) fs.write(fd, this.#random.bytes(5), 0, 5, this.#random.integer(100))
    else this.#garbleBuckets(fd, sizeBytes)
    fs.close(fd)
    // What a process has read it need not read again: others see the damage.
    for (const { system } of this.#actors.splice(0)) system.process.kill()
  }

  /** In half of the buckets that hold something: entries are gone, or are those of another id. */
  #garbleBuckets(fd: number, sizeBytes: number): void {
    const { fs } = this.#system
    for (let position = BUCKET_BYTES; position + BUCKET_BYTES <= sizeBytes; position += BUCKET_BYTES) {
      const bucket = readUpTo(fs, fd, position, BUCKET_BYTES)
      if (usedEntries(bucket) === 0 || this.#random.chance(0.5)) continue
      if (this.#random.chance(0.5)) fs.write(fd, this.#random.bytes(5), 0, 5, position + entryPosition(0))
      else fs.write(fd, new Uint8Array(4), 0, 4, position + 8)
    }
  }

  #moveStart(): void {
    const start = logStartOffset(this.#view(), listSegments(this.#view()))
    const offset = start + this.#random.integer(Math.max(1, this.#end() - start))
    const store = openStore(this.#system, '/store')
    writeLogStartOffset(
      appendContext(store, 't', 0, () => new TopicConfig({})),
      offset,
    )
  }

  async #someActor(): Promise<Actor> {
    const known = this.#actors[this.#random.integer(this.#actors.length + 1)]
    return known ?? (await this.#newActor())
  }

  async #newActor(): Promise<Actor> {
    const system = this.#process()
    const places: Place[] = []
    const producer = await Producer.open(openStore(system, '/store'), 't', {
      dedupe: { by: this.options.by, windowMs: WINDOW_MS },
      codec: this.#random.chance(0.3) ? 'gzip' : 'none',
      batchBytes: this.#random.chance(0.3) ? 500 : 100_000,
      onAppended: ({ baseOffset, recordCount }) => {
        for (let n = 0; n < recordCount; n += 1) places.push({ offset: baseOffset + n, isDuplicate: false })
      },
      onDuplicate: (_, offset) => places.push({ offset, isDuplicate: true }),
    })
    const actor = { system, producer, places }
    this.#actors.push(actor)
    return actor
  }

  #process(disk = (this.#system as FakeSystem | undefined)?.disk): FakeSystem {
    this.#pids += 1
    const clock = (this.#system as FakeSystem | undefined)?.clock
    const bootId = Uint8Array.from({ length: 16 }, (_, n) => n + 1 + this.#boots)
    return createFakeSystem({ seed: this.#pids, pid: this.#pids, bootId, ...(disk && { disk }), ...(clock && { clock }) })
  }

  #someRecords(): RecordInput[] {
    const count = 1 + this.#random.integer(this.options.batchRecords)
    const nowMs = this.#system.clock.nowMs()
    const isOldImport = this.#random.chance(0.1)
    return Array.from({ length: count }, () => {
      const id = Buffer.from(`id-${this.#random.integer(this.options.ids)}`)
      const lateMs = this.#random.integer(this.#random.chance(0.2) ? 12 : 3) * QUARTER_MS + this.#random.integer(2)
      const timestampMs = isOldImport ? FAKE_START_MS - this.#random.integer(400) * HOUR_MS : nowMs - lateMs
      return { ...this.#recordOf(id), timestampMs: this.#random.chance(0.01) ? -1 : timestampMs }
    })
  }

  #recordOf(id: Uint8Array): RecordInput {
    const { by } = this.options
    const value = Buffer.from('v')
    if (by.field === 'key') return { key: id, value }
    if (by.field === 'value') return { value: id }
    const headers = [
      { key: by.name, value: Buffer.from('not the last one') },
      { key: by.name, value: id },
    ]
    return { value, headers }
  }

  /** The naive look: through everything, for each record. */
  #judge(before: readonly Logged[], end: number, records: readonly RecordInput[]): Place[] {
    const log = [...before]
    let next = end
    return records.map((record) => {
      const like = this.#firstLike(log, record)
      if (like !== undefined) return { offset: like.offset, isDuplicate: true }
      log.push({ offset: next, id: this.#idOf(record), timestampMs: record.timestampMs ?? 0 })
      next += 1
      return { offset: next - 1, isDuplicate: false }
    })
  }

  #firstLike(log: readonly Logged[], record: RecordInput): Logged | undefined {
    const id = this.#idOf(record)
    return log.find((other) => other.id === id && this.#isLike(other, record))
  }

  #isLike(other: Logged, record: RecordInput): boolean {
    return other.id === this.#idOf(record) && other.timestampMs >= (record.timestampMs ?? 0) - WINDOW_MS
  }

  #idOf(record: RecordInput | undefined): string | undefined {
    if (record === undefined) return undefined
    const { by } = this.options
    if (by.field === 'header') return textOf(record.headers?.findLast(({ key }) => key === by.name)?.value)
    return textOf(by.field === 'key' ? record.key : record.value)
  }

  async #log(): Promise<Logged[]> {
    const view = this.#view()
    const log: Logged[] = []
    const start = logStartOffset(view, listSegments(view))
    for await (const { batch, fromOffset } of readPartition(view, start, this.#end())) {
      for (const { offset, timestampMs, key, value, headers } of batch.records()) {
        if (offset < fromOffset) continue
        log.push({ offset, timestampMs: Number(timestampMs), id: this.#idOf({ key, value, headers }) })
      }
    }
    return log
  }

  #end(): number {
    return logEndOffset(this.#view(), listSegments(this.#view()))
  }

  #view() {
    return viewContext(openStore(this.#system, '/store'), 't', 0)
  }

  #indexPath(): string {
    return `/store/t-0/${dedupeIndexName(this.options.by)}`
  }

  #fail(message: string): never {
    const { seed, by } = this.options
    throw new Error(`seed ${seed}, ${nameOf(by)}: ${message}; ${JSON.stringify([...this.counts.done])}`)
  }
}

function textOf(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes === null || bytes === undefined ? undefined : Buffer.from(bytes).toString()
}
