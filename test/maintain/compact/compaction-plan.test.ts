import test from 'ava'
import { planCompaction, type CompactionLimits } from '../../../lib/maintain/compact/compaction-plan.js'
import type { SegmentTimes } from '../../../lib/log/segment-times.js'

const HOUR_MS = 3_600_000
const NOW_MS = 100 * HOUR_MS
const NEVER_MS = Number.MAX_SAFE_INTEGER

/** Of 100 bytes; the first one is that many hours old, and each that follows an hour less. */
function segments(count: number, firstAgeHours: number): SegmentTimes[] {
  return Array.from({ length: count }, (_, n) => {
    const ms = NOW_MS - (firstAgeHours - n) * HOUR_MS
    return {
      baseOffset: n * 10,
      sizeBytes: 100,
      inode: n,
      modifiedMs: ms,
      firstTimestampMs: ms - HOUR_MS / 2,
      maxTimestampMs: ms,
      isDamaged: false,
    }
  })
}

function plan(count: number, cleanedOffset: number, limits: Partial<CompactionLimits> = {}, ageHours = 50): string {
  const whole = { nowMs: NOW_MS, minDirtyRatio: 0.5, minLagMs: 0, maxLagMs: NEVER_MS, ...limits }
  const {
    segments: found,
    dirtyBytes,
    cleanBytes,
    endOffset,
    isDue,
  } = planCompaction(segments(count, ageHours), count * 10, cleanedOffset, whole)
  return `${found.length} segments to ${endOffset}, ${dirtyBytes} of ${dirtyBytes + cleanBytes}${isDue ? ', due' : ''}`
}

const rows: readonly (readonly [string, string, string])[] = [
  ['nothing but the active segment', plan(0, 0), '0 segments to 0, 0 of 0'],
  ['nothing, in any case', plan(0, 0, { minDirtyRatio: 0 }), '0 segments to 0, 0 of 0'],
  ['never compacted', plan(4, 0), '4 segments to 40, 400 of 400, due'],
  ['half of it new is not more than half', plan(4, 20), '4 segments to 40, 200 of 400'],
  ['more than half', plan(5, 20), '5 segments to 50, 300 of 500, due'],
  ['nothing new', plan(4, 40), '4 segments to 40, 0 of 400'],
  ['nothing new, in any case', plan(4, 40, { minDirtyRatio: 0 }), '4 segments to 40, 0 of 400, due'],
  ['a little new that is old enough', plan(4, 30, { maxLagMs: 40 * HOUR_MS }), '4 segments to 40, 100 of 400, due'],
  ['a little new that is not', plan(4, 30, { maxLagMs: 48 * HOUR_MS }), '4 segments to 40, 100 of 400'],
  ['nothing new is never overdue', plan(4, 40, { maxLagMs: 1 }), '4 segments to 40, 0 of 400'],
  ['the young are left alone', plan(4, 0, { minLagMs: 48 * HOUR_MS + 1 }), '2 segments to 20, 200 of 200, due'],
  ['all are young', plan(4, 0, { minLagMs: 60 * HOUR_MS }), '0 segments to 0, 0 of 0'],
  [
    'what was cleaned is not young again',
    plan(4, 20, { minLagMs: 60 * HOUR_MS, minDirtyRatio: 0 }),
    '2 segments to 20, 0 of 200, due',
  ],
  ['cut off and written again: nothing is clean', plan(2, 90), '2 segments to 20, 200 of 200, due'],
]

for (const [what, found, expected] of rows) {
  test(what, (t) => {
    t.is(found, expected)
  })
}
