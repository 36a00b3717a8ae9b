import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'

test('the example at the top of lib/index.ts runs as it stands there', (t) => {
  const source = readFileSync(join(projectRoot, 'lib', 'index.ts'), 'utf8')
  const [comment = ''] = /^\/\*\*[\s\S]*?\*\//.exec(source) ?? []
  const lines = comment.split('\n').filter((line) => line.startsWith(' *     '))
  const example = lines.map((line) => line.slice(7)).join('\n')
  t.true(example.includes("from 'logq'") && example.includes('/var/lib/logq'))

  const directory = mkdtempSync(join(tmpdir(), 'logq-example-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  const library = fileURLToPath(new URL('../../lib/index.js', import.meta.url))
  const script = join(directory, 'example.mjs')
  writeFileSync(
    script,
    example.replace("'logq'", JSON.stringify(library)).replace("'/var/lib/logq'", JSON.stringify(join(directory, 'store'))),
  )
  const done = spawnSync(process.execPath, [script], { encoding: 'utf8', timeout: 30_000 })
  t.is(done.stderr, '')
  t.is(done.status, 0)
  t.regex(done.stdout, /^0 Uint8Array\(5\) \[/)
})
