/**
 * The packed tarball, used as strangers use it: installed globally into a prefix of its own, and as a dependency of a TypeScript
 * project. Needs the network (or npm's cache) for the dependencies.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'

const temporary = mkdtempSync(join(tmpdir(), 'logq-tarball-'))
test.after.always(() => rmSync(temporary, { recursive: true, force: true }))

const prefix = join(temporary, 'prefix')
const tools = join(projectRoot, 'node_modules', '.bin')
const tarball = pack()
const env = {
  ...process.env,
  PATH: [join(prefix, 'bin'), process.env['PATH'] ?? ''].join(delimiter),
  HOME: join(temporary, 'home'),
  XDG_DATA_HOME: join(temporary, 'home', 'share'),
  LOGQ_STORE: join(temporary, 'store'),
}

function run(command: string, args: readonly string[], cwd = temporary, environment: NodeJS.ProcessEnv = env): string {
  const done = spawnSync(command, args, { cwd, env: environment, encoding: 'utf8', timeout: 300_000 })
  if (done.status !== 0) {
    const what = `${command} ${args.join(' ')}: ${done.error?.message ?? `status ${done.status ?? String(done.signal)}`}`
    throw new Error(`${what}\n${done.stdout}\n${done.stderr}`)
  }
  return done.stdout
}

/** npm keeps its own home: a mirror or a cache may be configured there. */
function npm(args: readonly string[], cwd = temporary): string {
  return run('npm', [...args, '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], cwd, process.env)
}

function pack(): string {
  npm(['pack', '--ignore-scripts', `--pack-destination=${temporary}`], projectRoot)
  const name = readdirSync(temporary).find((file) => file.endsWith('.tgz'))
  if (name === undefined) throw new Error('npm pack: no tarball')
  return join(temporary, name)
}

test.serial('the tarball installs globally, and logq and its man pages are there', (t) => {
  npm(['install', '--global', `--prefix=${prefix}`, tarball])
  t.true(existsSync(join(prefix, 'bin', 'logq')))
  t.true(readFileSync(join(prefix, 'share', 'man', 'man1', 'logq.1'), 'utf8').startsWith('.'))
  t.true(existsSync(join(prefix, 'share', 'man', 'man5', 'logq-format.5')))
})

test.serial('the installed logq says its version and does the main job', (t) => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string }
  t.true(run('logq', ['--version']).includes(version))
  t.is(run('sh', ['-c', "printf 'a\\nb\\n' | logq produce t && logq cat t"]), 'a\nb\n')
})

test.serial('the installed logq does without its optional dependencies', (t) => {
  rmSync(join(prefix, 'lib', 'node_modules', 'logq', 'node_modules', '@node-rs'), { recursive: true, force: true })
  t.is(run('sh', ['-c', "printf 'c\\n' | logq produce t2 && logq cat t2"]), 'c\n')
})

test.serial('an installation without the bundle says that it is not built, and exits 1', (t) => {
  rmSync(join(prefix, 'lib', 'node_modules', 'logq', 'dist', 'logq.cjs'))
  const done = spawnSync('logq', ['--version'], { env, encoding: 'utf8' })
  t.is(done.status, 1)
  t.is(done.stderr, 'logq: not built: run npm ci\n')
  t.is(done.stdout, '')
})

test.serial('publint finds nothing', (t) => {
  t.notThrows(() => run(join(tools, 'publint'), ['run', tarball, '--strict'], projectRoot))
})

test.serial('are-the-types-wrong finds nothing, for a package of ES modules', (t) => {
  t.notThrows(() => run(join(tools, 'attw'), [tarball, '--profile', 'esm-only', '--no-emoji'], projectRoot))
})

test.serial('a strict TypeScript project compiles against the package and runs', (t) => {
  const consumer = join(temporary, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  npm(['install', tarball], consumer)
  mkdirSync(join(consumer, 'node_modules', '@types'), { recursive: true })
  symlinkSync(join(projectRoot, 'node_modules', '@types', 'node'), join(consumer, 'node_modules', '@types', 'node'))
  const compilerOptions = {
    target: 'ES2023',
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    types: ['node'],
  }
  // Without skipLibCheck: the package's own declarations are checked too.
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
  const source = readFileSync(join(projectRoot, 'test', 'package', 'consumer.ts'), 'utf8')
  writeFileSync(join(consumer, 'consumer.ts'), source.replaceAll("'../../lib/index.js'", "'logq'"))
  const main =
    "import { storeAndRead, takesLease } from './consumer.js'\nprocess.stdout.write([...await storeAndRead('store', ['a', 'b']), await takesLease('lease')].join('\\n'))\n"
  writeFileSync(join(consumer, 'main.ts'), main)
  run(join(tools, 'tsc'), ['-p', '.'], consumer)
  t.is(run(process.execPath, ['main.js'], consumer), 'a\nb\ntrue')
})
