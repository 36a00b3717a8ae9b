import test from 'ava'
import fc from 'fast-check'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { InvalidBatchError, RecordBatch, stampBatch } from '../../lib/record/batch.js'
import { selectLineKernel } from '../../lib/record/kernel.js'
import type { EncodeLinesJob, JoinValuesJob, LineKernel } from '../../lib/record/line-kernel.js'
import { plainKernel } from '../../lib/record/plain-kernel.js'
import { INPUT_BYTES } from '../../lib/record/wasm-memory.js'
import { arbitraryRecords, batchOf } from './arbitrary-records.js'
import { craftBatch, craftRecord } from './craft-batch.js'

const wasmKernel = selectLineKernel('wasm')
const utf8 = (text: string) => Uint8Array.from(Buffer.from(text))

test('selectLineKernel() gives the kernel that is asked for', (t) => {
  t.is(selectLineKernel('plain'), plainKernel)
  t.is(wasmKernel.name, 'wasm')
  t.is(selectLineKernel('auto').name, 'auto')
  t.is(selectLineKernel().name, 'auto')
})

/** What a kernel makes of a job: its result and every byte of the output. */
function encoded(kernel: LineKernel, job: Omit<EncodeLinesJob, 'out'>, before: number): unknown {
  const out = new GrowableBytes(1)
  out.append(new Uint8Array(before).fill(0x77))
  const result = kernel.encodeLines({ ...job, out })
  return { ...result, bytes: Buffer.from(out.view()).toString('hex') }
}

const encodeJobs = fc.record({
  pieces: fc.array(
    fc.constantFrom(
      '\n',
      '\r\n',
      'a',
      'ab',
      '-->',
      '--',
      '>',
      'x'.repeat(15),
      'y'.repeat(16),
      'z'.repeat(70),
      'w'.repeat(5000),
    ),
    {
      maxLength: 120,
    },
  ),
  delimiter: fc.constantFrom('\n', '\r\n', '-->', 'a', 'ab', '\0', 'x'.repeat(15), 'q'.repeat(300)),
  skipped: fc.nat(20),
  left: fc.nat(20),
  prefix: fc.uint8Array({ minLength: 2, maxLength: 11 }),
  firstOffsetDelta: fc.constantFrom(0, 1, 63, 64, 8190, 8191, 1_048_570, 134_217_720, 2_147_000_000),
  before: fc.nat(100),
  outLimit: fc.oneof(fc.constant(0x7fff_ffff), fc.nat(3000)),
  maxValueBytes: fc.oneof(fc.constant(0x7fff_ffff), fc.constantFrom(-5, 0, 1, 15, 69, 70, 4999, 5000)),
})

test('encodeLines(): both kernels give the same bytes and the same result for any job', (t) => {
  fc.assert(
    fc.property(
      encodeJobs,
      ({ pieces, delimiter, skipped, left, prefix, firstOffsetDelta, before, outLimit, maxValueBytes }) => {
        const input = Buffer.from(pieces.join(''), 'latin1')
        const from = Math.min(skipped, input.length)
        const to = Math.max(from, input.length - left)
        const job = {
          input,
          from,
          to,
          delimiter: utf8(delimiter),
          recordPrefix: prefix,
          firstOffsetDelta,
          outLimit,
          maxValueBytes,
        }
        t.deepEqual(encoded(wasmKernel, job, before), encoded(plainKernel, job, before))
      },
    ),
    { numRuns: 1500 },
  )
})

test('encodeLines(): both kernels agree on any bytes', (t) => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.array(fc.constantFrom(10, 10, 13, 0, 255), { maxLength: 300 }))
  fc.assert(
    fc.property(bytes, (content) => {
      const input = Uint8Array.from(content)
      const common = { delimiter: Uint8Array.of(10), recordPrefix: new Uint8Array(2), firstOffsetDelta: 0 }
      const job = { ...common, input, from: 0, to: input.length, outLimit: 0x7fff_ffff, maxValueBytes: 0x7fff_ffff }
      t.deepEqual(encoded(wasmKernel, job, 61), encoded(plainKernel, job, 61))
    }),
    { numRuns: 500 },
  )
})

/** Lines of these lengths, then something unfinished. */
function linesOf(lengths: readonly number[], rest: number): Uint8Array {
  return Buffer.concat([...lengths.map((length) => Buffer.alloc(length + 1, 'abc').fill(10, length)), Buffer.alloc(rest, 'r')])
}

const large: readonly [string, Uint8Array][] = [
  ['nothing but delimiters', new Uint8Array(3 * INPUT_BYTES).fill(10)],
  ['a line of a piece less its delimiter', linesOf([INPUT_BYTES - 1, 5], 3)],
  ['a line of exactly a piece', linesOf([INPUT_BYTES, 5], 3)],
  ['a line of a piece and one', linesOf([5, INPUT_BYTES + 1, 5], 0)],
  ['lines of several pieces', linesOf([3 * INPUT_BYTES, 0, 2 * INPUT_BYTES + 7, 100], 10)],
  ['an unfinished line of several pieces', linesOf([100, 200], 3 * INPUT_BYTES)],
  [
    'lines that cross the pieces',
    linesOf(
      Array.from({ length: 5000 }, (_, index) => (index * 37) % 311),
      50,
    ),
  ],
]

for (const [title, input] of large) {
  for (const outLimit of [0x7fff_ffff, 100_000]) {
    test(`encodeLines(): both kernels agree on ${title}, with a limit of ${outLimit}`, (t) => {
      const common = { delimiter: Uint8Array.of(10), recordPrefix: new Uint8Array(2), firstOffsetDelta: 0 }
      const job = { ...common, input, from: 0, to: input.length, outLimit, maxValueBytes: 0x7fff_ffff }
      t.deepEqual(encoded(wasmKernel, job, 61), encoded(plainKernel, job, 61))
      const limited = { ...job, maxValueBytes: INPUT_BYTES }
      t.deepEqual(encoded(wasmKernel, limited, 61), encoded(plainKernel, limited, 61))
    })
  }
}

/** What a kernel makes of a job: the number of records or the error, and the output. */
function joinedBy(kernel: LineKernel, job: Omit<JoinValuesJob, 'out'>): unknown {
  const out = new GrowableBytes(1)
  out.append(utf8('before'))
  let outcome: unknown
  try {
    outcome = kernel.joinValues({ ...job, out })
  } catch (error) {
    if (!(error instanceof InvalidBatchError)) throw error
    outcome = [error.message, error.position]
  }
  return { outcome, bytes: Buffer.from(out.view()).toString('hex') }
}

const ranges = fc.record({
  baseOffset: fc.constantFrom(0, 1000, 2 ** 40),
  from: fc.oneof(fc.constant(0), fc.integer({ min: -5, max: 40 })),
  to: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: -5, max: 40 })),
  delimiter: fc.constantFrom('\n', '', '--', 'd'.repeat(20), 'd'.repeat(300)),
  nullText: fc.constantFrom('', '\\N', 'n'.repeat(40), 'n'.repeat(300)),
})

test('joinValues(): both kernels give the same bytes for any records and range', (t) => {
  fc.assert(
    fc.property(arbitraryRecords, ranges, fc.constantFrom('none', 'gzip'), (records, range, codec) => {
      const bytes = batchOf(records, { codec })
      stampBatch(bytes, range.baseOffset, 0)
      const job = {
        area: new RecordBatch(bytes).recordsArea(),
        fromOffset: range.baseOffset + range.from,
        toOffset: range.baseOffset + range.to,
        delimiter: utf8(range.delimiter),
        nullText: utf8(range.nullText),
      }
      t.deepEqual(joinedBy(wasmKernel, job), joinedBy(plainKernel, job))
    }),
    { numRuns: 500 },
  )
})

test('joinValues(): both kernels refuse the same damage, at the same place, with the same records written before', (t) => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255))), {
    minLength: 1,
    maxLength: 4,
  })
  fc.assert(
    fc.property(
      arbitraryRecords,
      damage,
      fc.integer({ min: -1, max: 40 }),
      fc.nat(40),
      (records, changes, count, lastOffsetDelta) => {
        const bytes = batchOf(records)
        for (const [at, value] of changes) bytes[61 + (at % (bytes.length - 61))] = value
        const area = new RecordBatch(bytes).recordsArea()
        const range = { fromOffset: 0, toOffset: 100, delimiter: utf8('\n'), nullText: utf8('null') }
        const job = { ...range, area: count < 0 ? area : { ...area, recordCount: count, lastOffsetDelta } }
        t.deepEqual(joinedBy(wasmKernel, job), joinedBy(plainKernel, job))
      },
    ),
    { numRuns: 3000 },
  )
})

test('joinValues(): both kernels agree on records of any bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(5), (records, recordCount) => {
      const area = new RecordBatch(craftBatch({ records, recordCount, lastOffsetDelta: 10 })).recordsArea()
      const job = { area, fromOffset: 0, toOffset: 100, delimiter: utf8('\n'), nullText: utf8('') }
      t.deepEqual(joinedBy(wasmKernel, job), joinedBy(plainKernel, job))
    }),
    { numRuns: 3000 },
  )
})

test('joinValues(): both kernels agree on records around and above the size of a piece', (t) => {
  const values = [10, INPUT_BYTES - 20, INPUT_BYTES - 9, INPUT_BYTES, 3 * INPUT_BYTES, 0, 500, 2 * INPUT_BYTES].map((size) =>
    Buffer.alloc(size, 'v'),
  )
  const builder = new BatchBuilder({ codec: 'none', maxBatchBytes: 0x7fff_ffff })
  for (const value of [...values, ...values]) {
    builder.append({ value, timestampMs: 5 })
    for (let index = 0; index < 700; index++) builder.append({ value: Buffer.alloc(index), timestampMs: 5 })
  }
  const area = new RecordBatch(builder.seal().bytes).recordsArea()
  for (const [delimiter, nullText] of [
    ['\n', ''],
    ['d'.repeat(256), 'n'],
  ] as const) {
    const job = { area, fromOffset: 3, toOffset: 6000, delimiter: utf8(delimiter), nullText: utf8(nullText) }
    t.deepEqual(joinedBy(wasmKernel, job), joinedBy(plainKernel, job))
  }
})

test('joinValues(): an offset delta at the upper end is in the range', (t) => {
  const records = craftRecord({ offsetDelta: 0x7fff_ffff, value: utf8('last') })
  const area = new RecordBatch(craftBatch({ records, lastOffsetDelta: 0x7fff_ffff })).recordsArea()
  for (const toOffset of [0x7fff_ffff, 0x8000_0000, 0x8000_0001, Number.POSITIVE_INFINITY]) {
    const job = { area, fromOffset: 0, toOffset, delimiter: utf8('\n'), nullText: utf8('') }
    t.deepEqual(joinedBy(wasmKernel, job), joinedBy(plainKernel, job))
  }
})

test('the automatic kernel gives the same bytes below and above its switch', (t) => {
  const auto = selectLineKernel('auto')
  for (const size of [10, 1000, 40_000, 500_000]) {
    const input = linesOf(
      Array.from({ length: size / 10 }, () => 9),
      0,
    )
    const common = { delimiter: Uint8Array.of(10), recordPrefix: new Uint8Array(2), firstOffsetDelta: 0 }
    const job = { ...common, input, from: 0, to: input.length, outLimit: 0x7fff_ffff, maxValueBytes: 0x7fff_ffff }
    t.deepEqual(encoded(auto, job, 61), encoded(plainKernel, job, 61))
  }
})
