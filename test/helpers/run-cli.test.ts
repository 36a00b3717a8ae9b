import { existsSync, readdirSync } from 'node:fs'
import test from 'ava'
import { makeCli, shellQuote, statusOfSignal } from './run-cli.js'

test('a script has real pipes as standard input, output and error', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell('for fd in 0 1 2; do [ -p /dev/fd/$fd ] && echo pipe; done; cat', { stdin: 'from stdin' })
  t.is(done.stdout.toString(), 'pipe\npipe\npipe\nfrom stdin')
  t.is(done.status, 0)
})

test('a script that reads no input ends with its own status, and bytes come back unchanged', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell("printf '\\xff\\x00\\n'; echo talk >&2; exit 7", { stdin: new Uint8Array(1_000_000) })
  t.deepEqual([...done.stdout], [255, 0, 10])
  t.is(done.stderr, 'talk\n')
  t.is(done.status, 7)
})

test('nothing of the developer environment reaches a script, and its store lies in a temporary directory', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    'echo "$LOGQ_STORE" "$HOME" "$XDG_DATA_HOME" "${NODE_OPTIONS-unset}" "${GONE-unset}"; command -v logq',
    {
      env: { GONE: undefined },
    },
  )
  t.is(
    done.stdout.toString(),
    `${cli.store} ${cli.directory}/.home ${cli.directory}/.home/share unset unset\n${cli.directory}/.bin/logq\n`,
  )
})

test('a script that outlives its timeout is killed with its children', async (t) => {
  const cli = makeCli(t)
  const error = await t.throwsAsync(cli.shell('(sleep 1; echo > late) & sleep 60', { timeoutMs: 300 }))
  t.regex(error.message, /killed after 300 ms/)
  const later = await cli.shell('sleep 1; [ -e late ]')
  t.is(later.status, 1)
})

test('a running script can be written to, watched and signalled', async (t) => {
  const cli = makeCli(t)
  const running = cli.start('exec cat', { stdin: 'open' })
  running.write('first\n')
  await running.waitForOutput('first\n')
  running.write('second\n')
  await running.waitForOutput(/second\n$/)
  running.signal('SIGTERM')
  const done = await running.finished
  t.is(done.signal, 'SIGTERM')
  t.is(statusOfSignal('SIGTERM'), 143)
})

test('waiting for output that does not come fails with what came instead', async (t) => {
  const cli = makeCli(t)
  const early = await t.throwsAsync(cli.start('echo other').waitForOutput('wanted'))
  t.regex(early.message, /ended before 'wanted' came[^]*other/)
  const late = await t.throwsAsync(cli.start('echo other; sleep 60').waitForOutput('wanted', { timeoutMs: 200 }))
  t.regex(late.message, /no 'wanted' within 200 ms/)
})

test('shellQuote() gives the shell one word back', async (t) => {
  const cli = makeCli(t)
  const word = 'it\'s "$HOME" \\ `x`\n *'
  const done = await cli.shell(`printf %s ${shellQuote(word)}`)
  t.is(done.stdout.toString(), word)
})

test('the temporary directory and the processes are gone after the test', async (t) => {
  const teardowns: (() => void | PromiseLike<void>)[] = []
  const cli = makeCli({ teardown: (fn) => void teardowns.push(fn) })
  const running = cli.start('echo started; sleep 60')
  await running.waitForOutput('started')
  t.deepEqual(readdirSync(cli.directory).sort(), ['.bin', '.home', '.tmp'])
  for (const fn of teardowns) await fn()
  const done = await running.finished
  t.is(done.signal, 'SIGKILL')
  t.false(existsSync(cli.directory))
})
