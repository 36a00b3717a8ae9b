/**
 * The append, roll, creation and recovery paths of the built program, killed before each system call. After every kill the next
 * command opens the store without help, and what was acknowledged is there.
 */
import test, { type ExecutionContext } from 'ava'
import { everyCrashPoint, killedAt, straceMissing, topicPaths, wasKilled } from '../helpers/crash-points.js'
import { judge, wholeLines } from '../helpers/judge-store.js'
import { makeCli } from '../helpers/run-cli.js'

const missing = straceMissing()
const lines = Array.from({ length: 12 }, (_, n) => `line ${n} ${'z'.repeat(20)}`)
const input = `${lines.join('\n')}\n`
const offsets = Array.from({ length: 20 }, (_, n) => n)
const timeoutMs = 60_000

function withStrace(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  test(title, async (t) => {
    if (missing === undefined) {
      await run(t)
    } else {
      t.log(`left out: ${missing}`)
      t.pass()
    }
  })
}

withStrace('killed before each system call of appends and rolls', async (t) => {
  const cli = makeCli(t)
  const count = await everyCrashPoint(async (point, round) => {
    const topic = `t${round}`
    const command = `logq produce ${topic} --print-offsets --batch-bytes 60`
    const script = killedAt(point, topicPaths(cli, topic, 1, offsets), command)
    const done = await cli.shell(`logq topic create ${topic} segment.bytes=300 index.interval.bytes=60; ${script}`, {
      stdin: input,
      timeoutMs,
    })
    const acknowledged = wholeLines(done.stdout)
    t.is(await judge(cli, topic, acknowledged, lines), undefined, `${point.call} ${point.nth}`)
    if (!wasKilled(done)) t.is(acknowledged.length, lines.length)
    return wasKilled(done)
  })
  t.log(`${count} crash points`)
  t.true(count > 60)
})

withStrace('killed before each system call of a first produce, which makes store and topic', async (t) => {
  const cli = makeCli(t)
  const count = await everyCrashPoint(async (point) => {
    const script = killedAt(point, topicPaths(cli, 't', 1, [0]), 'logq produce t --print-offsets')
    const done = await cli.shell(`rm -rf ${cli.store}; ${script}`, {
      stdin: input,
      timeoutMs,
    })
    t.is(await judge(cli, 't', wholeLines(done.stdout), lines), undefined, `${point.call} ${point.nth}`)
    return wasKilled(done)
  })
  t.log(`${count} crash points`)
  t.true(count > 30)
})

for (const [what, damage] of [
  ['a torn batch', 'truncate -s -7 store/$topic-0/*.log'],
  ['a state block that does not agree', 'truncate -s -1 store/$topic-0/lock'],
  ['lost indexes', 'rm store/$topic-0/*index; truncate -s 0 store/$topic-0/lock'],
  ['lost leader epochs and a torn batch', 'rm store/$topic-0/leader-epoch*; truncate -s -1 store/$topic-0/*.log'],
] as const) {
  withStrace(`recovery from ${what}, killed before each system call, twice in a row`, async (t) => {
    const cli = makeCli(t)
    const count = await everyCrashPoint(async (point, round) => {
      const topic = `t${round}`
      const script = killedAt(point, topicPaths(cli, topic, 1, [0]), `logq produce ${topic}`)
      const before = await cli.shell(
        `topic=${topic}; logq topic create $topic index.interval.bytes=60; head -n 5 | logq produce $topic --batch-bytes 60 --print-offsets
         echo torn | LOGQ_FAILPOINT=append.after-index=kill logq produce $topic; ${damage}`,
        { stdin: input },
      )
      t.is(before.status, 0)
      const killed = await cli.shell(script, { stdin: 'more\n', timeoutMs })
      const again = await cli.shell(script, { stdin: 'more\n', timeoutMs })
      const next = await cli.shell(`echo afterwards | logq produce ${topic} && logq cat ${topic} -F '${topic}:%p@%o %v\\n'`)
      t.is(next.stderr, '', `${point.call} ${point.nth}`)
      const records = next.stdout.toString().trimEnd().split('\n')
      for (const [n, record] of records.entries()) t.true(record.startsWith(`${topic}:0@${n} `), record)
      const values = records.map((record) => record.slice(record.indexOf(' ') + 1))
      t.deepEqual(values.slice(0, 5), lines.slice(0, 5), `${point.call} ${point.nth}`)
      t.is(values.at(-1), 'afterwards')
      t.deepEqual(
        values.slice(5, -1).filter((value) => value !== 'more' && value !== 'torn'),
        [],
      )
      t.true(values.filter((value) => value === 'more').length <= 2)
      return wasKilled(killed) || wasKilled(again)
    })
    t.log(`${count} crash points`)
    t.true(count > 10)
  })
}

for (const [what, command, prepare] of [
  ['topic create', 'topic create t --partitions 2', 'logq topic create other'],
  ['topic rm', 'topic rm -y t', 'seq 9 | logq produce t --partitions 2'],
  ['topic add-partitions', 'topic add-partitions t 2', 'logq topic create t'],
  ['topic set', 'topic set t retention.ms=1d', 'logq topic create t --partitions 2'],
] as const) {
  withStrace(`${what}, killed before each system call: it is done or not, and the next commands work`, async (t) => {
    const cli = makeCli(t)
    const count = await everyCrashPoint(async (point) => {
      const script = killedAt(point, topicPaths(cli, 't', 2, [0]), `logq ${command}`)
      const killed = await cli.shell(`rm -rf ${cli.store}; ${prepare}; ${script}`, { timeoutMs })
      const next = await cli.shell(
        `logq cat t 2>/dev/null | wc -l; logq topic ls > names; echo new | logq produce t && logq cat t | grep -c new && logq topic rm -y t && logq topic create t --partitions 3 &&
         seq 30 | logq produce t && logq cat t | wc -l; logq topic ls | tr '\\n' ' '; ls -A store | grep removed`,
      )
      t.is(next.stderr, '', `${point.call} ${point.nth}`)
      t.regex(next.stdout.toString(), /^[09]\n1\n30\n(other )?t $/, `${point.call} ${point.nth}`)
      return wasKilled(killed)
    })
    t.log(`${count} crash points`)
    t.true(count > 5)
  })
}
