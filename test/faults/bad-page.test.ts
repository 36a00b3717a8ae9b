/** One page of a segment that the device cannot read (EIO): it costs the batches that it holds, and no others. */
import test from 'ava'
import { readRecords } from '../../lib/consume/read.js'
import { systemErrorCode } from '../../lib/errors.js'
import type { PassedOver } from '../../lib/log/damage.js'
import { checkPartition, repairPartition } from '../../lib/maintain/check-store.js'
import { STORE, produce, tinyStore, values, type TinyStore } from '../store/tiny-store.js'

const LOG = '.log'
const COUNT = 40
const value = (n: number) => `value ${n} ${'x'.repeat(500)}`

/** Batches of about 600 bytes, in segments of 10,000. */
async function filled(): Promise<TinyStore> {
  const made = await tinyStore({ config: { 'segment.bytes': 10_000 } })
  for (let n = 0; n < COUNT; n += 1) await produce(made.store, 't', [value(n)])
  return made
}

function pathsOf({ system }: TinyStore, ending: string): string[] {
  return system.fs.list(`${STORE}/t-0`).flatMap((name) => (name.endsWith(ending) ? [`${STORE}/t-0/${name}`] : []))
}

/** What can be read, and the offsets that were passed over. */
async function readOn({ store }: TinyStore): Promise<{ read: number[]; passedOver: number[]; reasons: string[] }> {
  const read: number[] = []
  const passedOver: number[] = []
  const reasons: string[] = []
  const onDamage = ({ error, fromOffset, toOffset = COUNT }: PassedOver) => {
    reasons.push(error.message)
    for (let offset = fromOffset; offset < toOffset; offset += 1) passedOver.push(offset)
  }
  for await (const record of readRecords(store, 't', { onDamage })) {
    if (Buffer.from(record.value ?? []).toString() !== value(record.offset))
      throw new Error(`offset ${record.offset} is another`)
    read.push(record.offset)
  }
  return { read, passedOver, reasons }
}

for (const [which, segment] of [
  ['the first segment', '00000000000000000000.log'],
  ['every segment, the active one too', LOG],
] as const) {
  for (const page of [0, 4096, 8192]) {
    test(`a bad page at ${page} of ${which}: stopping names the file, passing over gives all other records, a repair keeps them`, async (t) => {
      const made = await filled()
      const { system, store } = made
      for (const path of pathsOf(made, segment)) system.fs.breakPage(path, page)

      const error: unknown = await values(store, 't').catch((reason: unknown) => reason)
      t.is(systemErrorCode(error), 'EIO')

      const { read, passedOver, reasons } = await readOn(made)
      t.deepEqual(
        [...read, ...passedOver].sort((a, b) => a - b),
        Array.from({ length: COUNT }, (_, n) => n),
      )
      // A page holds parts of nine batches at most; where the walk finds its way behind it, one more may be lost.
      const segments = segment === LOG ? 3 : 1
      t.true(passedOver.length <= 10 * segments, passedOver.join())
      t.true(passedOver.length >= 3)
      const unread = new RegExp(`damaged: bytes ${page} to \\d+ cannot be read from the device: i/o error, `)
      t.true(reasons.every((reason) => unread.test(reason)) && reasons.length > 0, reasons.join('\n'))

      const before = await checkPartition(store, 't', 0)
      t.true(before.findings.some(({ kind, file }) => kind === 'damage' && file.includes(segment)))
      t.is(before.recordCount, read.length)
      const { rewritten } = await repairPartition(store, 't', 0)
      t.true(rewritten.length > 0)
      system.fs.reset()
      t.deepEqual((await checkPartition(store, 't', 0)).findings, [])
      t.deepEqual((await readOn(made)).read, read)
      await produce(store, 't', [value(COUNT)])
      t.deepEqual((await readOn(made)).read, [...read, COUNT])
      t.true(system.fs.list(`${STORE}/t-0/quarantine`).length >= segments - 1)
    })
  }
}

test('a bad page of an index, or of a small file, hides nothing', async (t) => {
  for (const name of ['.index', '.timeindex', 'recovery-point', 'leader-epoch-checkpoint', 'leader-epoch-ids']) {
    const made = await filled()
    for (const path of pathsOf(made, name)) made.system.fs.breakPage(path, 0)
    t.deepEqual((await readOn(made)).read.length, COUNT, name)
    const { findings } = await checkPartition(made.store, 't', 0)
    t.true(
      findings.every(({ kind }) => kind !== 'damage'),
      name,
    )
  }
})
