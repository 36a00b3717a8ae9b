import test from 'ava'
import {
  BUCKET_BYTES,
  DEDUPE_HEADER_BYTES,
  DEDUPE_HOLDER_BYTES,
  DEDUPE_HOLDER_POSITION,
  ENTRIES_PER_BUCKET,
  ENTRY_BYTES,
  decodeDedupeHeader,
  emptyBucket,
  encodeDedupeHeader,
  entryPosition,
  homeBucket,
  isBucket,
  readEntry,
  sealBucket,
  usedEntries,
  writeEntry,
  type DedupeHeader,
} from '../../lib/produce/dedupe-format.js'
import { ID_HASH_BYTES, hashOfId } from '../../lib/produce/dedupe-id.js'
import { dedupeIndexName } from '../../lib/produce/dedupe-index.js'
import { tableBelow } from '../helpers/markdown.js'
import { hex } from './partition-in-memory.js'
import { readPage } from './text-examples.js'
import { readWorkedExamples } from './worked-examples.js'

const page = readPage('dedupe-index.md')
const [headerExample, bucketExample] = readWorkedExamples('dedupe-index.md')
const headerBytes = headerExample?.bytes ?? new Uint8Array()
const bucketBytes = Buffer.concat([bucketExample?.bytes ?? new Uint8Array(), Buffer.alloc(448)])
const { bootId, kind, generation, ...numbers } = headerExample?.expected as Record<'bootId' | 'kind' | 'generation', string> &
  Omit<DedupeHeader, 'bootId' | 'kind' | 'generation'>
const entry = bucketExample?.expected as { number: number; id: string; offset: number; timestampMs: number }

test('dedupe-index.md: the header decodes to what the page says', (t) => {
  const header = decodeDedupeHeader(headerBytes)
  const wanted = { ...numbers, bootId, generation, kind: hex(hashOfId(Buffer.from(kind))) }
  t.deepEqual({ ...header, bootId: hex(header?.bootId), generation: hex(header?.generation), kind: hex(header?.kind) }, wanted)
})

test('dedupe-index.md: what the page says encodes to the header', (t) => {
  const bytesOf = (text: string) => Buffer.from(text, 'hex')
  const hash = hashOfId(Buffer.from(kind))
  const header = { ...numbers, bootId: bytesOf(bootId), generation: bytesOf(generation), kind: hash }
  t.is(hex(encodeDedupeHeader(header)), hex(headerBytes))
  t.is(decodeDedupeHeader(encodeDedupeHeader({ ...header, lastBatch: undefined }))?.lastBatch, undefined)
})

test('dedupe-index.md: the bucket decodes to what the page says, and is encoded as the page has it', (t) => {
  const hash = hashOfId(Buffer.from(entry.id))
  const { offset, timestampMs } = entry
  t.is(homeBucket(hash, numbers.bucketCount), entry.number)
  t.true(isBucket(bucketBytes, entry.number))
  t.false(isBucket(bucketBytes, entry.number + 1))
  t.is(usedEntries(bucketBytes), 1)
  t.deepEqual(readEntry(bucketBytes, 0), { offset, timestampMs, hidesOthers: false })
  t.is(hex(bucketBytes.subarray(entryPosition(0), entryPosition(0) + ID_HASH_BYTES)), hex(hash))
  const bucket = emptyBucket(entry.number)
  writeEntry(bucket, 0, hash, { offset, timestampMs, hidesOthers: false })
  sealBucket(bucket)
  t.is(hex(bucket), hex(bucketBytes))
})

test('dedupe-index.md: an entry that stands for others has a negative offset', (t) => {
  const bucket = emptyBucket(0)
  for (const [n, hidesOthers] of [true, false, true].entries()) {
    writeEntry(bucket, n, hashOfId(Buffer.from('u')), { offset: 7 * n, timestampMs: -1, hidesOthers })
    t.deepEqual(readEntry(bucket, n), { offset: 7 * n, timestampMs: -1, hidesOthers })
  }
  t.is(bucket.readBigInt64BE(entryPosition(2) + ID_HASH_BYTES), -15n)
  t.is(usedEntries(bucket), 3)
})

test('dedupe-index.md: a header or a bucket with any bit flipped is none', (t) => {
  for (const [bytes, isWhole] of [
    [headerBytes, (flipped: Uint8Array) => decodeDedupeHeader(flipped) !== undefined],
    [bucketBytes, (flipped: Uint8Array) => isBucket(flipped, entry.number)],
  ] as const) {
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      t.false(isWhole(flipped), `bit ${bit}`)
    }
  }
})

test('dedupe-index.md: a header whose checksum is right and whose numbers cannot be is none', (t) => {
  const header = decodeDedupeHeader(headerBytes)
  if (header === undefined) throw new Error('the example is no header')
  const impossible: readonly Partial<DedupeHeader>[] = [
    { bucketCount: 0 },
    { bucketCount: 3 },
    { bucketCount: 1 << 27 },
    { tablePosition: 0 },
    { tablePosition: 513 },
    { entryCount: -1 },
    { entryCount: 64 * ENTRIES_PER_BUCKET + 1 },
    { coveredTo: -1 },
  ]
  for (const change of impossible) {
    t.is(decodeDedupeHeader(encodeDedupeHeader({ ...header, ...change })), undefined, JSON.stringify(change))
  }
})

test('dedupe-index.md: the layout tables are whole: every field begins where the one before it ends', (t) => {
  for (const [heading, length] of [
    ['### The header', DEDUPE_HEADER_BYTES],
    ['### A bucket', ENTRY_BYTES],
    ['### An entry', ENTRY_BYTES],
  ] as const) {
    let place = 0
    for (const [position, bytes] of tableBelow(page, heading)) {
      t.is(Number(position), place)
      place += Number(bytes)
    }
    t.is(place, length)
  }
  t.true(page.includes(`At ${DEDUPE_HOLDER_POSITION},`) && page.includes(`note, ${DEDUPE_HOLDER_BYTES} bytes`))
  t.true(page.includes(`\n${BUCKET_BYTES} bytes: a head`) && page.includes(`${ENTRIES_PER_BUCKET} places for entries`))
})

test('dedupe-index.md: the names', (t) => {
  t.is(dedupeIndexName({ field: 'key' }), 'dedupe-key')
  t.is(dedupeIndexName({ field: 'value' }), 'dedupe-value')
  t.regex(dedupeIndexName({ field: 'header', name: 'request-id' }), /^dedupe-header-730e938abe361240$/)
})
