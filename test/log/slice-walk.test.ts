import test from 'ava'
import fc from 'fast-check'
import type { BatchSlice } from '../../lib/log/read-partition.js'
import { SliceWalk } from '../../lib/log/slice-walk.js'
import { RecordBatch } from '../../lib/record/batch.js'
import { CODECS } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { compileRecordFilter } from '../../lib/record/expression.js'
import { copyRecord, type LentRecord } from '../../lib/record/lent-record.js'
import { predicateOf } from '../../lib/record/record-predicate.js'
import { arbitraryRecords, batchOf, textRecord } from '../record/arbitrary-records.js'

function sliceOf(bytes: Uint8Array, fromOffset: number, toOffset: number): BatchSlice {
  const failed = (error: unknown) => {
    throw error
  }
  return { partition: 0, batch: new RecordBatch(bytes), fromOffset, toOffset, located: (error) => error, failed }
}

test('SliceWalk lends what records() copies, in order and against it', async (t) => {
  for (const codec of CODECS) await loadCodec(codec)
  const property = fc.property(
    arbitraryRecords,
    fc.constantFrom(...CODECS),
    fc.nat(12),
    fc.nat(12),
    (records, codec, from, to) => {
      const bytes = batchOf(records, { codec })
      const expected = [...new RecordBatch(bytes).records()].filter(({ offset }) => offset >= from && offset < to)
      const forwards = new SliceWalk(sliceOf(bytes, from, to))
      const seen = []
      while (forwards.next()) seen.push(copyRecord(forwards.record))
      t.deepEqual(seen, expected)
      const backwards = new SliceWalk(sliceOf(bytes, from, to), 'backwards')
      const reversed = []
      while (backwards.next()) reversed.push(copyRecord(backwards.record))
      t.deepEqual(reversed, expected.reverse())
    },
  )
  fc.assert(property, { numRuns: 100 })
})

for (const count of [1, 255, 256, 257, 512, 1_000]) {
  test(`SliceWalk goes backwards over ${count} records`, (t) => {
    const bytes = batchOf(Array.from({ length: count }, (_, n) => textRecord(`v${n}`, 1_000 + n)))
    const walk = new SliceWalk(sliceOf(bytes, 0, Infinity), 'backwards')
    for (let offset = count - 1; offset >= 0; offset -= 1) {
      t.true(walk.next())
      t.is(walk.record.offset, offset)
      t.is(Buffer.from(walk.record.value ?? []).toString(), `v${offset}`)
      t.is(walk.record.timestampMs, 1_000 + offset)
    }
    t.false(walk.next())
    t.false(walk.next())
  })
}

test('a predicate reads of a record what its expression asks for, and the value last', async (t) => {
  const touched: string[] = []
  const bytes = new TextEncoder()
  const record: LentRecord = {
    timestampType: 'CreateTime',
    get offset() {
      touched.push('offset')
      return 7
    },
    get timestampMs() {
      touched.push('timestamp')
      return 1_000
    },
    get key() {
      touched.push('key')
      return bytes.encode('k')
    },
    get value() {
      touched.push('value')
      return bytes.encode('{"a":1}')
    },
    get headers() {
      touched.push('headers')
      return [{ key: 'h', value: bytes.encode('x') }]
    },
  }
  const reads = async (expression: string) => {
    touched.length = 0
    const isMatch = predicateOf(await compileRecordFilter(expression))('t', 3, record)
    return [isMatch, ...new Set(touched)].join(' ')
  }
  t.is(await reads('topic == "t" && partition == 3'), 'true')
  t.is(await reads('key == "k"'), 'true key')
  t.is(await reads('key == "no"'), 'false key')
  t.is(await reads('headers.h == "x"'), 'true headers')
  t.is(await reads('offset == 7 && timestamp > timestamp("2026-01-01T00:00:00Z")'), 'false offset timestamp')
  t.is(await reads('value.a == 1 && key == "no"'), 'false key')
  t.is(await reads('text != "" && headers.h == "y"'), 'false headers')
  t.is(await reads('value.a == 1 && key == "k"'), 'true key value')
})
