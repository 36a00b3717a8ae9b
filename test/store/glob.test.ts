import test from 'ava'
import fc from 'fast-check'
import picomatch from 'picomatch'
import { compileGlob } from '../../lib/store/glob.js'

for (const [glob, matching, others] of [
  ['a*b*c', ['abc', 'axxbxxc', 'abbcc'], ['ab', 'acb', 'abcd']],
  ['a**b', ['ab', 'axb'], ['a', 'b']],
  ['{a,b*}-{1,2}', ['a-1', 'b-2', 'bxx-1'], ['ax-1', 'a-3', 'a-']],
  ['x{,y,{z,w?}}', ['x', 'xy', 'xz', 'xwa'], ['xw', 'xyz']],
  ['{*,b}', ['', 'anything'], []],
  ['[]a]', [']', 'a'], ['b', '']],
  ['[!]a]', ['b'], [']', 'a']],
  ['[a-]', ['a', '-'], ['b']],
  ['[^b-y]', ['a', 'z'], ['b', 'm', 'y']],
  ['[z-a]', [], ['a', 'm', 'z', '-']],
  ['[{,}]x', ['{x', ',x', '}x'], ['x']],
  ['{a}', ['{a}'], ['a']],
  ['{a,{b,c}', ['{a,b', '{a,c'], ['a', 'b']],
  ['a,b}', ['a,b}'], ['a', 'b']],
  ['[a', ['[a'], ['a']],
  ['a.c', ['a.c'], ['abc']],
  ['', [''], ['a']],
] as const) {
  test(`the glob ${glob}`, (t) => {
    const matches = compileGlob(glob)
    for (const text of matching) t.true(matches(text), text)
    for (const text of others) t.false(matches(text), text)
  })
}

/** Globs that are whole, in the letters of the texts. Without dots: picomatch takes `{,..}` for a range. */
const { glob } = fc.letrec<{ glob: string; part: string; group: string }>((tie) => ({
  glob: fc.array(tie('part'), { maxLength: 5 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('a', 'b', '-', '_', '*', '?', '[ab]', '[!a]', '[a-b_]') },
    { weight: 1, arbitrary: tie('group') },
  ),
  group: fc.array(tie('glob'), { minLength: 2, maxLength: 3 }).map((globs) => `{${globs.join(',')}}`),
}))

test('a glob matches what it matches for picomatch', (t) => {
  let matched = 0
  fc.assert(
    fc.property(glob, fc.array(fc.stringMatching(/^[abx_-]{1,8}$/), { minLength: 1, maxLength: 10 }), (pattern, texts) => {
      const [ours, theirs] = [
        compileGlob(pattern),
        pattern === '' ? () => false : picomatch(pattern, { dot: true, nonegate: true, posix: true }),
      ]
      for (const text of texts) {
        const is = ours(text)
        if (is) matched += 1
        if (is !== theirs(text)) throw new Error(`'${pattern}' ${is ? 'matches' : 'does not match'} '${text}'`)
      }
    }),
    { numRuns: 2_000 },
  )
  t.true(matched > 500, String(matched))
})

test('no glob and no text make it take long', (t) => {
  const name = 'a'.repeat(249)
  for (const hostile of [
    '*a*a*a*b',
    `${'*a'.repeat(120)}b`,
    `${'{a,a*}'.repeat(120)}b`,
    `${'{'.repeat(2_000)}${',a}'.repeat(700)}`,
    '['.repeat(4_000),
    `${'[a'.repeat(2_000)}]`,
    `{${'a*,'.repeat(1_300)}b}`,
    '*'.repeat(4_000),
  ]) {
    const begun = performance.now()
    const matches = compileGlob(hostile)
    matches(name)
    // Milliseconds when the machine is idle.
    t.true(performance.now() - begun < 10_000, hostile.slice(0, 30))
  }
})
