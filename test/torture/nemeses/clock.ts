/** Clocks that are wrong, and that jump while a process runs (libfaketime); files keep the times of the kernel. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dice } from '../dice.js'
import { pause, type Nemesis } from './nemesis.js'

export const clock: Nemesis = {
  name: 'clock',
  missing: () => (libraryPath() === undefined ? 'faketime is not installed' : undefined),
  async act(world, dice, over, tell) {
    const file = join(world.setting.directory, 'faketime')
    const jump = (): void => {
      const offset = anyOffset(dice)
      tell(`the clock is ${offset} s off`)
      writeFileSync(`${file}.new`, `${offset}\n`)
      renameSync(`${file}.new`, file)
    }
    jump()
    const influence = (own: Dice, _name: string, args: readonly string[]): Record<string, string> => {
      const library = libraryPath()
      // A child of the program would share libfaketime's locks with it, and die of them now and then.
      if (args.includes('--')) return {}
      if (library === undefined || !own.chance(0.6)) return {}
      const common = { LD_PRELOAD: library, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
      return own.chance(0.5)
        ? { ...common, FAKETIME: anyOffset(own) }
        : { ...common, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1' }
    }
    world.influences.add(influence)
    while (!over.aborted) {
      await pause(dice.between(500, 3000), over)
      jump()
    }
    world.influences.delete(influence)
  },
}

/** In seconds: an hour, a day, ten years, a little. */
function anyOffset(dice: Dice): string {
  return dice.pick(['+0', '+3600', '-3600', '+90000', '-90000', '+315360000', '-315360000', '+1', '-1'])
}

function libraryPath(): string | undefined {
  for (const folder of ['/usr/lib', '/usr/lib64']) {
    if (!existsSync(folder)) continue
    for (const name of ['', ...readdirSync(folder).filter((one) => one.endsWith('-linux-gnu'))]) {
      const path = join(folder, name, 'faketime', 'libfaketime.so.1')
      if (existsSync(path)) return path
    }
  }
  return undefined
}
