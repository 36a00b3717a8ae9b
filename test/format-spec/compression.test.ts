import test from 'ava'
import { CODECS, compress, decompress, loadCodec, type Codec } from '../../lib/record/compression.js'
import { readWorkedExamples } from './worked-examples.js'

const examples = readWorkedExamples('compression.md') as readonly {
  readonly title: string
  readonly bytes: Uint8Array
  readonly expected: { readonly codec: Codec; readonly content: string }
}[]

test.before(async () => {
  for (const codec of CODECS) await loadCodec(codec)
})

test('compression.md shows every codec', (t) => {
  t.deepEqual(
    CODECS.filter((codec) => !examples.some((example) => example.expected.codec === codec)),
    ['none'],
  )
})

for (const { title, bytes, expected } of examples) {
  test(`compression.md, '${title}': the bytes decompress to what the page says`, (t) => {
    t.is(Buffer.from(decompress(expected.codec, bytes)).toString(), expected.content)
  })
}

for (const { title, bytes, expected } of examples.filter((example) => !example.title.includes('without'))) {
  // A compressor may find other bytes in a later version; its frame and length then show whether the page still tells the truth.
  test(`compression.md, '${title}': what logq writes begins and measures as on the page`, (t) => {
    const written = compress(expected.codec, Buffer.from(expected.content))
    t.is(written.length, bytes.length)
    t.deepEqual([...written.subarray(0, 6)], [...bytes.subarray(0, 6)])
  })
}
