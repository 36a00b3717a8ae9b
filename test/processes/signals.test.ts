/** INT, TERM and HUP: whole records that were read are appended and synced, and the command dies of the same signal. */
import test from 'ava'
import { makeCli, statusOfSignal } from '../helpers/run-cli.js'
import { processState, until } from '../helpers/until.js'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

for (const name of signals) {
  test(`${name} ends produce on a silent input, after what was read is appended`, async (t) => {
    const cli = makeCli(t)
    const producer = cli.start('exec logq produce t --linger 1h --print-offsets', { stdin: 'open' })
    producer.write('one\ntwo\nunfinish')
    await cli.shell('for i in $(seq 100); do logq topic ls 2>/dev/null | grep -q t && break; sleep 0.05; done; sleep 0.3')
    producer.signal(name)
    const done = await producer.finished
    t.is(done.signal, name)
    t.is(done.stderr, '')
    t.is(done.stdout.toString(), 't:0@0\nt:0@1\n')
    t.is((await cli.shell('logq cat t')).stdout.toString(), 'one\ntwo\n')
  })

  test(`${name} ends produce on a busy input, at a whole line, and the shell sees ${statusOfSignal(name)}`, async (t) => {
    const cli = makeCli(t)
    const producer = cli.start(
      'seq 100000000 | { echo "pid $BASHPID" >&2; exec logq produce t --print-offsets > offsets; }; echo "status ${PIPESTATUS[1]}"',
      { timeoutMs: 60_000 },
    )
    await producer.waitForOutput(/pid (\d+)/, { stream: 'stderr' })
    const pid = Number(/pid (\d+)/.exec(producer.stderr())?.[1])
    await cli.shell('for i in $(seq 100); do [ -s offsets ] && break; sleep 0.05; done; sleep 0.2')
    process.kill(pid, name)
    await producer.waitForOutput(`status ${statusOfSignal(name)}`)
    const done = await producer.finished
    t.notRegex(done.stderr, /^logq/m)
    // Every line up to the last one is there, and each offset was printed.
    const check = await cli.shell(
      `logq cat t | awk '$1 != NR { print "line " NR; exit } END { print NR }'; wc -l < offsets; tail -n 1 offsets`,
    )
    const [lines, printed, last] = check.stdout.toString().trim().split('\n')
    t.true(Number(lines) > 0)
    t.is(printed, lines)
    t.is(last, `t:0@${Number(lines) - 1}`)
  })

  test(`${name} ends tail -f and cat`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('seq 20 | logq produce t')
    const tail = cli.start('exec logq tail -f t')
    await tail.waitForOutput('20\n')
    tail.signal(name)
    const done = await tail.finished
    t.is(done.signal, name)
    t.is(done.stderr, '')
    const status = await cli.shell(`logq tail -f t >/dev/null & sleep 0.5; kill -${name.slice(3)} $!; wait $!; echo $?`)
    // A shell that is not interactive starts its background jobs with INT ignored; Node.js catches it all the same.
    t.is(status.stdout.toString(), `${statusOfSignal(name)}\n`)
  })
}

test('a second signal ends produce at once, although it waits for a partition lock', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo a | logq produce t')
  const holder = cli.start('echo b > in; LOGQ_FAILPOINT=append.after-write=stop exec logq produce t in')
  await until('it is stopped', () => processState(holder.pid) === 'T')
  const waiting = cli.start('exec logq produce t', { stdin: 'open' })
  waiting.write('c\n')
  waiting.end()
  await waiting.waitForOutput(/waiting for the append lock/, { stream: 'stderr', timeoutMs: 60_000 })
  waiting.signal('SIGTERM')
  await cli.shell('sleep 0.3')
  waiting.signal('SIGTERM')
  const done = await waiting.finished
  t.is(done.signal, 'SIGTERM')
  holder.signal('SIGKILL', { group: true })
})

test('a signal while waiting for a partition lock names what was not written', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo a | logq produce t')
  const holder = cli.start('echo b > in; LOGQ_FAILPOINT=append.before-write=stop exec logq produce t in')
  await until('it is stopped', () => processState(holder.pid) === 'T')
  const waiting = cli.start('exec logq produce t', { stdin: 'open' })
  waiting.write('c\nd\n')
  await waiting.waitForOutput(/waiting for the append lock/, { stream: 'stderr', timeoutMs: 60_000 })
  waiting.signal('SIGINT')
  const done = await waiting.finished
  t.is(done.signal, 'SIGINT')
  t.regex(done.stderr, /records from line 1 of 'stdin' on were not written/)
  holder.signal('SIGKILL', { group: true })
  await holder.finished
  t.is((await cli.shell('logq cat t')).stdout.toString(), 'a\n')
})

test('an interrupted logq stops a for loop in sh', async (t) => {
  const cli = makeCli(t)
  const loop = cli.start(`exec sh -c 'for i in 1 2 3; do echo "turn $i"; logq produce t; done; echo after'`, { stdin: 'open' })
  await loop.waitForOutput('turn 1')
  await cli.shell('for i in $(seq 100); do logq topic ls 2>/dev/null | grep -q t && break; sleep 0.05; done; sleep 0.2')
  // As a terminal does: to the whole foreground group.
  loop.signal('SIGINT', { group: true })
  const done = await loop.finished
  t.is(done.stdout.toString(), 'turn 1\n')
})

test('a producer whose reader is slow and that gets a signal still syncs, and ends', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start(
    'mkfifo out; sleep 20 < out & seq 300000 | { echo "pid $BASHPID" >&2; exec logq produce t --print-offsets > out; }; echo "status ${PIPESTATUS[1]}"; kill %1',
  )
  await producer.waitForOutput(/pid (\d+)/, { stream: 'stderr' })
  await cli.shell('sleep 2')
  process.kill(Number(/pid (\d+)/.exec(producer.stderr())?.[1]), 'SIGTERM')
  await producer.waitForOutput('status 143', { timeoutMs: 5000 })
  t.is((await cli.shell('logq produce t < /dev/null')).status, 0)
})
