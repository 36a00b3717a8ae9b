import test from 'ava'
import fc from 'fast-check'
import { openMetricsLines } from '../../lib/inspect/open-metrics.js'
import { parseOpenMetrics } from '../helpers/open-metrics.js'

test('any label and any number come back', (t) => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom('\\', '"', '\n', ',', '}', ' '), fc.string({ minLength: 1, maxLength: 1 })),
  })
  const value = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true, noInteger: true }))
  fc.assert(
    fc.property(text, text, value, (topic, help, number) => {
      const family = {
        name: 'logq_x_bytes',
        unit: 'bytes',
        help,
        samples: [{ labels: { topic, partition: 3 }, value: number }],
      } as const
      const written = [...openMetricsLines([family])].join('')
      t.deepEqual(parseOpenMetrics(written), [{ name: 'logq_x_bytes', labels: { topic, partition: '3' }, value: number }])
    }),
  )
})

test('the parser refuses what is no OpenMetrics text', (t) => {
  const whole = '# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes x\na_bytes{b="c"} 1\n# EOF\n'
  t.is(parseOpenMetrics(whole).length, 1)
  for (const [from, to] of [
    ['# EOF\n', ''],
    ['UNIT a_bytes bytes', 'UNIT a_bytes seconds'],
    ['{b="c"} 1', '{b="c"d"} 1'],
    ['{b="c"} 1', '{b="c"} 1\na_bytes{b="c"} 2'],
    ['{b="c"} 1', '{b="c"} one'],
    ['# TYPE a_bytes gauge\n', ''],
    ['a_bytes{', 'b_bytes{'],
  ] as const) {
    t.throws(() => parseOpenMetrics(whole.replace(from, to)), undefined, `${from} → ${to}`)
  }
})
