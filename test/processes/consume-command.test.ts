/** logq consume … -- CMD: what CMD finished with 0 is committed, and nothing else. */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

async function filled(t: Parameters<typeof makeCli>[0], partitions = 1): Promise<Cli> {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t --partitions ${partitions}; for p in $(seq 0 ${partitions - 1}); do seq 10 | logq produce t -p $p; done`,
  )
  return cli
}

const OFFSETS = `logq lag -g g -J | jq -r '"\\(.partition)=\\(.currentOffset)"' | paste -sd' '`

test('what CMD finished is committed; -n says how much a run gets, and the environment which records', async (t) => {
  const cli = await filled(t)
  const done = await cli.shell(
    `logq consume t -g g -n 4 -- sh -c 'paste -sd" "; echo "$LOGQ_TOPIC $LOGQ_PARTITION $LOGQ_GROUP $LOGQ_FIRST $LOGQ_LAST"'; echo $?; ${OFFSETS}; logq consume t -g g --to-end -- paste -sd' '; ${OFFSETS}`,
  )
  t.is(done.stdout.toString(), '1 2 3 4\nt 0 g 0 3\n0\n0=4\n5 6 7 8 9 10\n0=10\n', done.stderr)
})

test('a CMD that fails: status 1, named, and nothing is committed; 126 and 127 are passed on', async (t) => {
  const cli = await filled(t)
  for (const [command, status, message] of [
    [`sh -c 'cat > /dev/null; exit 3'`, 1, /'sh' exited with 3 on offsets 0 to 9 of 't:0'/],
    [`sh -c 'kill -9 $$'`, 1, /'sh' was killed by SIGKILL/],
    [`sh -c 'exit 126'`, 126, /exited with 126/],
    [`sh -c 'exit 127'`, 127, /exited with 127/],
    ['./missing', 127, /'\.\/missing' was not found/],
    ['./plain', 126, /could not be executed/],
  ] as const) {
    const done = await cli.shell(`touch plain; exec logq consume t -g g --to-end -- ${command}`)
    t.is(done.status, status, `${command}: ${done.stderr}`)
    t.regex(done.stderr, message)
    t.is((await cli.shell('test -e store/groups/g/offsets && cat store/groups/g/offsets')).stdout.toString(), '', command)
  }
})

test('a CMD that does not read its input and succeeds is done with it', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 100000 | logq produce t')
  const done = await cli.shell(`logq consume t -g g --to-end -- true; echo $?; ${OFFSETS}`)
  t.is(done.stdout.toString(), '0\n0=100000\n', done.stderr)
})

test('a CMD that runs for longer than the session timeout keeps its partition, and others are handed over meanwhile', async (t) => {
  const cli = await filled(t, 2)
  const slow = cli.start(
    `exec logq consume t -g g --session-timeout 2s --to-end -- sh -c 'cat > /dev/null; echo "ran $LOGQ_PARTITION"; sleep 8; echo "done $LOGQ_PARTITION"'`,
    { timeoutMs: 90_000 },
  )
  await slow.waitForOutput('ran', { timeoutMs: 30_000 })
  const busy = /ran (\d)/.exec(slow.stdout().toString())?.[1] ?? ''
  const other = await cli.shell('exec logq consume t -g g --session-timeout 2s -n 10 -F "%p %v\\n"', { timeoutMs: 60_000 })
  t.is(other.status, 0, other.stderr)
  t.deepEqual(
    [
      ...new Set(
        other.stdout
          .toString()
          .trim()
          .split('\n')
          .map((line) => line[0]),
      ),
    ],
    [busy === '0' ? '1' : '0'],
  )
  t.is((await slow.finished).status, 0, slow.stderr())
  t.regex(slow.stdout().toString(), new RegExp(`done ${busy}`))
  t.notRegex(slow.stderr(), /taken out/)
  t.is((await cli.shell(OFFSETS)).stdout.toString(), '0=10 1=10\n')
})

test('INT while CMD runs: nothing of that run is committed unless CMD finishes with 0', async (t) => {
  const cli = await filled(t)
  const member = cli.start(`exec logq consume t -g g -- sh -c 'cat > /dev/null; echo ran; exec sleep 60'`)
  await member.waitForOutput('ran', { timeoutMs: 25_000 })
  member.signal('SIGINT', { group: true })
  t.is((await member.finished).signal, 'SIGINT')
  t.is((await cli.shell('logq consume t -g g -n 1')).stdout.toString(), '1\n')
})

test('a topic that is made anew between two runs is given to CMD from its start', async (t) => {
  const cli = await filled(t)
  const member = cli.start('exec logq consume t -g g --every 50ms -- cat', { timeoutMs: 60_000 })
  await member.waitForOutput(/^10$/m, { timeoutMs: 25_000 })
  // Quicker than a member looks whether its topics are the same.
  await cli.shell("logq topic rm -y t && seq -f 'new %g' 15 | logq produce t")
  await member.waitForOutput(/^new 15$/m, { timeoutMs: 25_000 })
  member.signal('SIGTERM')
  await member.finished
  t.regex(member.stdout().toString(), /^new 1$/m)
  t.is((await cli.shell(OFFSETS)).stdout.toString(), '0=15\n')
})

for (const point of ['plan', 'feed'] as const) {
  test(`INT in the middle of the ${point} of a run: nothing is committed that CMD was not given`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('seq 3000 | logq produce t --batch-bytes 100')
    const member = cli.start(`LOGQ_FAILPOINT=consume-run.${point}=stop@3 exec logq consume t -g g -- cat`, {
      timeoutMs: 60_000,
    })
    const status = `/proc/${member.pid}/status`
    for (let n = 0; n < 600 && !/^State:\s+T/m.test(await readFile(status, 'utf8')); n += 1) await sleep(50)
    member.signal('SIGINT')
    process.kill(member.pid, 'SIGCONT')
    await member.finished
    const given = member.stdout().toString()
    const rest = await cli.shell('exec logq consume t -g g --to-end')
    // All of it, and what was committed is what CMD was given.
    const all = new Set((given + rest.stdout.toString()).trim().split('\n'))
    t.is(all.size, 3000, `${given.length} characters given, ${rest.stdout.length} later`)
  })
}
