/**
 * Builds the project into dist/:
 *
 *   dist/logq.cjs      the program: one CommonJS bundle, which starts sooner than an ES module (needed by cli/logq.cjs, the `bin` stub),
 *                      and logq.cjs.compiled, what V8 made of it (.config/compile-ahead.cjs)
 *   dist/lease-worker.js   the thread of the program that keeps leases, which needs a file of its own
 *   dist/lib/          the library: ES modules and their types, file by file (package.json `exports`)
 *   dist/test-build/   lib, cli and test, file by file, for ava (only with --tests)
 *
 * Usage: node .config/build.mjs [--tests] [--bundle] [--lib] [--force]
 * Without a target: the bundle and the library. --tests: the bundle and the test build.
 *
 * Every file is written under another name and renamed, so that a running program never sees half of one. A target whose sources
 * have not changed since it was built is skipped: a stamp in dist/ holds a digest of everything that went in.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const wanted = new Set(process.argv.slice(2))
const force = wanted.has('--force')
for (const option of wanted) {
  if (!['--tests', '--bundle', '--lib', '--force'].includes(option)) fail(`unknown option '${option}'`)
}
const all = !wanted.has('--tests') && !wanted.has('--bundle') && !wanted.has('--lib')

/** They are part of every digest: what they do differently, the targets are. */
const buildScripts = ['.config/build.mjs', '.config/compile-ahead.cjs', '.config/helpless-yargs.mjs', 'cli/logq.cjs']

/** Packages with native code or WebAssembly beside them: they stay where npm put them and are loaded when first needed. */
const external = [
  'fs-native-extensions',
  'proper-lockfile',
  '@node-rs/crc32',
  'snappy',
  'lz4-napi',
  '@bokuweb/zstd-wasm',
  '@aws-sdk/client-s3',
]

const helplessYargs = join(root, '.config', 'helpless-yargs.mjs')

const esbuild = await import('esbuild').catch(() => undefined)
if (esbuild === undefined) {
  // An installation from the packed tarball, or with --omit=dev: there is nothing to build with.
  const there = existsSync(join(dist, 'logq.cjs')) ? 'using the bundle that is there' : 'nothing is built: npm ci builds'
  process.stdout.write(`build: development dependencies are absent, ${there}\n`)
  process.exit(0)
}

const sources = [...walk('lib'), ...walk('cli')]
let failed = false
if (all || wanted.has('--bundle') || wanted.has('--tests')) await target('bundle', sources, join(dist, 'logq.cjs'), buildBundle)
if (wanted.has('--tests')) await target('test build', [...sources, ...walk('test')], join(dist, 'test-build'), buildTests)
if (all || wanted.has('--lib'))
  await target('library', [...walk('lib'), 'tsconfig.json', '.config/tsconfig.build.json'], join(dist, 'lib'), buildLibrary)
process.exit(failed ? 1 : 0)

async function buildBundle() {
  if (!existsSync(join(root, 'cli/main.ts'))) return
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['cli/main.ts'],
    outfile: 'dist/logq.cjs',
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    external,
    loader: { '.wasm': 'binary' },
    // Names stay readable in stack traces; dropping white space and dead code is what start-up gains from.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    plugins: [
      {
        name: 'helpless yargs',
        setup(build) {
          build.onResolve({ filter: /^(cliui|string-width|assert)$/ }, ({ importer }) =>
            /[\\/]node_modules[\\/]yargs[\\/]/.test(importer) ? { path: helplessYargs } : undefined,
          )
        },
      },
    ],
    define: {
      // yargs asks where it is; a CommonJS file has no import.meta.
      'import.meta.url': 'importMetaUrl',
      // yargs looks at the width of the terminal when it is loaded. On a pipe, touching process.stdout alone makes the description
      // non-blocking for every process that shares it; test/cli/main.test.ts holds this.
      'process.stdout.columns': 'undefined',
    },
    banner: { js: "'use strict';var importMetaUrl=require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  })
  const worker = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['lib/system/lease-worker.ts'],
    outfile: 'dist/lease-worker.js',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external,
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
  })
  for (const file of [...result.outputFiles, ...worker.outputFiles]) put(file.path, file.contents)
  // Only for speed: without it, the stub has V8 compile the bundle at each start.
  const { status } = spawnSync(process.execPath, [join(root, '.config/compile-ahead.cjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 60_000,
  })
  if (status !== 0) rmSync(join(dist, 'logq.cjs.compiled'), { force: true })
}

async function buildTests(paths) {
  const kept = new Set()
  await Promise.all(
    paths.map(async (path) => {
      const output = join(dist, 'test-build', path.replace(/\.tsx?$/, '.js'))
      kept.add(output)
      if (!/\.tsx?$/.test(path)) return put(output, readFileSync(join(root, path)))
      try {
        const { code } = await esbuild.transform(readFileSync(join(root, path), 'utf8'), {
          loader: path.endsWith('x') ? 'tsx' : 'ts',
          format: 'esm',
          platform: 'node',
          target: 'node20',
          jsx: 'automatic',
          sourcemap: 'inline',
          sourcefile: join(root, path),
          logLevel: 'silent',
          tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
        })
        put(output, Buffer.from(code))
      } catch (error) {
        rmSync(output, { force: true })
        const places = error.errors?.map(({ location, text }) => `${location?.line ?? '?'}: ${text}`)
        throw new Error(`${path}: ${places?.join('; ') ?? error}`)
      }
    }),
  )
  // What stays from a source that was removed or renamed would still be run as a test.
  for (const path of walk('dist/test-build', () => true)) {
    const output = join(root, path)
    if (!kept.has(output) && !/\.\d+\.tmp$/.test(output)) rmSync(output, { force: true })
  }
}

async function buildLibrary() {
  const { default: ts } = await import('typescript')
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, '.config/tsconfig.build.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: (d) => fail(ts.flattenDiagnosticMessageText(d.messageText, '\n')),
    },
  )
  const kept = new Set()
  const program = ts.createProgram(config.fileNames, config.options)
  const { diagnostics } = program.emit(undefined, (path, text) => {
    kept.add(join(path))
    put(join(path), Buffer.from(text))
  })
  if (diagnostics.length > 0) {
    throw new Error(
      ts.formatDiagnostics(diagnostics, {
        getCanonicalFileName: (p) => p,
        getCurrentDirectory: () => root,
        getNewLine: () => '\n',
      }),
    )
  }
  for (const path of walk('lib', (name) => name.endsWith('.wasm'))) {
    kept.add(join(dist, path))
    put(join(dist, path), readFileSync(join(root, path)))
  }
  for (const path of walk('dist/lib', () => true)) if (!kept.has(join(root, path))) rmSync(join(root, path), { force: true })
}

/**
 * Runs `build` unless `made` is there and the digest of its inputs is that of the last time. A failure is reported, and the other
 * targets still run.
 */
async function target(name, paths, made, build) {
  const digest = digestOf([...paths, 'package.json', 'package-lock.json', ...buildScripts])
  const stamp = join(dist, `.${name.replace(' ', '-')}.stamp`)
  if (!force && read(stamp) === digest && existsSync(made)) return
  const startedMs = performance.now()
  try {
    await build(paths)
    put(stamp, Buffer.from(digest))
    process.stdout.write(`build: ${name} in ${Math.round(performance.now() - startedMs)} ms\n`)
  } catch (error) {
    failed = true
    process.stderr.write(`build: ${name} failed: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function digestOf(paths) {
  const hash = createHash('sha256').update(process.version)
  for (const path of paths) {
    const content = read(join(root, path))
    hash.update(`${path} ${content === undefined ? -1 : Buffer.byteLength(content)}\n${content ?? ''}\n`)
  }
  return hash.digest('hex')
}

function read(path) {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** Writes beside the place and renames; leaves a file that already has these bytes alone. */
function put(path, content) {
  if (existsSync(path) && Buffer.compare(readFileSync(path), content) === 0) return
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, content)
  renameSync(temporary, path)
}

/** Source files below `folder`, as paths from the root with forward slashes, in a fixed order. */
function walk(folder, accept = isSource) {
  const found = []
  const visit = (directory) => {
    for (const name of readdirSync(directory).sort()) {
      const path = join(directory, name)
      const shown = relative(root, path).split(sep).join('/')
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
        // These two hold AssemblyScript and its tests' inputs: another language in the same file suffix.
        if (shown !== 'lib/record/kernel-wasm' && shown !== 'test/kernel' && shown !== 'test/fixtures') visit(path)
      } else if (accept(name)) found.push(shown)
    }
  }
  if (existsSync(join(root, folder))) visit(join(root, folder))
  return found
}

function isSource(name) {
  return (/\.tsx?$/.test(name) && !name.endsWith('.d.ts')) || name.endsWith('.wasm')
}

function fail(message) {
  process.stderr.write(`build: ${message}\n`)
  process.exit(1)
}
