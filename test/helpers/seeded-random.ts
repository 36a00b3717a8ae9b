/** A small generator (xorshift32) for tests: the same seed gives the same numbers on every machine. Never for secrets. */
import type { Random } from '../../lib/system/system.js'

export interface SeededRandom extends Random {
  /** True with the given chance, 0 to 1. */
  chance(probability: number): boolean
}

export function createSeededRandom(seed: number): SeededRandom {
  // Neighbouring seeds must not give neighbouring streams, and 0 is the one state that xorshift never leaves.
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35) | 0
  state = (state ^ (state >>> 16)) | 0 || 1

  const next = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
  return {
    bytes: (count) => Uint8Array.from({ length: count }, () => next() & 0xff),
    integer: (bound) => Math.floor((next() / 2 ** 32) * bound),
    chance: (probability) => next() / 2 ** 32 < probability,
  }
}
