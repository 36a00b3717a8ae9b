/** Invariants of what was sent. Each function gives what is wrong, a sentence each. */
import { isDamaged, isSuperseded, lastIncarnation, type Attempt, type Sent, type View } from './view.js'

/** I1: what was acknowledged is read at the end, whatever the level of the acknowledgement: only a power cut would excuse acks 0. */
export function lostWrites(view: View): string[] {
  const findings: string[] = []
  const missing = new Map<string, Sent[]>()
  for (const sent of view.sent.values()) {
    if (!sent.attempts.some((attempt) => attempt.outcome === 'ok' && mustBeThere(view, sent, attempt))) continue
    if (view.finals.get(sent.topic) === undefined)
      findings.push(`nobody read '${sent.topic}' at the end, where '${sent.id}' was`)
    else if (!isInFinal(view, sent)) missing.set(sent.topic, [...(missing.get(sent.topic) ?? []), sent])
  }
  for (const [topic, lost] of missing) {
    // Where nobody saw the value, its place is not known: no more of them may be missing than offsets were damaged.
    let unplaced = view.damages.filter((damage) => damage.topic === topic).reduce((sum, { from, to }) => sum + to - from, 0)
    for (const sent of lost) {
      const place = view.places.get(sent.id)?.[0]
      if (isSuperseded(view, topic, sent.id, place)) continue
      if (place === undefined && unplaced > 0) unplaced -= 1
      else if (place === undefined || !isDamaged(view, topic, place.partition, place.offset)) {
        findings.push(`'${sent.id}' was acknowledged by ${acknowledger(sent)} and is not in '${topic}' at the end`)
      }
    }
  }
  return findings
}

function acknowledger({ attempts }: Sent): string {
  const attempt = attempts.find(({ outcome }) => outcome === 'ok')
  const place = attempt?.place
  return `${attempt?.process ?? ''}${place === undefined ? '' : ` as ${place.partition}@${place.offset}`}`
}

/** Unless the topic may have been removed after it. */
function mustBeThere(view: View, { topic }: Sent, { topicId, invokeNs }: Attempt): boolean {
  const final = view.finals.get(topic)
  if (topicId !== undefined && topicId === final?.topicId) return true
  return (view.removals.get(topic) ?? []).every(({ endedNs }) => endedNs < invokeNs)
}

function isInFinal(view: View, { id, topic }: Sent): boolean {
  const final = view.finals.get(topic)
  return final !== undefined && idsOf(final).has(id)
}

const knownIds = new WeakMap<object, Set<string>>()

function idsOf(final: NonNullable<ReturnType<View['finals']['get']>>): Set<string> {
  const known = knownIds.get(final) ?? new Set(final.parts.flatMap(({ seen }) => seen.map(({ id }) => id)))
  knownIds.set(final, known)
  return known
}

/** I2: a value is at one offset; one that is sent again, with --dedupe-by, at one offset of each partition. */
export function duplicates(view: View): string[] {
  const findings: string[] = []
  for (const [id, places] of view.places) {
    const counts = new Map<string, number>()
    for (const { incarnation, partition } of places) {
      const key = view.sent.get(id)?.isDedupe === true ? `${incarnation}:${partition}` : ''
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    if ([...counts.values()].every((count) => count === 1)) continue
    const list = places.map(({ incarnation, partition, offset }) => `${incarnation}:${partition}@${offset}`).join(' and ')
    findings.push(`'${id}' is at ${list}`)
  }
  return findings
}

/** I4: what certainly was not written is never seen. */
export function failedButSeen(view: View): string[] {
  return [...view.sent.values()]
    .filter(({ id, attempts }) => attempts.every(({ outcome }) => outcome === 'fail') && view.places.has(id))
    .map(({ id, attempts }) => `'${id}' was not written, said ${attempts[0]?.process ?? ''}, and was seen`)
}

/** I7: the values of one producer are in a partition in the order in which they were sent. */
export function sendOrder(view: View): string[] {
  const findings: string[] = []
  for (const { name, ids } of orderedLogs(view)) {
    const last = new Map<string, Sent>()
    for (const id of ids) {
      const sent = view.sent.get(id)
      if (sent === undefined) continue
      const before = last.get(sent.sequence)
      if (before !== undefined && before.n >= sent.n) findings.push(`in ${name} '${before.id}' comes before '${id}'`)
      last.set(sent.sequence, sent)
    }
  }
  return findings
}

/** I8: what is sent after something else was acknowledged has a higher offset. */
export function realTime(view: View): string[] {
  const findings: string[] = []
  for (const { name, ids } of orderedLogs(view)) {
    let latest: { id: string; invokeNs: number } | undefined
    for (const id of ids) {
      const sent = view.sent.get(id)
      if (sent === undefined) continue
      const okNs = Math.min(...sent.attempts.map((attempt) => attempt.okNs ?? Infinity))
      if (latest !== undefined && okNs < latest.invokeNs) {
        findings.push(`in ${name} '${latest.id}' comes before '${id}', and was sent after that was acknowledged`)
      }
      const invokeNs = Math.min(...sent.attempts.map((attempt) => attempt.invokeNs))
      if (latest === undefined || invokeNs > latest.invokeNs) latest = { id, invokeNs }
    }
  }
  return findings
}

/** --expect-offset: the first of the records is where it was expected to be. */
export function expectations(view: View): string[] {
  const findings: string[] = []
  for (const { id, topic, attempts } of view.sent.values()) {
    for (const { expectOffset, outcome, process } of attempts) {
      if (expectOffset === undefined || outcome !== 'ok') continue
      const place = view.places.get(id)?.find(({ incarnation }) => incarnation === lastIncarnation(view, topic))
      if (place !== undefined && place.offset !== expectOffset) {
        findings.push(`'${id}' is at ${place.offset}; ${process} appended it at ${expectOffset} or not at all`)
      }
    }
  }
  return findings
}

/** Exit status 0 with --print-offsets: a line for each record. */
export function unprintedOffsets(view: View): string[] {
  const places = new Map<string, { with: number; without: number }>()
  for (const { attempts } of view.sent.values()) {
    for (const { process, outcome, place } of attempts) {
      if (outcome !== 'ok') continue
      const counts = places.get(process) ?? { with: 0, without: 0 }
      places.set(process, counts)
      if (place === undefined) counts.without += 1
      else counts.with += 1
    }
  }
  return [...places]
    .filter(([, counts]) => counts.with > 0 && counts.without > 0)
    .map(([process, counts]) => `${process} ended with 0, and printed no offset for ${counts.without} of its records`)
}

function* orderedLogs(view: View): Generator<{ name: string; ids: string[] }> {
  for (const [incarnation, partitions] of view.logs) {
    for (const [partition, log] of partitions) {
      const offsets = [...log.keys()].sort((a, b) => a - b)
      yield { name: `${incarnation}:${partition}`, ids: offsets.map((offset) => log.get(offset)?.id ?? '') }
    }
  }
}
