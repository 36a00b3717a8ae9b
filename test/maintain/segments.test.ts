import test from 'ava'
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { readStateBlock } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { stampBatch } from '../../lib/record/batch.js'
import { repairPartition } from '../../lib/maintain/repair-partition.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import {
  appendBytes,
  bases,
  batch,
  batchOfRecords,
  beside,
  fill,
  overwrite,
  pathOf,
  readAll,
  readFile,
  sizeOf,
  tinyContext,
} from '../log/tiny-log.js'
import { craftBatch, craftRecord } from '../record/craft-batch.js'
import { check, copyOf, flipBit, isClean, judgeRepair, kinds } from './damaged-partition.js'
import { ROLLING, THREE, prepare } from './flip-segment.js'

/** Four segments, which begin at 0, 3, 6 and 9. */
async function four() {
  const prepared = await prepare(
    ROLLING,
    Array.from({ length: 12 }, (_, n) => [`${n}`]),
  )
  return { ...prepared, endOffset: 12 }
}

const offsetsBelow = (records: readonly string[], ...ranges: readonly (readonly [number, number])[]) =>
  records.filter((record) =>
    ranges.every(([from, to]) => Number.parseInt(record, 10) < from || Number.parseInt(record, 10) >= to),
  )

/** How many records stand wholly in the first bytes of a segment. */
function recordsWithin(system: FakeSystem, base: number, length: number): number {
  const fd = system.fs.open(pathOf(base), 'read')
  try {
    const places = [...new BatchPlaces(system.fs, fd).from(0)].filter(
      ({ position, sizeBytes }) => position + sizeBytes <= length,
    )
    return places.length === 0 ? 0 : (places.at(-1)?.lastOffset ?? 0) + 1 - base
  } finally {
    system.fs.close(fd)
  }
}

test('a synced log that is cut at any length is damaged; a repair keeps what is left and gives no offset again', async (t) => {
  const { system, original } = await prepare()
  const bytes = readFile(system, pathOf(0))
  for (let length = 0; length < bytes.length; length += 1) {
    const damaged = copyOf(system)
    overwrite(damaged, pathOf(0), bytes.subarray(0, length))
    const kept = original.slice(0, recordsWithin(damaged, 0, length))
    const { before, records } = await judgeRepair(damaged, { original, kept, endOffset: 5 })
    t.true(kinds(before.findings).includes('damage'), String(length))
    t.deepEqual(records, kept, String(length))
  }
})

test('a closed segment that is cut at any length is damaged; a repair keeps what is left and names the offsets', async (t) => {
  const { system, original, config, endOffset } = await four()
  const bytes = readFile(system, pathOf(3))
  for (let length = 0; length < bytes.length; length += 3) {
    const damaged = copyOf(system)
    overwrite(damaged, pathOf(3), bytes.subarray(0, length))
    const left = recordsWithin(damaged, 3, length)
    const { before, records } = await judgeRepair(damaged, {
      original,
      kept: offsetsBelow(original, [3 + left, 6]),
      endOffset,
      config,
    })
    t.true(kinds(before.findings).includes('damage'), String(length))
    t.is(records.length, 9 + left)
  }
})

test('a log that was cut above what was synced is clean after a reboot, and damaged while the state block knows better', async (t) => {
  const { system, original } = await prepare({}, THREE.slice(0, 2))
  const synced = sizeOf(system, pathOf(0))
  const context = tinyContext(system)
  const log = Log.open(context)
  await log.append(batch(['d', 'e']))
  const bytes = readFile(system, pathOf(0))
  for (let length = synced; length < bytes.length; length += 7) {
    const damaged = copyOf(system)
    overwrite(damaged, pathOf(0), bytes.subarray(0, length))
    const here = await check(damaged)
    t.true(kinds(here.findings).includes('damage'), String(length))
    const rebooted = beside(damaged, { rebooted: true })
    t.true(isClean(await check(rebooted)), String(length))
    const { records } = await judgeRepair(rebooted, { original, kept: original, endOffset: 3 })
    t.deepEqual(records, original)
  }
})

for (const [what, extra] of [
  ['garbage', (n: number) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 167 + 13) & 0xff))],
  ['zeros', (n: number) => new Uint8Array(n)],
  ['0xff', (n: number) => new Uint8Array(n).fill(0xff)],
] as const) {
  test(`${what} behind the end of a log and of a closed segment is found, and cut without loss`, async (t) => {
    const { system, original, config, endOffset } = await four()
    for (const length of [1, 7, 11, 12, 16, 17, 60, 61, 62, 500, 70_000]) {
      for (const base of [3, 9]) {
        const damaged = copyOf(system)
        appendBytes(damaged, pathOf(base), extra(length))
        const { before, records } = await judgeRepair(damaged, { original, kept: original, endOffset, config })
        t.deepEqual(kinds(before.findings), [base === 9 ? 'note' : 'damage'], `${length} at ${base}`)
        t.deepEqual(records, original)
      }
    }
  })
}

test('a copy of an old batch behind the end, or inside a segment, is found and not delivered', async (t) => {
  const { system, original, config, endOffset } = await four()
  const old = readFile(system, pathOf(0)).subarray(0, sizeOf(system, pathOf(0)) / 3)
  const closed = readFile(system, pathOf(3))
  for (const [base, bytes] of [
    [9, Buffer.concat([readFile(system, pathOf(9)), old])],
    [3, Buffer.concat([closed, old])],
    [3, Buffer.concat([closed.subarray(0, closed.length / 3), old, closed.subarray(closed.length / 3)])],
    [3, Buffer.concat([old, closed])],
  ] as const) {
    const damaged = copyOf(system)
    overwrite(damaged, pathOf(base), bytes)
    const { before, records } = await judgeRepair(damaged, { original, kept: original, endOffset, config })
    t.true(before.findings.length > 0)
    t.deepEqual(records, original)
  }
})

test('a foreign batch that was written over one of the same size is found, and not taken for it', async (t) => {
  const { system, original, config, endOffset } = await four()
  const closed = readFile(system, pathOf(3))
  const size = closed.length / 3
  overwrite(
    system,
    pathOf(3),
    Buffer.concat([closed.subarray(0, size), readFile(system, pathOf(9)).subarray(0, size), closed.subarray(2 * size)]),
  )
  const { before, records } = await judgeRepair(system, { original, kept: offsetsBelow(original, [4, 5]), endOffset, config })
  t.deepEqual(kinds(before.findings), ['damage'])
  t.is(records.length, 11)
})

for (const [which, lost, kept] of [
  ['first', [0], [3, 6, 9]],
  ['second', [3], [0, 6, 9]],
  ['last', [9], [0, 3, 6]],
  ['first two', [0, 3], [6, 9]],
  ['last two', [6, 9], [0, 3]],
] as const) {
  test(`a log whose ${which} segment is missing is damaged; a repair goes on with the others`, async (t) => {
    const { system, original, config, endOffset } = await four()
    for (const base of lost) system.fs.unlink(pathOf(base))
    const left = offsetsBelow(original, ...lost.map((base) => [base, base + 3] as const))
    const { before, records } = await judgeRepair(system, { original, kept: left, endOffset, config })
    t.deepEqual(
      kinds(before.findings).filter((kind) => kind !== 'cache'),
      ['damage'],
    )
    t.deepEqual(records, left)
    t.true(kept.every((base) => bases(system).includes(base)))
  })
}

test('a log without any segment is damaged; a repair begins a new one at the end of the old', async (t) => {
  const { system, original, config, endOffset } = await four()
  for (const base of bases(system)) system.fs.unlink(pathOf(base))
  const { before, records } = await judgeRepair(system, { original, kept: [], endOffset, config })
  t.true(kinds(before.findings).includes('damage'))
  t.deepEqual(records, [])
})

for (const [a, b] of [
  [0, 3],
  [3, 9],
  [6, 9],
] as const) {
  test(`segments ${a} and ${b} that were exchanged are found, and a repair gives them their names back`, async (t) => {
    const { system, original, config, endOffset } = await four()
    const [first, second] = [readFile(system, pathOf(a)), readFile(system, pathOf(b))]
    overwrite(system, pathOf(a), second)
    overwrite(system, pathOf(b), first)
    const { before, report, records } = await judgeRepair(system, { original, kept: original, endOffset, config })
    t.true(kinds(before.findings).includes('damage'))
    t.deepEqual(records, original)
    t.deepEqual(report.rewritten, [])
    t.deepEqual(bases(system).slice(0, 4), [0, 3, 6, 9])
  })
}

test("three segments under each other's names, and one under a free name, get their own", async (t) => {
  const { system, original, config, endOffset } = await four()
  const contents = [0, 3, 6].map((base) => readFile(system, pathOf(base)))
  for (const [n, base] of [3, 6, 0].entries()) overwrite(system, pathOf(base), contents[n] ?? new Uint8Array(0))
  await judgeRepair(system, { original, kept: original, endOffset, config })

  const other = await four()
  other.system.fs.rename(pathOf(3), pathOf(4))
  const { records } = await judgeRepair(other.system, { original, kept: original, endOffset, config })
  t.deepEqual(records, original)
})

for (const copyBase of [1, 5, 7, 100]) {
  for (const base of [0, 3, 9]) {
    test(`a copy of segment ${base} under the name ${copyBase} is found, and moved away without loss`, async (t) => {
      const { system, original, config, endOffset } = await four()
      overwrite(system, pathOf(copyBase), readFile(system, pathOf(base)))
      const { before, records, report } = await judgeRepair(system, { original, kept: original, endOffset, config })
      t.true(kinds(before.findings).includes('damage'))
      t.deepEqual(records, original)
      t.is(report.moved.length, 1)
    })
  }
}

for (const [what, bytes] of [
  ['an empty file', new Uint8Array(0)],
  ['garbage', new Uint8Array(300).fill(0x37)],
] as const) {
  test(`${what} under a segment's name, within another segment, is moved away without loss`, async (t) => {
    for (const base of [1, 4, 11]) {
      const { system, original, config, endOffset } = await four()
      overwrite(system, pathOf(base), bytes)
      const { before, records } = await judgeRepair(system, { original, kept: original, endOffset, config })
      t.true(kinds(before.findings).includes('damage'))
      t.deepEqual(records, original)
    }
  })
}

test('a batch whose CRC holds but whose records are wrong is damage, and the others are kept', async (t) => {
  const { system, original, config, endOffset } = await four()
  const closed = readFile(system, pathOf(3))
  const size = closed.length / 3
  for (const bad of [
    craftBatch({ baseOffset: 4, recordCount: 2, lastOffsetDelta: 0 }),
    craftBatch({ baseOffset: 4, records: craftRecord({ keyLength: 100 }) }),
    craftBatch({ baseOffset: 4, attributes: 7 }),
    craftBatch({ baseOffset: 4, attributes: 1 }),
  ]) {
    const damaged = copyOf(system)
    overwrite(damaged, pathOf(3), Buffer.concat([closed.subarray(0, size), bad, closed.subarray(2 * size)]))
    const { before, records } = await judgeRepair(damaged, {
      original,
      kept: offsetsBelow(original, [4, 5]),
      endOffset,
      config,
    })
    t.is(before.findings[0]?.position, size)
    t.is(before.findings[0]?.offset, 4)
    t.is(records.length, 11)
  }
})

test('a last batch whose CRC holds but whose records are wrong is damage where it was synced, and a note above', async (t) => {
  const { system, original, config, endOffset } = await four()
  const bytes = readFile(system, pathOf(9))
  const size = bytes.length / 3
  const bad = craftBatch({ baseOffset: 11, records: craftRecord({ keyLength: 100 }) })
  overwrite(system, pathOf(9), Buffer.concat([bytes.subarray(0, 2 * size), bad]))
  const { before } = await judgeRepair(system, { original, kept: offsetsBelow(original, [11, 12]), endOffset, config })
  t.true(kinds(before.findings).includes('damage'))

  const above = (await four()).system
  appendBytes(above, pathOf(9), craftBatch({ baseOffset: 12, records: craftRecord({ keyLength: 100 }) }))
  t.deepEqual(kinds((await check(above)).findings), ['note'])
})

test('batches that are the value of a damaged record are not taken for batches of the log', async (t) => {
  const inner = Buffer.concat([
    ...[1, 2].map((offset) => {
      const { bytes } = batch([`inner ${offset}`])
      stampBatch(bytes, offset, 0)
      return bytes
    }),
  ])
  const { system, original } = await prepare({}, [['a']])
  const context = tinyContext(system)
  const log = Log.open(context)
  await log.append(batchOfRecords([{ value: inner, timestampMs: 1 }]))
  await log.append(batch(['c']))
  await log.sync()
  await log.close()
  const bytes = readFile(system, pathOf(0))
  const first = sizeOf(system, pathOf(0)) - bytes.length
  const place = bytes.indexOf(inner[20] ?? 0, first + 100)
  overwrite(system, pathOf(0), flipBit(bytes, place * 8))
  const { records } = await judgeRepair(system, { original: [...original, '2:c'], kept: [...original, '2:c'], endOffset: 3 })
  t.deepEqual(records, ['0:a', '2:c'])
})

test('an offset that is missing in the middle of a segment costs no record behind it', async (t) => {
  const { system, original, config, endOffset } = await four()
  const closed = readFile(system, pathOf(3))
  const size = closed.length / 3
  overwrite(system, pathOf(3), Buffer.concat([closed.subarray(0, size), closed.subarray(2 * size)]))
  t.true(isClean(await check(system, true)) || kinds((await check(system, true)).findings).join() === 'cache')
  const { before, records, report } = await judgeRepair(system, {
    original,
    kept: offsetsBelow(original, [4, 5]),
    endOffset,
    config,
  })
  t.true(before.findings.some(({ message }) => message.includes('offsets 4 to 4 are missing')))
  t.is(records.length, 11)
  t.deepEqual(report.rewritten, [])
})

test('after a failed fsync the log is damaged; a repair writes it anew and it takes records again', async (t) => {
  const { system } = await prepare()
  const context = tinyContext(system)
  const log = Log.open(context)
  await log.append(batch(['f']))
  system.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
  await t.throwsAsync(log.sync(), { code: 'LOGQ_SYNC_FAILED' })
  await log.close()
  system.fs.reset()
  t.is(readStateBlock(context)?.status, 'sync-failed')
  const inode = system.fs.pathStatus(pathOf(0))?.inode
  const { before, report } = await judgeRepair(system, {
    original: ['0:a', '1:b', '2:c', '3:d', '4:e', '5:f'],
    kept: ['0:a', '1:b', '2:c', '3:d', '4:e'],
    endOffset: 5,
  })
  t.deepEqual(kinds(before.findings), ['damage'])
  t.is(report.rewritten.length, 1)
  t.not(system.fs.pathStatus(pathOf(0))?.inode, inode)
  t.is(readStateBlock(context)?.status, 'live')
})

test('a repair begins a new leader epoch at the end when records may have been lost, and only then', async (t) => {
  const { system, original, config, endOffset } = await four()
  const whole = copyOf(system)
  system.fs.unlink(pathOf(9))
  await judgeRepair(system, { original, kept: offsetsBelow(original, [9, 12]), endOffset, config })
  t.regex(Buffer.from(readFile(system, '/store/tiny-0/leader-epoch-checkpoint')).toString(), /^0\n2\n0 0\n1 12\n$/)
  overwrite(whole, pathOf(0, '.index'), new Uint8Array(5))
  await judgeRepair(whole, { original, kept: original, endOffset, config })
  t.regex(Buffer.from(readFile(whole, '/store/tiny-0/leader-epoch-checkpoint')).toString(), /^0\n1\n0 0\n$/)
})

test('an aborted repair has changed nothing', async (t) => {
  const { system } = await four()
  overwrite(system, pathOf(3), new Uint8Array(9))
  const asFound = readFile(system, '/store/tiny-0/lock')
  const context = tinyContext(system)
  await t.throwsAsync(repairPartition(context, context, { gapsAreNormal: false }, { signal: AbortSignal.abort() }), {
    code: 'LOGQ_ABORTED',
  })
  t.deepEqual(readFile(system, '/store/tiny-0/lock'), asFound)
  t.is(sizeOf(system, pathOf(3)), 9)
})

test('a compacted log may miss offsets, and a flipped base offset is found in it all the same', async (t) => {
  const { system, original, endOffset, config } = await four()
  const closed = readFile(system, pathOf(3))
  const size = closed.length / 3
  overwrite(system, pathOf(3), Buffer.concat([closed.subarray(0, size), closed.subarray(2 * size)]))
  for (const suffix of ['.index', '.timeindex'] as const) system.fs.unlink(pathOf(3, suffix))
  t.true(isClean(await check(system, true)))
  const compacted = readFile(system, pathOf(3))
  // The first batch, 3, says 3 + 64 now.
  overwrite(system, pathOf(3), flipBit(compacted, 7 * 8 + 6))
  const rules = { original, kept: offsetsBelow(original, [3, 5]), endOffset, config, gapsAreNormal: true }
  const { before } = await judgeRepair(system, rules)
  t.true(kinds(before.findings).includes('damage'))
})

test('a repaired log is read to its end', async (t) => {
  const { system, original, config, endOffset } = await four()
  overwrite(system, pathOf(3), flipBit(readFile(system, pathOf(3)), 999))
  await judgeRepair(system, { original, kept: offsetsBelow(original, [3, 6]), endOffset, config })
  await fill(tinyContext(system, config), [['x', 'y']])
  t.deepEqual((await readAll(tinyContext(system))).slice(-2), ['13:x', '14:y'])
})
