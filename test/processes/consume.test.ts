/** logq consume: what a group reads and commits, through real processes. */
import test from 'ava'
import { makeCli, statusOfSignal, type Cli } from '../helpers/run-cli.js'

/** What the group has committed, such as `0=3 1=5`. */
async function committed(cli: Cli, group = 'g'): Promise<string> {
  const { stdout } = await cli.shell(
    `logq lag -g ${group} -J | jq -r 'select(.currentOffset != null) | "\\(.partition)=\\(.currentOffset)"' | sort | paste -sd' '`,
  )
  return stdout.toString().trim()
}

async function filled(t: Parameters<typeof makeCli>[0], partitions: number, count: number): Promise<Cli> {
  const cli = makeCli(t)
  await cli.shell(`logq topic create t --partitions ${partitions}; seq ${count} | logq produce t --batch-bytes 100`)
  return cli
}

test('a group reads on where it is; two groups see everything each', async (t) => {
  const cli = await filled(t, 1, 10)
  const done = await cli.shell(
    'logq consume t -g g -n 4; echo -- $?; logq consume t -g g --to-end; echo -- $?; logq consume t -g g --to-end; echo -- $?; logq consume t -g h --to-end | paste -sd" "',
  )
  t.is(done.stdout.toString(), '1\n2\n3\n4\n-- 0\n5\n6\n7\n8\n9\n10\n-- 0\n-- 0\n1 2 3 4 5 6 7 8 9 10\n', done.stderr)
})

test('-n never commits the record behind the last one, also in the middle of a batch and with -w', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 20 | logq produce t')
  for (const [args, printed, offset] of [
    ['-n 3', '1 2 3', '0=3'],
    ['-n 1 --deliver at-most-once', '4', '0=4'],
    [`-n 2 -w 'value == 5 || value == 10'`, '5 10', '0=10'],
    [`-n 5 --commit-every 1`, '11 12 13 14 15', '0=15'],
  ] as const) {
    const done = await cli.shell(`logq consume t -g g ${args} | paste -sd' '; exit "\${PIPESTATUS[0]}"`)
    t.is(done.stdout.toString().trim(), printed, `${args}: ${done.stderr}`)
    t.is(done.status, 0)
    t.is(await committed(cli), offset, args)
  }
})

test('--idle exits with 4, --for with 0, and both have committed', async (t) => {
  const cli = await filled(t, 1, 5)
  const idle = await cli.shell('exec logq consume t -g g --idle 300ms')
  t.is(idle.status, 4)
  t.is(idle.stdout.toString(), '1\n2\n3\n4\n5\n')
  t.is(await committed(cli), '0=5')
  const forSome = await cli.shell('echo 6 | logq produce t; logq consume t -g g --for 2s')
  t.is(forSome.status, 0)
  t.is(forSome.stdout.toString(), '6\n')
  t.is(await committed(cli), '0=6')
})

test('--no-commit prints what the group has before it, of all partitions, and leaves no trace', async (t) => {
  const cli = await filled(t, 3, 30)
  const look = 'find store -printf "%p %s %T@ %i\\n" | sort | md5sum'
  const fresh = await cli.shell(`${look}; logq consume t -g g --no-commit --to-end | sort -n | paste -sd" "; ${look}; ls store`)
  const [before, all, after, ...files] = fresh.stdout.toString().trim().split('\n')
  t.is(all, Array.from({ length: 30 }, (_, n) => n + 1).join(' '))
  t.is(before, after)
  t.false(files.includes('groups'))
  await cli.shell('logq consume t -g g -n 12 > first')
  const second = await cli.shell(
    `${look}; logq consume t -g g --no-commit --to-end | cat - first | sort -n | paste -sd' '; ${look}`,
  )
  const [mid, rest, end] = second.stdout.toString().trim().split('\n')
  t.is(rest, all)
  t.is(mid, end)
})

test('-o earliest, latest and none, for a group that has committed nothing', async (t) => {
  const cli = await filled(t, 1, 3)
  const none = await cli.shell('exec logq consume t -g g -o none --to-end')
  t.is(none.status, 1)
  t.regex(none.stderr, /group 'g' has no committed offset for 't:0'/)
  const latest = await cli.shell(
    'logq consume t -g l -o latest --idle 300ms; echo $?; echo 4 | logq produce t; logq consume t -g l -o none --to-end',
  )
  t.is(latest.stdout.toString(), '4\n4\n', latest.stderr)
})

test('a closed pipe is status 0, and nothing is committed that it did not take', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 100000 | logq produce t --batch-bytes 4096')
  const done = await cli.shell('logq consume t -g g | head -n 3; echo "${PIPESTATUS[0]}"')
  t.is(done.stdout.toString(), '1\n2\n3\n0\n')
  const offset = Number((await committed(cli)).replace('0=', '') || '0')
  // The pipe and head took 64 KiB each at most.
  t.true(offset <= 40_000, `${offset}`)
  const rest = await cli.shell(`logq consume t -g g -n 1`)
  t.is(rest.stdout.toString(), `${offset + 1}\n`)
})

test('a full device is status 1, and nothing is committed', async (t) => {
  const cli = await filled(t, 1, 5)
  const done = await cli.shell('logq consume t -g g --to-end > /dev/full')
  t.is(done.status, 1)
  t.regex(done.stderr, /No space left|ENOSPC/i)
  t.is(await committed(cli), '')
  t.is((await cli.shell('logq consume t -g g -n 1')).stdout.toString(), '1\n')
})

test('bad usage is named: no group, hostile names, options that do not go together', async (t) => {
  const cli = await filled(t, 1, 1)
  for (const [args, status, message] of [
    ['t', 2, /-g is missing/],
    ['t -g ../x', 2, /'\.\.\/x'/],
    ['t -g ""', 2, /''/],
    ['t -g .', 2, /'\.'/],
    ['t -g a/b', 2, /'a\/b'/],
    [`t -g "$(printf 'a\\nb')"`, 2, /cannot be/],
    [`t -g ${'x'.repeat(300)}`, 2, /cannot be/],
    ['nothing -g g', 1, /topic 'nothing' does not exist/],
    ['t -g g --grace 5s', 2, /--grace needs --member/],
    ['t -g g --every 5s', 2, /--every needs a command/],
    ['t -g g --format batch', 2, /batch/],
    ['t -g g --no-commit --member m', 2, /--member does not go with --no-commit/],
    ['t -g g --session-timeout 1s', 2, /session-timeout/],
    ['t -g g --commit-every 0', 2, /commit-every/],
  ] as const) {
    const done = await cli.shell(`exec logq consume ${args} --for 5s`)
    t.is(done.status, status, `${args}: ${done.stderr}`)
    t.regex(done.stderr, message, args)
  }
  t.is((await cli.shell('ls store | grep -c groups')).stdout.toString(), '0\n')
})

test('another assignor than the group has is a conflict, and so is a name of a member that is in use', async (t) => {
  const cli = await filled(t, 2, 10)
  const first = cli.start('exec logq consume t -g g --assignor range --member one')
  await first.waitForOutput('10\n', { timeoutMs: 25_000 })
  const other = await cli.shell('exec logq consume t -g g --assignor roundrobin --to-end')
  t.is(other.status, 6)
  t.regex(other.stderr, /assigns partitions by 'range', not by 'roundrobin'/)
  const twice = await cli.shell('exec logq consume t -g g --member one --to-end')
  t.is(twice.status, 6)
  t.regex(twice.stderr, new RegExp(`'one' is in the group already, as process ${first.pid}`))
})

test('INT and TERM end an orderly member: what it printed is committed, and it dies of the signal', async (t) => {
  const cli = await filled(t, 1, 5)
  for (const [signal, upTo] of [
    ['SIGINT', 5],
    ['SIGTERM', 6],
  ] as const) {
    const member = cli.start('exec logq consume t -g g --commit-every 1h')
    await member.waitForOutput(`${upTo}\n`, { timeoutMs: 25_000 })
    member.signal(signal)
    t.is((await member.finished).signal, signal)
    t.is(await committed(cli), `0=${upTo}`)
    t.is((await cli.shell('ls store/groups/g/members | wc -l; echo 6 | logq produce t')).stdout.toString(), '0\n')
  }
  t.is(statusOfSignal('SIGINT'), 130)
})

test('a directory of a Kafka broker that is read-only is refused by name', async (t) => {
  const cli = await filled(t, 1, 2)
  await cli.shell('mkdir kafka; cp -r store/t-0 kafka/t-0')
  const done = await cli.shell('exec logq consume t -g g --to-end -s kafka')
  t.true([1, 6].includes(done.status ?? -1), `${done.status} ${done.stderr}`)
  t.is(done.stdout.toString(), '')
  t.is((await cli.shell('ls kafka')).stdout.toString(), 't-0\n')
})
