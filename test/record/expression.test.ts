import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import {
  MAX_TEXT_BYTES,
  compileNumberExpression,
  compileRecordFilter,
  type ExpressionRecord,
} from '../../lib/record/expression.js'
import { murmur2, toPositive } from '../../lib/bytes/murmur2.js'

const record: ExpressionRecord = {
  topic: 'orders',
  key: Buffer.from('k1'),
  value: Buffer.from('{"user":7,"name":"x"}'),
  headers: [
    { key: 'zone', value: Buffer.from('eu') },
    { key: 'none', value: null },
  ],
  timestampMs: Date.UTC(2026, 10, 21, 5),
}

for (const [text, expected] of [
  ['int(value.user) % 4', 3],
  ['value.user', 7],
  ['size(key)', 2],
  ['size(text)', 21],
  ['topic == "orders" ? 1 : 2', 1],
  ['headers.zone == "eu" ? 5 : 6', 5],
  ['size(headers.none)', 0],
  ['timestamp.getHours()', 5],
  ['murmur2(key)', toPositive(murmur2(Buffer.from('k1')))],
  ['-3', -3],
] as const) {
  test(`compileNumberExpression() evaluates ${text}`, async (t) => {
    const expression = await compileNumberExpression(text)
    t.is(expression.evaluate(record), expected)
  })
}

for (const text of ['', 'nope + 1', '"text"', 'true', '1 +', 'offset % 2']) {
  test(`compileNumberExpression() refuses '${text}'`, async (t) => {
    const error = await t.throwsAsync(compileNumberExpression(text))
    t.true(isLogqError(error, 'LOGQ_USAGE'))
  })
}

for (const text of ['value.missing', 'int(text)', '1.5', 'value.name']) {
  test(`an expression that fails on a record is an error of that record: ${text}`, async (t) => {
    const expression = await compileNumberExpression(text)
    const error = t.throws(() => expression.evaluate(record))
    t.true(isLogqError(error, 'LOGQ_INVALID_RECORD'))
  })
}

test('a value that is not JSON matters only to an expression that asks for it', async (t) => {
  const broken = { ...record, value: Buffer.from('{') }
  t.is((await compileNumberExpression('size(key)')).evaluate(broken), 2)
  const asks = await compileNumberExpression('value.user')
  t.throws(() => asks.evaluate(broken), { message: /fails on it/ })
})

const stored = { ...record, partition: 2, offset: 40 }

for (const [text, expected] of [
  ['key == "k1"', true],
  ['key == "k2" || offset == 40', true],
  ['offset % 2 == 0 && partition < 3', true],
  ['value.user + 1 > 7', true],
  ['value.user % 2 == 1', true],
  ['1.5 * partition == 3.0', true],
  ['(topic == "x" || value.user == 7) && headers.zone == "eu"', true],
  ['"zone" in headers && !("nope" in headers)', true],
  ['timestamp >= timestamp("2026-11-21T05:00:00Z")', true],
  ['text.contains("name") && key.startsWith("k")', true],
  ['has(value.nope)', false],
  ['value == null', false],
] as const) {
  test(`compileRecordFilter() evaluates ${text}`, async (t) => {
    const filter = await compileRecordFilter(text)
    t.is(filter.matches(stored), expected)
    t.is(filter.failedCount, 0)
  })
}

for (const text of ['', 'nope == 1', 'offset', '"text"', 'key &&', 'key == 1', 'now() > timestamp']) {
  test(`compileRecordFilter() refuses '${text}'`, async (t) => {
    const error = await t.throwsAsync(compileRecordFilter(text))
    t.true(isLogqError(error, 'LOGQ_USAGE') && error.hint?.includes('offset') === true)
  })
}

for (const text of ['value.nope > 1', 'headers.nope == "x"', 'value.name', 'value.name + 1 > 2']) {
  test(`a filter that fails on a record does not match it, and says so: ${text}`, async (t) => {
    const filter = await compileRecordFilter(text)
    t.false(filter.matches(stored))
    t.false(filter.matches({ ...stored, offset: 41 }))
    t.is(filter.failedCount, 2)
    t.regex(filter.firstFailure ?? '', /^orders:2@40: ./)
  })
}

test('a tombstone has a null value, and empty text', async (t) => {
  const tombstone = { ...stored, value: null }
  t.true((await compileRecordFilter('value == null && text == ""')).matches(tombstone))
})

for (const text of ['value.user == 7 && key == "nope"', 'text == "x" && (offset < 3 && headers.zone == "eu")']) {
  test(`a filter looks at no value of a record that its other conditions refuse: ${text}`, async (t) => {
    let count = 0
    const counting = {
      ...stored,
      get value() {
        count += 1
        return record.value
      },
    }
    const filter = await compileRecordFilter(text)
    t.false(filter.matches(counting))
    t.is(count, 0)
    t.is((await compileRecordFilter('value.user == 7')).matches(counting), true)
    t.true(count > 0)
  })
}

test('a value above 256 MiB is an error for a filter that asks for it, and none for another', async (t) => {
  const huge = { ...stored, value: new Uint8Array(MAX_TEXT_BYTES + 1) }
  t.true((await compileRecordFilter('key == "k1"')).matches(huge))
  const asks = await compileRecordFilter('text == "x"')
  const error = t.throws(() => asks.matches(huge))
  t.true(isLogqError(error, 'LOGQ_RECORD_TOO_LARGE'))
})
