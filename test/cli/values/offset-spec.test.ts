import test from 'ava'
import { parseOffsetPlace, parseOffsetSpec, parseRfc3339, parseTime } from '../../../cli/values/offset-spec.js'
import { resolveTimes, type OffsetSpec } from '../../../lib/consume/offset-spec.js'
import { isLogqError } from '../../../lib/errors.js'

const day = 86_400_000
const start2026 = Date.UTC(2026, 0, 1)
const absolute = (timestampMs: number) => ({ kind: 'absolute', timestampMs }) as const
const relative = (ms: number) => ({ kind: 'relative', ms }) as const
const offset = (n: number) => ({ kind: 'offset', offset: n }) as const

const accepted: readonly [text: string, spec: OffsetSpec][] = [
  ['start', { kind: 'point', point: { kind: 'start' } }],
  ['earliest', { kind: 'point', point: { kind: 'start' } }],
  ['end', { kind: 'point', point: { kind: 'end' } }],
  ['latest', { kind: 'point', point: { kind: 'end' } }],
  ['0', { kind: 'point', point: offset(0) }],
  ['9007199254740991', { kind: 'point', point: offset(Number.MAX_SAFE_INTEGER) }],
  ['-5', { kind: 'point', point: { kind: 'before-end', count: 5 } }],
  ['-0', { kind: 'point', point: { kind: 'before-end', count: 0 } }],
  ['+5', { kind: 'point', point: { kind: 'after-start', count: 5 } }],
  ['10:20', { kind: 'range', from: offset(10), to: offset(20) }],
  ['10:', { kind: 'range', from: offset(10), to: undefined }],
  [':20', { kind: 'range', from: undefined, to: offset(20) }],
  [':', { kind: 'range', from: undefined, to: undefined }],
  ['20:10', { kind: 'range', from: offset(20), to: offset(10) }],
  ['-5:end', { kind: 'range', from: { kind: 'before-end', count: 5 }, to: { kind: 'end' } }],
  ['start:+3', { kind: 'range', from: { kind: 'start' }, to: { kind: 'after-start', count: 3 } }],
  [':-1', { kind: 'range', from: undefined, to: { kind: 'before-end', count: 1 } }],
  ['@1700000000123', { kind: 'time', time: absolute(1_700_000_000_123) }],
  ['@1700000000', { kind: 'time', time: absolute(1_700_000_000_000) }],
  ['@2026-01-01', { kind: 'time', time: absolute(start2026) }],
  ['@2026-01-01T00:00:00Z', { kind: 'time', time: absolute(start2026) }],
  ['@2026-01-01t00:00:00z', { kind: 'time', time: absolute(start2026) }],
  ['@2026-01-01T02:30:00+02:30', { kind: 'time', time: absolute(start2026) }],
  ['@2025-12-31T22:00:00-02:00', { kind: 'time', time: absolute(start2026) }],
  ['@2026-01-01T00:00:00.5Z', { kind: 'time', time: absolute(start2026 + 500) }],
  ['@2026-01-01T00:00:00.0019Z', { kind: 'time', time: absolute(start2026 + 1) }],
  ['@2024-02-29', { kind: 'time', time: absolute(Date.UTC(2024, 1, 29)) }],
  ['@1969-12-31', { kind: 'time', time: absolute(-day) }],
  ['@-1h', { kind: 'time', time: relative(-3_600_000) }],
  ['@+500ms', { kind: 'time', time: relative(500) }],
  ['@-0s', { kind: 'time', time: relative(0) }],
  ['@-48h:-24h', { kind: 'time-range', from: relative(-2 * day), to: relative(-day) }],
  ['@2026-01-01:+1d', { kind: 'time-range', from: absolute(start2026), to: relative(day) }],
  ['@2026-01-01:2026-01-02', { kind: 'time-range', from: absolute(start2026), to: absolute(start2026 + day) }],
  [
    '@2026-01-01T00:00:00Z:2026-01-02T00:00:00+00:00',
    { kind: 'time-range', from: absolute(start2026), to: absolute(start2026 + day) },
  ],
  ['@2026-01-01T00:00:00+02:00:+1d', { kind: 'time-range', from: absolute(start2026 - 7_200_000), to: relative(day) }],
  ['@1700000000:1700000000123', { kind: 'time-range', from: absolute(1_700_000_000_000), to: absolute(1_700_000_000_123) }],
  ['@:-1h', { kind: 'time-range', from: undefined, to: relative(-3_600_000) }],
  ['@-1h:', { kind: 'time-range', from: relative(-3_600_000), to: undefined }],
  ['@:', { kind: 'time-range', from: undefined, to: undefined }],
]

for (const [text, spec] of accepted) {
  test(`parseOffsetSpec() reads '${text}'`, (t) => {
    t.deepEqual(parseOffsetSpec(text), spec)
  })
}

const refused: readonly [text: string, message: RegExp, hint?: RegExp][] = [
  ['', /^invalid offset ''$/],
  ['x', /^invalid offset 'x'$/, /an offset is start, end/],
  ['START', /^invalid offset/],
  ['1e3', /^invalid offset/],
  ['007', /^invalid offset/],
  ['-', /^invalid offset/],
  ['--5', /^invalid offset/],
  ['5.0', /^invalid offset/],
  [' 5', /^invalid offset/],
  ['1:2:3', /^invalid offset '1:2:3'$/],
  ['10:x', /^invalid offset '10:x'$/],
  ['9007199254740992', /too large/],
  ['2026-01-01', /^invalid offset/, /^a time is written with an @: @2026-01-01$/],
  ['-1h', /^invalid offset/, /^a time is written with an @: @-1h$/],
  ['@', /^invalid time '@'$/],
  ['@x', /^invalid time '@x'$/],
  ['@12345', /^invalid time/],
  ['@17000000001', /^invalid time/],
  ['@1h', /^invalid time/],
  ['@-5', /^invalid time/],
  ['@-1H', /^invalid time/],
  ['@start', /^invalid time/],
  ['@2026-1-1', /^invalid time/],
  ['@2026-02-30', /^invalid time/, /^there is no 2026-02-30$/],
  ['@2026-13-01', /^invalid time/, /there is no/],
  ['@2026-01-01T24:00:00Z', /^invalid time/, /there is no/],
  ['@2026-01-01T00:60:00Z', /^invalid time/, /there is no/],
  ['@2026-01-01T00:00:60Z', /^invalid time/, /there is no/],
  ['@2026-01-01T00:00:00+24:00', /^invalid time/, /there is no/],
  ['@2026-01-01T00:00:00', /^invalid time/, /needs a zone/],
  ['@2026-01-01T00:00:00.5', /^invalid time/, /needs a zone/],
  ['@2026-01-01T00:00Z', /^invalid time/],
  ['@2026-01-01 00:00:00Z', /^invalid time/],
  ['@-1h:-2h:-3h', /^invalid time/],
  ['@-1h-2h', /^invalid time/],
  ['@-1h:@-2h', /^invalid time/],
  ['@-99999999999999999h', /too large/],
]

for (const [text, message, hint] of refused) {
  test(`parseOffsetSpec() refuses '${text}'`, (t) => {
    const error = t.throws(() => parseOffsetSpec(text))
    t.true(isLogqError(error, 'LOGQ_USAGE'))
    t.regex(error.message, message)
    if (hint !== undefined && isLogqError(error)) t.regex(error.hint ?? '', hint)
  })
}

test('parseOffsetPlace() takes one place and refuses ranges', (t) => {
  t.is(parseOffsetPlace('-5').kind, 'point')
  t.is(parseOffsetPlace('@-1h').kind, 'time')
  for (const text of ['1:2', ':', '@-2h:-1h']) t.throws(() => parseOffsetPlace(text), { message: `'${text}' is a range` })
})

test('resolveTimes() counts from now, and an end from an absolute start', (t) => {
  const now = start2026 + 10 * day
  const resolve = (text: string) => {
    const spec = parseOffsetSpec(text)
    if (spec.kind !== 'time' && spec.kind !== 'time-range') throw new Error(`'${text}' has no time`)
    return resolveTimes(spec, now)
  }
  t.deepEqual(resolve('@-1d'), { fromMs: now - day, toMs: undefined })
  t.deepEqual(resolve('@-2d:-1d'), { fromMs: now - 2 * day, toMs: now - day })
  t.deepEqual(resolve('@2026-01-01:+1d'), { fromMs: start2026, toMs: start2026 + day })
  t.deepEqual(resolve('@2026-01-01:-1d'), { fromMs: start2026, toMs: start2026 - day })
  t.deepEqual(resolve('@:-1d'), { fromMs: undefined, toMs: now - day })
  t.deepEqual(resolve('@-1d:'), { fromMs: now - day, toMs: undefined })
})

test('parseTime() reads one time without an @', (t) => {
  t.deepEqual(parseTime('2026-01-01'), absolute(start2026))
  t.deepEqual(parseTime('-1h'), relative(-3_600_000))
  for (const text of ['', ':', 'now?', '2026-01-01:', ':2026-01-01', '@2026-01-01'])
    t.throws(() => parseTime(text), undefined, text)
})

test('parseRfc3339() takes a whole time only', (t) => {
  t.is(parseRfc3339('2026-01-01T00:00:00Z'), start2026)
  for (const text of ['2026-01-01', '2026-01-01T00:00:00', '2026-01-01T00:00:00Zx', '2026-02-30T00:00:00Z', '']) {
    t.is(parseRfc3339(text), undefined, text)
  }
})
