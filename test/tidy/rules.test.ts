/** Each rule is seen to find what it is for, on a tree of a few lines that breaks it. */
import test from 'ava'
import * as rules from './rules.js'
import { importsOf } from './tree.js'
import type { File } from './tree.js'

function tree(files: Readonly<Record<string, string>>): File[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }))
}

test('importsOf() finds static, type-only, dynamic, re-exporting and required imports, and names handed to a loader', (t) => {
  const text = [
    "import a from './a.js'",
    "import type { B } from '../b.js'",
    "export * from 'pkg/deep'",
    "const c = await import('@scope/c')",
    "const d = require('node:fs')",
    "type E = import('./e.jsx').E",
    "loadPackage('native')",
    "const NAME = 'native'",
    "if (codec === 'native') codecs(['native'])",
    "// import './comment.js'",
    'const text = \'import z from "./z.js"\'',
  ].join('\n')
  const found = importsOf({ path: 'lib/log/x.ts', text }, new Set(['native']))
  t.deepEqual(
    found.map(({ to }) => to),
    ['lib/log/a.ts', 'lib/b.ts', 'pkg', '@scope/c', 'node:fs', 'lib/log/e.tsx', 'native', 'native'],
  )
  t.deepEqual(
    found.map(({ line }) => line),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
})

test('importDirection() allows the own folder and lower layers', (t) => {
  const files = tree({
    'lib/errors.ts': '',
    'lib/bytes/a.ts': "import '../errors.js'",
    'lib/log/a.ts': "import './b.js'; import '../record/r.js'; import '../bytes/a.js'",
    'lib/produce/p.ts': "import '../store/s.js'",
    'cli/commands/cat.ts': "import '../io.js'; import '../../lib/index.js'",
    'test/log/a.test.ts': "import '../../lib/log/a.js'; import '../helpers/h.js'",
  })
  t.deepEqual(rules.importDirection(files), [])
})

for (const [from, to] of [
  ['lib/bytes/a.ts', '../system/b.js'],
  ['lib/errors.ts', './bytes/a.js'],
  ['lib/record/a.ts', '../log/b.js'],
  ['lib/store/a.ts', '../index.js'],
  ['lib/produce/a.ts', '../consume/b.js'],
  ['lib/log/a.ts', '../../cli/io.js'],
  ['cli/main.ts', '../test/helpers/h.js'],
  ['lib/log/a.ts', '../unknown/b.js'],
] as const) {
  test(`importDirection() refuses '${to}' in ${from}`, (t) => {
    const findings = rules.importDirection(tree({ [from]: `\nimport type { X } from '${to}'` }))
    t.is(findings.length, 1)
    t.true(findings[0]?.startsWith(`${from}:2: imports`))
  })
}

test('importDirection() asks for a layer for every folder', (t) => {
  t.deepEqual(rules.importDirection(tree({ 'lib/misc/a.ts': '' })), [
    'lib/misc/a.ts: belongs to no layer of test/tidy/rules.ts',
  ])
})

test('indexOnlyExports() finds an import and code', (t) => {
  const text = "export { a } from './a.js'\nexport type { B } from './b.js'\nimport './c.js'\nexport const d = 1"
  t.is(rules.indexOnlyExports(tree({ 'lib/index.ts': text })).length, 2)
  t.is(rules.indexOnlyExports([]).length, 1)
})

test('noCycles() names the files of a cycle in order, and a file that imports itself', (t) => {
  const files = tree({
    'lib/log/a.ts': "import './b.js'",
    'lib/log/b.ts': "import './c.js'",
    'lib/log/c.ts': "import './b.js'",
    'lib/log/d.ts': "import './d.js'",
    'lib/log/e.ts': "import './a.js'; import './c.js'",
  })
  t.deepEqual(rules.noCycles(files), ['lib/log/b.ts -> lib/log/c.ts -> lib/log/b.ts', 'lib/log/d.ts -> lib/log/d.ts'])
})

test('noDeadFiles() finds what only a test uses, and a helper that no test uses', (t) => {
  const files = tree({
    'package.json': '{}',
    '.config/build.mjs': "entry('cli/main.ts')",
    'cli/main.ts': "const x = await import('./used.js')",
    'cli/used.ts': '',
    'lib/index.ts': "export * from './public.js'",
    'lib/public.ts': '',
    'lib/only-tested.ts': '',
    'test/a.test.ts': "import '../lib/only-tested.js'; import './helpers/used.js'",
    'test/helpers/used.ts': '',
    'test/helpers/unused.ts': '',
  })
  t.deepEqual(rules.noDeadFiles(files), ['lib/only-tested.ts: nothing uses it', 'test/helpers/unused.ts: nothing uses it'])
})

test('oneHomePerPackage() finds a second home, an undeclared package and an unused dependency', (t) => {
  const files = tree({
    'package.json': JSON.stringify({ dependencies: { yargs: '1', snappy: '1', unused: '1' }, devDependencies: { ava: '1' } }),
    'cli/a.ts': "import yargs from 'yargs'; import 'yargs/helpers'",
    'cli/b.ts': "import type { Argv } from 'yargs'",
    'lib/record/a.ts': "load('snappy')\nimport 'ava'",
    'lib/record/b.ts': "import 'fs'",
    'test/a.test.ts': "import test from 'ava'; import 'yargs'",
  })
  t.deepEqual(rules.oneHomePerPackage(files), [
    "lib/record/a.ts:2: imports 'ava', which is not a dependency (or needs node: before it)",
    "lib/record/b.ts:1: imports 'fs', which is not a dependency (or needs node: before it)",
    "cli/b.ts:1: imports 'yargs', whose home is cli/a.ts",
    "package.json: nothing imports the dependency 'unused'",
  ])
})

for (const line of [
  '// TO~DO later',
  '// FIX~ME',
  '/* eslint-~disable */',
  '// @ts-~ignore',
  'x as ~any',
  "test.~skip('a')",
  "test.~only('a')",
]) {
  const text = line.replace('~', '')
  test(`nothingSwitchedOff() finds "${line}"`, (t) => {
    t.is(rules.nothingSwitchedOff(tree({ 'lib/a.ts': `ok\n${text}\n` })).length, 1)
    t.is(rules.nothingSwitchedOff(tree({ 'lib/a.ts': 'records.skipped(1)\nhas anything\n' })).length, 0)
  })
}

test('manPages() finds a command without a page, a page without a command, and a list that is not current', (t) => {
  const command = (name: string): string => `export const c = defineCommand({ name: '${name}', summary: '' })`
  const files = tree({
    'package.json': JSON.stringify({ man: ['./man/logq.1', './man/logq-format.5', './man/logq-cron.7', './man/logq-gone.1'] }),
    'cli/commands/cat.ts': command('cat'),
    'cli/commands/topic-create.ts': command('topic create'),
    'man/logq.1': '',
    'man/logq-format.5': '',
    'man/logq-cron.7': '',
    'man/logq-topic.1': '',
    'man/logq-old.1': '',
  })
  t.deepEqual(rules.manPages(files), [
    'man/logq-cat.1: missing',
    'man/logq-old.1: belongs to no command',
    'package.json: "man" does not list \'./man/logq-topic.1\'',
    'package.json: "man" does not list \'./man/logq-old.1\'',
    'package.json: "man" lists \'./man/logq-gone.1\', which is missing',
  ])
})

test('specPagesLinked() finds a page that the README leaves out', (t) => {
  const files = tree({
    'format-spec/README.md': '# Format\n\n[segment](segment.md#layout), `[not](a-link.md)`\n',
    'format-spec/segment.md': '',
    'format-spec/a-link.md': '',
  })
  t.deepEqual(rules.specPagesLinked(files), ['format-spec/a-link.md: format-spec/README.md does not link it'])
  t.is(rules.specPagesLinked([]).length, 1)
})

test('linksResolve() finds a missing file and a missing heading, and leaves code and the web alone', (t) => {
  const files = tree({
    'README.md': [
      '# A',
      '[ok](lib/) [ok](format-spec/a.md#two-words) [ok](#a) [web](https://example.org/x) `[code](gone.md)`',
      '```',
      '[code](gone.md)',
      '```',
      '[gone](gone.md)',
      '[gone](format-spec/a.md#three)',
      '[ref]: gone-too.md',
    ].join('\n'),
    'format-spec/a.md': '# Title\n## Two `words`\n[up](../README.md)\n',
    'lib/a.ts': '',
  })
  t.deepEqual(rules.linksResolve(files), [
    "README.md:6: links to 'gone.md', which is not there",
    "README.md:7: links to 'format-spec/a.md#three', a heading that is not there",
    "README.md:8: links to 'gone-too.md', which is not there",
  ])
})

test('markdownTitles() finds a page without a title, a second title, a skipped level and a repeated heading', (t) => {
  t.is(rules.markdownTitles(tree({ 'a.md': 'text\n' })).length, 1)
  t.is(rules.markdownTitles(tree({ 'a.md': '# A\n# B\n' })).length, 1)
  t.is(rules.markdownTitles(tree({ 'a.md': '# A\n### B\n' })).length, 1)
  t.is(rules.markdownTitles(tree({ 'a.md': '# A\n## B\n## B\n' })).length, 1)
  t.is(rules.markdownTitles(tree({ 'a.md': '# A\n## B\n### C\n## D\n```\n# shell comment\n```\n' })).length, 0)
})

test('lineLength() finds a long comment and long prose, and leaves code, tables and links alone', (t) => {
  const long = 'word '.repeat(40).trim()
  t.is(rules.lineLength(tree({ 'lib/a.ts': `// ${long}`, 'a.md': long })).length, 2)
  t.is(
    rules.lineLength(tree({ 'lib/a.ts': `const a = '${long}'`, 'a.md': `| ${long} |\n\`\`\`\n${long}\n\`\`\`\n` })).length,
    0,
  )
})

test('fileLength() finds a file that has outgrown its kin', (t) => {
  t.is(rules.fileLength(tree({ 'lib/a.ts': '\n'.repeat(601), 'lib/b.ts': '\n'.repeat(600) })).length, 1)
})

for (const path of ['/wo~rk/x', '/ro~ot/.npm', '"/Us~ers/me"', '/home/~me', '../.libr~ary/x']) {
  test(`noMachinePaths() finds ${path.replace('~', '…')}`, (t) => {
    t.is(rules.noMachinePaths(tree({ 'a.md': `see ${path.replace('~', '')}\n` })).length, 1)
    t.is(rules.noMachinePaths(tree({ 'a.md': 'frame/mnt/x, ~/mnt/, the root/ and GET /homepage\n' })).length, 0)
  })
}

test('topLevelNames() finds a name that does not belong there', (t) => {
  const files = tree({ 'package.json': '', '.ci/run': '', 'lib/a.ts': '', 'src/a.ts': '', 'notes.md': '' })
  t.deepEqual(rules.topLevelNames(files), [
    'src: does not belong at the top level',
    'notes.md: does not belong at the top level',
  ])
})

test('cleanText() finds a tab, a CR, trailing space and a missing line end', (t) => {
  t.is(rules.cleanText(tree({ 'a.ts': '\ta\nb \nc\r\nd' })).length, 4)
  t.is(rules.cleanText(tree({ 'a.ts': "a\n\nconst tab = 'x\ty'\n" })).length, 0)
})
