/**
 * Random bytes in the state block and in the recovery point: both have a checksum, and what does not hold is found out from the log.
 * Not where a topic is removed meanwhile: "deleted" is in the state block and nowhere else.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pause, type Nemesis } from './nemesis.js'

const STATE_BLOCK_BYTES = 140
const RECOVERY_POINT_BYTES = 64

export const garbage: Nemesis = {
  name: 'garbage',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    const { roll, keys, once, state, damaged } = world.setting.plan.topics
    while (!over.aborted) {
      await pause(dice.between(200, 1500), over)
      const topic = dice.pick([roll, keys, once, state, damaged]).name
      const partitions = world.partitionsOf(topic)
      if (partitions.length === 0) continue
      const [name, size] = dice.pick([
        ['lock', STATE_BLOCK_BYTES],
        ['lock', STATE_BLOCK_BYTES],
        ['recovery-point', RECOVERY_POINT_BYTES],
      ] as const)
      const file = join(`${topic}-${dice.pick(partitions)}`, name)
      tell(`caches: garbage in ${file}`)
      overwrite(
        join(world.store, file),
        Uint8Array.from({ length: size }, () => dice.below(256)),
      )
    }
  },
}

/** In place: a file of another inode would be another lock. */
function overwrite(path: string, bytes: Uint8Array): void {
  try {
    const fd = openSync(path, 'r+')
    try {
      writeSync(fd, bytes, 0, bytes.length, 0)
    } finally {
      closeSync(fd)
    }
  } catch {
    // It was not there, or the disk is full.
  }
}
