/** Repairs that die before each of their changes of the disk. */
import { Log } from '../../lib/log/log.js'
import { crashEverywhere } from '../crash/crash-everywhere.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, batch, createTiny, fill, overwrite, pathOf, readFile, tinyContext } from '../log/tiny-log.js'
import { flipBit, judgeRepair, repair } from './damaged-partition.js'
import { ROLLING } from './flip-segment.js'

const original = Array.from({ length: 12 }, (_, n) => `${n}:${n}`)

interface Damage {
  readonly inflict: (system: FakeSystem) => Promise<void> | void
  /** Offsets whose records are lost by it. */
  readonly lost: readonly number[]
  /** Copies that one repair leaves in quarantine/. */
  readonly copies: number
}

const flipped = (system: FakeSystem, base: number, bit: number) => {
  overwrite(system, pathOf(base), flipBit(readFile(system, pathOf(base)), bit))
}

const damages = {
  'a damaged batch in a closed segment': {
    inflict: (system) => {
      flipped(system, 3, 600)
    },
    lost: [4],
    copies: 1,
  },
  'damaged batches in the active segment, and a wrong index': {
    inflict: (system) => {
      flipped(system, 9, 300)
      flipped(system, 9, 1500)
      overwrite(system, pathOf(0, '.timeindex'), new Uint8Array(12).fill(1))
    },
    lost: [9, 11],
    copies: 1,
  },
  'a segment whose header was damaged': {
    inflict: (system) => {
      flipped(system, 3, 570)
    },
    lost: [],
    copies: 1,
  },
  'segments that were exchanged': {
    inflict: (system) => {
      const [first, second] = [readFile(system, pathOf(3)), readFile(system, pathOf(9))]
      overwrite(system, pathOf(3), second)
      overwrite(system, pathOf(9), first)
    },
    lost: [],
    copies: 0,
  },
  'a copy of a segment under another name': {
    inflict: (system) => {
      overwrite(system, pathOf(4), readFile(system, pathOf(0)))
    },
    lost: [],
    copies: 1,
  },
  'a missing last segment': {
    inflict: (system) => {
      system.fs.unlink(pathOf(9))
    },
    lost: [9, 10, 11],
    copies: 0,
  },
  'a segment without any good batch, and damaged small files': {
    inflict: (system) => {
      overwrite(system, pathOf(3), new Uint8Array(200).fill(3))
      for (const name of ['leader-epoch-checkpoint', 'recovery-point'])
        overwrite(system, `${DIRECTORY}/${name}`, Buffer.from('x'))
    },
    lost: [3, 4, 5],
    copies: 1,
  },
  'a failed fsync': {
    inflict: async (system) => {
      const log = Log.open(tinyContext(system, { segmentBytes: 1000 }))
      await log.append(batch(['12']))
      system.fs.failNth({ operation: 'fdatasync', code: 'EIO' })
      await log.sync().catch(() => undefined)
      await log.close()
      system.fs.reset()
    },
    lost: [],
    copies: 1,
  },
} satisfies Record<string, Damage>

export type DamageName = keyof typeof damages
export const damageNames = Object.keys(damages) as DamageName[]

/**
 * Lets repairs of a damage die, and repairs what is left; throws when a rule is broken. Returns how many died, and behind which
 * failpoints.
 */
export async function crashRepairs(name: DamageName): Promise<{ deaths: number; behind: Map<string, number> }> {
  const { inflict, lost, copies }: Damage = damages[name]
  return crashEverywhere({
    prepare: async (system) => {
      createTiny(system, ROLLING)
      await fill(
        tinyContext(system, ROLLING),
        Array.from({ length: 12 }, (_, n) => [`${n}`]),
      )
      // Neither is synced as a rule, and without both nothing would know how far the log went.
      for (const name of ['recovery-point', 'lock'])
        overwrite(system, `${DIRECTORY}/${name}`, readFile(system, `${DIRECTORY}/${name}`))
      await inflict(system)
      system.fs.syncDirectory(DIRECTORY)
    },
    run: async (system) => {
      await repair(system, ROLLING)
    },
    check: async (after) => {
      const kept = original.filter((_, n) => !lost.includes(n))
      await judgeRepair(after, { original: [...original, '12:12'], kept, endOffset: 12, config: ROLLING })
      const quarantine = `${DIRECTORY}/quarantine`
      const left = after.fs.pathStatus(quarantine) === undefined ? [] : after.fs.list(quarantine)
      if (left.length > 2 * copies) throw new Error(`in quarantine: ${left.join(' ')}`)
      if (left.some((name) => name.startsWith('.tmp-'))) throw new Error(`left behind: ${left.join(' ')}`)
    },
  })
}
