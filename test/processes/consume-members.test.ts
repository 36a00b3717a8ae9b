/** Several processes as members of one group: they share, die, stand still and come back. */
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli, type Running } from '../helpers/run-cli.js'
import { pause, until } from '../helpers/until.js'

const LONG = { timeoutMs: 90_000 }

/** A topic of so many partitions, with the numbers from 1 spread over them. */
async function filled(t: ExecutionContext, partitions: number, count: number): Promise<Cli> {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t --partitions ${partitions}; for p in $(seq 0 ${partitions - 1}); do seq $((p * ${count} + 1)) $(((p + 1) * ${count})) | logq produce t -p $p --batch-bytes 200; done`,
  )
  return cli
}

function numbersOf(...members: readonly Running[]): number[] {
  return members.flatMap((member) =>
    member
      .stdout()
      .toString()
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  )
}

function allOf(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1)
}

/** How many members the group has, when it is stable; else 0. */
async function stableMembers(cli: Cli): Promise<number> {
  const { stdout } = await cli.shell(
    `jq -r 'if .state == "Stable" then .members | length else 0 end' store/groups/g/group.json`,
  )
  return Number(stdout.toString())
}

async function lagOf(cli: Cli): Promise<number> {
  return Number((await cli.shell("logq lag -g g -J | jq -s 'map(.lagRecords) | add'")).stdout.toString())
}

test('four members of one group share what there is, and nothing is delivered twice', async (t) => {
  const cli = await filled(t, 4, 1)
  const members = [0, 1, 2, 3].map(() => cli.start('exec logq consume t -g g', LONG))
  await until('four members', async () => (await stableMembers(cli)) === 4)
  await cli.shell('for p in 0 1 2 3; do seq $((p * 100 + 5)) $((p * 100 + 104)) | logq produce t -p $p; done')
  await until('all is read', () => numbersOf(...members).length >= 404)
  for (const member of members) member.signal('SIGTERM')
  for (const member of members) t.is((await member.finished).signal, 'SIGTERM')
  t.deepEqual(
    numbersOf(...members).sort((a, b) => a - b),
    allOf(404),
  )
  for (const member of members) t.true(numbersOf(member).length >= 100)
  t.is(await lagOf(cli), 0)
})

test('partitions of a member that is killed go to others, and each record is delivered at least once', async (t) => {
  const cli = await filled(t, 4, 50)
  const first = cli.start('exec logq consume t -g g', LONG)
  const second = cli.start('exec logq consume t -g g', LONG)
  await until('two members', async () => (await stableMembers(cli)) === 2)
  process.kill(first.pid, 'SIGKILL')
  const atMs = performance.now()
  await cli.shell('for p in 0 1 2 3; do seq $((200 + p * 10 + 1)) $((200 + p * 10 + 10)) | logq produce t -p $p; done')
  await until('the other one has everything', () => new Set(numbersOf(second).filter((n) => n > 200)).size === 40, 20_000)
  t.log(`${Math.round(performance.now() - atMs)} ms after the kill all new records were read`)
  second.signal('SIGTERM')
  await second.finished
  t.deepEqual(
    [...new Set(numbersOf(first, second))].sort((a, b) => a - b),
    allOf(240),
  )
  t.is((await cli.shell('ls store/groups/g/members')).stdout.toString(), '')
})

test('killed again and again, a group delivers everything at least once, in order within each life', async (t) => {
  const cli = await filled(t, 2, 400)
  const lives: Running[] = []
  for (const afterMs of [300, 700, 450, 900]) {
    const life = cli.start('exec logq consume t -g g --commit-every 10', LONG)
    lives.push(life)
    await pause(afterMs)
    process.kill(life.pid, 'SIGKILL')
    await life.finished
  }
  const last = cli.start('exec logq consume t -g g --to-end', LONG)
  lives.push(last)
  t.is((await last.finished).status, 0)
  t.deepEqual(
    [...new Set(numbersOf(...lives))].sort((a, b) => a - b),
    allOf(800),
  )
  for (const life of lives) {
    for (const [from, to] of [
      [1, 400],
      [401, 800],
    ] as const) {
      const own = numbersOf(life).filter((n) => n >= from && n <= to)
      t.true(
        own.every((n, at) => at === 0 || n === (own[at - 1] ?? 0) + 1),
        own.join(),
      )
    }
  }
})

test('at-most-once: killed again and again, no record comes twice', async (t) => {
  const cli = await filled(t, 1, 400)
  const lives: Running[] = []
  for (const afterMs of [400, 800, 600]) {
    const life = cli.start('exec logq consume t -g g --deliver at-most-once', LONG)
    lives.push(life)
    await pause(afterMs)
    process.kill(life.pid, 'SIGKILL')
    await life.finished
  }
  const last = cli.start('exec logq consume t -g g --deliver at-most-once --to-end', LONG)
  t.is((await last.finished).status, 0)
  const all = numbersOf(...lives, last)
  t.is(new Set(all).size, all.length)
  t.deepEqual(
    all,
    [...all].sort((a, b) => a - b),
  )
})

test('a member that is stopped for longer than its session timeout is put out, joins anew, and nothing is lost', async (t) => {
  const cli = await filled(t, 2, 20)
  const start = 'exec logq consume t -g g --session-timeout 2s'
  const first = cli.start(start, LONG)
  const second = cli.start(start, LONG)
  await until('two members', async () => (await stableMembers(cli)) === 2)
  await until('all is read', () => numbersOf(first, second).length >= 40)
  process.kill(first.pid, 'SIGSTOP')
  await cli.shell('for p in 0 1; do seq $((41 + p * 10)) $((50 + p * 10)) | logq produce t -p $p; done')
  await until('the other one has everything', () => new Set(numbersOf(second).filter((n) => n > 40)).size === 20)
  process.kill(first.pid, 'SIGCONT')
  await until('it is back', async () => first.stderr().includes('joining again') && (await stableMembers(cli)) === 2)
  await cli.shell('for p in 0 1; do seq $((61 + p * 10)) $((70 + p * 10)) | logq produce t -p $p; done')
  await until('all is read', () => new Set(numbersOf(first, second)).size === 80)
  for (const member of [first, second]) member.signal('SIGTERM')
  for (const member of [first, second]) await member.finished
  t.deepEqual(
    [...new Set(numbersOf(first, second))].sort((a, b) => a - b),
    allOf(80),
  )
  t.is(await lagOf(cli), 0)
  t.regex(first.stderr(), /this member was taken out of group 'g'/)
})

test('a member whose reader sleeps for longer than the session timeout keeps its partitions', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; for p in 0 1; do seq 40000 | logq produce t -p $p; done')
  const slow = cli.start('logq consume t -g g --session-timeout 2s | { head -c 100 > /dev/null; sleep 8; cat; } > out', LONG)
  await until('it has joined', async () => (await stableMembers(cli)) === 1)
  // The one that watches it.
  const other = cli.start(`logq consume t -g g --session-timeout 2s > other`, LONG)
  await pause(5_000)
  const members = await cli.shell("jq '.members | length' store/groups/g/group.json")
  t.is(members.stdout.toString(), '2\n')
  await until('all is read', async () => (await lagOf(cli)) === 0)
  t.notRegex(slow.stderr() + other.stderr(), /taken out/)
  t.is((await cli.shell("jq '.members | length' store/groups/g/group.json")).stdout.toString(), '2\n')
})

test('a static member that comes back within its grace has what it had', async (t) => {
  const cli = await filled(t, 4, 5)
  const first = cli.start('exec logq consume t -g g --member one --grace 5m', LONG)
  const second = cli.start('exec logq consume t -g g --member two --grace 5m', LONG)
  await until('two members', async () => (await stableMembers(cli)) === 2)
  const had = `jq -c '.owners.t | map(startswith("one-"))' store/groups/g/group.json`
  const before = (await cli.shell(had)).stdout.toString()
  process.kill(first.pid, 'SIGKILL')
  await first.finished
  await until(
    'it is away',
    async () => (await cli.shell('grep -c isAway store/groups/g/group.json')).stdout.toString() === '1\n',
  )
  const again = cli.start('exec logq consume t -g g --member one --grace 5m', LONG)
  await until(
    'it is back',
    async () =>
      (await cli.shell('grep -c isAway store/groups/g/group.json')).stdout.toString() === '0\n' &&
      (await stableMembers(cli)) === 2,
  )
  t.is((await cli.shell(had)).stdout.toString(), before)
  for (const member of [again, second]) member.signal('SIGTERM')
  for (const member of [again, second]) await member.finished
})
