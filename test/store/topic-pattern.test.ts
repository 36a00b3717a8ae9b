import test from 'ava'
import { isLogqError } from '../../lib/errors.js'
import { compileTopicPattern, expandTopics, isTopicPattern } from '../../lib/store/topic-pattern.js'
import { createTopic } from '../../lib/store/topics.js'
import { tinyStore } from './tiny-store.js'

for (const [pattern, matching, others] of [
  ['access.*', ['access.a', 'access.', 'access.a.b'], ['access', 'xaccess.a', 'accessxa']],
  ['*', ['a', '.a', '-', '_a'], ['__consumer_offsets']],
  ['__*', ['__consumer_offsets'], ['_a', 'a']],
  ['{a,b}-?', ['a-1', 'b-x'], ['c-1', 'a-', 'a-12']],
  ['[a-c]x', ['ax', 'cx'], ['dx', 'abx']],
  ['[!a]', ['b'], ['a', 'bb']],
  ['[', [], ['a']],
  ['{a', [], ['a']],
  ['!(a)*', [], []],
] as const) {
  test(`the pattern ${pattern}`, (t) => {
    t.true(isTopicPattern(pattern))
    const matches = compileTopicPattern(pattern)
    for (const topic of matching) t.true(matches(topic), topic)
    for (const topic of others) t.false(matches(topic), topic)
  })
}

test('names are no patterns, and a pattern beyond reason is a usage error', (t) => {
  for (const name of ['a', 'a.b', 'A_b-9', '..a']) t.false(isTopicPattern(name), name)
  t.true(
    isLogqError(
      t.throws(() => compileTopicPattern('*'.repeat(100_000))),
      'LOGQ_USAGE',
    ),
  )
})

test('expandTopics() keeps names as they are given, and gives each topic of a pattern once', async (t) => {
  const { store } = await tinyStore(null)
  for (const topic of ['b', 'a', 'ab']) await createTopic(store, topic)
  t.deepEqual(await expandTopics(store, ['x', 'a', 'a']), ['x', 'a', 'a'])
  t.deepEqual(await expandTopics(store, ['a*', 'b']), ['a', 'ab', 'b'])
  t.deepEqual(await expandTopics(store, ['*', 'a']), ['ab', 'b', 'a'])
  t.deepEqual(await expandTopics(store, ['*b', 'a*', '*']), ['ab', 'b', 'a'])
  t.true(isLogqError(await t.throwsAsync(expandTopics(store, ['a', 'x*'])), 'LOGQ_UNKNOWN_TOPIC'))
  const unmatched: string[] = []
  const found = await expandTopics(store, ['x*', 'a*'], ({ message }) => void unmatched.push(message))
  t.deepEqual([found, unmatched.length], [['a', 'ab'], 1])
  // In a directory of somebody else a topic may be called like the pattern that was given.
  store.system.fs.rename(`${store.path}/topics/ab.json`, `${store.path}/topics/a[.json`)
  t.deepEqual(await expandTopics(store, ['a[']), ['a['])
})
