import test from 'ava'
import { formatManifest, parseManifest, type Manifest } from '../../lib/store/archive/manifest.js'
import { readTextExamples } from './text-examples.js'

for (const { text, expected } of readTextExamples('archive.md')) {
  test('archive.md: the manifest is read as what the page says', (t) => {
    t.deepEqual(parseManifest(Buffer.from(text), 'manifest'), expected as Manifest)
  })

  test('archive.md: what the page says is written as the text', (t) => {
    t.is(Buffer.from(formatManifest(expected as Manifest)).toString(), text)
  })

  test('archive.md: a manifest with any byte changed, or cut off anywhere but between lines, is refused', (t) => {
    const bytes = Buffer.from(text)
    for (let n = 0; n < bytes.length; n += 1) {
      const other = Buffer.from(bytes)
      other[n] = (other[n] ?? 0) ^ 1
      t.throws(() => parseManifest(other, 'manifest'), { code: 'LOGQ_CORRUPT' }, `byte ${n}`)
      const isBetween = n > 0 && bytes[n - 1] === 0x0a
      if (!isBetween) t.throws(() => parseManifest(bytes.subarray(0, n), 'manifest'), { code: 'LOGQ_CORRUPT' }, `length ${n}`)
    }
  })

  test('archive.md: a manifest whose topic has more partitions than a topic may have is refused', (t) => {
    const { partition, segments } = expected as Manifest
    const withCount = (partitions: number) => formatManifest({ partition: { ...partition, partitions }, segments })
    t.notThrows(() => parseManifest(withCount(100_000), 'manifest'))
    t.throws(() => parseManifest(withCount(100_001), 'manifest'), { code: 'LOGQ_CORRUPT' })
  })
}
