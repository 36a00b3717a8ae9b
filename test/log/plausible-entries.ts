/**
 * Index entries that are wrong and look right, beside a record whose value is whole batches: their CRC holds, their offsets and times
 * fit in, and the last of them ends exactly where the record's own batch does, so that a walk from any of them goes on into the log.
 */
import { BatchPlaces, type BatchPlace } from '../../lib/log/batch-places.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, segmentFileName } from '../../lib/log/file-names.js'
import { OffsetIndexReader, encodeOffsetIndexEntry, type OffsetIndexEntry } from '../../lib/log/offset-index.js'
import { TimeIndexReader, encodeTimeIndexEntry, type TimeIndexEntry } from '../../lib/log/time-index.js'
import type { FileSystem } from '../../lib/system/file-system.js'
import { craftBatch, craftRecord } from '../record/craft-batch.js'

export const RECORD_COUNT = 30
/** Of the records whose values are batches: one in a closed segment, one in the active one. */
export const HOSTILE_OFFSETS = [8, 25]
/** Later than all the others, in the middle of the first segment. */
const LATE_OFFSET = 11

export const timestampOf = (offset: number): number => 1_700_000_000_000 + 1000 * offset + (offset === LATE_OFFSET ? 9500 : 0)

export function valueOf(offset: number): Uint8Array {
  if (!HOSTILE_OFFSETS.includes(offset)) return Buffer.from(`record ${offset} `.padEnd(100, '.'))
  const batches = [0, 1, 2].map((n) => forged(offset + n, timestampOf(offset + n)))
  // The last byte, which says that a record has no headers, is that of the record whose value this is.
  return Buffer.concat(batches).subarray(0, -1)
}

function forged(baseOffset: number, timestampMs: number): Uint8Array {
  const records = craftRecord({ value: Buffer.from(`forged ${baseOffset} `.padEnd(60, '!')) })
  return craftBatch({ baseOffset, baseTimestampMs: timestampMs, maxTimestampMs: timestampMs, records })
}

interface Segment {
  readonly baseOffset: number
  readonly logBytes: number
  readonly batches: readonly BatchPlace[]
  /** Positions of the batches within the value of the hostile record; none in a segment without it. */
  readonly inner: readonly { readonly position: number; readonly offset: number }[]
  readonly offsets: readonly OffsetIndexEntry[]
  readonly times: readonly TimeIndexEntry[]
}

type Wrong = (segment: Segment) => {
  readonly offsets?: readonly OffsetIndexEntry[]
  readonly times?: readonly TimeIndexEntry[]
}

/** With an own position for some offsets. */
function moved(segment: Segment, positions: ReadonlyMap<number, number>): { offsets: readonly OffsetIndexEntry[] } {
  return { offsets: segment.offsets.map((entry) => ({ ...entry, position: positions.get(entry.offset) ?? entry.position })) }
}

const innerPositions = ({ inner }: Segment) => new Map(inner.map(({ offset, position }) => [offset, position]))

function shifted({ offsets, batches }: Segment, by: number): OffsetIndexEntry[] {
  const placeOf = (offset: number) => batches.findIndex(({ lastOffset }) => lastOffset === offset)
  return offsets.map((entry, n) =>
    n % 4 === 1 ? { ...entry, position: batches[placeOf(entry.offset) + by]?.position ?? entry.position } : entry,
  )
}

/** Wrong in a way that look-ups are held to notice: no two entries one after the other are forged to fit. */
export const wrongEntries: Readonly<Record<string, Wrong>> = {
  'an entry that points into a value': (segment) => moved(segment, new Map([...innerPositions(segment)].slice(0, 1))),
  'an entry that points at the last batch of a value': (segment) =>
    moved(segment, new Map([...innerPositions(segment)].slice(2))),
  'entries of other offsets that point into a value': ({ offsets, inner }) => ({
    offsets: offsets.map((entry, n) => (n % 5 === 2 ? { ...entry, position: inner[n % 3]?.position ?? 0 } : entry)),
  }),
  'entries that are doubled': ({ offsets, times }) => ({
    offsets: offsets.flatMap((entry) => [entry, entry]),
    times: times.flatMap((entry) => [entry, entry]),
  }),
  'entries in the wrong order': ({ offsets, times }) => ({ offsets: offsets.toReversed(), times: times.toReversed() }),
  'two entries exchanged': ({ offsets, times }) => ({
    offsets: [...offsets.slice(0, 3), ...offsets.slice(3, 5).toReversed(), ...offsets.slice(5)],
    times: [...times.slice(0, 3), ...times.slice(3, 5).toReversed(), ...times.slice(5)],
  }),
  'positions beyond the end': ({ offsets, logBytes }) => ({
    offsets: offsets.map((entry, n) => (n % 3 === 0 ? { ...entry, position: entry.position + logBytes } : entry)),
  }),
  'offsets beyond the end': ({ offsets }) => ({
    offsets: offsets.map((entry, n) => (n > offsets.length / 2 ? { ...entry, offset: entry.offset + 1000 } : entry)),
  }),
  'the position of the batch before': (segment) => ({ offsets: shifted(segment, -1) }),
  'the position of the batch behind': (segment) => ({ offsets: shifted(segment, 1) }),
  'times with a later offset': ({ times }) => ({
    times: times.map((entry, n) => (n % 3 === 1 ? { ...entry, offset: entry.offset + 2 } : entry)),
  }),
  'times with an earlier offset': ({ times }) => ({
    times: times.map((entry, n) => (n % 3 === 1 ? { ...entry, offset: entry.offset - 2 } : entry)),
  }),
  'a last time that is not the latest': ({ times, batches }) => {
    const last = batches.at(-1)
    const before = times.filter(({ offset }) => offset < LATE_OFFSET)
    return { times: last === undefined ? before : [...before, { timestampMs: last.maxTimestampMs, offset: last.lastOffset }] }
  },
  'a last time that is missing': ({ times }) => ({ times: times.slice(0, -1) }),
  'no entries': () => ({ offsets: [], times: [] }),
}

/** Forged to fit each other: look-ups may believe them, but the check must not. */
export const forgedEntries: Readonly<Record<string, Wrong>> = {
  'entries one after the other that all point into a value': (segment) => moved(segment, innerPositions(segment)),
  'times of batches behind a later one': ({ times, batches }) => ({
    times: [
      ...times.filter(({ offset }) => offset < LATE_OFFSET),
      ...batches
        .filter(({ lastOffset }) => lastOffset > LATE_OFFSET)
        .map(({ maxTimestampMs, lastOffset }) => ({ timestampMs: maxTimestampMs, offset: lastOffset })),
    ],
  }),
}

/** Makes the indexes of all segments in a partition directory wrong. */
export function makeWrong(fs: FileSystem, directory: string, bases: readonly number[], wrong: Wrong): void {
  for (const base of bases) {
    const segment = readSegment(fs, directory, base)
    const { offsets, times } = wrong(segment)
    if (offsets !== undefined) {
      const bytes = offsets.map((entry) => encodeOffsetIndexEntry(entry, base))
      replace(fs, `${directory}/${segmentFileName(base, OFFSET_INDEX_SUFFIX)}`, Buffer.concat(bytes))
    }
    if (times !== undefined) {
      const bytes = times.map((entry) => encodeTimeIndexEntry(entry, base))
      replace(fs, `${directory}/${segmentFileName(base, TIME_INDEX_SUFFIX)}`, Buffer.concat(bytes))
    }
  }
}

function readSegment(fs: FileSystem, directory: string, baseOffset: number): Segment {
  const open = (suffix: typeof LOG_SUFFIX | typeof OFFSET_INDEX_SUFFIX | typeof TIME_INDEX_SUFFIX) =>
    fs.open(`${directory}/${segmentFileName(baseOffset, suffix)}`, 'read')
  const [log, offsetIndex, timeIndex] = [open(LOG_SUFFIX), open(OFFSET_INDEX_SUFFIX), open(TIME_INDEX_SUFFIX)]
  try {
    const batches = [...new BatchPlaces(fs, log).from(0)]
    const offsets = new OffsetIndexReader(fs, offsetIndex, baseOffset)
    const times = new TimeIndexReader(fs, timeIndex, baseOffset)
    return {
      baseOffset,
      logBytes: fs.fileStatus(log).sizeBytes,
      batches,
      inner: batches.flatMap((batch) => (HOSTILE_OFFSETS.includes(batch.lastOffset) ? innerOf(fs, log, batch) : [])),
      offsets: entries(offsets),
      times: entries(times),
    }
  } finally {
    for (const fd of [log, offsetIndex, timeIndex]) fs.close(fd)
  }
}

function entries<Entry>(index: { readonly entryCount: number; entry(n: number): Entry | undefined }): Entry[] {
  return Array.from({ length: index.entryCount }, (_, n) => index.entry(n)).filter((entry) => entry !== undefined)
}

/** The value's batches: by their offsets at the front of 8 bytes, which stand nowhere else. */
function innerOf(fs: FileSystem, fd: number, { position, sizeBytes, lastOffset }: BatchPlace): Segment['inner'] {
  const bytes = Buffer.alloc(sizeBytes)
  fs.read(fd, bytes, 0, sizeBytes, position)
  return [0, 1, 2].map((n) => {
    const batch = forged(lastOffset + n, timestampOf(lastOffset + n)).subarray(0, 61)
    const place = bytes.indexOf(batch)
    if (place < 0) throw new Error(`no batch ${n} in the value`)
    return { position: position + place, offset: lastOffset + n }
  })
}

function replace(fs: FileSystem, path: string, bytes: Uint8Array): void {
  const fd = fs.open(path, 'read-write')
  try {
    fs.truncate(fd, 0)
    if (bytes.length > 0) fs.write(fd, bytes, 0, bytes.length, 0)
  } finally {
    fs.close(fd)
  }
}
