/**
 * Writes man/logq.1 and man/logq-<command>.1 from the command declarations (cli/man/man-pages.ts). man/logq-format.5 and
 * man/logq-cron.7 are written by hand.
 *
 * Usage: node .config/man.mjs [--check]
 * --check writes nothing and exits 1 when a page is not what the declarations say.
 */
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'man')
const check = process.argv.includes('--check')

const pages = await renderPages().catch((error) => {
  process.stderr.write(`man: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
const stale = readdirSync(folder).filter((name) => name.endsWith('.1') && !pages.has(name))
const different = [...pages].filter(([name, text]) => read(join(folder, name)) !== text)
if (check) {
  for (const [name] of different) process.stderr.write(`man: man/${name} is not what the declarations say: run npm run man\n`)
  for (const name of stale) process.stderr.write(`man: man/${name} belongs to no command: run npm run man\n`)
  process.exit(different.length + stale.length > 0 ? 1 : 0)
}
for (const [name, text] of different) {
  writeFileSync(join(folder, `${name}.tmp`), text)
  renameSync(join(folder, `${name}.tmp`), join(folder, name))
}
for (const name of stale) rmSync(join(folder, name))

async function renderPages() {
  const bundle = join(root, 'dist', `man-pages.${process.pid}.mjs`)
  mkdirSync(dirname(bundle), { recursive: true })
  try {
    await build({
      absWorkingDir: root,
      stdin: {
        contents:
          "import { commandGroups } from './cli/command-list.js'\nimport { renderAllPages } from './cli/man/man-pages.js'\n" +
          'export const pages = await renderAllPages(commandGroups)\n',
        resolveDir: root,
        loader: 'ts',
      },
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      loader: { '.wasm': 'binary' },
      logLevel: 'silent',
    })
    return (await import(pathToFileURL(bundle).href)).pages
  } finally {
    rmSync(bundle, { force: true })
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
