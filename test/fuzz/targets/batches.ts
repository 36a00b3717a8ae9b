/** Record batches: the header, the records, both cursors, both kernels, and that damage is seen. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { GrowableBytes } from '../../../lib/bytes/growable-bytes.js'
import { writeInt32 } from '../../../lib/bytes/big-endian.js'
import { BackwardsCursor } from '../../../lib/record/backwards-cursor.js'
import { BatchBuilder } from '../../../lib/record/batch-builder.js'
import { LENGTH_COUNTS_FROM, LENGTH_POSITION, MAGIC_POSITION, RECORDS_POSITION } from '../../../lib/record/batch-layout.js'
import { describeHeader, InvalidBatchError, peekBatchSize, RecordBatch, writeCrc } from '../../../lib/record/batch.js'
import { CODECS } from '../../../lib/record/codec.js'
import { compress, decompress, loadCodec } from '../../../lib/record/compression.js'
import { selectLineKernel } from '../../../lib/record/kernel.js'
import type { LineKernel } from '../../../lib/record/line-kernel.js'
import type { RecordCursor } from '../../../lib/record/record-cursor.js'
import { createSeededRandom } from '../../helpers/seeded-random.js'
import { arbitraryRecords, batchOf, content } from '../../record/arbitrary-records.js'
import { chosen, unlessRefused, type FuzzTarget } from '../target.js'

/** Bombs are refused beyond this. */
const MAX_BYTES = 1 << 20
const kernels = [selectLineKernel('plain'), selectLineKernel('wasm')] as const

async function loadCodecs(): Promise<void> {
  for (const codec of CODECS) await loadCodec(codec)
}

/** A batch as it stands, and the same with length, magic and CRC put right, so that what is behind them is reached. */
export const batch: FuzzTarget = {
  name: 'batch',
  inputs: fc
    .tuple(arbitraryRecords, fc.constantFrom(...CODECS))
    .map(([records, codec]) => batchOf(records.slice(0, 8), { codec })),
  prepare: loadCodecs,
  check(input) {
    checkBatch(input)
    if (input.length < RECORDS_POSITION) return
    const mended = input.slice()
    writeInt32(mended, LENGTH_POSITION, mended.length - LENGTH_COUNTS_FROM)
    mended[MAGIC_POSITION] = 2
    writeCrc(mended)
    checkBatch(mended)
  },
}

function checkBatch(bytes: Uint8Array): void {
  const size = peekBatchSize(bytes, 0, bytes.length)
  if (size !== bytes.length || size === 0) assert.equal(typeof describeHeader(bytes, 0, bytes.length), 'string')
  const found = refusedOr(() => new RecordBatch(bytes))
  if (found instanceof Error) return
  const options = { maxDecompressedBytes: MAX_BYTES }
  const area = refusedOr(() => found.recordsArea(options))
  if (area instanceof Error) return
  assert(area.bytes.length <= Math.max(MAX_BYTES, bytes.length))

  const cursor = refusedOr(() => found.cursor(options))
  const forwards = cursor instanceof Error ? cursor : refusedOr(() => walk(cursor))
  const records = refusedOr(() => [...found.records(options)])
  if (forwards instanceof Error) assert(records instanceof Error)
  else {
    const backwards = refusedOr(() => walkBack(new BackwardsCursor(found)))
    assert.deepEqual(backwards, [...forwards].reverse())
    if (!(records instanceof Error) && found.timestampType === 'CreateTime' && records.length > 0) {
      // The builder refuses what may be read but is not written, such as times before 1970.
      const bytes = unlessRefused(() => batchOf(records))
      const again = bytes === undefined ? records : [...new RecordBatch(bytes).records()]
      assert.deepEqual(again.map(content), records.map(content))
    }
  }
  const outcomes = kernels.map((kernel) => join(kernel, found))
  assert.deepEqual(outcomes[1], outcomes[0], 'the two kernels differ')
}

function refusedOr<Result>(run: () => Result): Result | InvalidBatchError {
  try {
    return run()
  } catch (error) {
    if (error instanceof InvalidBatchError) return error
    throw error
  }
}

function walk(cursor: RecordCursor): string[] {
  const seen: string[] = []
  while (cursor.next()) seen.push(placeOf(cursor))
  return seen
}

function walkBack(cursor: BackwardsCursor): string[] {
  const seen: string[] = []
  while (cursor.next()) seen.push(placeOf(cursor.cursor))
  return seen
}

function placeOf(cursor: RecordCursor): string {
  const { offset, timestampMs, keyStart, keyEnd, valueStart, valueEnd, headerCount } = cursor
  const length = cursor.bytes.length
  assert(keyStart <= keyEnd && keyEnd <= length && valueStart <= valueEnd && valueEnd <= length)
  return [offset, timestampMs, keyStart, keyEnd, valueStart, valueEnd, headerCount].join(' ')
}

function join(kernel: LineKernel, found: RecordBatch): unknown {
  const out = new GrowableBytes(1)
  const range = { fromOffset: found.baseOffset, toOffset: Number.POSITIVE_INFINITY }
  const job = { area: found.recordsArea({ maxDecompressedBytes: MAX_BYTES }), ...range, delimiter: Uint8Array.of(10) }
  const outcome = refusedOr(() => kernel.joinValues({ ...job, nullText: Uint8Array.of(0x4e), out }))
  return [outcome instanceof Error ? outcome.message : outcome, Buffer.from(out.view()).toString('latin1')]
}

/** A batch of these values, damaged in a few places: it is refused, or its records are what they were. */
export const batchDamage: FuzzTarget = {
  name: 'batch-damage',
  inputs: fc.uint8Array({ minLength: 5, maxLength: 200 }),
  prepare: loadCodecs,
  check(input) {
    const [codec, rest] = chosen(input, CODECS)
    const random = createSeededRandom(Buffer.from(rest.slice(0, 4)).reduce((seed, byte) => seed * 256 + byte, 7))
    const builder = new BatchBuilder({ codec, maxBatchBytes: MAX_BYTES })
    for (let at = 4; at <= rest.length; at += 16)
      builder.append({ key: rest.slice(at, at + 2), value: rest.slice(at + 2, at + 16), timestampMs: at })
    if (rest.length < 4) return
    const bytes = builder.seal().bytes.slice()
    const before = [...new RecordBatch(bytes).records()].map(content)
    const damaged = bytes.slice(0, random.chance(0.2) ? random.integer(bytes.length) : bytes.length)
    for (let changes = 1 + random.integer(3); changes > 0 && damaged.length > 0; changes -= 1) {
      const at = random.integer(damaged.length)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << random.integer(8))
    }
    const found = refusedOr(() => new RecordBatch(damaged))
    if (found instanceof Error || !found.crcMatches()) return
    // A base offset and a leader epoch are all that the CRC leaves out.
    assert.deepEqual([...found.records()].map(content), before)
  },
}

/** What a codec is given comes back; what it did not give is refused, or stays within the limit. */
export const codecs: FuzzTarget = {
  name: 'codecs',
  inputs: fc.tuple(fc.nat(CODECS.length - 1), fc.uint8Array({ maxLength: 300 }), fc.nat(40)).map(([number, bytes, times]) => {
    const codec = CODECS[number] ?? 'none'
    return Buffer.concat([Uint8Array.of(number), compress(codec, Buffer.concat(Array.from({ length: times }, () => bytes)))])
  }),
  prepare: loadCodecs,
  check(input) {
    const [codec, bytes] = chosen(input, CODECS)
    assert.deepEqual(Buffer.from(decompress(codec, compress(codec, bytes))), Buffer.from(bytes))
    for (const limit of [0, 10, MAX_BYTES]) {
      const plain = unlessRefused(() => decompress(codec, bytes, limit))
      if (plain !== undefined && codec !== 'none') assert(plain.length <= limit, `${plain.length} bytes above ${limit}`)
    }
  },
}
