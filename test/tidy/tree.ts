/** The project as plain values, so that the rules of rules.ts are functions that can be tried on a tree made by hand. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export interface File {
  /** From the root, with forward slashes. */
  readonly path: string
  /** Empty for a file that is not text. */
  readonly text: string
}

export interface Import {
  readonly from: string
  readonly line: number
  /** The file in the tree that a relative import names, or the package or built-in module. */
  readonly to: string
  readonly kind: 'file' | 'package' | 'builtin'
}

/** Built or installed, so not what anyone wrote. */
const skipped = new Set(['.git', 'node_modules', 'dist'])
const textual = /(\.(ts|tsx|mjs|cjs|js|json|md|sh|[1-9]|log|gitignore|gitattributes)|\.ci\/[a-z-]+|\/prettierignore|^LICENSE)$/

export function readTree(root: string): File[] {
  const files: File[] = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (skipped.has(path) || path.endsWith('.tgz')) continue
      if (entry.isDirectory()) visit(path)
      else files.push({ path, text: textual.test(path) ? readFileSync(join(root, path), 'utf8') : '' })
    }
  }
  visit('')
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** TypeScript that the compiler of this project reads (AssemblyScript has the same suffix). */
export function isTypeScript(path: string): boolean {
  return /\.tsx?$/.test(path) && !path.endsWith('.d.ts') && !/^(lib\/record\/kernel-wasm|test\/kernel)\//.test(path)
}

const parsed = new Map<string, ts.SourceFile>()

export function parse(file: File): ts.SourceFile {
  const key = `${file.path}\n${file.text}`
  let source = parsed.get(key)
  if (source === undefined) {
    source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
    parsed.set(key, source)
  }
  return source
}

/**
 * Everything that a file imports: import and export declarations (types too), import() and require(), and the name of a package
 * in `packages` that is handed to a function which loads it, or is kept in a constant for that.
 */
export function importsOf(file: File, packages: ReadonlySet<string> = new Set()): Import[] {
  const source = parse(file)
  const found: Import[] = []
  const add = (node: ts.Node, specifier: string): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
    if (specifier.startsWith('.')) found.push({ from: file.path, line, to: resolve(file.path, specifier), kind: 'file' })
    else if (specifier.startsWith('node:')) found.push({ from: file.path, line, to: specifier, kind: 'builtin' })
    else found.push({ from: file.path, line, to: packageName(specifier), kind: 'package' })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      if (namesAModule(node) || (packages.has(packageName(node.text)) && isForLoading(node))) add(node, node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** The relative path of a link or import, from the root: resolve('lib/log/log.ts', '../errors.js') is 'lib/errors.ts'. */
export function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts
    .join('/')
    .replace(/\.jsx$/, '.tsx')
    .replace(/\.js$/, '.ts')
}

function namesAModule(node: ts.StringLiteralLike): boolean {
  const { parent } = node
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isExternalModuleReference(parent)) return true
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent)
  if (!ts.isCallExpression(parent) || parent.arguments[0] !== node) return false
  return parent.expression.kind === ts.SyntaxKind.ImportKeyword || parent.expression.getText() === 'require'
}

/** `loadPackage('snappy')` and `const PACKAGE_NAME = 'snappy'` are; `case 'snappy'` is not. */
function isForLoading({ parent }: ts.StringLiteralLike): boolean {
  if (ts.isVariableDeclaration(parent)) return true
  return ts.isCallExpression(parent) && /load|require|resolve/i.test(parent.expression.getText())
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
