import test from 'ava'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandGroups } from '../../../cli/command-list.js'
import { renderAllPages } from '../../../cli/man/man-pages.js'
import { projectRoot } from '../../helpers/project.js'

const pages = await renderAllPages(commandGroups)

test('man/ holds what the declarations say', (t) => {
  for (const [name, text] of pages) {
    const path = join(projectRoot, 'man', name)
    t.true(existsSync(path), `man/${name} is missing: run npm run man`)
    if (existsSync(path)) t.is(readFileSync(path, 'utf8'), text, `man/${name} is old: run npm run man`)
  }
})

test('every page has the sections in their order', (t) => {
  const order = [
    'NAME',
    'SYNOPSIS',
    'DESCRIPTION',
    'OPTIONS',
    'EXIT STATUS',
    'ENVIRONMENT',
    'FILES',
    'EXAMPLES',
    'ASSUMPTIONS',
    'SEE ALSO',
  ]
  for (const [name, text] of pages) {
    const titles = [...text.matchAll(/^\.SH "(.*)"$/gm)].map(([, title]) => title ?? '')
    const places = titles.filter((title) => order.includes(title)).map((title) => order.indexOf(title))
    t.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
      name,
    )
    for (const title of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'SEE ALSO']) {
      t.true(titles.includes(title), `${name}: ${title}`)
    }
  }
})

test('pages have no raw characters that roff would take for requests or escapes', (t) => {
  for (const [name, text] of pages) {
    for (const line of text.split('\n')) {
      t.regex(line, /^[\x20-\x7e]*$/, name)
      t.notRegex(line, /^'/, name)
      if (line.startsWith('.')) t.regex(line, /^\.(\\"|TH |SH |SS |PP|TP|RS 4|RE|nf|fi|br)/, name)
    }
  }
})

for (const [program, args] of [
  ['mandoc', ['-T', 'lint', '-W', 'warning']],
  ['groff', ['-man', '-Tutf8', '-wall', '-z']],
] as const) {
  const found = spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
  ;(found ? test : test.skip)(`${program} has nothing to say about the pages`, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'logq-man-'))
    t.teardown(() => {
      rmSync(directory, { recursive: true })
    })
    const paths = [...pages].map(([name, text]) => {
      writeFileSync(join(directory, name), text)
      return join(directory, name)
    })
    const { stdout, stderr } = spawnSync(program, [...args, ...paths], { encoding: 'utf8' })
    t.is(stdout + stderr, '')
  })
}
