/** All damages of damages.ts, but every fifth bit (bit-flips.long.ts takes all). Repairs after every n-th: it costs more than the rest. */
import test from 'ava'
import { additions, cuts, segmentBits, smallFileBytes, wholeSegments } from './damages.js'
import { everyDamage, ofKafka } from './damage-oracle.js'
import { richPartition } from './rich-partition.js'

for (const [what, damages, repairEveryNth] of [
  ['every fifth bit of every segment', segmentBits, 23],
  ['every byte of every index and small file', smallFileBytes, 23],
  ['every file cut at every length', cuts, 23],
  ['bytes behind every file', additions, 11],
  ['every segment missing, empty, doubled or swapped', wholeSegments, 1],
] as const) {
  test(`${what}: read as it was or named by readers and fsck; a repair keeps what can be read and notes the rest`, async (t) => {
    const { judged, kinds } = await everyDamage(await richPartition(), damages, {
      everyNth: damages === segmentBits ? 5 : 1,
      repairEveryNth,
    })
    t.log(`${judged} damages: ${kinds}`)
    t.true(judged > 50)
  })

  test(`${what} in a directory of Kafka: no record that was not written, none twice`, async (t) => {
    const { judged } = await everyDamage(await richPartition({ isOwn: false }), damages, { everyNth: 7, ...ofKafka })
    t.true(judged > 5)
  })
}
