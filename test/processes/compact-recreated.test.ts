/** What others do while a compaction waits or is under way: a topic that is removed and made anew, retained, or not compacted any more. */
import test from 'ava'
import { processState, until } from '../helpers/until.js'
import { makeCli } from '../helpers/run-cli.js'

test('a topic that is made anew while compact waits for its lock keeps its records', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t segment.bytes=1000 cleanup.policy=compact; seq 300 | sed 's/^/k:/' | logq produce t -K: --batch-bytes 300`,
  )
  const first = cli.start('LOGQ_FAILPOINT=compact.after-note=stop exec logq compact t --min-dirty 0')
  await until('it is stopped', () => processState(first.pid) === 'T')
  const second = cli.start('exec logq compact t --min-dirty 0')
  await second.waitForOutput(/waiting for/, { stream: 'stderr', timeoutMs: 60_000 })
  const made = await cli.shell(
    'logq topic rm -y t && logq topic create t segment.bytes=1000 && seq 300 | logq produce t --batch-bytes 300; logq cat t | wc -l',
  )
  t.is(made.stdout.toString(), '300\n', made.stderr)
  first.signal('SIGKILL')
  const done = await second.finished
  t.is(done.status, 1, done.stderr)
  t.regex(done.stderr, /cleaner-lock' was removed/)
  t.is((await cli.shell('logq cat t | wc -l; logq fsck t > /dev/null 2>&1; echo $?')).stdout.toString(), '300\n0\n')
})

for (const [what, other, status, expected] of [
  ['a compaction that retain overtakes begins again', 'logq retain t -q --max-size 1 > /dev/null', 0, '300\n'],
  [
    'a topic that ceases to be compacted in mid-run keeps its records',
    'logq topic set t cleanup.policy=delete',
    6,
    Array.from({ length: 300 }, (_, n) => `${n + 1}\n`).join(''),
  ],
] as const) {
  test(what, async (t) => {
    const cli = makeCli(t)
    await cli.shell(
      `logq topic create t segment.bytes=1000 cleanup.policy=compact,delete; seq 300 | sed 's/^/k:/' | logq produce t -K: --batch-bytes 300`,
    )
    const compacting = cli.start(
      'LOGQ_FAILPOINT=compact.after-count=stop exec logq compact t -q --min-dirty 0 --include-active',
    )
    await until('it is stopped', () => processState(compacting.pid) === 'T')
    const beside = await cli.shell(other)
    t.is(beside.status, 0, beside.stderr)
    compacting.signal('SIGCONT')
    const done = await compacting.finished
    t.is(done.status, status, done.stderr)
    const left = await cli.shell('logq cat t; logq fsck t > /dev/null 2>&1 || echo damaged')
    t.is(left.stdout.toString(), expected, left.stderr)
  })
}
