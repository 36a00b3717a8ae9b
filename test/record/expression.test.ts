import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { compileNumberExpression, type ExpressionRecord } from '../../lib/record/expression.js'
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
