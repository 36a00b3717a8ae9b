/**
 * What keeps the project in order: each rule takes the tree and returns its findings, one sentence each, naming file and line.
 * test/tidy.test.ts holds them to the real tree, rules.test.ts to small trees that break them.
 */
import ts from 'typescript'
import { importsOf, isTypeScript, parse, resolve } from './tree.js'
import type { File, Import } from './tree.js'

export type Rule = (tree: readonly File[]) => string[]

/** From the bottom. A file imports its own folder and what stands in a lower row; those in one row do not import each other. */
const layers: readonly (readonly string[])[] = [
  ['lib/errors.ts'],
  ['lib/bytes/', 'lib/system/'],
  ['lib/record/'],
  ['lib/log/'],
  ['lib/store/'],
  ['lib/produce/', 'lib/consume/', 'lib/maintain/', 'lib/archive/', 'lib/replicate/', 'lib/kafka/'],
  ['lib/stream/', 'lib/inspect/'],
  ['lib/index.ts'],
  ['cli/'],
  ['test/'],
]

/** Imports only go down. */
export const importDirection: Rule = (tree) => {
  const findings: string[] = []
  for (const file of typeScript(tree)) {
    const own = placeOf(file.path)
    if (own === undefined) {
      findings.push(`${file.path}: belongs to no layer of test/tidy/rules.ts`)
      continue
    }
    for (const { to, line, kind } of importsOf(file)) {
      if (kind !== 'file') continue
      const other = placeOf(to)
      if (other === undefined) findings.push(`${file.path}:${line}: imports '${to}', which belongs to no layer`)
      else if (other.folder !== own.folder && other.level >= own.level) {
        findings.push(`${file.path}:${line}: imports '${to}', which is not in a lower layer than '${own.folder}'`)
      }
    }
  }
  return findings
}

/** lib/index.ts says what is public and does nothing. */
export const indexOnlyExports: Rule = (tree) => {
  const index = tree.find((file) => file.path === 'lib/index.ts')
  if (index === undefined) return ['lib/index.ts: missing']
  return parse(index)
    .statements.filter((statement) => !ts.isExportDeclaration(statement))
    .map((statement) => `lib/index.ts: holds more than exports: '${excerpt(statement.getText())}'`)
}

/** No file imports itself by way of others. */
export const noCycles: Rule = (tree) => {
  const graph = graphOf(tree)
  const findings: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      findings.push([...trail.slice(start), path].join(' -> '))
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return findings
}

/**
 * Every source is used: those of lib and cli by the program, the public API or a build script (a test alone does not keep a file
 * alive), those of test by a test, a suite or a benchmark.
 */
export const noDeadFiles: Rule = (tree) => {
  const graph = graphOf(tree)
  const scripts = tree.filter((file) => /^\.(config|ci)\//.test(file.path) || file.path === 'package.json')
  const isNamed = (path: string): boolean => {
    const stem = path.replace(/\.tsx?$/, '')
    return scripts.some(({ text }) => text.includes(`${stem}.js`) || text.includes(`${stem}.ts`))
  }
  const paths = [...graph.keys()]
  const programRoots = paths.filter((path) => !path.startsWith('test/') && (path === 'lib/index.ts' || isNamed(path)))
  const testRoots = paths.filter(
    (path) => /^test\/.*\.(test|long)\.ts$/.test(path) || (path.startsWith('test/') && isNamed(path)),
  )
  const used = new Set([
    ...reachable(graph, programRoots),
    ...[...reachable(graph, testRoots)].filter((path) => path.startsWith('test/')),
  ])
  return paths.filter((path) => !used.has(path)).map((path) => `${path}: nothing uses it`)
}

/** A third-party package has one file in lib and cli that imports it, and is a dependency; no dependency is unused. */
export const oneHomePerPackage: Rule = (tree) => {
  const { dependencies = {}, optionalDependencies = {} } = packageJson(tree)
  const runtime = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)])
  const homes = new Map<string, Import[]>([...runtime].map((name) => [name, []]))
  const findings: string[] = []
  for (const file of typeScript(tree)) {
    if (file.path.startsWith('test/')) continue
    for (const one of importsOf(file, runtime)) {
      if (one.kind !== 'package') continue
      const home = homes.get(one.to)
      if (home === undefined)
        findings.push(`${one.from}:${one.line}: imports '${one.to}', which is not a dependency (or needs node: before it)`)
      else if (!home.some(({ from }) => from === one.from)) home.push(one)
    }
  }
  for (const [name, home] of homes) {
    const [first, ...others] = home
    if (first === undefined) findings.push(`package.json: nothing imports the dependency '${name}'`)
    for (const { from, line } of others) findings.push(`${from}:${line}: imports '${name}', whose home is ${first?.from ?? ''}`)
  }
  return findings
}

/** The words are written with a ~ inside, so that this file does not find itself. */
function words(...patterns: string[]): RegExp {
  return new RegExp(patterns.join('|').replaceAll('~', ''))
}

const unfinished = words(
  '\\b(TO~DO|FIX~ME|XX~X)\\b',
  'eslint-~disable',
  '@ts-~(ignore|expect-error|nocheck)',
  '\\bas ~any\\b',
  '\\.~(only|skip|failing|todo)\\(',
)

/** Nothing unfinished, nothing switched off, no test left out. */
export const nothingSwitchedOff: Rule = (tree) =>
  linesOf(tree, (path) => isCode(path) || path.endsWith('.md'))
    .filter(({ text }) => unfinished.test(text))
    .map(({ place, text }) => `${place}: '${unfinished.exec(text)?.[0] ?? ''}'`)

/** Every command has its man page ('topic create' is on that of topic), every man page its commands; package.json lists them all. */
export const manPages: Rule = (tree) => {
  const pages = tree.filter(({ path }) => path.startsWith('man/')).map(({ path }) => path)
  const commands = commandNames(tree)
  const wanted = new Set([
    'man/logq.1',
    'man/logq-format.5',
    'man/logq-cron.7',
    ...commands.map((name) => `man/logq-${name.split(' ')[0] ?? ''}.1`),
  ])
  const listed = packageJson(tree).man ?? []
  return [
    ...[...wanted].filter((page) => !pages.includes(page)).map((page) => `${page}: missing`),
    ...pages.filter((page) => !wanted.has(page)).map((page) => `${page}: belongs to no command`),
    ...pages.filter((page) => !listed.includes(`./${page}`)).map((page) => `package.json: "man" does not list './${page}'`),
    ...listed
      .filter((page) => !pages.includes(page.replace('./', '')))
      .map((page) => `package.json: "man" lists '${page}', which is missing`),
  ]
}

/** The names in the declarations of cli/commands: 'produce', 'topic create'. */
export function commandNames(tree: readonly File[]): string[] {
  const names: string[] = []
  for (const file of typeScript(tree)) {
    if (!file.path.startsWith('cli/')) continue
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && node.expression.getText() === 'defineCommand') {
        const [declaration] = node.arguments
        for (const property of declaration !== undefined && ts.isObjectLiteralExpression(declaration)
          ? declaration.properties
          : []) {
          if (!ts.isPropertyAssignment(property) || property.name.getText() !== 'name') continue
          if (ts.isStringLiteralLike(property.initializer)) names.push(property.initializer.text)
        }
      }
      ts.forEachChild(node, visit)
    }
    visit(parse(file))
  }
  return names.sort()
}

/** Every page of format-spec is linked from its README. */
export const specPagesLinked: Rule = (tree) => {
  const readme = tree.find((file) => file.path === 'format-spec/README.md')
  if (readme === undefined) return ['format-spec/README.md: missing']
  const linked = new Set(linksOf(readme).map(({ target }) => resolve(readme.path, target.split('#')[0] ?? '')))
  return tree
    .filter(({ path }) => /^format-spec\/.*\.md$/.test(path) && path !== readme.path && !linked.has(path))
    .map(({ path }) => `${path}: format-spec/README.md does not link it`)
}

/** A relative link names a file of the project, and after # one of its headings. */
export const linksResolve: Rule = (tree) => {
  const byPath = new Map(tree.map((file) => [file.path, file]))
  const isFolder = (path: string): boolean => path === '' || tree.some((file) => file.path.startsWith(`${path}/`))
  const findings: string[] = []
  for (const file of tree) {
    if (!file.path.endsWith('.md')) continue
    for (const { target, line } of linksOf(file)) {
      if (/^[a-z]+:/.test(target)) continue
      const [name = '', heading] = target.split('#')
      const path = name === '' ? file.path : resolve(file.path, name)
      const other = byPath.get(path)
      if (other === undefined && (heading !== undefined || !isFolder(path))) {
        findings.push(`${file.path}:${line}: links to '${target}', which is not there`)
      } else if (other !== undefined && heading !== undefined && !headingsOf(other).some(({ slug }) => slug === heading)) {
        findings.push(`${file.path}:${line}: links to '${target}', a heading that is not there`)
      }
    }
  }
  return findings
}

/** A page begins with its title, has no second one, and skips no level. */
export const markdownTitles: Rule = (tree) => {
  const findings: string[] = []
  for (const file of tree) {
    if (!file.path.endsWith('.md')) continue
    const headings = headingsOf(file)
    if (!file.text.startsWith('# ')) findings.push(`${file.path}:1: does not begin with a title ('# …')`)
    headings.forEach(({ level, line }, index) => {
      if (index > 0 && level === 1) findings.push(`${file.path}:${line}: a second title`)
      if (level > (headings[index - 1]?.level ?? 0) + 1) findings.push(`${file.path}:${line}: skips a level of heading`)
    })
    // A section may be called what the page is called.
    const sections = headings.slice(1)
    const slugs = sections.map(({ slug }) => slug)
    sections.forEach(({ slug, line }, index) => {
      if (slugs.indexOf(slug) !== index) findings.push(`${file.path}:${line}: a second heading '${slug}'`)
    })
  }
  return findings
}

/** Comments and prose stay readable; code is prettier's, and strings, tables and output are as wide as they are. */
export const lineLength: Rule = (tree) => {
  const codeFindings = linesOf(tree, isCode)
    .filter(({ text }) => text.length > 140 && /^\s*(\/?\*|\/\/|#)/.test(text) && !/https?:/.test(text))
    .map(({ place, text }) => `${place}: ${text.length} characters`)
  const proseFindings = tree
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((file) => proseLines(file).filter(({ text }) => text.length > 140 && !/^\s*\||\]\(|https?:/.test(text)))
    .map(({ place, text }) => `${place}: ${text.length} characters`)
  return [...codeFindings, ...proseFindings]
}

/** A file that outgrows its kin asks to be two. */
export const fileLength: Rule = (tree) =>
  typeScript(tree)
    .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
    .filter(({ path, lines }) => lines > (path.startsWith('test/') ? 900 : 600))
    .map(({ path, lines }) => `${path}: ${lines} lines`)

/** No path of someone's machine. */
export const noMachinePaths: Rule = (tree) => {
  const machine = words(
    '(^|[^\\w./\\x7e-])/(work|root|Users|mnt|workspace)~/',
    '(^|[^\\w./\\x7e-])/home/~\\w',
    '[A-Z]:\\\\~Users',
    '\\.lib~rary\\b',
  )
  return linesOf(tree, (path) => !/^(package-lock\.json|test\/fixtures\/.*\.log)$/.test(path))
    .filter(({ text }) => machine.test(text))
    .map(({ place, text }) => `${place}: '${machine.exec(text)?.[0] ?? ''}'`)
}

const topLevel =
  /^(package\.json|package-lock\.json|tsconfig\.json|cli|lib|format-spec|test|man|README\.md|CHANGELOG\.md|LICENSE|\..*)$/

/** What a newcomer sees first is fixed. */
export const topLevelNames: Rule = (tree) => {
  const names = new Set(tree.map(({ path }) => path.split('/')[0] ?? ''))
  return [...names].filter((name) => !topLevel.test(name)).map((name) => `${name}: does not belong at the top level`)
}

/** Text ends in a line end, has no tabs for spaces, no trailing space, no CR. */
export const cleanText: Rule = (tree) => [
  ...tree
    .filter(({ path, text }) => (isCode(path) || path.endsWith('.md')) && text !== '' && !text.endsWith('\n'))
    .map(({ path }) => `${path}: does not end in a line end`),
  ...linesOf(tree, (path) => isCode(path) || path.endsWith('.md'))
    .filter(({ text }) => /[ \t\r]$|^ *\t/.test(text))
    .map(({ place }) => `${place}: a tab, a CR or trailing space`),
]

interface Line {
  readonly place: string
  readonly text: string
}

function linesOf(tree: readonly File[], accept: (path: string) => boolean): Line[] {
  return tree
    .filter(({ path }) => accept(path))
    .flatMap(({ path, text }) => text.split('\n').map((line, index) => ({ place: `${path}:${index + 1}`, text: line })))
}

function typeScript(tree: readonly File[]): File[] {
  return tree.filter(({ path }) => isTypeScript(path))
}

function isCode(path: string): boolean {
  return /\.(ts|tsx|mjs|cjs|js|sh)$/.test(path) || path.startsWith('.ci/')
}

function placeOf(path: string): { level: number; folder: string } | undefined {
  for (const [level, row] of layers.entries()) {
    for (const folder of row) if (path === folder || (folder.endsWith('/') && path.startsWith(folder))) return { level, folder }
  }
  return undefined
}

function graphOf(tree: readonly File[]): Map<string, string[]> {
  const paths = new Set(tree.map(({ path }) => path))
  return new Map(
    typeScript(tree).map((file) => [
      file.path,
      importsOf(file)
        .filter(({ to, kind }) => kind === 'file' && paths.has(to))
        .map(({ to }) => to),
    ]),
  )
}

function reachable(graph: ReadonlyMap<string, readonly string[]>, roots: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const todo = [...roots]
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    todo.push(...(graph.get(path) ?? []))
  }
  return seen
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly man?: readonly string[]
}

function packageJson(tree: readonly File[]): PackageJson {
  const text = tree.find(({ path }) => path === 'package.json')?.text ?? '{}'
  return JSON.parse(text) as PackageJson
}

/** Lines outside code blocks. */
function proseLines(file: File): Line[] {
  const lines: Line[] = []
  let fence: string | undefined
  for (const [index, text] of file.text.split('\n').entries()) {
    const mark = /^\s*(```+|~~~+)/.exec(text)?.[1]
    if (fence === undefined && mark !== undefined) fence = mark
    else if (fence !== undefined) {
      if (mark?.startsWith(fence) === true) fence = undefined
    } else lines.push({ place: `${file.path}:${index + 1}`, text: /^ {4}/.test(text) ? '' : text })
  }
  return lines
}

function linksOf(file: File): { target: string; line: number }[] {
  return proseLines(file).flatMap(({ place, text }) =>
    [...text.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)/g)].map((match) => ({
      target: match[1] ?? match[2] ?? '',
      line: Number(place.slice(place.lastIndexOf(':') + 1)),
    })),
  )
}

function headingsOf(file: File): { level: number; line: number; slug: string }[] {
  return proseLines(file).flatMap(({ place, text }) => {
    const match = /^(#+) (.*)$/.exec(text)
    if (match?.[1] === undefined || match[2] === undefined) return []
    const slug = match[2]
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-')
    return [{ level: match[1].length, line: Number(place.slice(place.lastIndexOf(':') + 1)), slug }]
  })
}

function excerpt(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`
}
