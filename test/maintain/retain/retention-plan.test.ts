import test from 'ava'
import { planRetention, type RetentionLimits } from '../../../lib/maintain/retain/retention-plan.js'

const DAY_MS = 86_400_000
const NOW_MS = 1000 * DAY_MS

interface Shape {
  /** Days before now, of the newest record of each closed segment, oldest first; null for no timestamp. */
  readonly days: readonly (number | null)[]
  /** Days before now of the last write of each; as the timestamps by default. */
  readonly writtenDays?: readonly number[]
  readonly activeBytes?: number
}

/** Segments of 100 bytes and 10 offsets. */
function plan({ days, writtenDays, activeBytes = 50 }: Shape, limits: Partial<RetentionLimits>): string {
  const closed = days.map((age, n) => ({
    baseOffset: n * 10,
    nextOffset: (n + 1) * 10,
    sizeBytes: 100,
    inode: n,
    firstTimestampMs: -1,
    maxTimestampMs: age === null ? -1 : NOW_MS - age * DAY_MS,
    modifiedMs: NOW_MS - (writtenDays?.[n] ?? age ?? 0) * DAY_MS,
  }))
  const none = {
    heldFromOffset: Infinity,
    unarchivedFromOffset: Infinity,
    retentionMs: -1,
    retentionBytes: -1,
    hardMs: -1,
    hardBytes: -1,
  }
  const { removeCount, heldCount } = planRetention(closed, activeBytes, { nowMs: NOW_MS, ...none, ...limits })
  return `${removeCount} of ${days.length}${heldCount > 0 ? `, ${heldCount} held` : ''}`
}

const days = (count: number) => count * DAY_MS

const rows: readonly (readonly [string, string, string])[] = [
  ['no limit keeps everything', plan({ days: [900, 1] }, {}), '0 of 2'],
  ['by age', plan({ days: [9, 8, 7, 6] }, { retentionMs: days(7) }), '2 of 4'],
  ['just as old is not older', plan({ days: [7] }, { retentionMs: days(7) }), '0 of 1'],
  ['a young one keeps what follows it', plan({ days: [9, 1, 9] }, { retentionMs: days(7) }), '1 of 3'],
  ['nothing is too young to go at once', plan({ days: [1, 1] }, { retentionMs: 0 }), '2 of 2'],
  [
    'a timestamp in the future keeps nothing',
    plan({ days: [-900, 9], writtenDays: [9, 9] }, { retentionMs: days(7) }),
    '2 of 2',
  ],
  [
    'a file that was copied later is as old as its records',
    plan({ days: [9], writtenDays: [0] }, { retentionMs: days(7) }),
    '1 of 1',
  ],
  ['without timestamps the file counts', plan({ days: [null, null], writtenDays: [9, 1] }, { retentionMs: days(7) }), '1 of 2'],
  ['by size', plan({ days: [3, 2, 1] }, { retentionBytes: 250 }), '1 of 3'],
  ['just as large is not larger', plan({ days: [3, 2, 1] }, { retentionBytes: 350 }), '0 of 3'],
  ['size 0 keeps the newest records', plan({ days: [3, 2], activeBytes: 0 }, { retentionBytes: 0 }), '1 of 2'],
  ['size 0 with records in the active segment', plan({ days: [3, 2] }, { retentionBytes: 0 }), '2 of 2'],
  ['age takes the newest ones too', plan({ days: [9, 8], activeBytes: 0 }, { retentionMs: days(7) }), '2 of 2'],
  ['either', plan({ days: [9, 2, 1] }, { retentionMs: days(7), retentionBytes: 180 }), '2 of 3'],
  ['held from the start', plan({ days: [9, 8] }, { retentionMs: 0, heldFromOffset: 0 }), '0 of 2, 2 held'],
  ['held in the middle of a segment', plan({ days: [9, 8, 7] }, { retentionMs: 0, heldFromOffset: 15 }), '1 of 3, 2 held'],
  ['held at the beginning of a segment', plan({ days: [9, 8, 7] }, { retentionMs: 0, heldFromOffset: 20 }), '2 of 3, 1 held'],
  ['not what is young anyway', plan({ days: [9, 1] }, { retentionMs: days(7), heldFromOffset: 0 }), '0 of 2, 1 held'],
  [
    'up to a hard age',
    plan({ days: [90, 9] }, { retentionMs: days(7), heldFromOffset: 0, hardMs: days(30) }),
    '1 of 2, 1 held',
  ],
  ['up to a hard size', plan({ days: [3, 2, 1] }, { retentionMs: 0, heldFromOffset: 0, hardBytes: 250 }), '1 of 3, 2 held'],
  ['a hard limit alone is a limit', plan({ days: [90, 9] }, { hardMs: days(30) }), '1 of 2'],
  ['what is not archived stays', plan({ days: [9, 8, 7] }, { retentionMs: 0, unarchivedFromOffset: 10 }), '1 of 3, 2 held'],
  ['whatever the hard limit', plan({ days: [9, 8] }, { retentionMs: 0, unarchivedFromOffset: 0, hardMs: 0 }), '0 of 2, 2 held'],
]

for (const [what, found, expected] of rows) {
  test(what, (t) => {
    t.is(found, expected)
  })
}
