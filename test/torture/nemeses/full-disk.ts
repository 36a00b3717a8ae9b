/** The disk of the store is full, but for some bytes, again and again. */
import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { pause, type Nemesis } from './nemesis.js'

/** What the tmpfs of a run is mounted with. */
export const SMALL_DISK_SIZE = '512m'

export const fullDisk: Nemesis = {
  name: 'full-disk',
  missing: ({ smallDisk }) => (smallDisk !== undefined ? undefined : 'the store is not on a small disk of its own'),
  async act(world, dice, over, tell) {
    const { smallDisk } = world.setting
    if (smallDisk === undefined) return
    try {
      while (!over.aborted) {
        await pause(dice.between(300, 2000), over)
        const { bsize, blocks, bfree } = statfsSync(smallDisk)
        const leftBlocks = dice.pick([0, 1, 2, 5, 20])
        remount(smallDisk, String((blocks - bfree + leftBlocks) * bsize))
        tell(`${leftBlocks} blocks of ${bsize} bytes are left`)
        await pause(dice.between(200, 2500), over)
        remount(smallDisk, SMALL_DISK_SIZE)
      }
    } finally {
      remount(smallDisk, SMALL_DISK_SIZE)
    }
  },
}

function remount(directory: string, size: string): void {
  // Smaller than what is in use is refused: then others wrote meanwhile, and the disk stays as it was.
  spawnSync('mount', ['-o', `remount,size=${size}`, directory], { stdio: 'ignore' })
}
