/** All damages of damages.ts, but every fifth bit (bit-flips.long.ts takes all). Repairs after every n-th: it costs more than the rest. */
import test from 'ava'
import type { FakeSystem } from '../helpers/fake-system.js'
import { additions, cuts, segmentBits, smallFileBytes, wholeSegments } from './damages.js'
import { everyDamage, ofKafka } from './damage-oracle.js'
import { richPartition } from './rich-partition.js'

/**
 * Nothing covers the base offset of a batch. In a store the state block, or what follows, gives a wrong one away; at the end of a log of
 * Kafka's, where offsets may be missing anywhere, a larger one is as good as the right one, to Kafka too.
 */
const LAST_BASE_OFFSET = /byte [0-7] of 00000000000000000020\.log$/

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
    const tellable = (system: FakeSystem) => [...damages(system)].filter(({ name }) => !LAST_BASE_OFFSET.test(name))
    const { judged } = await everyDamage(await richPartition({ isOwn: false }), tellable, { everyNth: 7, ...ofKafka })
    t.true(judged > 5)
  })
}
