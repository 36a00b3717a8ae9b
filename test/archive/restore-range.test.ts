/** Which segments a range of times needs, against the records themselves: timestamps go up and down within batches and between them. */
import test from 'ava'
import fc from 'fast-check'
import { chooseSegments } from '../../lib/archive/restore-range.js'
import type { ArchivedSegment } from '../../lib/store/archive/manifest.js'

/** Timestamps of the records of a segment, batch by batch. */
type Batches = readonly (readonly number[])[]

function archived(segments: readonly Batches[]): ArchivedSegment[] {
  let offset = 0
  return segments.map((batches) => {
    const baseOffset = offset
    offset += batches.flat().length
    return {
      baseOffset,
      lastOffset: offset - 1,
      endOffset: offset,
      firstTimestampMs: Math.max(...(batches[0] ?? [-1])),
      largestTimestampMs: Math.max(-1, ...batches.flat()),
      sizeBytes: 1,
      sha256: '',
      codec: 'none',
      storedBytes: 1,
      storedSha256: '',
      blocks: [],
      leaderEpochs: [],
    }
  })
}

const batches = fc.array(fc.array(fc.integer({ min: -1, max: 20 }), { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 3,
})

test('every record from the first that is not older up to the first that is not younger is in a segment that is chosen', (t) => {
  fc.assert(
    fc.property(
      fc.array(batches, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 0, max: 21 }),
      fc.integer({ min: 0, max: 21 }),
      (segments, fromMs, toMs) => {
        const records = segments.flat(2)
        const begin = records.findIndex((ms) => ms >= fromMs)
        const reached = records.findIndex((ms) => ms >= toMs)
        const end = reached < 0 ? records.length : reached
        const chosen = chooseSegments(archived(segments), { fromMs, toMs })?.segments ?? []
        const offsets = new Set(chosen.flatMap(({ baseOffset, endOffset }) => range(baseOffset, endOffset)))
        if (begin >= 0)
          t.deepEqual(
            range(begin, end).filter((offset) => !offsets.has(offset)),
            [],
          )
        t.true(
          chosen.every(({ endOffset }, n) => endOffset === (chosen[n + 1]?.baseOffset ?? endOffset)),
          'without a gap',
        )
        if (toMs <= fromMs) t.deepEqual(chosen, [])
      },
    ),
  )
})

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n)
}

test('a range of times takes no more segments than it may need', (t) => {
  const segments = archived([[[1, 2], [3]], [[4], [6]], [[7, 5], [8]], [[9]], [[10]]])
  const chosen = (fromMs?: number, toMs?: number) =>
    chooseSegments(segments, { fromMs, toMs })?.segments.map(({ firstTimestampMs }) => firstTimestampMs) ?? []
  t.deepEqual(chosen(4, 6), [4])
  t.deepEqual(chosen(3, 7), [2, 4, 7])
  t.deepEqual(chosen(9), [9, 10])
  t.deepEqual(chosen(undefined, 4), [2, 4])
  t.deepEqual(chosen(11), [])
  t.deepEqual(chosen(), [2, 4, 7, 9, 10])
})
