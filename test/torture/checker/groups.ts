/**
 * I12, consumer groups. Each function gives what is wrong, a sentence each.
 *
 * Whoever is killed, stopped or slowed may leave records behind that it delivered and did not commit: others deliver them again. Without
 * such a reason nothing comes twice.
 */
import type { CommitsEvent, DeliverEvent, GroupEvent } from '../history.js'
import type { Reading, View } from './view.js'

/** What a member that was taken out had in its hands it may deal with so long after it goes on; generous, as machines are busy. */
export const IN_FLIGHT_NS = 15e9

interface Delivery {
  readonly process: string
  readonly timeNs: number
}

/** Of one value at one place, in one group. */
interface Delivered {
  readonly id: string
  readonly place: string
  readonly deliveries: Delivery[]
}

/** Each record is delivered at least once to each group; whatever is delivered is what the log holds there. */
export function groupDeliveries(view: View): string[] {
  const findings: string[] = []
  for (const { group, topics, isAtMostOnce } of groupsOf(view)) {
    const delivered = deliveredTo(view, group)
    for (const { id, place, deliveries } of delivered.values()) {
      const there = view.places.get(id)?.some(({ partition, offset }) => place.endsWith(`:${partition}@${offset}`))
      // A topic that was removed may be seen by nobody else.
      const isOfRemoved = [...view.removals.keys()].some((topic) => place.startsWith(`${topic}:`))
      if (there === undefined ? !isOfRemoved : !there)
        findings.push(
          `${deliveries[0]?.process ?? ''} of '${group}' delivered '${id}' at ${place}, where it is for nobody else`,
        )
    }
    if (isAtMostOnce) continue
    for (const topic of topics) {
      for (const { partition, offset, id } of recordsOf(view.finals.get(topic))) {
        const place = `${topic}:${partition}@${offset}`
        if (!delivered.has(`${place} ${id}`)) findings.push(`'${id}' at ${place} was never delivered to '${group}'`)
      }
    }
  }
  return findings
}

/** At most once, where that was asked for; else twice only when somebody was disturbed, and not for long. */
export function groupRepeats(view: View): string[] {
  const findings: string[] = []
  const disturbed = disturbedProcesses(view)
  const continued = continuations(view)
  for (const { group, isAtMostOnce } of groupsOf(view)) {
    for (const { id, place, deliveries } of deliveredTo(view, group).values()) {
      if (deliveries.length === 1) continue
      const by = deliveries.map(({ process }) => process).join(' and ')
      const what = `'${id}' at ${place} was delivered to '${group}' by ${by}`
      const calm = deliveries.filter(({ process }) => !disturbed.has(process))
      if (isAtMostOnce) findings.push(what)
      else if (calm.length > 1) findings.push(`${what}, of which nobody had disturbed ${calm.map((one) => one.process).join()}`)
      else if (calm[0] !== undefined) {
        const committedNs = calm[0].timeNs + IN_FLIGHT_NS
        for (const { process, timeNs } of deliveries) {
          const isInFlight = continued.get(process)?.some((ns) => ns < timeNs && timeNs - ns < IN_FLIGHT_NS) === true
          if (timeNs > committedNs && !isInFlight)
            findings.push(`${what}, by ${process} ${Math.round((timeNs - calm[0].timeNs) / 1e6)} ms after ${calm[0].process}`)
        }
      }
    }
  }
  return findings
}

/** Committed offsets never go back, and never beyond what there is; generations neither. */
export function groupCommits(view: View): string[] {
  const findings: string[] = []
  for (const { group, topics, isAtMostOnce } of groupsOf(view)) {
    const { committed, findings: found } = followCommits(view, group)
    findings.push(...found)
    for (const topic of topics) {
      const final = view.finals.get(topic)
      if (final?.topicId === undefined) continue
      const ends = endsOf(final)
      for (const [partition, end] of ends) {
        const offset = committed.get(`${topic} ${final.topicId} ${partition}`)
        const place = `${topic}:${partition}`
        if (offset !== end) findings.push(`'${group}' ended with ${String(offset)} of ${place}, which ends at ${end}`)
      }
    }
    if (!isAtMostOnce) continue
    for (const { id, place } of deliveredTo(view, group).values()) {
      const [, topic = '', partition = '', offset = ''] = /^(.*):(\d+)@(\d+)$/.exec(place) ?? []
      const topicId = view.finals.get(topic)?.topicId ?? ''
      if (!view.removals.has(topic) && Number(offset) >= (committed.get(`${topic} ${topicId} ${partition}`) ?? 0))
        findings.push(`'${id}' at ${place} was delivered to '${group}', and not committed before`)
    }
  }
  return findings
}

/** In the end each group is at rest with the members that it has, and one that comes reads what is left. */
export function groupEnds(view: View): string[] {
  return view.events.flatMap((event) =>
    event.operation === 'group' && event.type === 'fail' ? [`'${event.group}': ${event.what ?? ''}`] : [],
  )
}

function followCommits(view: View, group: string): { committed: Map<string, number>; findings: string[] } {
  const findings: string[] = []
  let committed = new Map<string, number>()
  let lastGeneration = 0
  for (const event of view.events.filter((one): one is CommitsEvent => one.operation === 'commits' && one.group === group)) {
    if (event.damagedCount > 0) findings.push(`the offsets of '${group}' had ${event.damagedCount} lines that say nothing`)
    const before = committed
    if (event.isWhole) {
      committed = new Map()
      lastGeneration = 0
    }
    for (const [generation, member, flat] of event.lines) {
      if (generation < lastGeneration)
        findings.push(`${member} committed to '${group}' in generation ${generation}, after ${lastGeneration}`)
      lastGeneration = generation
      for (let n = 0; n + 3 < flat.length; n += 4) {
        const [topic, topicId, partition, offset] = [flat[n], flat[n + 1], flat[n + 2], flat[n + 3]]
        const key = `${String(topic)} ${String(topicId)} ${String(partition)}`
        const place = `${String(topic)}:${String(partition)}`
        const known = committed.get(key)
        if (typeof offset !== 'number') findings.push(`${member} took the offset of ${place} in '${group}' away`)
        else if (offset < (known ?? 0))
          findings.push(`${member} set ${place} in '${group}' back from ${String(known)} to ${offset}`)
        if (typeof offset === 'number') committed.set(key, offset)
      }
    }
    if (!event.isWhole) continue
    // Offsets of topics that were removed are left out when the file is written anew.
    for (const [key, offset] of before) {
      const [topic = ''] = key.split(' ')
      const now = committed.get(key)
      if (now === undefined ? !view.removals.has(topic) : now < offset)
        findings.push(`the offsets of '${group}' were written anew with ${String(now)} for ${key}, which was ${offset}`)
    }
  }
  return { committed, findings }
}

function groupsOf(view: View): GroupEvent[] {
  return view.events.filter((event) => event.operation === 'group')
}

const known = new WeakMap<View, Map<string, Map<string, Delivered>>>()

function deliveredTo(view: View, group: string): Map<string, Delivered> {
  let groups = known.get(view)
  if (groups === undefined) {
    groups = new Map()
    for (const event of view.events) if (event.operation === 'deliver') note(groups, event)
    known.set(view, groups)
  }
  return groups.get(group) ?? new Map<string, Delivered>()
}

function note(groups: Map<string, Map<string, Delivered>>, { process, timeNs, group, records = [] }: DeliverEvent): void {
  const delivered = groups.get(group) ?? new Map<string, Delivered>()
  groups.set(group, delivered)
  for (let n = 0; n + 3 < records.length; n += 4) {
    const id = String(records[n + 3])
    const place = `${String(records[n])}:${String(records[n + 1])}@${String(records[n + 2])}`
    const key = `${place} ${id}`
    const one = delivered.get(key) ?? { id, place, deliveries: [] }
    delivered.set(key, one)
    one.deliveries.push({ process, timeNs })
  }
}

/** Who was killed, stopped, slowed, or failed: what it did last may be undone. */
function disturbedProcesses(view: View): Set<string> {
  const disturbed = new Set<string>()
  for (const event of view.events) {
    if (event.operation === 'process' && event.type !== 'invoke') {
      const isOrderly = event.status === 0 || event.signal === 'SIGTERM' || event.signal === 'SIGINT'
      if (!isOrderly || /taken out of group/.test(event.stderr ?? '')) disturbed.add(event.process)
    }
    if (event.operation !== 'nemesis') continue
    const name = /^(?:stopped|killed|continued) (\S+)$|^([^ :]+\.\d+)(?:: | syncs in )/.exec(event.what ?? '')
    if (name !== null) disturbed.add(name[1] ?? name[2] ?? '')
  }
  return disturbed
}

function continuations(view: View): Map<string, number[]> {
  const times = new Map<string, number[]>()
  for (const event of view.events) {
    const name = event.operation === 'nemesis' ? /^continued (\S+)$/.exec(event.what ?? '')?.[1] : undefined
    if (name !== undefined) times.set(name, [...(times.get(name) ?? []), event.timeNs])
  }
  return times
}

function recordsOf(final: Reading | undefined): { partition: number; offset: number; id: string }[] {
  return final?.parts.flatMap(({ seen }) => seen) ?? []
}

function endsOf(final: Reading): Map<number, number> {
  const ends = new Map<number, number>()
  for (const { partition, offset } of recordsOf(final)) ends.set(partition, Math.max(ends.get(partition) ?? 0, offset + 1))
  return ends
}
