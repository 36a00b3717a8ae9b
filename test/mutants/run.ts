/**
 * `npm run mutants`: checks the checker. Builds each mutant in a copy of the project, runs the test that is named for it, and says
 * which test caught it. A mutant that survives fails the run, and so does a named test that fails without any mutant.
 *
 * Usage: npm run mutants [-- NAME…]
 */
import { projectRoot } from '../helpers/project.js'
import { mutants, type Mutant } from './mutants.js'
import { MutatedTree, runTests } from './mutated-tree.js'

/** Two cores are what there may be. */
const WORKERS = 2

const names = process.argv.slice(2)
const unknown = names.filter((name) => !mutants.some((mutant) => mutant.name === name))
if (unknown.length > 0) {
  process.stderr.write(`mutants: there is no mutant '${unknown.join("', '")}'; see test/mutants/mutants.ts\n`)
  process.exitCode = 2
} else {
  const wanted = names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name))
  process.exitCode = (await runAll(wanted)) === 0 ? 0 : 1
}

/** Returns how many went wrong. */
async function runAll(wanted: readonly Mutant[]): Promise<number> {
  const bad = new Set(await failWithoutMutant(wanted))
  const queue = wanted.filter(({ test }) => !bad.has(test.title))
  const width = Math.max(...wanted.map(({ name }) => name.length))
  const verdicts = new Map<string, string>()
  const work = async (): Promise<void> => {
    const tree = new MutatedTree()
    try {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const verdict = await tryMutant(tree, mutant)
        verdicts.set(mutant.name, verdict)
        process.stdout.write(`${mutant.name.padEnd(width)}  ${verdict.padEnd(8)}  ${mutant.test.file}: ${mutant.test.title}\n`)
      }
    } finally {
      tree.remove()
    }
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
  for (const title of bad) process.stdout.write(`fails without any mutant: ${title}\n`)
  const caught = [...verdicts.values()].filter((verdict) => verdict === 'caught').length
  const failed = wanted.length - caught
  process.stdout.write(`${caught} passed, ${failed} failed\n`)
  return failed
}

async function tryMutant(tree: MutatedTree, mutant: Mutant): Promise<'caught' | 'survived' | 'no result'> {
  const { file, title } = mutant.test
  try {
    await tree.build(mutant)
    const { passed, failed, output } = await tree.test(file, [title])
    if (failed.includes(title)) return 'caught'
    if (passed.includes(title)) return 'survived'
    process.stdout.write(output)
    return 'no result'
  } finally {
    tree.restore(mutant)
  }
}

/** Titles of named tests that do not pass on the project as it is. */
async function failWithoutMutant(wanted: readonly Mutant[]): Promise<string[]> {
  const bad: string[] = []
  for (const file of new Set(wanted.map(({ test }) => test.file))) {
    const titles = [...new Set(wanted.filter(({ test }) => test.file === file).map(({ test }) => test.title))]
    const { passed, output } = await runTests(projectRoot, file, titles)
    const failed = titles.filter((title) => !passed.includes(title))
    if (failed.length > 0) process.stdout.write(output)
    bad.push(...failed)
  }
  return bad
}
