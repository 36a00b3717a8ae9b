/** Random choices that follow from the seed of the run and a name, so that each client and each phase has a stream of its own. */
import { createSeededRandom } from '../helpers/seeded-random.js'

export interface Dice {
  /** 0 to bound, the end excluded. */
  below(bound: number): number
  /** From `from` to `to`, both included. */
  between(from: number, to: number): number
  chance(probability: number): boolean
  pick<Item>(items: readonly Item[]): Item
}

export function diceOf(seed: number, name: string): Dice {
  let hash = seed | 0
  for (let n = 0; n < name.length; n += 1) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193)
  const random = createSeededRandom(hash)
  return {
    below: (bound) => random.integer(bound),
    between: (from, to) => from + random.integer(to - from + 1),
    chance: (probability) => random.chance(probability),
    pick(items) {
      const item = items[random.integer(items.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
  }
}
