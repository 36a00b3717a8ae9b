import test from 'ava'
import fc from 'fast-check'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { RecordBatch, stampBatch } from '../../lib/record/batch.js'
import { joinValues } from '../../lib/record/join-values.js'
import { arbitraryRecords, batchOf, textRecord } from './arbitrary-records.js'
import { craftBatch, craftRecord } from './craft-batch.js'

const utf8 = (text: string) => new TextEncoder().encode(text)
const NOTHING = new Uint8Array(0)

function joined(batch: RecordBatch, from: number, to: number, delimiter = utf8('\n'), nullText = NOTHING): [number, string] {
  const out = new GrowableBytes(1)
  const recordCount = joinValues(batch, from, to, delimiter, nullText, out)
  return [recordCount, Buffer.from(out.view()).toString('latin1')]
}

function batchAt(baseOffset: number, ...texts: string[]): RecordBatch {
  const bytes = batchOf(texts.map((text) => textRecord(text)))
  stampBatch(bytes, baseOffset, 0)
  return new RecordBatch(bytes)
}

test('joinValues() writes every value and the delimiter', (t) => {
  t.deepEqual(joined(batchAt(0, 'a', '', 'ccc'), 0, 3), [3, 'a\n\nccc\n'])
  t.deepEqual(joined(batchAt(0, 'a', '', 'ccc'), 0, 3, utf8('--')), [3, 'a----ccc--'])
  t.deepEqual(joined(batchAt(0, 'a', '', 'ccc'), 0, 3, NOTHING), [3, 'accc'])
})

test('joinValues() leaves out offsets outside the range, whose end is not in it', (t) => {
  const batch = batchAt(10, 'a', 'b', 'c', 'd')
  t.deepEqual(joined(batch, 0, 100), [4, 'a\nb\nc\nd\n'])
  t.deepEqual(joined(batch, 11, 13), [2, 'b\nc\n'])
  t.deepEqual(joined(batch, 14, 20), [0, ''])
  t.deepEqual(joined(batch, 0, 10), [0, ''])
  t.deepEqual(joined(batch, 13, 14), [1, 'd\n'])
})

test('joinValues() writes the null text for a null value and for nothing else', (t) => {
  const batch = new RecordBatch(batchOf([{ value: null, timestampMs: 1 }, textRecord('')]))
  t.deepEqual(joined(batch, 0, 2, utf8('\n'), utf8('NULL')), [2, 'NULL\n\n'])
  t.deepEqual(joined(batch, 0, 2), [2, '\n\n'])
})

test('joinValues() appends after what the output holds', (t) => {
  const out = new GrowableBytes(4)
  out.append(utf8('before:'))
  joinValues(batchAt(0, 'a'), 0, 1, utf8('\n'), NOTHING, out)
  t.is(Buffer.from(out.view()).toString(), 'before:a\n')
})

test('joinValues() gives the values that records() gives, whatever they are', (t) => {
  fc.assert(
    fc.property(arbitraryRecords, fc.nat(30), fc.nat(30), fc.uint8Array({ maxLength: 3 }), (records, from, to, delimiter) => {
      const batch = new RecordBatch(batchOf(records, { codec: 'lz4' }))
      const out = new GrowableBytes(1)
      const written = joinValues(batch, from, to, delimiter, utf8('\\N'), out)
      const expected = records.slice(from, Math.max(from, to)).flatMap((record) => [record.value ?? utf8('\\N'), delimiter])
      t.deepEqual(Buffer.from(out.view()), Buffer.concat(expected))
      t.is(written, expected.length / 2)
    }),
  )
})

test('joinValues() throws at a bad record, with the ones before it written', (t) => {
  const records = Buffer.concat([craftRecord({ value: utf8('good') }), craftRecord({ offsetDelta: 1, valueLength: 99 })])
  const batch = new RecordBatch(craftBatch({ recordCount: 2, records }))
  const out = new GrowableBytes(1)
  t.throws(() => joinValues(batch, 0, 2, utf8('\n'), NOTHING, out), { code: 'LOGQ_CORRUPT' })
  t.is(Buffer.from(out.view()).toString(), 'good\n')
})
