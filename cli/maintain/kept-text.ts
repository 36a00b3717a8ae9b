/** Why segments are still on disk, in words: what `retain -v` and `doctor` say of them. */
import type { KeptSegments } from '../../lib/maintain/retain/kept-segments.js'
import { roundDuration, roundSize } from '../values/units.js'

/** Without the name of the partition, which stands before it. */
export function keptText(kept: KeptSegments, topic: string, nowMs: number): string {
  const { reason, segments, sizeBytes, fromOffset, toOffset } = kept
  if (reason === 'active' || toOffset === null)
    return `the active segment, ${roundSize(sizeBytes)}, from offset ${fromOffset} on, is being written${activeEnd(kept, nowMs)}`
  const isOne = segments.length === 1
  const what = `${countOf(segments.length, 'segment')}, ${roundSize(sizeBytes)}, ${offsetsText(fromOffset, toOffset)},`
  const are = isOne ? 'is' : 'are'
  switch (reason) {
    case 'not-due':
      return `${what} ${are} ${notDue(kept, nowMs)}`
    case 'newest':
      return `${what} ${are} kept whatever the size, since nothing newer is there`
    case 'held':
      return `${what} ${are} due, and held by ${groupsText(kept.heldBy)}${hardEnd(kept, nowMs)}`
    case 'not-archived':
      return `${what} ${are} due, and held by archive.required until archived, as by: logq archive ${topic} --to …`
    case 'behind':
      return `${what} ${are} due, and ${isOne ? 'goes' : 'go'} when what is before ${isOne ? 'it' : 'them'} does`
  }
}

/** `offsets 3 to 5`, `offset 3`; the end is excluded. */
export function offsetsText(fromOffset: number, toOffset: number): string {
  return toOffset - fromOffset === 1 ? `offset ${fromOffset}` : `offsets ${fromOffset} to ${toOffset - 1}`
}

/** `3 segments`, `1 segment`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

export function groupsText(groups: readonly string[]): string {
  return `${groups.length > 1 ? 'groups' : 'group'} ${groups.map((group) => `'${group}'`).join(', ')}`
}

/** To the minute, and how far away that is. */
export function whenText(timeMs: number, nowMs: number): string {
  const date = new Date(timeMs)
  if (Number.isNaN(date.getTime())) return 'in more years than a calendar has'
  const away = timeMs >= nowMs ? `in ${roundDuration(timeMs - nowMs)}` : `${roundDuration(nowMs - timeMs)} ago`
  return `on ${date.toISOString().replace(/:\d\d\.\d+Z$/, 'Z')} (${away})`
}

function notDue({ dueMs, lastDueMs, dueAfterBytes, segments }: KeptSegments, nowMs: number): string {
  const [goes, first] = segments.length === 1 ? ['it goes', ''] : ['the first goes', ', the last']
  const more = dueAfterBytes === null ? '' : `when ${roundSize(dueAfterBytes)} more are appended`
  if (dueMs === null) {
    if (more === '') return 'kept for ever: neither retention.ms nor retention.bytes limits the topic'
    return `within retention.bytes: ${goes} ${more}`
  }
  const last = first === '' || lastDueMs === null ? '' : `${first} ${whenText(lastDueMs, nowMs)}`
  return `not expired: ${goes} ${whenText(dueMs, nowMs)}${last}${more === '' ? '' : `; or sooner, ${more}`}`
}

function hardEnd({ dueMs, dueAfterBytes }: KeptSegments, nowMs: number): string {
  const ends = [
    ...(dueMs === null ? [] : [whenText(dueMs, nowMs)]),
    ...(dueAfterBytes === null ? [] : [`when ${roundSize(dueAfterBytes)} more are appended`]),
  ]
  return ends.length === 0 ? '' : `; the hard limit ends that ${ends.join(', or ')}`
}

function activeEnd({ dueMs }: KeptSegments, nowMs: number): string {
  return dueMs === null ? '' : `; what is in it now goes ${whenText(dueMs, nowMs)} at the earliest`
}
