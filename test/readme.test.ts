/**
 * README.md and lib/README.md tell the truth: the tour is typed into a shell as it stands, and what it prints is compared block by
 * block; the library's example is run; the table of exit statuses is that of the code.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { exitStatuses } from '../cli/exit-status.js'
import { fencesOf, tableBelow } from './helpers/markdown.js'
import { projectRoot } from './helpers/project.js'
import { makeCli, shellQuote } from './helpers/run-cli.js'

const readme = readFileSync(join(projectRoot, 'README.md'), 'utf8')
const tourDirectory = '/tmp/logq-tour'

/** What differs from run to run, on the page and in what is printed alike. */
const volatile: readonly (readonly [RegExp, string])[] = [[/^(topic id +)\S{22}$/gm, '$1ID']]

interface Step {
  readonly commands: string
  readonly output: string
}

/** Each block of commands, with the block of output that follows it. */
function stepsOf(markdown: string): Step[] {
  const steps: Step[] = []
  for (const { language, text } of fencesOf(markdown)) {
    if (language === 'sh') steps.push({ commands: text, output: '' })
    else if (language === 'text') steps.push({ commands: steps.pop()?.commands ?? '', output: text })
  }
  return steps
}

function settled(text: string): string {
  return volatile.reduce((result, [pattern, replacement]) => result.replaceAll(pattern, replacement), text)
}

test('README.md: the tour prints what the page shows, in a plain sh', async (t) => {
  const cli = makeCli(t)
  const directory = join(cli.directory, 'tour')
  const here = (text: string) => text.replaceAll(tourDirectory, directory)
  const tour = readme.slice(readme.indexOf('## Five minutes'), readme.indexOf('## Exit status'))
  const steps = stepsOf(tour)
  t.true(steps.length >= 10)
  const marker = (n: number) => `----- ${n} -----`
  const script = steps
    .map(({ commands }, n) => `echo '${marker(n)}'\n${here(commands).replaceAll(/^sleep 1$/gm, 'sleep 4')}`)
    .join('')
  const file = join(cli.directory, 'tour.sh')
  writeFileSync(file, script)
  const done = await cli.shell(`exec 2>&1; exec sh ${shellQuote(file)}`, { cwd: projectRoot, timeoutMs: 90_000 })
  const printed = done.stdout.toString()
  for (const [n, { commands, output }] of steps.entries()) {
    const from = printed.indexOf(marker(n)) + marker(n).length + 1
    const end = printed.indexOf(marker(n + 1))
    t.is(settled(printed.slice(from, end < 0 ? undefined : end)), settled(here(output)), commands)
  }
  t.is(done.status, 0)
})

test('README.md: every command is run: by this test, by .ci/run, or by the tests of the package', (t) => {
  const marks = [...readme.matchAll(/^<!-- (.*) -->\n\n```sh$/gm)].map(([, mark]) => mark)
  t.deepEqual(marks, ['run: set-up', 'run: test', 'install'])
  const outside = stepsOf(readme).length - stepsOf(readme.slice(readme.indexOf('## Five minutes'))).length
  t.is(outside, marks.length)
})

test('README.md: the table of exit statuses is that of the code', (t) => {
  t.deepEqual(
    tableBelow(readme, '## Exit status'),
    Object.values(exitStatuses).map(({ number, meaning }) => [String(number), meaning]),
  )
})

test('lib/README.md: the example runs and prints what the page shows', async (t) => {
  const cli = makeCli(t)
  const fences = fencesOf(readFileSync(join(projectRoot, 'lib', 'README.md'), 'utf8'))
  const textOf = (wanted: string) => fences.find(({ language }) => language === wanted)?.text ?? ''
  const library = pathToFileURL(join(projectRoot, 'dist', 'test-build', 'lib', 'index.js')).href
  writeFileSync(join(cli.directory, 'example.mjs'), textOf('js').replace("'logq'", `'${library}'`))
  const done = await cli.shell('node example.mjs')
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), textOf('text'))
})
