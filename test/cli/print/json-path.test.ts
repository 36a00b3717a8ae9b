import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import fc from 'fast-check'
import { isLogqError } from '../../../lib/errors.js'
import { parseJsonPath } from '../../../cli/print/json-path.js'
import { findValue } from '../../../cli/print/json-scanner.js'

const paths: readonly (readonly [string, readonly (string | number)[]])[] = [
  ['.', []],
  ['.a', ['a']],
  ['.a.b_1.C', ['a', 'b_1', 'C']],
  ['.[0]', [0]],
  ['.a[10][2].b', ['a', 10, 2, 'b']],
  ['.a.[3]', ['a', 3]],
  ['."odd name"."a\\"b\\u0041"', ['odd name', 'a"bA']],
  ['.["x.y"]["0"].z', ['x.y', '0', 'z']],
]

for (const [text, steps] of paths) {
  test(`the path ${text}`, (t) => {
    t.deepEqual(parseJsonPath(text), { text, steps })
  })
}

for (const text of [
  '',
  'a',
  'a.b',
  '..',
  '.a.',
  '.a..b',
  '.0',
  '.a-b',
  '.a[',
  '.a[]',
  '.a[-1]',
  '.a[1.5]',
  '.[a]',
  '."a',
  '."\\q"',
  '[0]',
  ' .a',
  '.a ',
]) {
  test(`'${text}' is no path`, (t) => {
    const error = t.throws(() => parseJsonPath(text))
    t.true(isLogqError(error, 'LOGQ_USAGE'))
  })
}

test('values are found with their source text', (t) => {
  const text = ' { "a" : [ 1e3 , {"b":"x\\ny"}, [ ] ] , "a" : [ 1.0, {"b":null}, {"c" : 1 } ], "": 12345678901234567890 } '
  const find = (path: string) => findValue(text, parseJsonPath(path).steps)
  t.is(find('.')?.source, text.trim())
  t.is(find('.a[0]')?.source, '1.0', 'the last of two members counts')
  t.is(find('.a[1].b')?.source, 'null')
  t.is(find('.a[2]')?.source, '{"c" : 1 }')
  t.is(find('.""')?.source, '12345678901234567890')
  for (const missing of ['.b', '.a[3]', '.a.b', '.a[0].b', '."a".a', '.[0]', '.a[1].b.c'])
    t.is(find(missing), undefined, missing)
  t.throws(() => findValue('{"a":1', []), { instanceOf: SyntaxError })
  t.throws(() => findValue('{"a":01}', ['b']), { instanceOf: SyntaxError })
  t.throws(() => findValue('', []), { instanceOf: SyntaxError })
})

test('what is found is what JSON.parse has there', (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 0, max: 2 }), (text, indent) => {
      const value = JSON.parse(text) as unknown
      const visit = (at: unknown, steps: readonly (string | number)[]): void => {
        const found = findValue(JSON.stringify(value, null, indent), steps)
        t.deepEqual(found === undefined ? undefined : JSON.parse(found.source), at)
        t.is(found?.string, typeof at === 'string' ? at : undefined)
        if (Array.isArray(at)) at.forEach((element, n) => visit(element, [...steps, n]))
        else if (typeof at === 'object' && at !== null)
          for (const [name, part] of Object.entries(at)) visit(part, [...steps, name])
      }
      visit(value, [])
    }),
    { numRuns: 100 },
  )
})

test('of millions of members or elements only the wanted one is kept', async (t) => {
  const scanner = JSON.stringify(new URL('../../../cli/print/json-scanner.js', import.meta.url).href)
  const code = `
    import(${scanner}).then(({ findValue }) => {
      const array = findValue('[' + '1,'.repeat(4e6) + '2]', [4e6])
      const object = findValue('{' + '"a":1,'.repeat(2e6) + '"b":2}', ['b'])
      require('node:worker_threads').parentPort.postMessage([array.source, object.source])
    })`
  // What JSON.parse makes of them takes about half of that.
  const worker = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 160 } })
  const [message] = (await once(worker, 'message')) as [unknown]
  await worker.terminate()
  t.deepEqual(message, ['2', '2'])
})
