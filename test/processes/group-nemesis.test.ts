/** Members of consumer groups, stopped at a bad moment, in another pid namespace, with clocks that jump, on a read-only store. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import test from 'ava'
import { makeCli, type Cli, type Running } from '../helpers/run-cli.js'
import { pause, processState, until } from '../helpers/until.js'

const LONG = { timeoutMs: 120_000 }

function start(sessionTimeout = '2s'): string {
  return `exec logq consume t -g g --session-timeout ${sessionTimeout}`
}

/** How many members the group has, when it is stable; else 0. */
async function stableMembers(cli: Cli): Promise<number> {
  const { stdout } = await cli.shell(
    `jq -r 'if .state == "Stable" then .members | length else 0 end' store/groups/g/group.json`,
  )
  return Number(stdout.toString())
}

async function isAllRead(cli: Cli): Promise<boolean> {
  return (await cli.shell("logq lag -g g -J | jq -s 'map(.lagRecords) | add'")).stdout.toString() === '0\n'
}

function linesOf(...members: readonly Running[]): string[] {
  return members.flatMap((member) => member.stdout().toString().trim().split('\n'))
}

const isStopped = (pid: number): boolean => processState(pid) === 'T'

async function end(...members: readonly Running[]): Promise<void> {
  for (const member of members) member.signal('SIGTERM')
  for (const member of members) await member.finished
}

test('a member that is stopped while it changes the group: others wait for it, and nobody undoes what another one did', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; seq 10 | logq produce t -p 0; seq 11 20 | logq produce t -p 1')
  const first = cli.start(`LOGQ_FAILPOINT=group-join.before-state=stop ${start('60s')}`, LONG)
  await until('it is stopped', () => isStopped(first.pid))
  const second = cli.start(start('60s'), LONG)
  await second.waitForOutput(new RegExp(`held by process ${first.pid}\\b`), { stream: 'stderr', timeoutMs: 60_000 })
  t.false(existsSync(`${cli.store}/groups/g/group.json`))
  process.kill(first.pid, 'SIGCONT')
  await until('both are members', async () => (await stableMembers(cli)) === 2)
  await until('all is read', () => isAllRead(cli))
  await end(first, second)
  t.notRegex(first.stderr() + second.stderr(), /taken out/)
  t.deepEqual(
    linesOf(first, second)
      .map(Number)
      .sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, n) => n + 1),
  )
})

test('^Z stops a member outside of a change of the group: others go on, and it comes back with fg', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; seq 10 | logq produce t -p 0; seq 11 20 | logq produce t -p 1')
  const [first, second] = [cli.start(start(), LONG), cli.start(start(), LONG)]
  await until('two members', async () => (await stableMembers(cli)) === 2)
  first.signal('SIGTSTP')
  await until('it is stopped', () => isStopped(first.pid))
  await cli.shell('seq 21 30 | logq produce t -p 0; seq 31 40 | logq produce t -p 1')
  await until('the other one has everything', async () => (await stableMembers(cli)) === 1 && (await isAllRead(cli)))
  first.signal('SIGCONT')
  await until('it is back', async () => first.stderr().includes('joining again') && (await stableMembers(cli)) === 2)
  await end(first, second)
  t.is(new Set(linesOf(first, second)).size, 40)
})

const namespaces = spawnSync('unshare', ['-Urpf', 'true'], { stdio: 'ignore' }).status === 0

test('a member in another pid namespace is told by its lock, and not by its pid', async (t) => {
  if (!namespaces) {
    t.log('not run: pid namespaces are not allowed here')
    t.pass()
    return
  }
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2')
  const inside = cli.start('exec unshare -Urpf --kill-child logq consume t -g g --session-timeout 20s', LONG)
  await until('one member', async () => (await stableMembers(cli)) === 1)
  const outside = cli.start(start('20s'), LONG)
  await until('two members', async () => (await stableMembers(cli)) === 2)
  // Its pid is that of another process here: nobody may take it for that one, nor for dead.
  await pause(2_000)
  t.is(await stableMembers(cli), 2)
  process.kill(inside.pid, 'SIGKILL')
  await until('it is gone', async () => (await stableMembers(cli)) === 1)
  await cli.shell('seq 5 | logq produce t -p 0; seq 6 9 | logq produce t -p 1')
  await until('the other one has everything', () => linesOf(outside).length === 9)
  await end(outside)
  t.notRegex(outside.stderr(), /taken out/)
})

function faketimePath(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu')) : []
  return folders.map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`).find((path) => existsSync(path))
}

test('clocks that jump by an hour, a day and ten years, forwards and back, put nobody out', async (t) => {
  const library = faketimePath()
  if (library === undefined) {
    t.log('not run: faketime is not installed')
    t.pass()
    return
  }
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; echo +0 > clock')
  const fake = `export LD_PRELOAD=${library} FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_CACHE_DURATION=1 FAKETIME_TIMESTAMP_FILE=$PWD/clock`
  const jumping = cli.start(`${fake}; ${start('8s')}`, LONG)
  const steady = cli.start(start('8s'), LONG)
  await until('two members', async () => (await stableMembers(cli)) === 2)
  let count = 0
  for (const offset of ['+3600', '-3600', '+90000', '+315360000', '+0']) {
    await cli.shell(`echo ${offset} > clock.new && mv clock.new clock`)
    await pause(1_200)
    count += 2
    await cli.shell(`echo ${count} | logq produce t -p 0; echo ${count + 1} | logq produce t -p 1`)
    await until('it is read', () => isAllRead(cli))
  }
  await end(jumping, steady)
  t.notRegex(jumping.stderr() + steady.stderr(), /taken out/)
  const lines = linesOf(jumping, steady)
  t.is(new Set(lines).size, count)
  t.is(lines.length, count)
})

test('a store on a read-only file system: changes of a group end with status 1 and say why, and what only looks works', async (t) => {
  if (spawnSync('unshare', ['-Urm', 'true'], { stdio: 'ignore' }).status !== 0) {
    t.log('not run: mount namespaces are not allowed here')
    t.pass()
    return
  }
  const cli = makeCli(t)
  await cli.shell('seq 3 | logq produce t; logq consume t -g g -n 1')
  const done = await cli.shell(
    `exec unshare -Urm bash -c 'mount --bind store store && mount -o remount,ro,bind store && { logq consume t -g g; echo "status $?"; logq consume t -g g --no-commit --to-end; echo "status $?"; logq group skip g t:0@1 --reason bad; echo "status $?"; logq group show g | grep -c Empty; logq lag -g g -J | jq .lagRecords; }'`,
  )
  t.is(done.stdout.toString(), 'status 1\n2\n3\nstatus 0\nstatus 1\n1\n2\n', done.stderr)
  t.regex(done.stderr, /^logq consume: .*read-only/)
})
