import test from 'ava'
import { KNOWN_GAPS_FILE, isKnownGap, readKnownGaps, writeKnownGaps, type OffsetGap } from '../../lib/log/known-gaps.js'
import { createPartitionInMemory } from './partition-in-memory.js'
import { readTextExamples } from './text-examples.js'

for (const { text, expected } of readTextExamples('known-gaps.md')) {
  const gaps = expected as OffsetGap[]

  test('known-gaps.md: the text is read as what the page says', (t) => {
    const { context, put } = createPartitionInMemory()
    put(KNOWN_GAPS_FILE, Buffer.from(text))
    t.deepEqual(readKnownGaps(context), gaps)
    t.true(isKnownGap(gaps, 125, 140))
    t.false(isKnownGap(gaps, 125, 141))
  })

  test('known-gaps.md: what the page says is written as the text', (t) => {
    const { context, get } = createPartitionInMemory()
    writeKnownGaps(context, gaps.toReversed())
    t.is(get(KNOWN_GAPS_FILE)?.toString(), text)
  })
}

test('known-gaps.md: a missing or damaged file means no gaps', (t) => {
  const { context, put } = createPartitionInMemory()
  t.deepEqual(readKnownGaps(context), [])
  for (const text of ['1\n1\n1 2\n', '0\n2\n1 2\n', '0\n1\n5 5\n', '0\n2\n5 6\n1 2\n', '']) {
    put(KNOWN_GAPS_FILE, Buffer.from(text))
    t.deepEqual(readKnownGaps(context), [], text)
  }
})
