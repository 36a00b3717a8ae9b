/** The built program as a process: streams that others share, exit statuses a shell sees, signals. */
import test from 'ava'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCli, shellQuote, statusOfSignal } from '../helpers/run-cli.js'

/** script(1) of util-linux gives a command a terminal. */
const withTerminal = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0 ? test : test.skip

const onLinux = existsSync('/proc/self/fdinfo') ? test : test.skip

test('an unknown command is exit 2, with nothing on stdout', async (t) => {
  const { status, stdout, stderr } = await makeCli(t).logq(['prodcue', 't'])
  t.is(status, 2)
  t.is(stdout.length, 0)
  t.is(stderr, "logq: unknown command 'prodcue'\n  hint: did you mean 'logq produce'?\n")
})

test('logq without words is exit 2, and --version exit 0', async (t) => {
  const cli = makeCli(t)
  t.is((await cli.logq([])).status, 2)
  const { status, stdout } = await cli.logq(['--version'])
  t.is(status, 0)
  t.regex(stdout.toString(), /^logq \d+\.\d+\.\d+\n$/)
})

test('every command describes itself', async (t) => {
  const cli = makeCli(t)
  const help = (await cli.logq(['--help'])).stdout.toString()
  const names = [...help.matchAll(/^ {2}([a-z-]+(?: [a-z-]+)?) {2,}/gm)].map(([, name]) => name ?? '')
  t.true(names.includes('produce') && names.includes('topic create'), names.join())
  const script = names.map((name) => `logq ${name} --help || echo "failed: ${name}"`).join('\n')
  const { stdout, stderr } = await cli.shell(script)
  t.is(stderr, '')
  for (const name of names) t.true(stdout.toString().includes(`Usage: logq ${name} `), name)
  t.false(stdout.toString().includes('failed:'))
  t.false(stdout.toString().includes('**'), 'markup is for manual pages')
})

onLinux('no standard stream that others share is made non-blocking', async (t) => {
  const cli = makeCli(t)
  await cli.shell('printf "a\\nb\\n" | logq produce t')
  const flags = 'grep flags /proc/$BASHPID/fdinfo/{0,1,2} >> flags'
  const { stdout, stderr } = await cli.shell(
    `mkfifo held; exec 3<>held
    (
      (while sleep 0.01; do ${flags}; done) & watcher=$!
      logq cat t; logq cat nothing; logq --help; logq produce; printf x | logq produce t -
      kill $watcher
      ${flags}
    ) <held 2>&1 >&1 | cat`,
  )
  t.true(stdout.length > 0, stderr)
  const seen = readFileSync(join(cli.directory, 'flags'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => Number.parseInt(line.split('\t')[1] ?? '', 8))
  t.true(seen.length >= 3)
  t.true(
    seen.every((flag) => (flag & 0o4000) === 0),
    'O_NONBLOCK is never set',
  )
})

test('a full device behind stdout is exit 1, a reader that went away exit 0', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 100000 | logq produce t')
  if (existsSync('/dev/full')) {
    const full = await cli.shell('logq cat t > /dev/full')
    t.is(full.status, 1)
    t.regex(full.stderr, /^logq cat: cannot write standard output: no space left on device\n {2}hint: free space[^\n]*\n$/)
  }
  const gone = await cli.shell('logq cat t | head -n 1; echo "${PIPESTATUS[0]}"')
  t.is(gone.stdout.toString(), '1\n0\n')
  t.is(gone.stderr, '')
})

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${name} lets produce keep what it read and then ends it by the same signal`, async (t) => {
    const cli = makeCli(t)
    const running = cli.start('exec logq produce t --print-offsets', { stdin: 'open' })
    running.write('one\n')
    await running.waitForOutput('t:0@0')
    running.signal(name)
    const { status, signal } = await running.finished
    t.true(signal === name || status === statusOfSignal(name), `${String(status)} ${String(signal)}`)
    t.is((await cli.logq(['cat', 't'])).stdout.toString(), 'one\n')
  })
}

test('a signal ends cat although nobody reads its pipe', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 300000 | logq produce t')
  const { stdout } = await cli.shell(
    'mkfifo p; (exec 3<>p; logq cat t >&3 & child=$!; head -c1 <&3 >one; kill -TERM $child; wait $child; echo $?)',
  )
  t.is(stdout.toString(), `${statusOfSignal('SIGTERM')}\n`)
})

test('a second signal ends a command at once, by its own name', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 300000 | logq produce t')
  // Nobody reads, so after the first signal cat still waits half a second for its pipe, and the second one finds it there. Signals that
  // come together may be seen in either order, and on a loaded machine the second may come too late: then it is tried again.
  const script =
    'mkfifo p; (exec 3<>p; logq cat t >&3 & child=$!; head -c1 <&3 >one; kill -INT $child; sleep 0.1; kill -TERM $child; wait $child; echo $?); rm p'
  const seen: string[] = []
  while (seen.length < 5 && seen.at(-1) !== `${statusOfSignal('SIGTERM')}\n`)
    seen.push((await cli.shell(script)).stdout.toString())
  t.is(seen.at(-1), `${statusOfSignal('SIGTERM')}\n`, seen.join(''))
})

test('LOGQ_DEBUG shows where an error was thrown', async (t) => {
  const { stderr } = await makeCli(t).logq(['cat', 'nothing'], { env: { LOGQ_DEBUG: '1' } })
  t.regex(stderr, /\n {4}at /)
})

test('a failpoint that is not understood is a usage error', async (t) => {
  const { status, stderr } = await makeCli(t).logq(['cat', 't'], { env: { LOGQ_FAILPOINT: '???' } })
  t.is(status, 2, stderr)
})

test('arguments that are not UTF-8 are refused where bytes count', async (t) => {
  const { status, stderr } = await makeCli(t).shell("logq cat t -D $'\\xff'")
  t.is(status, 2)
  t.regex(stderr, /not valid UTF-8/)
})

withTerminal('a terminal gets no control character of a record, of a name or of an error, unless --raw', async (t) => {
  const cli = makeCli(t)
  await cli.shell(String.raw`printf '\033]52;c;aGk=\007\233\r\342\200\256x\n' | logq produce t`)
  const onTerminal = async (command: string): Promise<string> =>
    (await cli.shell(`script -qec ${shellQuote(command)} /dev/null < /dev/null`)).stdout.toString('latin1')
  t.is(await onTerminal('logq cat t'), '\\x1b]52;c;aGk=\\x07\\x9b\\r\\u202ex\r\n')
  t.is(await onTerminal('logq cat --raw t'), '\x1b]52;c;aGk=\x07\x9b\r\xe2\x80\xaex\r\n')
  t.regex(await onTerminal(String.raw`logq cat "$(printf '\033[2Jx')"`), /^logq cat: [^\x1b]*\\x1b\[2Jx/)
})
