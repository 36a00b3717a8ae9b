/** Invariants of everything beside records: fsck, indexes, litter, how processes end. */
import type { ProcessEvent } from '../history.js'
import type { View } from './view.js'

const MAX_RSS_BYTES = 400 << 20
const MAX_DESCRIPTORS = 128
/** Of a segment with its indexes, on a file system of 4 KiB blocks; and of a record of the driver. */
const SEGMENT_BYTES = 20 << 10
const RECORD_BYTES = 400
/** Of small segment.bytes, and a batch that is larger. */
const LARGEST_SEGMENT_BYTES = 16 << 10
const SPARE_BYTES = 4 << 20

/** I17: fsck reports the damage that was injected, and no other. */
export function fsckVerdicts(view: View): string[] {
  const findings: string[] = []
  const startedNs = new Map(
    view.events
      .filter((event) => event.operation === 'process' && event.type === 'invoke')
      .map((event) => [event.process, event.timeNs]),
  )
  const cachesTouchedNs = Math.min(
    ...view.events
      .filter((event) => event.operation === 'nemesis' && event.type === 'info' && event.what?.startsWith('caches:') === true)
      .map(({ timeNs }) => timeNs),
  )
  for (const event of view.events) {
    // Another status than 0 and 5 is no verdict: whether there was a reason to fail is judged with all exit statuses.
    if (event.operation !== 'fsck' || ![0, 5].includes(event.status)) continue
    const injected = view.damages.filter(({ topic }) => event.topic === undefined || event.topic === topic)
    const files = new Set(injected.map(({ file }) => file))
    for (const { kind, file, message } of event.findings) {
      const about = `${event.process} says '${kind}' of ${file}: ${message}`
      if (!['note', 'cache'].includes(kind) && !files.has(file)) findings.push(`false alarm: ${about}`)
      if (kind === 'cache' && (event.final === true || cachesTouchedNs > event.timeNs)) findings.push(`false alarm: ${about}`)
    }
    for (const { file, timeNs } of injected) {
      if (timeNs >= (startedNs.get(event.process) ?? 0)) continue
      if (event.findings.some((finding) => finding.kind === 'damage' && finding.file === file)) continue
      findings.push(`false clean: ${event.process} does not report the damage of ${file}`)
    }
    const isBad = event.findings.some(({ kind }) => kind !== 'note' && (kind !== 'cache' || !event.repair))
    if (event.status !== (isBad ? 5 : 0))
      findings.push(`${event.process} found ${isBad ? 'something' : 'nothing'}, and ended with ${event.status}`)
  }
  return findings
}

/** I19, and digests: the same question has the same answer when indexes are gone, or rebuilt. */
export function sameAnswers(view: View): string[] {
  return view.events.flatMap((event) =>
    event.operation === 'compare' && event.before !== event.after
      ? [`${event.what}: '${event.question}' gave '${event.before}' before and '${event.after}' after`]
      : [],
  )
}

/** I18: nothing is left behind, and nothing grows without bound. */
export function hygiene(view: View): string[] {
  const findings: string[] = []
  for (const event of view.events) {
    if (event.operation === 'resources') {
      if (event.rssBytes > MAX_RSS_BYTES) findings.push(`${event.process} took ${event.rssBytes} bytes of memory`)
      if (event.descriptors > MAX_DESCRIPTORS) findings.push(`${event.process} had ${event.descriptors} files open`)
    }
    if (event.operation !== 'hygiene') continue
    for (const name of event.litter) findings.push(`left in the store: ${name}`)
    for (const name of event.leftProcesses) findings.push(`still running: ${name}`)
    const limit = event.segmentCount * SEGMENT_BYTES + event.recordCount * RECORD_BYTES + SPARE_BYTES
    if (event.storeBytes > limit) findings.push(`the store takes ${event.storeBytes} bytes for ${event.recordCount} records`)
  }
  return findings
}

/**
 * I11: where retain removed anything, what is left is what retention.bytes says, but for a segment more or less. What it removed is read
 * from the archive, or I9 is violated.
 */
export function retention(view: View): string[] {
  return view.events.flatMap((event) => {
    if (event.operation !== 'hygiene') return []
    return event.retained.flatMap(({ partition, limitBytes, segmentBytes, isCut }) => {
      const keptBytes = segmentBytes.reduce((sum, bytes) => sum + bytes, 0)
      const isLess = isCut && keptBytes < limitBytes - LARGEST_SEGMENT_BYTES
      const isMore = keptBytes > limitBytes + LARGEST_SEGMENT_BYTES
      return isLess || isMore ? [`${partition} has ${keptBytes} bytes, and is to keep ${limitBytes}`] : []
    })
  })
}

/** Every process ends, and its exit status has a reason that the run has given. */
export function exits(view: View): string[] {
  return view.events.flatMap((event) => {
    if (event.operation !== 'process' || event.type === 'invoke') return []
    const reason = event.type === 'fail' ? 'did not end' : unexplained(view, event)
    return reason === undefined ? [] : [`${event.process} (${event.command ?? ''}) ${reason}: ${event.stderr ?? ''}`]
  })
}

const ownSignals = new Set(['SIGKILL', 'SIGINT', 'SIGTERM'])

function unexplained(view: View, { status, signal, stderr = '', command = '' }: ProcessEvent): string | undefined {
  if (/unexpected error|Error: |at .*:\d+:\d+\)/.test(stderr)) return 'failed in an unforeseen way'
  if (typeof signal === 'string') return ownSignals.has(signal) ? undefined : `was ended by ${signal}`
  const isFull = view.events.some((event) => event.operation === 'nemesis' && event.process === 'full-disk')
  switch (status) {
    case 0:
      return undefined
    case 1: {
      if (isFull && /no space left on device|no space on the file system|the disk may be full/.test(stderr)) return undefined
      const topic = [...view.removals.keys()].find((name) => new RegExp(`['/]${name}['-]`).test(stderr))
      const isOfRemoval =
        /was removed|does not exist|exists already|has no partition|would have no partition|was created anew|is being removed/.test(
          stderr,
        )
      return topic !== undefined && isOfRemoval ? undefined : 'failed without a reason'
    }
    case 5: {
      if (/^fsck/.test(command)) return undefined
      const isKnown = view.damages.some(({ topic }) => stderr.includes(`'${topic}-`))
      return isKnown ? undefined : 'met corruption that nobody made'
    }
    case 3:
      return command.startsWith('get ') ? undefined : 'found nothing'
    case 6:
      // Two members of one static name.
      return /ends at offset|is in the group already/.test(stderr) ? undefined : 'met a conflict'
    default:
      return `ended with ${String(status)}`
  }
}
