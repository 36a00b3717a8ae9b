import test from 'ava'
import fc from 'fast-check'
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { BatchScanner, misfit } from '../../lib/log/batch-scanner.js'
import { RecordBatch } from '../../lib/record/batch.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { craftBatch } from '../record/craft-batch.js'
import { overwrite } from './tiny-log.js'

function file(bytes: Uint8Array) {
  const system = createFakeSystem()
  overwrite(system, '/log', bytes)
  return { system, fs: system.fs, fd: system.fs.open('/log', 'read') }
}

const sizes = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 12 })

test('BatchScanner and BatchPlaces find the same batches, whatever the chunk', (t) => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(1, 61, 100, 4096, 1 << 18), (recordBytes, chunkBytes) => {
      const parts = recordBytes.map((length, n) =>
        craftBatch({ baseOffset: n * 3, lastOffsetDelta: 2, maxTimestampMs: n, records: new Uint8Array(length) }),
      )
      const bytes = Buffer.concat(parts)
      const { fs, fd } = file(bytes)
      const scanner = new BatchScanner(fs, fd, 0, { checkCrc: true, chunkBytes })
      const places = [...new BatchPlaces(fs, fd).from(0)]
      let position = 0
      for (const [n, part] of parts.entries()) {
        const step = scanner.next()
        if (step.kind !== 'batch') return t.fail(step.kind)
        t.is(step.position, position)
        t.is(Buffer.compare(step.batch.bytes, part), 0)
        t.deepEqual(places[n], {
          position,
          sizeBytes: part.length,
          baseOffset: n * 3,
          lastOffset: n * 3 + 2,
          maxTimestampMs: n,
        })
        position += part.length
      }
      t.deepEqual(scanner.next(), { kind: 'end', position })
      t.is(places.length, parts.length)
    }),
    { numRuns: 50 },
  )
})

test('BatchScanner allocates no more than the file has, whatever a length field says', (t) => {
  const bytes = craftBatch({})
  new DataView(bytes.buffer).setInt32(8, 0x7fff_ff00)
  const { system, fs, fd } = file(bytes)
  const step = new BatchScanner(fs, fd, 0, { checkCrc: true }).next()
  t.is(step.kind, 'incomplete')
  const reads = system.fs.operations.filter(({ operation }) => operation === 'read').map(({ length }) => length ?? 0)
  t.true(Math.max(...reads) <= bytes.length)
})

test('BatchScanner reads again what it has read ahead when it is told to', (t) => {
  const first = craftBatch({ baseOffset: 0 })
  const { system, fs, fd } = file(Buffer.concat([first, craftBatch({ baseOffset: 1 })]))
  const scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
  scanner.next()
  overwrite(system, '/log', Buffer.concat([first, craftBatch({ baseOffset: 1, leaderEpoch: 9 })]))
  scanner.reread()
  const step = scanner.next()
  t.is(step.kind === 'batch' ? step.batch.partitionLeaderEpoch : -1, 9)
})

test('BatchScanner sees what was appended after it had reached the end', (t) => {
  const { system, fs, fd } = file(new Uint8Array(0))
  const scanner = new BatchScanner(fs, fd, 0, { checkCrc: true })
  let bytes = new Uint8Array(0)
  for (let n = 0; n < 5; n += 1) {
    t.is(scanner.next().kind, 'end')
    bytes = Buffer.concat([bytes, craftBatch({ baseOffset: n })])
    overwrite(system, '/log', bytes)
    t.is(scanner.next().kind, 'batch')
  }
})

test('BatchPlaces passes over batches that are not whole, or no batches', (t) => {
  const bytes = craftBatch({ baseOffset: 5 })
  const { fs, fd } = file(Buffer.concat([bytes, bytes.subarray(0, 65)]))
  const places = new BatchPlaces(fs, fd)
  t.is(places.at(0)?.lastOffset, 5)
  t.is(places.at(1), undefined)
  t.is(places.at(-5), undefined)
  t.is(places.at(bytes.length), undefined)
  t.is(places.at(10_000), undefined)
})

test('timestamps beyond 2^53-1 are indexed as that limit', (t) => {
  const { fs, fd } = file(craftBatch({ maxTimestampMs: 2n ** 62n }))
  t.is(new BatchPlaces(fs, fd).at(0)?.maxTimestampMs, Number.MAX_SAFE_INTEGER)
})

test('misfit() holds a batch to offset and epoch, and allows gaps only where they are normal', (t) => {
  const batch = new RecordBatch(craftBatch({ baseOffset: 10, leaderEpoch: 3 }))
  t.is(misfit(batch, 10, 3, true), undefined)
  t.is(misfit(batch, 8, 0, false), undefined)
  t.regex(misfit(batch, 8, 0, true) ?? '', /base offset 10 where 8 is expected/)
  t.regex(misfit(batch, 11, 0, false) ?? '', /base offset 10 where 11 is expected/)
  t.regex(misfit(batch, 10, 4, true) ?? '', /leader epoch 3 after epoch 4/)
})
