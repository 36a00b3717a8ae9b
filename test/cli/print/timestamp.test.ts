import test from 'ava'
import { TIME_FORMS, timestampText } from '../../../cli/print/timestamp.js'

const now = Date.UTC(2026, 10, 21, 4, 26, 9, 5)
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const rows: readonly [name: string, timestampMs: number | bigint, ms: string, iso: string, rel: string][] = [
  ['now', now, String(now), '2026-11-21T04:26:09.005Z', '-0ms'],
  ['450 ms ago', now - 450, String(now - 450), '2026-11-21T04:26:08.555Z', '-450ms'],
  ['12.9 s ago', now - 12_900, String(now - 12_900), '2026-11-21T04:25:56.105Z', '-12s'],
  ['2 min 3 s ago', now - 2 * minute - 3 * second, String(now - 123_000), '2026-11-21T04:24:06.005Z', '-2m3s'],
  ['2 min ago', now - 2 * minute - 999, String(now - 120_999), '2026-11-21T04:24:08.006Z', '-2m'],
  ['2 h 59 s ago', now - 2 * hour - 59 * second, String(now - 7_259_000), '2026-11-21T02:25:10.005Z', '-2h'],
  ['3 d 4 h ago', now - 3 * day - 4 * hour - 5 * minute, String(now - 273_900_000), '2026-11-18T00:21:09.005Z', '-3d4h'],
  ['in 5 s', now + 5 * second, String(now + 5000), '2026-11-21T04:26:14.005Z', '+5s'],
  ['in 1 d 1 h', now + day + hour, String(now + day + hour), '2026-11-22T05:26:09.005Z', '+1d1h'],
  ['the epoch', 0, '0', '1970-01-01T00:00:00.000Z', '-20778d4h'],
  ['none', -1, '-1', '-1', '-1'],
  ['before 1970', -2, '-2', '1969-12-31T23:59:59.998Z', '-20778d4h'],
  ['beyond the year 9999', 253_402_300_800_000, '253402300800000', '253402300800000', '253402300800000'],
  ['beyond 2^53-1', 2n ** 63n - 1n, '9223372036854775807', '9223372036854775807', '9223372036854775807'],
]

for (const [name, timestampMs, ...texts] of rows) {
  test(`timestampText() of ${name}: ${texts.join(', ')}`, (t) => {
    t.deepEqual(
      TIME_FORMS.map((form) => timestampText(timestampMs, form, () => now)),
      texts,
    )
  })
}
