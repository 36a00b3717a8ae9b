import test from 'ava'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { resolveOffsets, resolveTimes, type OffsetSpec, type Point, type TimePoint } from '../../lib/consume/offset-spec.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { START_MS, createTiny, fill } from '../log/tiny-log.js'

/** Offsets 0 to 9 at START_MS, START_MS + 1 …, of which 3 to 9 may be read. */
async function ten(): Promise<LogContext> {
  const context = createTiny(createFakeSystem(), { segmentBytes: 250 })
  await fill(
    context,
    Array.from({ length: 10 }, (_, n) => [`v${n}`]),
  )
  writeLogStartOffset(context, 3)
  return context
}

const start: Point = { kind: 'start' }
const end: Point = { kind: 'end' }
const at = (offset: number): Point => ({ kind: 'offset', offset })
const beforeEnd = (count: number): Point => ({ kind: 'before-end', count })
const afterStart = (count: number): Point => ({ kind: 'after-start', count })
const point = (one: Point): OffsetSpec => ({ kind: 'point', point: one })
const range = (from?: Point, to?: Point): OffsetSpec => ({ kind: 'range', from, to })
const absolute = (timestampMs: number): TimePoint => ({ kind: 'absolute', timestampMs })
const relative = (ms: number): TimePoint => ({ kind: 'relative', ms })
const time = (one: TimePoint): OffsetSpec => ({ kind: 'time', time: one })
const times = (from?: TimePoint, to?: TimePoint): OffsetSpec => ({ kind: 'time-range', from, to })

/** `-o` as the command line has it, what it is, and the offsets that it comes to; `clamped` where it lies below the start. */
const TABLE: readonly (readonly [string, OffsetSpec, readonly [number, number], { hasEnd?: boolean; clamped?: number }?])[] = [
  ['start', point(start), [3, 10]],
  ['end', point(end), [10, 10]],
  ['5', point(at(5)), [5, 10]],
  ['3', point(at(3)), [3, 10]],
  ['1', point(at(1)), [3, 10], { clamped: 1 }],
  ['0', point(at(0)), [3, 10], { clamped: 0 }],
  ['25', point(at(25)), [25, 10]],
  ['-2', point(beforeEnd(2)), [8, 10]],
  ['-0', point(beforeEnd(0)), [10, 10]],
  ['-100', point(beforeEnd(100)), [3, 10]],
  ['+2', point(afterStart(2)), [5, 10]],
  ['+0', point(afterStart(0)), [3, 10]],
  ['+100', point(afterStart(100)), [103, 10]],
  [':', range(), [3, 10]],
  ['5:', range(at(5)), [5, 10]],
  [':5', range(undefined, at(5)), [3, 5], { hasEnd: true }],
  ['5:7', range(at(5), at(7)), [5, 7], { hasEnd: true }],
  ['7:5', range(at(7), at(5)), [7, 5], { hasEnd: true }],
  ['5:5', range(at(5), at(5)), [5, 5], { hasEnd: true }],
  ['1:5', range(at(1), at(5)), [3, 5], { hasEnd: true, clamped: 1 }],
  ['5:99', range(at(5), at(99)), [5, 10], { hasEnd: true }],
  ['-4:-2', range(beforeEnd(4), beforeEnd(2)), [6, 8], { hasEnd: true }],
  ['+1:+3', range(afterStart(1), afterStart(3)), [4, 6], { hasEnd: true }],
  ['start:end', range(start, end), [3, 10], { hasEnd: true }],
  ['@TIME of a record', time(absolute(START_MS + 5)), [5, 10]],
  ['@TIME before all', time(absolute(0)), [3, 10]],
  ['@TIME behind all', time(absolute(START_MS + 10)), [10, 10]],
  ['@-4ms', time(relative(-4)), [6, 10]],
  ['@A:B', times(absolute(START_MS + 4), absolute(START_MS + 7)), [4, 7], { hasEnd: true }],
  ['@A:', times(absolute(START_MS + 4)), [4, 10]],
  ['@:B', times(undefined, absolute(START_MS + 7)), [3, 7], { hasEnd: true }],
  ['@:', times(), [3, 10]],
  ['@A:+3ms', times(absolute(START_MS + 4), relative(3)), [4, 7], { hasEnd: true }],
  ['@-6ms:-2ms', times(relative(-6), relative(-2)), [4, 8], { hasEnd: true }],
  ['@A: behind all, with an end', times(absolute(START_MS), absolute(START_MS + 99)), [3, 10], { hasEnd: true }],
]

for (const [text, spec, [fromOffset, toOffset], more = {}] of TABLE) {
  test(`-o ${text} comes to offsets ${fromOffset} to ${toOffset}`, async (t) => {
    const { hasEnd = false, clamped } = more
    const resolved = await resolveOffsets(await ten(), spec, START_MS + 10)
    t.deepEqual(resolved, { fromOffset, toOffset, hasEnd, logStartOffset: 3, logEndOffset: 10, clampedFrom: clamped })
  })
}

test('every specification of an empty partition comes to nothing', async (t) => {
  for (const [, spec] of TABLE) {
    const context = createTiny(createFakeSystem())
    const { fromOffset, toOffset } = await resolveOffsets(context, spec, START_MS)
    t.is(toOffset, 0)
    t.true(fromOffset >= 0)
  }
})

test('a relative end counts from an absolute start, else from now', (t) => {
  t.deepEqual(resolveTimes({ kind: 'time-range', from: absolute(100), to: relative(50) }, 1000), { fromMs: 100, toMs: 150 })
  t.deepEqual(resolveTimes({ kind: 'time-range', from: relative(-100), to: relative(-50) }, 1000), { fromMs: 900, toMs: 950 })
  t.deepEqual(resolveTimes({ kind: 'time-range', from: undefined, to: relative(-50) }, 1000), { fromMs: undefined, toMs: 950 })
})
