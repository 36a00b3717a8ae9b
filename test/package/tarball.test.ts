/** What `npm pack` would publish. Installing it takes the network and is in tarball.long.ts. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'

interface PackReport {
  readonly size: number
  readonly unpackedSize: number
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}

const temporary = mkdtempSync(join(tmpdir(), 'logq-pack-'))
test.after.always(() => rmSync(temporary, { recursive: true, force: true }))

const report = pack()
const paths = report.files.map(({ path }) => path)

function pack(): PackReport {
  // Without scripts: `prepare` has run, and the bundle must not change under the other tests.
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error', `--cache=${join(temporary, 'cache')}`]
  const done = spawnSync('npm', args, { cwd: projectRoot, encoding: 'utf8', timeout: 60_000 })
  if (done.status !== 0) throw new Error(`npm pack: ${done.stderr}`)
  const [first] = JSON.parse(done.stdout) as PackReport[]
  if (first === undefined) throw new Error('npm pack: no report')
  return first
}

test('the tarball holds the stub, the bundle, the library with types, the man pages, the format and the licence', (t) => {
  for (const path of [
    'LICENSE',
    'README.md',
    'CHANGELOG.md',
    'package.json',
    'cli/logq.cjs',
    'dist/logq.cjs',
    'dist/lease-worker.js',
    'dist/lib/index.js',
    'dist/lib/index.d.ts',
    'format-spec/README.md',
    'man/logq.1',
    'man/logq-format.5',
    'man/logq-cron.7',
  ]) {
    t.true(paths.includes(path), path)
  }
})

test('the tarball holds nothing else: no sources, tests, fixtures, source maps or stamps', (t) => {
  const wanted = [
    /^(LICENSE|README\.md|CHANGELOG\.md|package\.json|cli\/logq\.cjs|dist\/(logq\.cjs|lease-worker\.js))$/,
    /^dist\/lib\/[\w/-]+\.(js|d\.ts|wasm)$/,
    /^man\/logq[\w-]*\.[157]$/,
    /^format-spec\/[\w/-]+\.md$/,
  ]
  t.deepEqual(
    paths.filter((path) => !wanted.some((pattern) => pattern.test(path))),
    [],
  )
})

test('the stub in the tarball is executable', (t) => {
  const stub = report.files.find(({ path }) => path === 'cli/logq.cjs')
  t.is((stub?.mode ?? 0) & 0o111, 0o111)
})

test('the tarball is small: below 1 MiB packed and 4 MiB unpacked', (t) => {
  t.log(`${report.size} bytes packed, ${report.unpackedSize} unpacked, ${paths.length} files`)
  t.true(report.size < 2 ** 20, String(report.size))
  t.true(report.unpackedSize < 4 * 2 ** 20, String(report.unpackedSize))
})
