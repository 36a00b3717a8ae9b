import test from 'ava'
import fc from 'fast-check'
import { formatDuration, formatSize, parseDuration, parseSize, parseWholeNumber, roundSize } from '../../../cli/values/units.js'
import { isLogqError } from '../../../lib/errors.js'

test('parseSize() knows binary and decimal units', (t) => {
  const cases: [string, number][] = [
    ['0', 0],
    ['4096', 4096],
    ['5B', 5],
    ['64KiB', 65_536],
    ['64K', 65_536],
    ['1MiB', 1_048_576],
    ['2G', 2 ** 31],
    ['1TiB', 2 ** 40],
    ['10kB', 10_000],
    ['10KB', 10_000],
    ['10MB', 10_000_000],
    ['1GB', 1e9],
    ['1TB', 1e12],
  ]
  for (const [text, bytes] of cases) t.is(parseSize(text), bytes, text)
})

test('parseDuration() knows ms, s, m, h, d and w, and takes a bare number for ms', (t) => {
  const cases: [string, number][] = [
    ['0', 0],
    ['5', 5],
    ['500ms', 500],
    ['5s', 5000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
  ]
  for (const [text, ms] of cases) t.is(parseDuration(text), ms, text)
})

test('sizes and durations refuse everything else', (t) => {
  for (const text of ['', 'x', '-1', '+1', '1.5', '1e3', '01', '1 s', ' 1', '1\n', 'KiB', 'NaN', '1constructor', '١']) {
    for (const parse of [parseSize, parseDuration, parseWholeNumber]) {
      const error = t.throws(() => parse(text), undefined, text)
      t.true(isLogqError(error, 'LOGQ_USAGE'), text)
    }
  }
  t.throws(() => parseSize('1s'))
  t.throws(() => parseDuration('1KiB'))
  t.throws(() => parseWholeNumber('1K'))
})

test('numbers stay within their range and below 2^53', (t) => {
  t.is(parseWholeNumber('3', { minimum: 3, maximum: 3 }), 3)
  t.throws(() => parseWholeNumber('2', { minimum: 3 }), { message: "'2' is too small" })
  t.throws(() => parseWholeNumber('4', { maximum: 3 }), { message: "'4' is too large" })
  t.throws(() => parseSize('8192TiB'), { message: "'8192TiB' is too large" })
  t.throws(() => parseDuration('9'.repeat(30)), { message: /too large/ })
})

test('formatSize() and formatDuration() are read back as the same number', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.nat(),
        fc.nat(5000).map((n) => n * 1024),
        fc.nat(5000).map((n) => n * 60_000),
      ),
      (n) => {
        t.is(parseSize(formatSize(n)), n)
        t.is(parseDuration(formatDuration(n)), n)
      },
    ),
  )
  t.is(formatSize(65_536), '64KiB')
  t.is(formatSize(65_537), '65537')
  t.is(formatDuration(86_400_000), '1d')
  t.is(formatDuration(1500), '1500ms')
  t.is(formatDuration(0), '0ms')
})

test('roundSize() writes a size as people read it', (t) => {
  for (const [bytes, text] of [
    [0, '0B'],
    [1023, '1023B'],
    [1024, '1KiB'],
    [1536, '1.5KiB'],
    [10_189, '10KiB'],
    [10_240, '10KiB'],
    [1_048_575, '1MiB'],
    [5 * 1024 ** 3, '5GiB'],
    [3000 * 1024 ** 4, '3000TiB'],
  ] as const) {
    t.is(roundSize(bytes), text)
  }
})
