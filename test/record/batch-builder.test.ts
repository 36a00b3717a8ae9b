import test from 'ava'
import fc from 'fast-check'
import { BatchBuilder, recordSizeBytes } from '../../lib/record/batch-builder.js'
import { BATCH_HEADER_BYTES, RecordBatch } from '../../lib/record/batch.js'
import { CODECS } from '../../lib/record/codec.js'
import { loadCodec } from '../../lib/record/compression.js'
import { arbitraryRecord, arbitraryRecords, batchOf, content, textRecord } from './arbitrary-records.js'

const NEWLINE = Uint8Array.of(10)
const NO_LIMIT = 0x7fff_ffff
const utf8 = (text: string) => new TextEncoder().encode(text)

function values(bytes: Uint8Array): (string | null)[] {
  return [...new RecordBatch(bytes).records()].map((record) => record.value && Buffer.from(record.value).toString('latin1'))
}

test('an empty builder is empty, and cannot be sealed', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  t.true(builder.isEmpty)
  t.is(builder.recordCount, 0)
  t.is(builder.sizeBytes, BATCH_HEADER_BYTES)
  t.throws(() => builder.seal(), { instanceOf: RangeError })
})

test('seal() gives a whole batch with base offset 0, epoch 0, no producer and a right CRC, and empties the builder', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  t.true(builder.append(textRecord('a', 1000)))
  t.true(builder.append(textRecord('b', 1005)))
  t.is(builder.recordCount, 2)
  const sizeBytes = builder.sizeBytes
  const sealed = builder.seal()
  t.is(sealed.recordCount, 2)
  t.is(sealed.maxTimestampMs, 1005)
  t.is(sealed.bytes.length, sizeBytes)
  const batch = new RecordBatch(sealed.bytes)
  t.true(batch.crcMatches())
  t.is(batch.baseOffset, 0)
  t.is(batch.partitionLeaderEpoch, 0)
  t.is(batch.attributes, 0)
  t.is(batch.producerId, -1)
  t.is(batch.producerEpoch, -1)
  t.is(batch.baseSequence, -1)
  t.is(batch.lastOffsetDelta, 1)
  t.true(builder.isEmpty)
  t.is(builder.sizeBytes, BATCH_HEADER_BYTES)
})

test('a builder is used again and again, and gives the same bytes each time', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  const seal = () => {
    for (let index = 0; index < 2000; index++) builder.append(textRecord(`record ${index}`, 1000 + index))
    return builder.seal().bytes.slice()
  }
  const first = seal()
  t.deepEqual(seal(), first)
})

test('a builder lets go of the memory that one huge record took, and its sealed bytes stay as they were', (t) => {
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: 1000 })
  const huge = textRecord('x'.repeat(1_000_000))
  builder.append(huge)
  const sealed = builder.seal().bytes
  t.true(sealed.buffer.byteLength > 1_000_000)
  builder.append(textRecord('small'))
  t.deepEqual(sealed, batchOf([huge]))
  t.true(builder.seal().bytes.buffer.byteLength < 100_000)
  builder.append(huge)
  builder.seal()
  builder.appendLines(utf8('small\n'), 0, 6, NEWLINE, 1000, NO_LIMIT)
  t.true(builder.seal().bytes.buffer.byteLength < 100_000)
})

test('timestamps may fall inside a batch: the base is the first, the maximum the largest', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  for (const timestampMs of [1000, 900, 1100, 0]) builder.append(textRecord('x', timestampMs))
  const batch = new RecordBatch(builder.seal().bytes)
  t.is(batch.baseTimestampMs, 1000)
  t.is(batch.maxTimestampMs, 1100)
  t.deepEqual(
    [...batch.records()].map((record) => record.timestampMs),
    [1000, 900, 1100, 0],
  )
})

test('records without a timestamp are stored with -1, also as the only ones', (t) => {
  const sealed = batchOf([textRecord('x', -1)])
  t.is(new RecordBatch(sealed).maxTimestampMs, -1)
  t.is(new RecordBatch(sealed).baseTimestampMs, -1)
  t.is([...new RecordBatch(batchOf([textRecord('x', 5), textRecord('y', -1)])).records()][1]?.timestampMs, -1)
})

test('the two timestamps furthest apart come back', (t) => {
  for (const [first, second] of [
    [-1, 2n ** 63n - 1n],
    [2n ** 63n - 1n, -1],
    [Number.MAX_SAFE_INTEGER, -1],
  ] as const) {
    const records = [
      { value: null, timestampMs: first },
      { value: null, timestampMs: second },
    ]
    t.deepEqual(
      [...new RecordBatch(batchOf(records)).records()].map((record) => record.timestampMs),
      [first, second],
    )
  }
})

for (const timestampMs of [-2, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -5n]) {
  test(`a timestamp of ${timestampMs} is refused and nothing is added`, (t) => {
    const builder = new BatchBuilder({ codec: 'none' })
    t.throws(() => builder.append({ value: null, timestampMs }), { code: 'LOGQ_INVALID_RECORD' })
    if (typeof timestampMs === 'number') {
      t.throws(() => builder.appendLines(utf8('a\n'), 0, 2, NEWLINE, timestampMs, NO_LIMIT), { code: 'LOGQ_INVALID_RECORD' })
    }
    t.true(builder.isEmpty)
  })
}

test('append() refuses what does not fit, and the batch is then exactly as full as it may be', (t) => {
  fc.assert(
    fc.property(
      fc.array(arbitraryRecord, { minLength: 2, maxLength: 20 }),
      fc.integer({ min: 62, max: 2000 }),
      (records, maxBatchBytes) => {
        const builder = new BatchBuilder({ codec: 'none', maxBatchBytes })
        const read: unknown[] = []
        const seal = () => {
          const { bytes, recordCount } = builder.seal()
          t.true(bytes.length <= maxBatchBytes || recordCount === 1)
          read.push(...[...new RecordBatch(bytes).records()].map(content))
        }
        for (const record of records) {
          if (builder.append(record)) continue
          t.true(batchOf([record]).length + builder.sizeBytes > maxBatchBytes)
          seal()
          t.true(builder.append(record), 'an empty builder takes any record')
        }
        seal()
        t.deepEqual(read, records.map(content))
      },
    ),
  )
})

test('append() fills a batch to the last byte of its limit', (t) => {
  const two = batchOf([textRecord('a'), textRecord('b')]).length
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: two })
  t.true(builder.append(textRecord('a')))
  t.true(builder.append(textRecord('b')))
  t.is(builder.sizeBytes, two)
  t.false(builder.append(textRecord('c')))
  t.is(builder.recordCount, 2)
})

test('recordSizeBytes() is never below what the record takes', (t) => {
  fc.assert(
    fc.property(arbitraryRecords, (records) => {
      const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: NO_LIMIT })
      for (const record of records) {
        const before = builder.sizeBytes
        builder.append(record)
        if (builder.sizeBytes - before > recordSizeBytes(record)) return false
      }
      return true
    }),
  )
  t.pass()
})

for (const codec of CODECS) {
  test(`a ${codec} batch is compressed as asked, even when that makes it larger`, async (t) => {
    await loadCodec(codec)
    const batch = new RecordBatch(batchOf([textRecord('z')], { codec }))
    t.is(batch.codec, codec)
    t.deepEqual(values(batch.bytes), ['z'])
    const repetitive = batchOf([textRecord('z'.repeat(10_000))], { codec })
    t.is(repetitive.length < 2000, codec !== 'none')
  })
}

test('compressionLevel reaches the codec', async (t) => {
  await loadCodec('zstd')
  const records = Array.from({ length: 3000 }, (_, index) => textRecord(`${(index * 7919) % 1013} ${index % 97} some words`))
  for (const [codec, fast, thorough] of [
    ['gzip', 1, 9],
    ['zstd', 1, 19],
  ] as const) {
    t.true(
      batchOf(records, { codec, compressionLevel: thorough }).length <
        batchOf(records, { codec, compressionLevel: fast }).length,
      codec,
    )
  }
})

test('the bytes of a compressed batch do not change with later appends', (t) => {
  const builder = new BatchBuilder({ codec: 'gzip' })
  builder.append(textRecord('first'))
  const { bytes } = builder.seal()
  const before = bytes.slice()
  builder.append(textRecord('second'))
  t.deepEqual(bytes, before)
})

// appendLines()

test('appendLines() takes the complete lines and gives where the next one begins', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  const input = utf8('..one\n\nthree\r\nrest')
  t.deepEqual(builder.appendLines(input, 2, input.length, NEWLINE, 1000, NO_LIMIT), {
    position: 14,
    stopped: 'input-exhausted',
  })
  t.deepEqual(values(builder.seal().bytes), ['one', '', 'three\r'])
})

test('appendLines() does not look beyond the end it is given', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  t.deepEqual(builder.appendLines(utf8('ab\ncd\n'), 0, 2, NEWLINE, 1000, NO_LIMIT), { position: 0, stopped: 'input-exhausted' })
  t.true(builder.isEmpty)
})

test('a delimiter of several bytes ends a line only as a whole, also across a false start', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  const input = utf8('a==b===>c===>==')
  t.deepEqual(builder.appendLines(input, 0, input.length, utf8('==>'), 1000, NO_LIMIT), {
    position: 13,
    stopped: 'input-exhausted',
  })
  t.deepEqual(values(builder.seal().bytes), ['a==b=', 'c='])
})

test('a delimiter that is half there at the end is left for later', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  const result = builder.appendLines(utf8('one\r\ntwo\r'), 0, 9, utf8('\r\n'), 1000, NO_LIMIT)
  t.deepEqual(result, { position: 5, stopped: 'input-exhausted' })
})

test('an empty delimiter is refused', (t) => {
  const builder = new BatchBuilder({ codec: 'none' })
  t.throws(() => builder.appendLines(utf8('a'), 0, 1, new Uint8Array(0), 1000, NO_LIMIT), { instanceOf: RangeError })
})

test('appendLines() stops where the batch is full, and goes on after seal()', (t) => {
  const input = utf8('aaaa\nbbbb\ncccc\n')
  const two = batchOf([textRecord('aaaa'), textRecord('bbbb')]).length
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: two })
  t.deepEqual(builder.appendLines(input, 0, input.length, NEWLINE, 1_700_000_000_000, NO_LIMIT), {
    position: 10,
    stopped: 'batch-full',
  })
  t.deepEqual(values(builder.seal().bytes), ['aaaa', 'bbbb'])
  t.deepEqual(builder.appendLines(input, 10, input.length, NEWLINE, 1_700_000_000_000, NO_LIMIT), {
    position: 15,
    stopped: 'input-exhausted',
  })
  t.deepEqual(values(builder.seal().bytes), ['cccc'])
})

test('a line larger than a batch gets a batch of its own', (t) => {
  const input = utf8(`a\n${'b'.repeat(500)}\nc\n`)
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: 200 })
  t.deepEqual(builder.appendLines(input, 0, input.length, NEWLINE, 1000, NO_LIMIT), { position: 2, stopped: 'batch-full' })
  builder.seal()
  t.deepEqual(builder.appendLines(input, 2, input.length, NEWLINE, 1000, NO_LIMIT), { position: 503, stopped: 'batch-full' })
  t.is(builder.recordCount, 1)
  t.deepEqual(values(builder.seal().bytes), ['b'.repeat(500)])
})

test('a line whose record is above maxRecordBytes stops the run at its beginning; one just below goes in', (t) => {
  const line = 'x'.repeat(300)
  const sizeBytes = recordSizeBytes({ value: utf8(line) })
  const input = utf8(`a\n${line}\nb\n`)
  const builder = new BatchBuilder({ codec: 'none' })
  t.deepEqual(builder.appendLines(input, 0, input.length, NEWLINE, 1000, sizeBytes - 1), {
    position: 2,
    stopped: 'record-too-large',
  })
  t.is(builder.recordCount, 1)
  t.deepEqual(builder.appendLines(input, 2, input.length, NEWLINE, 1000, sizeBytes), {
    position: input.length,
    stopped: 'input-exhausted',
  })
  t.deepEqual(values(builder.seal().bytes), ['a', line, 'b'])
})

test('maxRecordBytes means the same in appendLines() as in recordSizeBytes(), for every limit', (t) => {
  for (let length = 0; length < 200; length++) {
    const value = new Uint8Array(length).fill(120)
    const input = Buffer.concat([value, NEWLINE])
    for (const [limit, stopped] of [
      [recordSizeBytes({ value }), 'input-exhausted'],
      [recordSizeBytes({ value }) - 1, 'record-too-large'],
    ] as const) {
      const builder = new BatchBuilder({ codec: 'none' })
      t.is(
        builder.appendLines(input, 0, input.length, NEWLINE, 1000, limit).stopped,
        stopped,
        `${length} bytes, limit ${limit}`,
      )
    }
  }
})

test('appendLines() writes the bytes that append() writes for the same values', (t) => {
  const delimiters = fc.constantFrom(utf8('\n'), utf8('\0'), utf8('\r\n'), utf8('==>'), utf8('aa'))
  const alphabet = fc.array(fc.constantFrom('a', 'b', '\n', '\0', '\r', '=', '>', 'long '.repeat(40)), { maxLength: 80 })
  fc.assert(
    fc.property(alphabet, delimiters, fc.array(fc.nat(5000), { maxLength: 3 }), (pieces, delimiter, timestamps) => {
      const input = Buffer.from(pieces.join(''), 'latin1')
      const bulk = new BatchBuilder({ codec: 'none' })
      const single = new BatchBuilder({ codec: 'none' })
      bulk.append(textRecord('first', 1000))
      single.append(textRecord('first', 1000))
      for (const timestampMs of [0, ...timestamps]) {
        const { position, stopped } = bulk.appendLines(input, 0, input.length, delimiter, timestampMs, NO_LIMIT)
        t.is(stopped, 'input-exhausted')
        const lines = splitOf(input, delimiter)
        t.is(position, input.length - (lines.pop()?.length ?? 0))
        for (const line of lines) single.append({ value: line, timestampMs })
      }
      t.deepEqual(bulk.seal(), single.seal())
    }),
  )
})

/** What stands between the delimiters, by Buffer's own search. */
function splitOf(input: Buffer, delimiter: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  let start = 0
  for (let found = input.indexOf(delimiter); found >= 0; found = input.indexOf(delimiter, start)) {
    parts.push(input.subarray(start, found))
    start = found + delimiter.length
  }
  parts.push(input.subarray(start))
  return parts
}
