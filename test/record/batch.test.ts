import test from 'ava'
import fc from 'fast-check'
import { MAX_BASE_OFFSET } from '../../lib/record/batch-layout.js'
import {
  BATCH_HEADER_BYTES,
  clearProducerFields,
  describeHeader,
  InvalidBatchError,
  peekBatchSize,
  RecordBatch,
  stampBatch,
  writeCrc,
} from '../../lib/record/batch.js'
import { CODECS } from '../../lib/record/codec.js'
import { compress, loadCodec } from '../../lib/record/compression.js'
import { arbitraryRecords, batchOf, content, textRecord } from './arbitrary-records.js'
import { craftBatch, craftRecord, type CraftedBatch } from './craft-batch.js'

test.before(async () => {
  for (const codec of CODECS) await loadCodec(codec)
})

for (const codec of CODECS) {
  test(`records come back from a ${codec} batch as they went in, whatever they are`, (t) => {
    fc.assert(
      fc.property(arbitraryRecords, fc.integer({ min: 0, max: MAX_BASE_OFFSET }), (records, baseOffset) => {
        const bytes = batchOf(records, { codec })
        stampBatch(bytes, baseOffset, 7)
        const batch = new RecordBatch(bytes)
        const read = [...batch.records()]
        t.true(batch.crcMatches())
        t.is(batch.codec, codec)
        t.is(batch.recordCount, records.length)
        t.deepEqual(read.map(content), records.map(content))
        t.deepEqual(
          read.map((record) => record.offset),
          records.map((_, index) => baseOffset + index),
        )
        t.is(batch.nextOffset, baseOffset + records.length)
      }),
    )
  })
}

test('RecordBatch gives every header field', (t) => {
  const batch = new RecordBatch(
    craftBatch({
      baseOffset: 5_000_000_000,
      leaderEpoch: 3,
      attributes: 0x18,
      lastOffsetDelta: 9,
      baseTimestampMs: 1_700_000_000_000,
      maxTimestampMs: 1_700_000_000_005,
      producerId: 2n ** 60n,
      producerEpoch: 12,
      baseSequence: 77,
    }),
  )
  t.is(batch.baseOffset, 5_000_000_000)
  t.is(batch.sizeBytes, 68)
  t.is(batch.partitionLeaderEpoch, 3)
  t.is(batch.magic, 2)
  t.is(batch.attributes, 0x18)
  t.is(batch.codec, 'none')
  t.is(batch.timestampType, 'LogAppendTime')
  t.true(batch.isTransactional)
  t.false(batch.isControl)
  t.false(batch.hasDeleteHorizon)
  t.false(batch.hasUnknownAttributes)
  t.is(batch.lastOffsetDelta, 9)
  t.is(batch.lastOffset, 5_000_000_009)
  t.is(batch.nextOffset, 5_000_000_010)
  t.is(batch.baseTimestampMs, 1_700_000_000_000)
  t.is(batch.maxTimestampMs, 1_700_000_000_005)
  t.is(batch.producerId, 2n ** 60n)
  t.is(batch.producerEpoch, 12)
  t.is(batch.baseSequence, 77)
  t.is(batch.recordCount, 1)
  t.true(batch.crcMatches())
})

test('each attribute bit is told from the others', (t) => {
  const flags = (attributes: number) => {
    const batch = new RecordBatch(craftBatch({ attributes }))
    return [
      batch.timestampType === 'LogAppendTime',
      batch.isTransactional,
      batch.isControl,
      batch.hasDeleteHorizon,
      batch.hasUnknownAttributes,
    ]
  }
  t.deepEqual(flags(0), [false, false, false, false, false])
  t.deepEqual(flags(0x08), [true, false, false, false, false])
  t.deepEqual(flags(0x10), [false, true, false, false, false])
  t.deepEqual(flags(0x20), [false, false, true, false, false])
  t.deepEqual(flags(0x40), [false, false, false, true, false])
  t.deepEqual(flags(0x80), [false, false, false, false, true])
  t.deepEqual(flags(-0x8000), [false, false, false, false, true])
})

test('codec numbers 5 to 7 are refused with their number', (t) => {
  for (const attributes of [5, 6, 7]) {
    const batch = new RecordBatch(craftBatch({ attributes }))
    t.throws(() => batch.codec, { instanceOf: InvalidBatchError, message: `compression codec ${attributes} is not known` })
    t.throws(() => [...batch.records()], { instanceOf: InvalidBatchError })
  }
})

test('with LogAppendTime every record has the max timestamp of the batch', (t) => {
  const records = Buffer.concat([craftRecord({ timestampDelta: 5 }), craftRecord({ offsetDelta: 1, timestampDelta: 9 })])
  const batch = new RecordBatch(craftBatch({ attributes: 0x08, recordCount: 2, records, maxTimestampMs: 4242 }))
  t.deepEqual(
    [...batch.records()].map((record) => [record.timestampMs, record.timestampType]),
    [
      [4242, 'LogAppendTime'],
      [4242, 'LogAppendTime'],
    ],
  )
})

test('a timestamp beyond 2^53 - 1 comes as a bigint, and the sum wraps at 64 bits', (t) => {
  const timestamps = (baseTimestampMs: number | bigint, timestampDelta: number | bigint) =>
    [...new RecordBatch(craftBatch({ baseTimestampMs, records: craftRecord({ timestampDelta }) })).records()][0]?.timestampMs
  t.is(timestamps(2n ** 63n - 1n, 0), 2n ** 63n - 1n)
  t.is(timestamps(Number.MAX_SAFE_INTEGER, 1), 2n ** 53n)
  t.is(timestamps(2n ** 53n, -1), Number.MAX_SAFE_INTEGER)
  t.is(timestamps(2n ** 63n - 1n, 1), -(2n ** 63n))
  t.is(timestamps(-(2n ** 63n), 2n ** 63n - 1n), -1)
})

test('records of a compacted batch keep the offsets that are left', (t) => {
  const records = Buffer.concat([craftRecord({ offsetDelta: 2 }), craftRecord({ offsetDelta: 7 })])
  const batch = new RecordBatch(craftBatch({ baseOffset: 100, recordCount: 2, lastOffsetDelta: 9, records }))
  t.deepEqual(
    [...batch.records()].map((record) => record.offset),
    [102, 107],
  )
  t.is(batch.nextOffset, 110)
})

test('a batch that compaction emptied has no records, compressed or not', (t) => {
  for (const attributes of [0, 1, 4]) {
    const batch = new RecordBatch(craftBatch({ attributes, recordCount: 0, lastOffsetDelta: 9, records: new Uint8Array(0) }))
    t.is([...batch.records()].length, 0)
    t.is(batch.nextOffset, 10)
  }
})

test('the records a batch gives are copies', (t) => {
  const bytes = batchOf([
    { key: Uint8Array.of(1), value: Uint8Array.of(2), headers: [{ key: 'h', value: Uint8Array.of(3) }], timestampMs: 5 },
  ])
  const [record] = new RecordBatch(bytes).records()
  bytes.fill(0xee)
  t.deepEqual(record?.key, Uint8Array.of(1))
  t.deepEqual(record?.value, Uint8Array.of(2))
  t.deepEqual(record?.headers, [{ key: 'h', value: Uint8Array.of(3) }])
})

test('a byte order mark in a header key is kept', (t) => {
  const bytes = batchOf([{ value: null, headers: [{ key: '\uFEFFx', value: null }], timestampMs: 5 }])
  t.is([...new RecordBatch(bytes).records()][0]?.headers[0]?.key, '\uFEFFx')
})

test('the null and the empty key, value and header value are told apart', (t) => {
  const records = [
    { key: null, value: null, headers: [{ key: 'h', value: null }], timestampMs: 5 },
    { key: new Uint8Array(0), value: new Uint8Array(0), headers: [{ key: '', value: new Uint8Array(0) }], timestampMs: 5 },
  ]
  t.deepEqual([...new RecordBatch(batchOf(records)).records()].map(content), records.map(content))
})

test('every flipped bit is detected, except in base offset and leader epoch, 96 bits that the CRC leaves out', (t) => {
  const whole = batchOf([
    textRecord('a'),
    { ...textRecord('b'), key: Uint8Array.of(1, 2, 3), headers: [{ key: 'h', value: null }] },
  ])
  stampBatch(whole, 1_000_000, 5)
  const undetected: number[] = []
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = whole.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    try {
      if (new RecordBatch(flipped).crcMatches()) undetected.push(bit)
    } catch (error) {
      t.true(error instanceof InvalidBatchError)
    }
  }
  // Base offset: bits 0 to 63. Those that make it negative or larger than 2^53 are noticed all the same. Leader epoch: 96 to 127.
  t.true(undetected.every((bit) => bit < 64 || (bit >= 96 && bit < 128)))
  t.true(undetected.length > 80)
})

test('a compressed batch notices every flipped bit after the header by its CRC', async (t) => {
  const whole = batchOf([textRecord('abc'.repeat(50))], { codec: 'gzip' })
  for (let bit = BATCH_HEADER_BYTES * 8; bit < whole.length * 8; bit++) {
    const flipped = whole.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    t.false(new RecordBatch(flipped).crcMatches())
  }
})

test('stampBatch() sets base offset and leader epoch and leaves the CRC right', (t) => {
  const bytes = new Uint8Array(200)
  const batch = batchOf([textRecord('x')])
  bytes.set(batch, 50)
  stampBatch(bytes, MAX_BASE_OFFSET, 0x7fff_ffff, 50)
  const stamped = new RecordBatch(bytes.subarray(50, 50 + batch.length))
  t.is(stamped.baseOffset, MAX_BASE_OFFSET)
  t.is(stamped.partitionLeaderEpoch, 0x7fff_ffff)
  t.true(stamped.crcMatches())
  t.is(bytes[49], 0)
  for (const baseOffset of [-1, 0.5, MAX_BASE_OFFSET + 1, Number.NaN, 2 ** 53]) {
    t.throws(() => stampBatch(bytes, baseOffset, 0, 50), { instanceOf: RangeError })
  }
})

test('clearProducerFields() takes the producer out and leaves a right CRC and the same records', (t) => {
  const bytes = craftBatch({ producerId: 9, producerEpoch: 1, baseSequence: 4 })
  const before = [...new RecordBatch(bytes).records()]
  clearProducerFields(bytes)
  const batch = new RecordBatch(bytes)
  t.is(batch.producerId, -1)
  t.is(batch.producerEpoch, -1)
  t.is(batch.baseSequence, -1)
  t.true(batch.crcMatches())
  t.deepEqual([...batch.records()], before)
})

// What stands at the place of a header, the size that is seen there, and how it is described.
const whole = batchOf([textRecord('value')])
const headers: readonly [string, Uint8Array, number, RegExp][] = [
  ['no bytes', new Uint8Array(0), 0, /^0 bytes are too few/],
  ['16 bytes', whole.subarray(0, 16), 0, /^16 bytes are too few/],
  ['17 bytes of a batch', whole.subarray(0, 17), whole.length, /does not fit in the 17 bytes/],
  ['a whole batch', whole, whole.length, /does not fit/],
  ['zero bytes', new Uint8Array(100), -1, /^zero bytes stand in place/],
  ['magic 0', withBytes(whole, 16, 0), -1, /version 0, of Kafka before 0\.11, is not supported/],
  ['magic 1', withBytes(whole, 16, 1), -1, /version 1, of Kafka before 0\.11, is not supported/],
  ['magic 3', withBytes(whole, 16, 3), -1, /version 3 is not known/],
  ['magic -1', withBytes(whole, 16, 0xff), -1, /version 255 is not known/],
  ['length -1', withBytes(whole, 8, 0xff, 0xff, 0xff, 0xff), -1, /length of -1 is below the least, 49/],
  ['length 0', withBytes(whole, 8, 0, 0, 0, 0), -1, /length of 0 is below the least, 49/],
  ['length 13', withBytes(whole, 8, 0, 0, 0, 13), -1, /length of 13 is below the least, 49/],
  ['length 48', withBytes(whole, 8, 0, 0, 0, 48), -1, /length of 48 is below the least, 49/],
  ['length 49', withBytes(whole, 8, 0, 0, 0, 49), 61, /of 61 bytes does not fit/],
  ['length 2^31 - 1', withBytes(whole, 8, 0x7f, 0xff, 0xff, 0xff), -1, /above the format's limit/],
  ['length 2^31 - 13', withBytes(whole, 8, 0x7f, 0xff, 0xff, 0xf3), 0x7fff_ffff, /of 2147483647 bytes does not fit/],
  ['base offset -1', withBytes(whole, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -1, /base offset of -1 is outside/],
  ['base offset 2^53', withBytes(whole, 0, 0, 0x20, 0, 0, 0, 0, 0, 0), -1, /base offset of 9007199254740992 is outside/],
]

for (const [title, bytes, size, description] of headers) {
  test(`peekBatchSize() and describeHeader() of ${title}`, (t) => {
    const padded = Buffer.concat([Buffer.alloc(3, 0x55), bytes])
    t.is(peekBatchSize(padded, 3, bytes.length), size)
    t.regex(describeHeader(padded, 3, bytes.length), description)
    if (size !== whole.length || bytes.length !== whole.length) {
      t.throws(() => new RecordBatch(bytes), { instanceOf: InvalidBatchError, message: description })
    }
  })
}

function withBytes(bytes: Uint8Array, position: number, ...replacement: number[]): Uint8Array {
  const copy = bytes.slice()
  copy.set(replacement, position)
  return copy
}

test('RecordBatch refuses a byte too many and a byte too few', (t) => {
  t.throws(() => new RecordBatch(whole.subarray(0, -1)), { instanceOf: InvalidBatchError })
  t.throws(() => new RecordBatch(Buffer.concat([whole, Buffer.alloc(1)])), { instanceOf: InvalidBatchError })
})

test('RecordBatch refuses a negative last offset delta', (t) => {
  t.throws(() => new RecordBatch(craftBatch({ lastOffsetDelta: -1 })), {
    instanceOf: InvalidBatchError,
    message: /last offset delta of -1/,
  })
})

// Batches whose CRC is right and whose records are wrong: the byte in the batch where that shows, and how it is said.
const plain = (fields: Parameters<typeof craftRecord>[0]): CraftedBatch => ({ records: craftRecord(fields) })
const utf8 = (text: string) => new TextEncoder().encode(text)
const hostile: readonly [string, CraftedBatch, number, RegExp][] = [
  ['a record count of 2^31 - 1', { recordCount: 0x7fff_ffff, lastOffsetDelta: 0x7fff_fffe }, 61, /record count of 2147483647/],
  ['a negative record count', { recordCount: -1, lastOffsetDelta: 0 }, 61, /record count of -1/],
  ['more records than bytes for them', { recordCount: 2 }, 61, /record count of 2/],
  ['more records than offsets', { recordCount: 2, lastOffsetDelta: 0, records: new Uint8Array(14) }, 61, /record count of 2/],
  ['no records and yet bytes', { recordCount: 0, lastOffsetDelta: 0 }, 61, /7 bytes are left over/],
  ['a byte left over', { records: Buffer.concat([craftRecord({}), Buffer.alloc(1)]) }, 68, /1 bytes are left over/],
  ['a record length below the least', plain({ length: 5 }), 61, /record length of 5/],
  ['a negative record length', plain({ length: -1 }), 61, /record length of -1/],
  ['a record length beyond the batch', plain({ length: 7 }), 61, /record length of 7/],
  ['a record length of 2^31 - 1', plain({ length: 0x7fff_ffff }), 61, /record length of 2147483647/],
  [
    'a record length of six bytes',
    { records: Buffer.from('80808080800100000000', 'hex') },
    61,
    /record length is not a valid varint/,
  ],
  ['a record longer than its fields', plain({ headers: Uint8Array.of(0) }), 61, /1 bytes longer than its fields/],
  [
    'a timestamp delta of eleven bytes',
    { records: Buffer.from('1c0080808080808080808080010000', 'hex') },
    63,
    /timestamp delta is not/,
  ],
  ['an offset delta beyond the last', plain({ offsetDelta: 1 }), 64, /offset delta of 1/],
  ['a negative offset delta', plain({ offsetDelta: -1 }), 64, /offset delta of -1/],
  [
    'an offset delta that does not rise',
    { recordCount: 2, records: Buffer.concat([craftRecord({}), craftRecord({})]) },
    71,
    /offset delta of 0/,
  ],
  ['a key length of -2', plain({ keyLength: -2 }), 65, /key length of -2/],
  ['a key length beyond the record', plain({ keyLength: 3 }), 65, /key length of 3/],
  ['a value length of -2', plain({ valueLength: -2 }), 66, /value length of -2/],
  ['a value length beyond the record', plain({ value: utf8('abc'), valueLength: 5 }), 66, /value length of 5/],
  ['a header count of 2^31 - 1', plain({ headerCount: 0x7fff_ffff }), 67, /header count of 2147483647/],
  ['a negative header count', plain({ headerCount: -1 }), 67, /header count of -1/],
  ['more headers than bytes for them', plain({ headerCount: 2, headers: new Uint8Array(3) }), 67, /header count of 2/],
  ['a null header key', plain({ headerCount: 1, headers: Uint8Array.of(1, 0) }), 68, /header key is null/],
  ['a header key length of -2', plain({ headerCount: 1, headers: Uint8Array.of(3, 0) }), 68, /header key length of -2/],
  ['a header key beyond the record', plain({ headerCount: 1, headers: Uint8Array.of(4, 0) }), 68, /header key length of 2/],
  ['a header value length of -2', plain({ headerCount: 1, headers: Uint8Array.of(0, 3) }), 69, /header value length of -2/],
  ['a header value beyond the record', plain({ headerCount: 1, headers: Uint8Array.of(0, 2) }), 69, /header value length of 1/],
  [
    'a header that is missing',
    plain({ headerCount: 1, headers: Uint8Array.of(2, 65) }),
    70,
    /header value length is not a valid varint/,
  ],
]

for (const [title, fields, position, message] of hostile) {
  test(`a batch with a right CRC and ${title} is refused with its place`, (t) => {
    const batch = new RecordBatch(craftBatch(fields))
    t.true(batch.crcMatches())
    const error = t.throws(() => [...batch.records()], { instanceOf: InvalidBatchError, message, code: 'LOGQ_CORRUPT' })
    t.is(error.position, position)
  })
}

test('in a compressed batch the place is that of the compressed records, and the message has the byte inside', (t) => {
  const records = compress('gzip', craftRecord({ keyLength: -2 }))
  const batch = new RecordBatch(craftBatch({ attributes: 1, records }))
  const error = t.throws(() => [...batch.records()], {
    instanceOf: InvalidBatchError,
    message: 'a key length of -2 cannot be (byte 4 of the decompressed records)',
  })
  t.is(error.position, 61)
})

test('records() stops at maxDecompressedBytes', (t) => {
  const bytes = batchOf([textRecord('x'.repeat(100_000))], { codec: 'gzip' })
  t.is([...new RecordBatch(bytes).records({ maxDecompressedBytes: 100_100 })].length, 1)
  t.throws(() => [...new RecordBatch(bytes).records({ maxDecompressedBytes: 100_000 })], {
    instanceOf: InvalidBatchError,
    message: /gzip data holds more than the limit of 100000 bytes/,
  })
})

test('any bytes after a plausible header give records or an InvalidBatchError, nothing else', (t) => {
  const fields = fc.record({
    attributes: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4 }), fc.integer({ min: -0x8000, max: 0x7fff })),
    recordCount: fc.oneof(fc.nat(20), fc.integer()),
    lastOffsetDelta: fc.oneof(fc.nat(20), fc.integer()),
    records: fc.uint8Array({ maxLength: 200 }),
  })
  fc.assert(
    fc.property(fields, (crafted) => readsOrRefuses(craftBatch(crafted))),
    { numRuns: 2000 },
  )
  t.pass()
})

test('a damaged batch with a right CRC gives records or an InvalidBatchError, nothing else', (t) => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(arbitraryRecords, fc.constantFrom(...CODECS), damage, (records, codec, changes) => {
      const bytes = batchOf(records, { codec })
      for (const [at, value] of changes) bytes[21 + (at % (bytes.length - 21))] = value
      writeCrc(bytes)
      return readsOrRefuses(bytes)
    }),
    { numRuns: 1000 },
  )
  t.pass()
})

function readsOrRefuses(bytes: Uint8Array): boolean {
  try {
    for (const record of new RecordBatch(bytes).records({ maxDecompressedBytes: 1_000_000 })) {
      if (record.offset < 0) return false
    }
    return true
  } catch (error) {
    if (error instanceof InvalidBatchError && error.position >= 0 && error.position <= bytes.length) return true
    throw error
  }
}
