/** One table of cases for both readers of a segment: what is in the file, what each reader makes of it. */
import test from 'ava'
import { BadSegmentError, ClosedSegmentReader, LiveSegmentReader, type SegmentReader } from '../../lib/log/segment-reader.js'
import { RecordBatch } from '../../lib/record/batch.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { craftBatch } from '../record/craft-batch.js'
import { overwrite } from './tiny-log.js'

interface Case {
  readonly what: string
  readonly file: Uint8Array
  /** Base offsets of the batches that are read. */
  readonly read: readonly number[]
  /** How it goes on: the file ends, or what a live reader suspects and a closed one refuses, by the words of the reason. */
  readonly then: 'end' | RegExp
  /** The same for the live reader, where it differs. */
  readonly live?: { readonly read: readonly number[]; readonly then: 'end' | RegExp }
  readonly from?: { readonly position: number; readonly offset: number }
}

const one = (baseOffset: number, leaderEpoch = 0, count = 1) =>
  craftBatch({ baseOffset, leaderEpoch, lastOffsetDelta: count - 1, recordCount: 1 })
const [b0, b1, b2] = [one(10), one(11), one(12)]
const size = b0.length
const join = (...parts: readonly Uint8Array[]) => Buffer.concat(parts)

function wrong(batch: Uint8Array, at: number, mask = 0xff): Uint8Array {
  const copy = batch.slice()
  copy[at] = (copy[at] ?? 0) ^ mask
  return copy
}

/** The segment has base offset 10; the next one begins at 20. */
const LIMIT = 20

const CASES: readonly Case[] = [
  { what: 'an empty file', file: join(), read: [], then: 'end' },
  { what: 'whole batches', file: join(b0, b1, b2), read: [10, 11, 12], then: 'end' },
  { what: 'a start in the middle', file: join(b0, b1, b2), from: { position: size, offset: 11 }, read: [11, 12], then: 'end' },
  { what: 'a start at the end', file: join(b0, b1), from: { position: 2 * size, offset: 12 }, read: [], then: 'end' },
  {
    what: 'a batch larger than a chunk',
    file: join(craftBatch({ baseOffset: 10, records: new Uint8Array(600_000) }), b1),
    read: [10, 11],
    then: 'end',
  },
  {
    what: 'a few bytes of a header',
    file: join(b0, b1.subarray(0, 5)),
    read: [10],
    then: /5 bytes are fewer than a batch header/,
  },
  { what: 'half a header', file: join(b0, b1.subarray(0, 40)), read: [10], then: /40 bytes are fewer than a batch header/ },
  { what: 'half a batch', file: join(b0, b1.subarray(0, 65)), read: [10], then: /65 of \d+ bytes of a batch are there/ },
  { what: 'zeros at the end', file: join(b0, new Uint8Array(100)), read: [10], then: /zero bytes/ },
  { what: 'garbage at the end', file: join(b0, new Uint8Array(100).fill(7)), read: [10], then: /message format version 7/ },
  { what: 'a wrong bit in a record', file: join(b0, wrong(b1, size - 1), b2), read: [10], then: /CRC/ },
  { what: 'a wrong attribute', file: join(b0, wrong(b1, 22, 1), b2), read: [10], then: /CRC/ },
  { what: 'a length of less than a header', file: join(b0, wrong(b1, 11), b2), read: [10], then: /length|bytes/ },
  { what: 'a negative length', file: join(b0, wrong(b1, 8, 0x80), b2), read: [10], then: /length of -/ },
  {
    what: 'a length of 2^31-1',
    file: join(b0, wrong(wrong(wrong(wrong(b1, 8, 0x7f), 9), 10), 11, 0xff ^ (b1[11] ?? 0)), b2),
    read: [10],
    then: /limit|bytes/,
  },
  { what: 'another magic', file: join(b0, wrong(b1, 16, 3), b2), read: [10], then: /message format version 1/ },
  { what: 'a copy of an old batch', file: join(b0, b1, b0), read: [10, 11], then: /base offset 10 where 12 is expected/ },
  {
    what: 'a base offset that is too small',
    file: join(b0, one(3), b2),
    read: [10],
    then: /base offset 3 where 11 is expected/,
  },
  {
    what: 'a base offset that is too large, and is contradicted',
    file: join(b0, one(15), b2),
    read: [10],
    then: /base offset 15 where 11 is expected/,
  },
  {
    what: 'a base offset that is too large, at the end',
    file: join(b0, one(4000)),
    read: [10],
    then: /base offset 4000 where 11 is expected/,
  },
  { what: 'a negative base offset', file: join(b0, wrong(b1, 0, 0x80)), read: [10], then: /base offset of -/ },
  {
    what: 'offsets that compaction took out',
    file: join(one(12), one(15), one(17)),
    read: [12, 15, 17],
    then: 'end',
    live: { read: [12, 15], then: /base offset 17 where 16/ },
  },
  {
    what: 'a batch that reaches into the next segment',
    file: join(b0, one(11, 0, 10)),
    read: [10],
    then: /ends at offset 20, where the next segment begins/,
    live: { read: [10, 11], then: 'end' },
  },
  { what: 'leader epochs that rise', file: join(b0, one(11, 3), one(12, 7)), read: [10, 11, 12], then: 'end' },
  {
    what: 'a leader epoch that falls',
    file: join(b0, one(11, 3), one(12, 2)),
    read: [10, 11],
    then: /leader epoch 2 after epoch 3/,
  },
  {
    what: 'a last offset delta below zero',
    file: join(b0, craftBatch({ baseOffset: 11, lastOffsetDelta: -1 })),
    read: [10],
    then: /last offset delta of -1/,
  },
]

type Open = (file: Uint8Array, from?: Case['from']) => SegmentReader

function openers(): Record<'live' | 'closed', Open> {
  const place = (file: Uint8Array) => {
    const system = createFakeSystem()
    overwrite(system, '/segment', file)
    return { fs: system.fs, fd: system.fs.open('/segment', 'read') }
  }
  const start = { position: 0, offset: 10 }
  return {
    live: (file, from = start) => {
      const { fs, fd } = place(file)
      return new LiveSegmentReader(fs, fd, 10, from, () => false)
    },
    closed: (file, from = start) => {
      const { fs, fd } = place(file)
      return new ClosedSegmentReader(fs, fd, 10, from, LIMIT)
    },
  }
}

for (const kind of ['live', 'closed'] as const) {
  for (const { what, file, from, ...expected } of CASES) {
    const { read, then } = kind === 'live' ? (expected.live ?? expected) : expected
    const verdict = then === 'end' ? 'ends' : kind === 'live' ? 'suspects it' : 'refuses it'
    test(`a ${kind} segment reader with ${what} reads ${read.length} batches and ${verdict}`, (t) => {
      const reader = openers()[kind](file, from)
      for (const baseOffset of read) {
        const step = reader.next()
        if (step.kind !== 'batch') return t.fail(`${step.kind} before ${baseOffset}`)
        t.is(step.batch.baseOffset, baseOffset)
        t.is(reader.nextOffset, step.batch.nextOffset)
      }
      const { position, nextOffset } = reader
      if (then === 'end') {
        t.is(reader.next().kind, 'end')
        t.is(reader.next().kind, 'end', 'for as long as one asks')
      } else if (kind === 'live') {
        for (let look = 0; look < 2; look += 1) {
          const step = reader.next()
          if (step.kind !== 'suspect') return t.fail(step.kind)
          t.regex(step.reason, then)
          t.is(step.position, position)
        }
      } else {
        const error = t.throws(() => reader.next(), { instanceOf: BadSegmentError })
        t.regex(error.reason, then)
        t.is(error.position, position)
        t.is(error.offset, nextOffset)
      }
      if (then !== 'end' && kind === 'live') t.deepEqual([reader.position, reader.nextOffset], [position, nextOffset])
      reader.close()
    })
  }
}

test('a live reader reads a batch once the rest of it has come', (t) => {
  const system = createFakeSystem()
  const whole = join(b0, b1)
  overwrite(system, '/segment', whole.subarray(0, size + 30))
  const reader = new LiveSegmentReader(
    system.fs,
    system.fs.open('/segment', 'read'),
    10,
    { position: 0, offset: 10 },
    () => false,
  )
  t.is(reader.next().kind, 'batch')
  t.is(reader.next().kind, 'suspect')
  overwrite(system, '/segment', whole)
  const step = reader.next()
  t.true(step.kind === 'batch' && step.batch.baseOffset === 11)
  t.is(reader.next().kind, 'end')
})

test('a live reader asks whether the log may end where offsets are missing before its last batch', (t) => {
  const system = createFakeSystem()
  overwrite(system, '/segment', join(b0, one(15)))
  const asked: unknown[] = []
  const endCheck = (position: number, offset: number) => asked.push([position, offset]) > 0
  const reader = new LiveSegmentReader(system.fs, system.fs.open('/segment', 'read'), 10, { position: 0, offset: 10 }, endCheck)
  t.is(reader.next().kind, 'batch')
  t.is(reader.next().kind, 'batch')
  t.deepEqual(asked, [[2 * size, 16]])
})

test('the batch that a reader gives is the bytes of the file', (t) => {
  for (const open of Object.values(openers())) {
    const step = open(join(b0, b1)).next()
    if (step.kind !== 'batch') return t.fail(step.kind)
    t.deepEqual(Buffer.from(step.batch.bytes), Buffer.from(b0))
    t.true(step.batch instanceof RecordBatch)
  }
})
