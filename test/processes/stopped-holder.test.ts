/**
 * A writer that is stopped (SIGSTOP) inside its critical section: others wait, name it after 5 s, and go on when it goes on or
 * is gone.
 */
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

for (const [way, signal] of [
  ['goes on', 'SIGCONT'],
  ['is killed', 'SIGKILL'],
] as const) {
  for (const failpoint of ['append.before-write', 'append.after-write', 'append.after-index', 'roll.after-sync'] as const) {
    test(`producers wait for one that is stopped at ${failpoint}, name its pid, and go on when it ${way}`, async (t) => {
      const cli = makeCli(t)
      await cli.shell('logq topic create t segment.bytes=300; seq 1 20 | logq produce t --batch-bytes 60')
      const pid = await stopped(t, cli, `seq 101 120 | LOGQ_FAILPOINT=${failpoint}=stop exec logq produce t --batch-bytes 60`)
      const waiting = cli.start(`echo mine | exec logq produce t; echo "status $?"`, { timeoutMs: 30_000 })
      // Readers need no lock.
      const read = await cli.shell('timeout 5 logq cat t | head -n 20; timeout 5 logq tail -n 1 t > /dev/null')
      t.true(read.stdout.toString().startsWith('1\n2\n3\n'))
      await waiting.waitForOutput(new RegExp(`waiting for the append lock of 't-0', held by process ${pid}\\b`), {
        stream: 'stderr',
        timeoutMs: 60_000,
      })
      process.kill(pid, signal)
      await waiting.waitForOutput('status 0')
      const all = (await cli.shell('sleep 0.3; logq cat t')).stdout.toString().trimEnd().split('\n')
      t.deepEqual(
        all.slice(0, 20),
        Array.from({ length: 20 }, (_, n) => String(n + 1)),
      )
      t.true(all.includes('mine'))
      t.is(new Set(all).size, all.length)
      if (signal === 'SIGCONT') t.is(all.length, 41)
      t.is((await cli.shell('logq fsck > /dev/null; echo $?')).stdout.toString(), '0\n')
    })
  }
}

test('topic rm waits for a stopped producer, names it, and goes on when it is killed', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t')
  const pid = await stopped(t, cli, 'seq 101 120 | LOGQ_FAILPOINT=append.after-write=stop exec logq produce t')
  const removing = cli.start('logq topic rm -y t; echo "status $?"')
  await removing.waitForOutput(new RegExp(`held by process ${pid}\\b`), { stream: 'stderr', timeoutMs: 60_000 })
  process.kill(pid, 'SIGKILL')
  await removing.waitForOutput('status 0')
  t.is((await cli.shell('logq topic ls; ls store')).stdout.toString(), 'lock\nlogq.json\ntopics\n')
})

test('a removal that waits for a stopped producer keeps no other command waiting, says what is left on INT, and is finished later', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t; seq 5 | logq produce other')
  const pid = await stopped(t, cli, 'seq 101 120 | LOGQ_FAILPOINT=append.after-write=stop exec logq produce t')
  const removing = cli.start('exec logq topic rm -y t')
  const others = await cli.shell(
    `for i in $(seq 100); do logq topic ls | grep -qx t || break; sleep 0.05; done
     echo x | timeout 5 logq produce new && timeout 5 logq topic set other retention.ms=1d && timeout 5 logq topic rm -y other && logq topic ls; ls store`,
  )
  t.is(others.stdout.toString(), 'new\nlock\nlogq.json\nnew-0\nt-0\ntopics\n', others.stderr)
  const again = cli.start('echo y | exec logq produce t')
  for (const waiting of [removing, again])
    await waiting.waitForOutput(new RegExp(`waiting for .*t-0/lock', held by process ${pid}\\b`), {
      stream: 'stderr',
      timeoutMs: 60_000,
    })
  removing.signal('SIGINT')
  const done = await removing.finished
  t.is(done.signal, 'SIGINT')
  t.regex(done.stderr, /topic 't' is gone; the next topic command removes its records\n$/)
  process.kill(pid, 'SIGKILL')
  t.is((await again.finished).status, 0)
  t.is((await cli.shell('logq cat t; ls store/topics')).stdout.toString(), 'y\nnew.json\nt.json\n')
})

for (const command of [
  'topic create new',
  'topic set t retention.ms=1d',
  'topic add-partitions t 2',
  'topic rm -y t',
  'produce new',
]) {
  test(`${command} says that it waits for another topic command, and a signal ends the wait`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('seq 5 | logq produce t')
    await stopped(t, cli, 'LOGQ_FAILPOINT=topic-create.after-intent=stop exec logq produce tables < /dev/null')
    const waiting = cli.start(`exec logq ${command} < /dev/null`)
    await waiting.waitForOutput(/waiting for '.*store\/lock', held by another process/, { stream: 'stderr', timeoutMs: 60_000 })
    waiting.signal('SIGINT')
    t.is((await waiting.finished).signal, 'SIGINT')
    t.is((await cli.shell('logq topic ls')).stdout.toString(), 't\n')
  })
}

test('a producer that has only to sync names the stopped one that it waits for, and a signal ends the wait', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t')
  const syncing = cli.start('LOGQ_FAILPOINT=sync.before=sleep:9000 exec logq produce t', { stdin: 'open', timeoutMs: 60_000 })
  syncing.write('mine\n')
  syncing.end()
  await cli.shell('for i in $(seq 100); do logq cat t | grep -q mine && exit; sleep 0.05; done')
  const pid = await stopped(t, cli, 'seq 101 120 | LOGQ_FAILPOINT=append.after-write=stop exec logq produce t')
  await syncing.waitForOutput(new RegExp(`held by process ${pid}\\b`), { stream: 'stderr', timeoutMs: 40_000 })
  syncing.signal('SIGTERM')
  const done = await syncing.finished
  t.is(done.signal, 'SIGTERM')
  process.kill(pid, 'SIGKILL')
  t.regex((await cli.shell('logq produce t < /dev/null && logq cat t')).stdout.toString(), /^mine\n/)
})

/** Starts a script whose logq stops itself, and waits until it has. Returns its pid. */
async function stopped(t: ExecutionContext, cli: Cli, script: string): Promise<number> {
  const running = cli.start(`{ echo "pid $BASHPID" >&2; ${script}; } &\n wait`, { timeoutMs: 60_000 })
  t.teardown(() => {
    running.signal('SIGKILL', { group: true })
  })
  const state = await cli.shell(
    'for i in $(seq 100); do pid=$(pgrep -f "^[^ ]*node [^ ]*/logq produce t" -d " "); for p in $pid; do grep -q "T (stopped)" /proc/$p/status && tr "\\0" "\\n" < /proc/$p/environ | grep -q "^LOGQ_STORE=$LOGQ_STORE$" && echo $p && exit; done; sleep 0.05; done',
  )
  const pid = Number(state.stdout.toString().trim())
  t.true(pid > 0)
  return pid
}
