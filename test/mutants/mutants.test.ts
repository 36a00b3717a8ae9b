/** The mutants fit the code as it is, and nothing of them is in what is shipped. `npm run mutants` runs them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'
import { readTree } from '../tidy/tree.js'
import { mutants, type Mutant } from './mutants.js'
import { MutatedTree, applyEdits } from './mutated-tree.js'

test('every mutant fits the code as it is, does something, and has a name of its own', (t) => {
  for (const mutant of mutants) {
    const source = readFileSync(join(projectRoot, mutant.file), 'utf8')
    t.not(applyEdits(mutant, source), source, mutant.name)
    t.regex(mutant.file, /^(lib|cli)\//)
  }
  t.is(new Set(mutants.map(({ name }) => name)).size, mutants.length)
})

test('an edit whose text is not there, or is there twice, is refused', (t) => {
  const mutant: Mutant = {
    name: 'stale',
    breaks: '',
    file: 'lib/a.ts',
    edits: [['one', 'two']],
    test: { file: '', title: '' },
  }
  t.is(applyEdits(mutant, 'a one b'), 'a two b')
  for (const source of ['a b', 'one one']) t.throws(() => applyEdits(mutant, source), { message: /mutant 'stale'.*not once/ })
})

test('the test that is named for a mutant is there', (t) => {
  for (const { name, test: named } of mutants) {
    const source = readFileSync(join(projectRoot, named.file), 'utf8')
    const titles = [...source.matchAll(/\b(?:test|withStrace)\(\s*(['"`])(.*?)\1,/gs)].map(([, , title = '']) => title)
    // Parts of a title that come from a table may be anything.
    const patterns = titles.map(
      (title) =>
        new RegExp(
          `^${title
            .split(/\$\{[^}]*\}/)
            .map(escape)
            .join('.*')}$`,
        ),
    )
    t.true(
      patterns.some((pattern) => pattern.test(named.title)),
      `${name}: '${named.title}' is not in ${named.file}`,
    )
  }
})

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
}

/** Modules are named by their path, which is another one where node_modules is a link. */
function bundleOf(root: string): string {
  return readFileSync(join(root, 'dist/logq.cjs'), 'latin1').replace(/"[^"\n]*?node_modules\//g, '"node_modules/')
}

test('what is shipped is built of the sources as they are, and names no mutant', async (t) => {
  const tree = new MutatedTree()
  t.teardown(() => {
    tree.remove()
  })
  const shipped = bundleOf(projectRoot)
  await tree.build(undefined, '--bundle')
  t.true(bundleOf(tree.root) === shipped)
  const [mutant] = mutants
  if (mutant === undefined) throw new Error('there is no mutant')
  await tree.build(mutant, '--bundle')
  t.false(bundleOf(tree.root) === shipped)
  t.false(shipped.includes('mutant'))
  for (const { path, text } of readTree(projectRoot)) {
    if (/^(lib|cli|\.config)\//.test(path)) t.false(/mutant/i.test(text), path)
  }
  const { files } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { files: string[] }
  t.true(files.every((entry) => !entry.startsWith('test') && !entry.startsWith('dist/test-build')))
})
