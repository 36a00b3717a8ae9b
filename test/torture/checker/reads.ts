/** Invariants of what was read. Each function gives what is wrong, a sentence each. */
import { keyOf } from '../values.js'
import { isDamaged, isSuperseded, lastIncarnation, type Part, type Reading, type View } from './view.js'

/** A follower sees what was appended within this, when nothing disturbs it; generous, since others use the machine as well. */
export const FOLLOW_LIMIT_NS = 15e9

/** I3: an offset has one value, for ever, for everybody; and a value is one that was sent before. */
export function inconsistentOffsets(view: View): string[] {
  const findings = [...view.contradictions]
  for (const [id, places] of view.places) {
    const incarnations = new Set(places.map(({ incarnation }) => incarnation))
    if (incarnations.size > 1) findings.push(`'${id}' is in more than one topic: ${[...incarnations].join(', ')}`)
  }
  for (const reading of view.readings) {
    for (const { seen } of reading.parts) {
      for (const { id, partition, offset, timeNs } of seen) {
        const sent = view.sent.get(id)
        const place = `${reading.topic}:${partition}@${offset}`
        if (sent === undefined) findings.push(`${reading.process} read '${id}' at ${place}, which nobody sent`)
        else if (sent.topic !== reading.topic)
          findings.push(`${reading.process} read '${id}' at ${place}, sent to '${sent.topic}'`)
        else if (sent.attempts.every(({ invokeNs }) => invokeNs > timeNs)) {
          findings.push(`${reading.process} read '${id}' at ${place} before it was sent`)
        }
      }
    }
  }
  return findings
}

/** I6: one reader's offsets rise by one, from where it was to begin. */
export function readerOrder(view: View): string[] {
  const findings: string[] = []
  for (const reading of view.readings) {
    const parts = new Map<number, Part[]>()
    for (const part of reading.parts) parts.set(part.partition, [...(parts.get(part.partition) ?? []), part])
    for (const list of parts.values()) {
      for (const [n, part] of list.entries()) findings.push(...judgePart(view, reading, part, list[n - 1]))
    }
  }
  return findings
}

function judgePart(view: View, reading: Reading, part: Part, before: Part | undefined): string[] {
  const { topic, process, kind } = reading
  const where = (offset: number): string => `${process} (${kind}) of ${topic}:${part.partition} at offset ${offset}`
  const findings: string[] = []
  let expected = before === undefined ? firstOffset(reading) : 0
  if (before !== undefined && (kind !== 'follow' || before.incarnation === part.incarnation)) {
    return [`${where(part.seen[0]?.offset ?? 0)}: goes back from offset ${before.seen.at(-1)?.offset ?? 0}`]
  }
  for (const { offset } of part.seen) {
    if (reading.to !== undefined && offset >= reading.to) findings.push(`${where(offset)}: beyond the end of what it asked for`)
    for (let gap = expected ?? offset; gap < offset; gap += 1) {
      if (isDamaged(view, topic, part.partition, gap) || view.compacted.has(topic)) continue
      findings.push(`${where(offset)}: skips offset ${gap}`)
      break
    }
    if (expected !== undefined && offset < expected) findings.push(`${where(offset)}: before offset ${expected}`)
    expected = offset + 1
  }
  return findings
}

/** Where it has to begin; undefined when that depends on the log. */
function firstOffset({ kind, from }: Reading): number | undefined {
  return kind === 'all' ? 0 : from
}

interface Evidence {
  readonly timeNs: number
  readonly offset: number
  readonly by: string
}

/** I8, I9: whoever begins to read after something was acknowledged, or was read by another, reads it too. */
export function staleReads(view: View): string[] {
  const evidence = evidenceByLog(view)
  const findings: string[] = []
  for (const reading of view.readings) {
    if (reading.kind === 'follow' || reading.outcome !== 'ok') continue
    if (view.damages.some(({ topic }) => topic === reading.topic)) continue
    for (const [key, list] of evidence) {
      const [incarnation, partition] = key
      if (reading.partition !== undefined && reading.partition !== partition) continue
      if (incarnation !== incarnationOf(view, reading)) continue
      const due = latestBefore(list, reading.beganNs)
      if (due === undefined) continue
      const last = reading.parts.findLast((part) => part.partition === partition)?.seen.at(-1)?.offset
      if (reading.kind === 'newest' && last === undefined) continue
      // Of a compacted topic only the newest record is sure to be there.
      if (view.compacted.has(reading.topic) && reading.to !== undefined) continue
      const wanted = Math.min(due.offset, (reading.to ?? Infinity) - 1)
      if (wanted < (reading.from ?? 0) || (last !== undefined && last >= wanted)) continue
      findings.push(
        `${reading.process} (${reading.kind}) began after ${due.by} knew of ${incarnation}:${partition}@${due.offset}, and ended at ${String(last)}`,
      )
    }
  }
  return findings
}

function incarnationOf(view: View, reading: Reading): string | undefined {
  if (!view.removals.has(reading.topic)) return reading.topic
  if (reading.topicId === undefined || reading.topicId !== reading.topicIdAfter) return undefined
  return `${reading.topic} ${reading.topicId}`
}

/** By log, in the order of time, only what raises the highest offset. */
function evidenceByLog(view: View): Map<readonly [string, number], Evidence[]> {
  const all = new Map<string, { key: readonly [string, number]; list: Evidence[] }>()
  const add = (incarnation: string, partition: number, evidence: Evidence): void => {
    const name = `${incarnation}:${partition}`
    const log = all.get(name) ?? { key: [incarnation, partition] as const, list: [] }
    all.set(name, log)
    log.list.push(evidence)
  }
  for (const sent of view.sent.values()) {
    const place = view.places.get(sent.id)
    if (place?.length !== 1 || place[0] === undefined) continue
    for (const { okNs, process } of sent.attempts) {
      if (okNs !== undefined)
        add(place[0].incarnation, place[0].partition, { timeNs: okNs, offset: place[0].offset, by: process })
    }
  }
  for (const { process, parts } of view.readings) {
    for (const { incarnation, partition, seen } of parts) {
      for (const { timeNs, offset } of seen) add(incarnation, partition, { timeNs, offset, by: process })
    }
  }
  return new Map([...all.values()].map(({ key, list }) => [key, rising(list)]))
}

function rising(list: Evidence[]): Evidence[] {
  list.sort((a, b) => a.timeNs - b.timeNs)
  const kept: Evidence[] = []
  for (const one of list) if (one.offset > (kept.at(-1)?.offset ?? -1)) kept.push(one)
  return kept
}

function latestBefore(list: readonly Evidence[], timeNs: number): Evidence | undefined {
  let [from, to] = [0, list.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((list[middle]?.timeNs ?? Infinity) < timeNs) from = middle + 1
    else to = middle
  }
  return list[from - 1]
}

/** I9: what was ever seen or acknowledged is there at the end, at its place: nothing vanishes. */
export function vanished(view: View): string[] {
  const findings: string[] = []
  for (const [topic, final] of view.finals) {
    const incarnation = lastIncarnation(view, topic)
    for (const [partition, log] of view.logs.get(incarnation ?? '') ?? []) {
      const there = new Set(
        final.parts.filter((part) => part.partition === partition).flatMap(({ seen }) => seen.map(({ offset }) => offset)),
      )
      for (const [offset, { id, witness }] of log) {
        if (there.has(offset) || isDamaged(view, topic, partition, offset)) continue
        if (isSuperseded(view, topic, id, { partition, offset })) continue
        findings.push(`'${id}' was at ${topic}:${partition}@${offset} for ${witness}, and is not there at the end`)
      }
    }
  }
  return findings
}

/** I10: in the end, of what was there before the last compaction, each key is there once; that it is the newest is for I1 and I9 to say. */
export function compaction(view: View): string[] {
  const findings: string[] = []
  for (const topic of view.compacted) {
    for (const { partition, seen } of view.finals.get(topic)?.parts ?? []) {
      const counts = new Map<string, number>()
      for (const { id } of seen) {
        // Sent after the compaction, one for each partition.
        if (id.startsWith('last.')) continue
        counts.set(keyOf(id), (counts.get(keyOf(id)) ?? 0) + 1)
      }
      for (const [key, count] of counts)
        if (count > 1) findings.push(`${count} records with key '${key}' are left in ${topic}:${partition}`)
    }
  }
  return findings
}

/** I8: a follower sees what was acknowledged within the limit while nothing is disturbed; and in the end everything. */
export function followers(view: View): string[] {
  const findings: string[] = []
  for (const reading of view.readings) {
    if (reading.kind !== 'follow') continue
    const seenNs = new Map<string, number>()
    for (const { partition, seen } of reading.parts) {
      for (const { offset, id, timeNs } of seen) seenNs.set(`${partition}@${offset} ${id}`, timeNs)
    }
    findings.push(...unseenAtTheEnd(view, reading, seenNs), ...seenLate(view, reading, seenNs))
  }
  return findings
}

function unseenAtTheEnd(view: View, reading: Reading, seenNs: ReadonlyMap<string, number>): string[] {
  const final = view.finals.get(reading.topic)
  if (reading.outcome !== 'ok' || final === undefined) return []
  const unseen: string[] = []
  for (const { partition, seen } of final.parts) {
    for (const { offset, id } of seen) {
      if (offset < firstFollowed(view, reading, partition) || seenNs.has(`${partition}@${offset} ${id}`)) continue
      unseen.push(`${reading.process} never saw '${id}' at ${reading.topic}:${partition}@${offset}`)
    }
  }
  return unseen
}

/** Where it began: where it was told to, or where the first record that it printed was. A topic that was made anew: at its start. */
function firstFollowed(view: View, { topic, topicId, from, parts }: Reading, partition: number): number {
  if (view.removals.has(topic) && topicId !== view.finals.get(topic)?.topicId) return 0
  return from ?? parts.find((part) => part.partition === partition)?.seen[0]?.offset ?? Infinity
}

function seenLate(view: View, reading: Reading, seenNs: ReadonlyMap<string, number>): string[] {
  if (view.removals.has(reading.topic)) return []
  const late: string[] = []
  for (const sent of view.sent.values()) {
    if (sent.topic !== reading.topic) continue
    const okNs = Math.min(...sent.attempts.map((attempt) => attempt.okNs ?? Infinity))
    const limitNs = okNs + FOLLOW_LIMIT_NS
    if (okNs === Infinity || okNs < reading.beganNs + FOLLOW_LIMIT_NS || limitNs > (reading.endedNs ?? 0)) continue
    if (view.disturbances.some(({ beganNs, endedNs }) => beganNs < limitNs && endedNs > okNs)) continue
    for (const { partition, offset } of view.places.get(sent.id) ?? []) {
      if (offset < firstFollowed(view, reading, partition)) continue
      const timeNs = seenNs.get(`${partition}@${offset} ${sent.id}`) ?? Infinity
      if (timeNs <= limitNs || isSuperseded(view, sent.topic, sent.id, { partition, offset })) continue
      const delay = timeNs === Infinity ? 'never' : `${Math.round((timeNs - okNs) / 1e6)} ms after it was acknowledged`
      late.push(`${reading.process} saw '${sent.id}' at ${reading.topic}:${partition}@${offset} ${delay}`)
    }
  }
  return late
}
