/** What a run will do, as far as that follows from its seed: topics, and phases with their nemeses. */
import { diceOf } from './dice.js'

export interface TopicPlan {
  readonly name: string
  readonly partitions: number
  /** DIRECTORY in one of them is that of the run. */
  readonly settings: readonly string[]
  /** Records of it go when a later one has their key. */
  readonly isCompacted?: true
}

export interface Phase {
  readonly durationMs: number
  /** Names; a quarter of the phases has none. */
  readonly nemeses: readonly string[]
}

export interface Plan {
  readonly seed: number
  /** small: a tmpfs, which can be filled; ordinary: where temporary files are. */
  readonly disk: 'small' | 'ordinary'
  readonly topics: Readonly<Record<TopicRole, TopicPlan>>
  readonly phases: readonly Phase[]
}

/**
 * roll: many segments. keys: several partitions, records with keys, and partitions that are added. once: only those that look for
 * duplicates append to it. state: only those that expect an offset. volatile: is removed and made anew. damaged: one batch of a closed
 * segment is overwritten. aged: what is archived is kept for some segments more, then read from the archive. latest: compacted.
 */
export type TopicRole = 'roll' | 'keys' | 'once' | 'state' | 'volatile' | 'damaged' | 'aged' | 'latest'

export function planOf(seed: number, totalMs: number, nemeses: readonly string[], disk?: Plan['disk']): Plan {
  const dice = diceOf(seed, 'plan')
  const settings = (smallestBytes: number): string[] => [
    `segment.bytes=${smallestBytes * dice.pick([1, 2, 4])}`,
    `index.interval.bytes=${dice.pick([0, 100, 1000, 4096])}`,
  ]
  const topics: Plan['topics'] = {
    roll: { name: 'roll', partitions: 1, settings: settings(4096) },
    keys: { name: 'keys', partitions: dice.between(2, 4), settings: settings(16_384) },
    once: { name: 'once', partitions: dice.between(1, 3), settings: settings(8192) },
    state: { name: 'state', partitions: 1, settings: settings(2048) },
    volatile: { name: 'volatile', partitions: dice.between(1, 3), settings: settings(4096) },
    aged: {
      name: 'aged',
      partitions: dice.between(1, 2),
      settings: [
        ...settings(2048),
        'retention.ms=-1',
        'archive.required=true',
        'archive.location=DIRECTORY/archive',
        `retention.bytes=${dice.pick([32_768, 65_536])}`,
      ],
    },
    latest: {
      name: 'latest',
      partitions: dice.between(1, 2),
      settings: [...settings(2048), 'cleanup.policy=compact', `min.cleanable.dirty.ratio=${dice.pick(['0', '0.1', '0.5'])}`],
      isCompacted: true,
    },
    damaged: { name: 'damaged', partitions: 1, settings: settings(2048) },
  }
  const phases: Phase[] = []
  for (let leftMs = totalMs; leftMs > 0;) {
    const wantedMs = Math.min(dice.between(10_000, 30_000), Math.max(3000, totalMs / 4))
    const durationMs = leftMs - wantedMs < 3000 ? leftMs : wantedMs
    leftMs -= durationMs
    phases.push({ durationMs, nemeses: [] })
  }
  // Every fourth phase has none; in a short run the others have more, so that each nemesis has its turn in most runs.
  const chosen = phases.map((phase, n) => ({
    ...phase,
    nemeses: n % 4 === 3 || nemeses.length === 0 ? [] : someOf(nemeses, dice.between(1, phases.length < 8 ? 4 : 3)),
  }))
  return { seed, disk: disk ?? dice.pick(['small', 'ordinary'] as const), topics, phases: chosen }

  function someOf(names: readonly string[], count: number): string[] {
    const left = [...names]
    return Array.from({ length: Math.min(count, left.length) }, () => left.splice(dice.below(left.length), 1)).flat()
  }
}
