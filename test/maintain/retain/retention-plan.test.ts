import test from 'ava'
import fc from 'fast-check'
import {
  isRemoval,
  planRetention,
  type RetentionLimits,
  type RetentionPlan,
} from '../../../lib/maintain/retain/retention-plan.js'

const DAY_MS = 86_400_000
const NOW_MS = 1000 * DAY_MS

interface Shape {
  /** Days before now, of the newest record of each closed segment, oldest first; null for no timestamp. */
  readonly days: readonly (number | null)[]
  /** Days before now of the last write of each; as the timestamps by default. */
  readonly writtenDays?: readonly number[]
  readonly activeBytes?: number
  /** Which of them are damaged. */
  readonly damaged?: readonly number[]
}

/** Segments of 100 bytes and 10 offsets. */
function planOf({ days, writtenDays, activeBytes = 50, damaged = [] }: Shape, limits: Partial<RetentionLimits>): RetentionPlan {
  const closed = days.map((age, n) => ({
    baseOffset: n * 10,
    nextOffset: (n + 1) * 10,
    sizeBytes: 100,
    inode: n,
    firstTimestampMs: -1,
    maxTimestampMs: age === null ? -1 : NOW_MS - age * DAY_MS,
    modifiedMs: NOW_MS - (writtenDays?.[n] ?? age ?? 0) * DAY_MS,
    isDamaged: damaged.includes(n),
  }))
  const none = {
    heldFromOffset: Infinity,
    unarchivedFromOffset: Infinity,
    retentionMs: -1,
    retentionBytes: -1,
    hardMs: -1,
    hardBytes: -1,
  }
  return planRetention(closed, activeBytes, { nowMs: NOW_MS, ...none, ...limits })
}

function plan(shape: Shape, limits: Partial<RetentionLimits>): string {
  const { removeCount, heldCount } = planOf(shape, limits)
  return `${removeCount} of ${shape.days.length}${heldCount > 0 ? `, ${heldCount} held` : ''}`
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
  [
    'a damaged one is as old as its file, since its newest record may not be known',
    plan({ days: [9, 9], writtenDays: [8, 1], damaged: [0, 1] }, { retentionMs: days(7) }),
    '1 of 2',
  ],
  [
    'or as the newest record that is known',
    plan({ days: [1], writtenDays: [9], damaged: [0] }, { retentionMs: days(7) }),
    '0 of 1',
  ],
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

const reasons = (shape: Shape, limits: Partial<RetentionLimits>) => planOf(shape, limits).reasons.join(' ')

const reasonRows: readonly (readonly [string, string, string])[] = [
  ['no limit', reasons({ days: [900, 1] }, {}), 'not-due not-due'],
  ['age', reasons({ days: [9, 8, 1] }, { retentionMs: days(7) }), 'expired expired not-due'],
  ['size', reasons({ days: [3, 2, 1] }, { retentionBytes: 250 }), 'excess not-due not-due'],
  [
    'age comes before size',
    reasons({ days: [9, 8, 1] }, { retentionMs: days(8.5), retentionBytes: 150 }),
    'expired excess not-due',
  ],
  ['an old one behind a young one', reasons({ days: [9, 1, 9] }, { retentionMs: days(7) }), 'expired not-due behind'],
  ['the newest', reasons({ days: [3, 2], activeBytes: 0 }, { retentionBytes: 0 }), 'excess newest'],
  ['held', reasons({ days: [9, 8, 7, 1] }, { retentionMs: days(5), heldFromOffset: 15 }), 'expired held held not-due'],
  [
    'a hard limit for what is held',
    reasons({ days: [90, 9, 1] }, { retentionMs: days(7), heldFromOffset: 0, hardMs: days(30) }),
    'hard-limit held not-due',
  ],
  ['a hard limit alone', reasons({ days: [90, 9] }, { hardMs: days(30) }), 'hard-limit not-due'],
  [
    'old enough for the hard limit, behind one that is held',
    reasons({ days: [9, 90] }, { retentionMs: days(7), heldFromOffset: 0, hardMs: days(30) }),
    'held behind',
  ],
  [
    'not archived',
    reasons({ days: [9, 8, 7] }, { retentionMs: 0, unarchivedFromOffset: 10 }),
    'expired not-archived not-archived',
  ],
]

for (const [what, found, expected] of reasonRows) {
  test(`the reason: ${what}`, (t) => {
    t.is(found, expected)
  })
}

test('the reasons and the counts say the same', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 20 })), { maxLength: 8 }),
      fc.constantFrom(0, 50),
      fc.record({
        retentionMs: fc.constantFrom(-1, 0, days(7), days(14)),
        retentionBytes: fc.constantFrom(-1, 0, 250),
        heldFromOffset: fc.constantFrom(Infinity, 0, 25),
        unarchivedFromOffset: fc.constantFrom(Infinity, 0, 30),
        hardMs: fc.constantFrom(-1, days(16)),
        hardBytes: fc.constantFrom(-1, 500),
      }),
      (ages, activeBytes, limits) => {
        const { removeCount, heldCount, reasons: found } = planOf({ days: ages, activeBytes }, limits)
        t.is(found.length, ages.length)
        t.is(
          found.findIndex((reason) => !isRemoval(reason)),
          removeCount === ages.length ? -1 : removeCount,
        )
        t.is(found.filter(isRemoval).length, removeCount)
        // What is held is due: with no group and no archive in the way, it would go.
        const free = planOf(
          { days: ages, activeBytes },
          { ...limits, heldFromOffset: Infinity, unarchivedFromOffset: Infinity },
        )
        t.is(removeCount + heldCount, free.removeCount)
      },
    ),
  )
})
