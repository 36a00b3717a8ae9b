/** dedupe-model.test.ts with many seeds. */
import test from 'ava'
import { MODEL_RUNS, runModels } from './dedupe-model.js'

for (const { title, seeds, options } of MODEL_RUNS) {
  test(`every verdict is that of a look through the whole log, many times: ${title}`, async (t) => {
    const done = await runModels(options, 1000, 40 * seeds)
    t.true((done.get('duplicates') ?? 0) > 1000)
  })
}
