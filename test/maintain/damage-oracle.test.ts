/** A sample of the systematic damages, the same one in each run; damage-oracle.long.ts takes all of them. */
import test from 'ava'
import { additions, cuts, segmentBits, smallFileBytes, wholeSegments } from './damages.js'
import { everyDamage, ofKafka } from './damage-oracle.js'
import { richPartition } from './rich-partition.js'

for (const [what, damages, everyNth] of [
  ['a bit of a segment', segmentBits, 211],
  ['a byte of an index or a small file', smallFileBytes, 67],
  ['a file that is cut', cuts, 61],
  ['bytes behind a file', additions, 29],
  ['a segment that is missing, empty, doubled or swapped', wholeSegments, 2],
] as const) {
  test(`${what}: read as it was or named by readers and fsck; a repair keeps what can be read and notes the rest`, async (t) => {
    const { judged } = await everyDamage(await richPartition(), damages, { everyNth, repairEveryNth: 3 })
    t.true(judged > 10)
  })

  test(`${what}, where the end was not synced: the same, but the log may end before it`, async (t) => {
    const { judged } = await everyDamage(await richPartition({ unsyncedBatches: 2 }), damages, {
      everyNth: 2 * everyNth + 1,
      repairEveryNth: 3,
    })
    t.true(judged > 5)
  })

  test(`${what} in a directory of Kafka: no record that was not written, none twice, and what a reader names fsck names`, async (t) => {
    const { judged } = await everyDamage(await richPartition({ isOwn: false }), damages, { everyNth, ...ofKafka })
    t.true(judged > 5)
  })
}
