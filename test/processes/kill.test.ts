/** A producer that is killed at any moment leaves a store that the next command opens without help; every printed offset is there. */
import test from 'ava'
import { judge, wholeLines } from '../helpers/judge-store.js'
import { killRounds, killedWhile, numberedLines } from '../helpers/kill-rounds.js'
import { makeCli } from '../helpers/run-cli.js'

const lines = numberedLines(20_000)

for (const [title, settings] of killedWhile) {
  test(`a producer killed at random moments ${title} loses nothing that it acknowledged`, (t) => killRounds(t, settings, 4))
}

test('producers killed one after the other on the same partition leave each acknowledged line once', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=20000')
  const acknowledged = new Map<string, string>()
  for (let round = 0; round < 4; round += 1) {
    const own = lines.slice(0, 4000).map((line) => `${round} ${line}`)
    const producer = cli.start('exec logq produce t --print-offsets --batch-bytes 900', { stdin: 'open' })
    producer.write(`${own.join('\n')}\n`)
    await producer.waitForOutput('@', { timeoutMs: 5000 })
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60))
    producer.signal('SIGKILL')
    const done = await producer.finished
    for (const [n, place] of wholeLines(done.stdout).entries()) {
      t.false(acknowledged.has(place))
      acknowledged.set(place, own[n] ?? '')
    }
  }
  const all = await cli.shell("logq cat t -F 't:%p@%o %v\\n'")
  t.is(all.stderr, '')
  const present = new Map(
    all.stdout
      .toString()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  )
  for (const [place, line] of acknowledged) t.is(present.get(place), line)
  t.true(acknowledged.size > 4)
})

const failpoints = [
  'append.before-write',
  'append.after-write',
  'append.after-index',
  'sync.before',
  'sync.after',
  'roll.after-invalidate',
  'roll.after-time-index',
  'roll.after-sync',
  'roll.after-create',
  'segment.before-create',
  'segment.after-create',
] as const

for (const failpoint of failpoints) {
  test(`a producer killed at ${failpoint} leaves a store that the next command opens without help`, async (t) => {
    const cli = makeCli(t)
    for (const nth of [1, 3]) {
      const topic = `t${nth}`
      await cli.shell(`logq topic create ${topic} segment.bytes=3000 index.interval.bytes=100`)
      const input = lines.slice(0, 200)
      const done = await cli.shell(
        `head -n 200 | LOGQ_FAILPOINT=${failpoint}=kill@${nth} logq produce ${topic} --print-offsets --batch-bytes 500`,
        {
          stdin: `${input.join('\n')}\n`,
        },
      )
      t.true(
        done.status === 137 || (failpoint.startsWith('sync') && nth > 1),
        `${failpoint}@${nth}: ${String(done.status)} ${done.stderr}`,
      )
      t.is(await judge(cli, topic, wholeLines(done.stdout), input), undefined, `${failpoint}@${nth}`)
    }
    t.is((await cli.shell("find store -name '.tmp-*' -path '*-0/*'")).stdout.toString(), '')
  })
}

test('no offset is printed before its record was synced', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `seq 3 | LOGQ_FAILPOINT=sync.before=kill logq produce t --print-offsets; echo $?
     { echo 4; exec sleep 2; } | LOGQ_FAILPOINT=sync.before=kill logq produce t --print-offsets; echo $?; logq cat t`,
  )
  t.is(done.stdout.toString(), '137\n137\n1\n2\n3\n4\n', done.stderr)
})

for (const [failpoint, command, expected] of [
  ['store.before-file', 'logq topic create t', ''],
  ['create.after-directory', 'logq topic create t --partitions 2', ''],
  ['create.after-recovery-point', 'logq topic create t', ''],
  ['create.after-leader-epoch', 'logq topic create t', ''],
  ['create.after-segment', 'logq topic create t --partitions 2', ''],
  ['create.after-segment', 'echo x | logq produce t', ''],
  ['topic-create.after-intent', 'logq topic create t', ''],
  ['topic-create.before-commit', 'logq topic create t', ''],
  ['topic-add-partitions.before-commit', 'echo old | logq produce t; logq topic add-partitions t 3', 'old\n'],
  ['topic-rm.after-intent', 'seq 9 | logq produce t; logq topic rm -y t', ''],
  ['topic-rm.after-mark', 'seq 9 | logq produce t; logq topic rm -y t', ''],
  ['topic-rm.after-rename', 'seq 9 | logq produce t --partitions 1; logq topic rm -y t', ''],
  ['topic-rm.before-end', 'seq 9 | logq produce t; logq topic rm -y t', ''],
] as const) {
  test(`'${command}' killed at ${failpoint}: the topic is there or not, and can be made, written and removed`, async (t) => {
    const cli = makeCli(t)
    const killed = await cli.shell(command, { env: { LOGQ_FAILPOINT: `${failpoint}=kill` } })
    t.is(killed.status, 137, killed.stderr)
    const next = await cli.shell(
      `{ logq topic ls 2>/dev/null | grep -qx t && logq cat t; }; echo new | logq produce t && logq cat t && logq topic rm -y t && logq topic create t --partitions 3 &&
       seq 30 | logq produce t && logq cat t | wc -l`,
    )
    t.is(next.stderr, '')
    t.is(next.stdout.toString(), `${expected}${expected}new\n30\n`)
    const left = await cli.shell('ls -A store | sort; ls -A store/topics')
    t.is(left.stdout.toString(), 'lock\nlogq.json\nt-0\nt-1\nt-2\ntopics\nt.json\n')
  })
}
