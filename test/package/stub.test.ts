/** The stub cli/logq.cjs, with a bundle of one line in place of the real one. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { stubPath } from '../helpers/project.js'

interface Stub {
  readonly bundlePath: string
  readonly compiledPath: string
  readonly identity: (compiledBytes: number) => string
  readonly load: (compiled: Buffer | undefined) => { readonly script: { createCachedData(): Buffer } }
}

/** A bundle that prints a word of five letters. */
const printing = (word: string): string => `require('node:fs').writeSync(1, '${word}\\n')`

interface Copy {
  readonly stub: Stub
  /** Runs it and gives status, standard output and standard error. */
  readonly run: () => [number | null, string, string]
}

function makeStub(t: ExecutionContext, bundle: string | undefined): Copy {
  const directory = mkdtempSync(join(tmpdir(), 'logq-stub-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['cli', 'dist', 'bin']) mkdirSync(join(directory, name))
  const path = join(directory, 'cli', 'logq.cjs')
  copyFileSync(stubPath, path)
  symlinkSync(path, join(directory, 'bin', 'logq'))
  if (bundle !== undefined) writeFileSync(join(directory, 'dist', 'logq.cjs'), bundle)
  const run = (): [number | null, string, string] => {
    // As npm links it.
    const done = spawnSync(process.execPath, [join(directory, 'bin', 'logq')], { encoding: 'utf8' })
    return [done.status, done.stdout, done.stderr]
  }
  return { stub: createRequire(path)(path) as Stub, run }
}

/** Code compiled from another bundle of the same length, so that it shows when it is used. */
function writeCompiled({ bundlePath, compiledPath, identity, load }: Stub, other: string): void {
  const bundle = readFileSync(bundlePath, 'utf8')
  writeFileSync(bundlePath, other)
  const compiled = load(undefined).script.createCachedData()
  writeFileSync(bundlePath, bundle)
  writeFileSync(compiledPath, Buffer.concat([Buffer.from(`${identity(compiled.length)}\n`, 'latin1'), compiled]))
}

test('the stub says that logq is not built, and exits 1', (t) => {
  t.deepEqual(makeStub(t, undefined).run(), [1, '', 'logq: not built: run npm ci\n'])
})

test('the stub loads the bundle', (t) => {
  t.deepEqual(makeStub(t, printing('plain')).run(), [0, 'plain\n', ''])
})

test('a package that the bundle misses is not taken for a missing bundle', (t) => {
  const [status, , stderr] = makeStub(t, "require('no-such-package')").run()
  t.is(status, 1)
  t.regex(stderr, /Cannot find module 'no-such-package'/)
})

test('the stub uses code that this Node.js compiled of this bundle', (t) => {
  const { stub, run } = makeStub(t, printing('plain'))
  writeCompiled(stub, printing('early'))
  t.deepEqual(run(), [0, 'early\n', ''])
})

test('compiled code is left alone when the bundle is newer', (t) => {
  const { stub, run } = makeStub(t, printing('plain'))
  writeCompiled(stub, printing('early'))
  writeFileSync(stub.bundlePath, printing('newer one'))
  t.deepEqual(run(), [0, 'newer one\n', ''])
})

test('compiled code is left alone when another Node.js made it, and when a byte of it is missing', (t) => {
  const { stub, run } = makeStub(t, printing('plain'))
  writeCompiled(stub, printing('early'))
  const content = readFileSync(stub.compiledPath)
  writeFileSync(stub.compiledPath, content.toString('latin1').replace(process.version, 'v20.0.0'), 'latin1')
  t.deepEqual(run(), [0, 'plain\n', ''])
  writeFileSync(stub.compiledPath, content.subarray(0, -1))
  t.deepEqual(run(), [0, 'plain\n', ''])
  writeFileSync(stub.compiledPath, '')
  t.deepEqual(run(), [0, 'plain\n', ''])
})

test('a bundle run from compiled code has the module, paths and require of its place', (t) => {
  const text =
    "require('node:fs').writeSync(1, [__filename, __dirname, module.filename, require.resolve('./logq.cjs')].join() + '\\n')"
  const { stub, run } = makeStub(t, text)
  const plain = run()
  writeCompiled(stub, text)
  t.deepEqual(run(), plain)
  t.true(plain[1].startsWith(stub.bundlePath))
})
