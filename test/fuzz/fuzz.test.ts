/**
 * Every case that fuzzing ever found, and a few hundred new ones, for each target. `npm run fuzz` goes on for as long as it is told.
 * A failure prints the seed: FUZZ_SEED=N runs the same again.
 */
import test from 'ava'
import fc from 'fast-check'
import { createSeededRandom } from '../helpers/seeded-random.js'
import { corpusLine, readCorpus } from './corpus.js'
import { mutate } from './mutate.js'
import { minimised, problemOf } from './run-case.js'
import { targets } from './targets.js'

const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31)
const CASES = 160

for (const target of targets) {
  test.serial(`fuzz ${target.name}: the corpus and ${CASES} cases`, async (t) => {
    t.timeout(100_000)
    await target.prepare?.()
    const corpus = readCorpus(target.name)
    for (const { why, input } of corpus) t.is(await problemOf(target, input), undefined, why)

    const random = createSeededRandom(seed)
    const wellFormed = fc.sample(target.inputs, { seed, numRuns: CASES / 4 })
    const known = [...wellFormed, ...corpus.map(({ input }) => input).filter(({ length }) => length < 4096)]
    for (let n = 0; n < CASES; n += 1) {
      const start = known[n % known.length] ?? new Uint8Array(0)
      const input = n < wellFormed.length ? start : mutate(start, known, target.words ?? [], random)
      const problem = await problemOf(target, input)
      if (problem === undefined) continue
      const least = await minimised(target, input, problem)
      t.fail(`FUZZ_SEED=${seed} ${target.name}: ${problem}\nfor the corpus: ${corpusLine('', least)}`)
      return
    }
    t.pass()
  })
}
