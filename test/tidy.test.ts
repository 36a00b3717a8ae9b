/** Holds the whole project to the rules of test/tidy/rules.ts. */
import test from 'ava'
import { projectRoot } from './helpers/project.js'
import * as rules from './tidy/rules.js'
import { isTypeScript, readTree } from './tidy/tree.js'

const tree = readTree(projectRoot)

const titles: Readonly<Record<Exclude<keyof typeof rules, 'commandNames'>, string>> = {
  importDirection: 'a file imports its own folder and lower layers only',
  indexOnlyExports: 'lib/index.ts holds exports only',
  noCycles: 'no file imports itself by way of others',
  noDeadFiles: 'every source is used by the program, the public API, a build script or a test',
  oneHomePerPackage: 'every third-party package is a dependency with exactly one importing file',
  nothingSwitchedOff: 'nothing is unfinished, switched off or left out',
  manPages: 'every command has a man page, every man page a command, and package.json lists them',
  specPagesLinked: 'every page of format-spec is linked from its README',
  linksResolve: 'every relative link names a file and a heading that are there',
  markdownTitles: 'every markdown page begins with its only title and skips no level',
  lineLength: 'no line of a comment or of prose is longer than 140 characters',
  fileLength: 'no source is longer than its kin should be',
  noMachinePaths: "no file names a path of someone's machine",
  topLevelNames: 'the top level holds what it should and nothing else',
  cleanText: 'text has no tabs, no CR, no trailing space, and ends in a line end',
}

for (const [name, title] of Object.entries(titles) as [keyof typeof titles, string][]) {
  test(title, (t) => {
    t.deepEqual(rules[name](tree), [])
  })
}

test('the longest sources, for whoever looks for one to divide', (t) => {
  const sizes = tree
    .filter(({ path }) => isTypeScript(path))
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines)
  t.log(sizes.slice(0, 5).map(({ path, lines }) => `${lines} ${path}`))
  t.true(sizes.length > 0)
})
