import test from 'ava'
import { readCleanerOffsets, writeCleanerOffsets, type CleanerOffsets } from '../../lib/log/cleaner-file.js'
import { CLEANER_OFFSET_FILE } from '../../lib/log/file-names.js'
import { createPartitionInMemory } from './partition-in-memory.js'
import { readTextExamples } from './text-examples.js'

for (const { text, expected } of readTextExamples('compaction.md')) {
  const offsets = expected as CleanerOffsets

  test('compaction.md: the text is read as what the page says', (t) => {
    const { context, put } = createPartitionInMemory()
    put(CLEANER_OFFSET_FILE, Buffer.from(text))
    t.deepEqual(readCleanerOffsets(context), offsets)
  })

  test('compaction.md: what the page says is written as the text', (t) => {
    const { context, get } = createPartitionInMemory()
    writeCleanerOffsets(context, offsets)
    t.is(get(CLEANER_OFFSET_FILE)?.toString(), text)
  })

  test('compaction.md: a missing or damaged file means that no pass has been', (t) => {
    const { context, put } = createPartitionInMemory()
    const never = { cleanedOffset: 0, gapsOffset: 0 }
    t.deepEqual(readCleanerOffsets(context), never)
    for (let n = 0; n < text.length; n += 1) {
      const bytes = Buffer.from(text)
      bytes[n] = (bytes[n] ?? 0) ^ 1
      put(CLEANER_OFFSET_FILE, bytes)
      t.deepEqual(readCleanerOffsets(context), never, `byte ${n}`)
      put(CLEANER_OFFSET_FILE, Buffer.from(text).subarray(0, n))
      t.deepEqual(readCleanerOffsets(context), never, `cut at ${n}`)
    }
  })
}
