/**
 * A copy of the project in a folder of its own, in which one mutant at a time is built and tested. The project itself, and what is
 * built of it, never holds one.
 */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { projectRoot } from '../helpers/project.js'
import type { Mutant } from './mutants.js'

/** Whatever a build or a test takes that is not here is a mistake of the test. */
const LIMIT_MS = 180_000

export interface TestRun {
  /** Titles of tests that passed, and of those that failed. */
  readonly passed: readonly string[]
  readonly failed: readonly string[]
  readonly output: string
}

/** The file with the mutant's edits. Throws when one of its texts is not there just once. */
export function applyEdits(mutant: Mutant, source: string): string {
  let text = source
  for (const [original, replacement] of mutant.edits) {
    const count = text.split(original).length - 1
    if (count !== 1) throw new Error(`mutant '${mutant.name}': ${mutant.file} holds ${count} times, not once: ${original}`)
    text = text.replace(original, () => replacement)
  }
  return text
}

export class MutatedTree {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'logq-mutant-')))

  constructor() {
    const isLeftOut = (path: string): boolean => ['node_modules', 'dist', '.git'].includes(basename(path))
    cpSync(projectRoot, this.root, { recursive: true, filter: (path) => path === projectRoot || !isLeftOut(path) })
    symlinkSync(join(projectRoot, 'node_modules'), join(this.root, 'node_modules'))
  }

  /** Builds the copy, with a mutant or without. Throws when it cannot be built: a mutant has to be a program. */
  async build(mutant?: Mutant, target: '--tests' | '--bundle' = '--tests'): Promise<void> {
    if (mutant !== undefined) {
      const path = join(this.root, mutant.file)
      writeFileSync(path, applyEdits(mutant, readFileSync(path, 'utf8')))
    }
    const { status, output } = await run(['.config/build.mjs', target], this.root)
    if (status !== 0) throw new Error(`cannot build ${mutant?.name ?? 'the copy'}: ${output}`)
  }

  /** Takes the mutant back. */
  restore(mutant: Mutant): void {
    cpSync(join(projectRoot, mutant.file), join(this.root, mutant.file))
  }

  /** Runs tests of one file by their titles. */
  async test(file: string, titles: readonly string[]): Promise<TestRun> {
    return await runTests(this.root, file, titles)
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Runs tests of a project that was built, by their titles. */
export async function runTests(root: string, file: string, titles: readonly string[]): Promise<TestRun> {
  const built = `dist/test-build/${file.replace(/\.ts$/, '.js')}`
  // In a pattern of ava a backslash makes the next character an ordinary one.
  const matches = titles.flatMap((title) => ['--match', title.replace(/[\\*!]/g, '\\$&')])
  const ava = join(projectRoot, 'node_modules/ava/entrypoints/cli.mjs')
  const { output } = await run([ava, '--config', '.config/ava.config.mjs', '--tap', ...matches, built], root)
  const results = [...output.matchAll(/^(not )?ok \d+ - (.*)$/gm)].map(([, not, title = '']) => ({
    isBad: not !== undefined,
    title,
  }))
  return {
    passed: results.filter(({ isBad }) => !isBad).map(({ title }) => title),
    failed: results.filter(({ isBad }) => isBad).map(({ title }) => title),
    output,
  }
}

function run(args: readonly string[], cwd: string): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env }
    // A test of this project may be what runs this: the inner ava is none of its workers.
    for (const name of ['AVA_PATH', 'NODE_V8_COVERAGE']) Reflect.deleteProperty(env, name)
    const child = spawn(process.execPath, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
      killSignal: 'SIGKILL',
    })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', (status) => {
      resolve({ status, output: Buffer.concat(chunks).toString() })
    })
  })
}
