/** The deduplicating producer against a naive look through the whole log: few seeds here, many in dedupe-model.long.ts. */
import test from 'ava'
import { MODEL_RUNS, runModels } from './dedupe-model.js'

for (const { title, seeds, options } of MODEL_RUNS) {
  test(`every verdict is that of a look through the whole log: ${title}`, async (t) => {
    const done = await runModels(options, 1, seeds)
    t.true(done.size >= 10 && [...done.values()].every((times) => times > 0), JSON.stringify([...done]))
  })
}
