/**
 * A history, put in order for the invariants: what was sent and what became of it, who read what, and the logs that follow from both.
 *
 * A topic that is removed and made again is another log with the same name. Each life of it is an incarnation here, known by its
 * topic id; what was read while the id changed belongs to the incarnation in which its values were seen otherwise.
 */
import type { DamageEvent, HistoryEvent, ReadKind } from '../history.js'
import { keyOf, placeOf } from '../values.js'

export interface Attempt {
  readonly process: string
  readonly topicId: string | undefined
  readonly invokeNs: number
  readonly expectOffset: number | undefined
  outcome: 'ok' | 'fail' | 'info'
  okNs: number | undefined
  place: { readonly partition: number; readonly offset: number } | undefined
}

export interface Sent {
  readonly id: string
  readonly topic: string
  readonly sequence: string
  readonly n: number
  readonly isDedupe: boolean
  readonly attempts: Attempt[]
}

export interface Seen {
  readonly partition: number
  readonly offset: number
  readonly id: string
  readonly timeNs: number
}

/** What one reader saw of one partition in one go: a follower begins another part when a topic was made anew. */
export interface Part {
  readonly partition: number
  readonly seen: Seen[]
  incarnation: string
}

export interface Reading {
  readonly process: string
  readonly topic: string
  readonly topicId: string | undefined
  readonly kind: ReadKind
  readonly partition: number | undefined
  readonly from: number | undefined
  readonly to: number | undefined
  readonly isFinal: boolean
  readonly beganNs: number
  endedNs: number | undefined
  /** Undefined when it was killed. */
  outcome: 'ok' | 'fail' | undefined
  topicIdAfter: string | undefined
  readonly parts: Part[]
}

/** One partition of one incarnation: what is known of its offsets, by whomever. */
export type Log = Map<number, { readonly id: string; readonly witness: string }>

export interface Interval {
  readonly beganNs: number
  readonly endedNs: number
}

export interface View {
  readonly events: readonly HistoryEvent[]
  readonly sent: ReadonlyMap<string, Sent>
  readonly readings: readonly Reading[]
  /** The last reading of each topic. */
  readonly finals: ReadonlyMap<string, Reading>
  /** By incarnation, then partition. */
  readonly logs: ReadonlyMap<string, ReadonlyMap<number, Log>>
  /** Everywhere a value was seen or said to be: `incarnation partition offset`, split. */
  readonly places: ReadonlyMap<string, readonly Place[]>
  /** Removals of topics; one that was killed ends never. */
  readonly removals: ReadonlyMap<string, readonly Interval[]>
  /** Topics of which a record may go when a later one has its key. */
  readonly compacted: ReadonlySet<string>
  readonly damages: readonly DamageEvent[]
  readonly disturbances: readonly Interval[]
  /** Two witnesses that contradict each other. */
  readonly contradictions: readonly string[]
}

export interface Place {
  readonly incarnation: string
  readonly partition: number
  readonly offset: number
}

export function viewOf(events: readonly HistoryEvent[]): View {
  const sent = collectSent(events)
  const removals = intervals(events, (event) => (event.operation === 'rm' ? event.topic : undefined))
  const disturbances = [
    ...intervals(events, (event) => (event.operation === 'nemesis' ? event.process : undefined)).values(),
  ].flat()
  const readings = collectReadings(events)
  const board = new Board()
  assignIncarnations(readings, removals, board)
  for (const one of sent.values()) {
    for (const attempt of one.attempts) noteAttempt(one, attempt, removals, board)
  }
  const finals = new Map(readings.filter(({ isFinal }) => isFinal).map((reading) => [reading.topic, reading]))
  return {
    events,
    sent,
    readings,
    finals,
    removals,
    disturbances,
    logs: board.logs,
    places: board.places,
    contradictions: board.contradictions,
    compacted: new Set(
      events.flatMap((event) => (event.operation === 'create' && event.isCompacted === true ? [event.topic] : [])),
    ),
    damages: events.filter((event) => event.operation === 'damage'),
  }
}

/** The incarnation of a topic that is there at the end, or undefined when nobody looked. */
export function lastIncarnation(view: View, topic: string): string | undefined {
  const final = view.finals.get(topic)
  if (final === undefined) return undefined
  return nameOf(topic, final.topicId, view.removals)
}

export function isDamaged(view: View, topic: string, partition: number, offset: number): boolean {
  return view.damages.some(
    (damage) => damage.topic === topic && damage.partition === partition && offset >= damage.from && offset < damage.to,
  )
}

/**
 * A record that is not there at the end may be: its topic is compacted, and a later one with its key is there. `place` is undefined when
 * nobody saw it.
 */
export function isSuperseded(view: View, topic: string, id: string, place: Omit<Place, 'incarnation'> | undefined): boolean {
  if (!view.compacted.has(topic)) return false
  const key = keyOf(id)
  const own = placeOf(id)
  return (view.finals.get(topic)?.parts ?? []).some(({ partition, seen }) => {
    if (place !== undefined && partition !== place.partition) return false
    return seen.some((other) => {
      if (keyOf(other.id) !== key) return false
      if (place !== undefined) return other.offset > place.offset
      // What one producer sent keeps its order.
      const later = placeOf(other.id)
      return later?.sequence !== own?.sequence || (later?.n ?? 0) > (own?.n ?? 0)
    })
  })
}

function nameOf(topic: string, topicId: string | undefined, removals: View['removals']): string | undefined {
  if (!removals.has(topic)) return topic
  return topicId === undefined ? undefined : `${topic} ${topicId}`
}

class Board {
  readonly logs = new Map<string, Map<number, Log>>()
  readonly places = new Map<string, Place[]>()
  readonly contradictions: string[] = []

  note(incarnation: string, { partition, offset, id }: Omit<Seen, 'timeNs'>, witness: string): void {
    const partitions = this.logs.get(incarnation) ?? new Map<number, Log>()
    this.logs.set(incarnation, partitions)
    const log = partitions.get(partition) ?? (new Map() as Log)
    partitions.set(partition, log)
    const known = log.get(offset)
    if (known === undefined) log.set(offset, { id, witness })
    else if (known.id !== id) {
      this.contradictions.push(
        `${incarnation}:${partition}@${offset} is '${known.id}' for ${known.witness} and '${id}' for ${witness}`,
      )
    }
    if (known?.id === id) return
    const places = this.places.get(id) ?? []
    this.places.set(id, places)
    const isSame = (place: Place): boolean =>
      place.incarnation === incarnation && place.partition === partition && place.offset === offset
    if (!places.some(isSame)) places.push({ incarnation, partition, offset })
  }
}

function collectSent(events: readonly HistoryEvent[]): Map<string, Sent> {
  const sent = new Map<string, Sent>()
  for (const event of events) {
    if (event.operation !== 'send') continue
    for (const [n, id] of event.values.entries()) {
      if (event.type === 'invoke') {
        const one = sent.get(id) ?? {
          id,
          topic: event.topic,
          sequence: placeOf(id)?.sequence ?? id,
          n: placeOf(id)?.n ?? 0,
          isDedupe: event.dedupe === true,
          attempts: [],
        }
        sent.set(id, one)
        one.attempts.push({
          process: event.process,
          topicId: event.topicId,
          invokeNs: event.timeNs,
          expectOffset: n === 0 ? event.expectOffset : undefined,
          outcome: 'info',
          okNs: undefined,
          place: undefined,
        })
        continue
      }
      const attempt = sent.get(id)?.attempts.find(({ process }) => process === event.process)
      if (attempt === undefined) continue
      attempt.outcome = event.type
      if (event.type !== 'ok') continue
      attempt.okNs = event.timeNs
      const [partition, offset] = [event.places?.[2 * n], event.places?.[2 * n + 1]]
      if (partition !== undefined && offset !== undefined) attempt.place = { partition, offset }
    }
  }
  return sent
}

function collectReadings(events: readonly HistoryEvent[]): Reading[] {
  const readings = new Map<string, Reading>()
  for (const event of events) {
    if (event.operation === 'process' && event.type !== 'invoke') {
      const reading = readings.get(event.process)
      if (reading !== undefined) reading.endedNs ??= event.timeNs
    }
    if (event.operation !== 'read') continue
    const { process, topic, partition, from, to, topicId, timeNs } = event
    if (event.type === 'invoke') {
      readings.set(process, {
        process,
        topic,
        topicId,
        kind: event.kind ?? 'all',
        partition,
        from,
        to,
        isFinal: event.final === true,
        beganNs: timeNs,
        endedNs: undefined,
        outcome: undefined,
        topicIdAfter: undefined,
        parts: [],
      })
      continue
    }
    const reading = readings.get(process)
    if (reading === undefined) continue
    if (event.type === 'info') takeRecords(reading, event.records ?? [], timeNs)
    else {
      reading.outcome = event.type
      reading.endedNs = timeNs
      reading.topicIdAfter = topicId
    }
  }
  return [...readings.values()]
}

function takeRecords(reading: Reading, records: readonly (number | string)[], timeNs: number): void {
  for (let n = 0; n + 2 < records.length; n += 3) {
    const seen = { partition: Number(records[n]), offset: Number(records[n + 1]), id: String(records[n + 2]), timeNs }
    const part = reading.parts.findLast(({ partition }) => partition === seen.partition)
    const last = part?.seen.at(-1)
    if (part === undefined || (last !== undefined && seen.offset <= last.offset)) {
      reading.parts.push({ partition: seen.partition, seen: [seen], incarnation: '' })
    } else part.seen.push(seen)
  }
}

function assignIncarnations(readings: readonly Reading[], removals: View['removals'], board: Board): void {
  const doubtful: Reading[] = []
  for (const reading of readings) {
    const isDisturbed = (removals.get(reading.topic) ?? []).some((removal) => overlaps(reading, removal))
    const isCertain =
      !removals.has(reading.topic) ||
      (!isDisturbed && reading.topicId !== undefined) ||
      (reading.outcome !== undefined && reading.topicId === reading.topicIdAfter)
    const incarnation = isCertain ? nameOf(reading.topic, reading.topicId, removals) : undefined
    // One that follows goes on with the next incarnation.
    if (incarnation === undefined || (reading.kind === 'follow' && isDisturbed)) doubtful.push(reading)
    else for (const part of reading.parts) noteAs(part, incarnation, reading, board)
  }
  const left = doubtful.flatMap((reading) => reading.parts.map((part, n) => ({ reading, part, n })))
  // What has a value that is known goes first: it makes others known.
  for (;;) {
    const at = Math.max(
      0,
      left.findIndex(({ part }) => incarnationFrom(part, board) !== undefined),
    )
    const [next] = left.splice(at, 1)
    if (next === undefined) return
    const { reading, part, n } = next
    noteAs(part, incarnationFrom(part, board) ?? `${reading.topic} of ${reading.process} ${n}`, reading, board)
  }
}

/** Where its values were seen already. */
function incarnationFrom(part: Part, board: Board): string | undefined {
  return part.seen.flatMap(({ id }) => board.places.get(id) ?? []).find(({ partition }) => partition === part.partition)
    ?.incarnation
}

/** While it read, as far as it was seen to. */
function overlaps({ beganNs, parts }: Reading, removal: Interval): boolean {
  const lastNs = Math.max(beganNs, ...parts.map(({ seen }) => seen.at(-1)?.timeNs ?? 0))
  return removal.beganNs <= lastNs && removal.endedNs >= beganNs
}

function noteAs(part: Part, incarnation: string, reading: Reading, board: Board): void {
  part.incarnation = incarnation
  for (const seen of part.seen) board.note(incarnation, seen, reading.process)
}

function noteAttempt({ id, topic }: Sent, { place, process }: Attempt, removals: View['removals'], board: Board): void {
  if (place === undefined) return
  const seen = board.places.get(id)?.[0]
  const incarnation = removals.has(topic) ? seen?.incarnation : topic
  if (incarnation === undefined) return
  if (seen?.partition === place.partition && seen.offset !== place.offset) {
    board.contradictions.push(`'${id}' is at ${topic}:${seen.partition}@${seen.offset}, and ${process} printed ${place.offset}`)
  }
  board.note(incarnation, { ...place, id }, process)
}

function intervals(
  events: readonly HistoryEvent[],
  keyOf: (event: HistoryEvent) => string | undefined,
): Map<string, Interval[]> {
  const found = new Map<string, { beganNs: number; endedNs: number; process: string }[]>()
  for (const event of events) {
    const key = keyOf(event)
    if (key === undefined) continue
    const list = found.get(key) ?? []
    found.set(key, list)
    if (event.type === 'invoke') list.push({ beganNs: event.timeNs, endedNs: Infinity, process: event.process })
    else if (event.type === 'ok' || event.type === 'fail') {
      const open = list.findLast(({ process, endedNs }) => process === event.process && endedNs === Infinity)
      if (open !== undefined) open.endedNs = event.timeNs
    }
  }
  return found
}
