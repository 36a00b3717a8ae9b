/** Topics that are changed, removed and made anew while other processes produce and follow. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

/** A slow endless source: a numbered line every few ms. */
const source = 'n=0; while :; do n=$((n+1)); echo "line $n"; sleep 0.005; done'

test('topic rm ends a running producer with status 1, naming what was not written', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start(`( ${source} ) | logq produce t; echo "status \${PIPESTATUS[1]}"`)
  await cli.shell('while ! logq cat t 2>/dev/null | grep -q "line 20"; do sleep 0.1; done')
  const removed = await cli.shell('logq topic rm -y t && logq topic ls')
  t.is(removed.stderr, '')
  t.is(removed.stdout.toString(), '')
  await producer.waitForOutput('status 1')
  t.regex(producer.stderr(), /records from line \d+ of 'stdin' on were not written; \d+ records were appended before/)
  t.regex(producer.stderr(), /removed/)
  producer.signal('SIGKILL', { group: true })
  const left = await cli.shell('ls -A store; ls -A store/topics')
  t.is(left.stdout.toString(), 'lock\nlogq.json\ntopics\n')
})

test('every record that a producer did not name as unwritten was in the topic when it was removed', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start(`( ${source} ) | logq produce t --linger 200ms; echo "status \${PIPESTATUS[1]}"`)
  const tail = await waitForTopic(cli, 't')
  await tail.waitForOutput('line 50\n', { timeoutMs: 60_000 })
  await cli.shell('logq topic rm -y t && logq topic create t')
  await producer.waitForOutput('status 1')
  const match = /records from line (\d+) of 'stdin' on were not written; (\d+) records were appended/.exec(producer.stderr())
  t.truthy(match, producer.stderr())
  t.is(Number(match?.[1]), Number(match?.[2]) + 1)
  // Nothing of the old producer is in the successor.
  const after = await cli.shell('logq cat t')
  t.is(after.stdout.toString(), '')
  producer.signal('SIGKILL', { group: true })
})

test('tail -f says that its topic was removed, and reads the successor from its start', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t')
  const tail = cli.start('exec logq tail -f t')
  await tail.waitForOutput('5\n')
  await cli.shell('logq topic rm -y t')
  await tail.waitForOutput(/topic 't' was removed/, { stream: 'stderr' })
  await cli.shell('seq 101 103 | logq produce t')
  await tail.waitForOutput('103\n')
  tail.signal('SIGTERM')
  const done = await tail.finished
  t.is(done.signal, 'SIGTERM')
  t.is(done.stdout.toString(), '1\n2\n3\n4\n5\n101\n102\n103\n')
  t.regex(done.stderr, /created anew/)
})

test('tail -f notices a removal and creation in one breath', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t')
  const tail = cli.start('exec logq tail -f t')
  await tail.waitForOutput('5\n')
  await cli.shell('logq topic rm -y t; seq 11 19 | logq produce t')
  await tail.waitForOutput('19\n')
  tail.signal('SIGTERM')
  const done = await tail.finished
  t.is(done.stdout.toString(), '1\n2\n3\n4\n5\n11\n12\n13\n14\n15\n16\n17\n18\n19\n')
})

test('topic rm and create under fire, many times: every line is in one incarnation or named as unwritten', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t')
  const tail = cli.start('exec logq tail -f t -o start')
  const rounds = 8
  const done = await cli.shell(
    `for round in $(seq ${rounds}); do
       (for n in $(seq 30); do echo "$round $n"; sleep 0.01; done | logq produce t --no-create 2>>errors) & a=$!
       sleep 0.\${round}; logq topic rm -y t && logq topic create t || echo failed; wait $a
     done`,
    { timeoutMs: 60_000 },
  )
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '')
  await cli.shell('echo last | logq produce t')
  await tail.waitForOutput('last\n')
  tail.signal('SIGINT')
  const { stdout, stderr } = await tail.finished
  const seen = stdout.toString().trimEnd().split('\n')
  t.is(new Set(seen).size, seen.length)
  t.true((stderr.match(/created anew/g) ?? []).length >= 1)
})

test('topic set segment.bytes is obeyed by a running producer within a second or so', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start(`( ${source} ) | exec logq produce t`)
  const tail = await waitForTopic(cli, 't')
  await tail.waitForOutput('line 5\n')
  t.is((await cli.shell('ls store/t-0/*.log | wc -l')).stdout.toString().trim(), '1')
  await cli.shell('logq topic set t segment.bytes=1000')
  await cli
    .shell('for i in $(seq 50); do [ $(ls store/t-0/*.log | wc -l) -gt 3 ] && exit; sleep 0.1; done; exit 1')
    .then((done) => {
      t.is(done.status, 0)
    })
  producer.signal('SIGKILL', { group: true })
})

test('topic add-partitions is noticed by a running producer and a running tail -f', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start(`( ${source} ) | exec logq produce t`)
  await waitForTopic(cli, 't')
  const tail = cli.start(`exec logq tail -f t -n 0 -F '%p %v\\n'`)
  await tail.waitForOutput(/^0 line/)
  const added = await cli.shell('logq topic add-partitions t 3')
  t.is(added.status, 0)
  await tail.waitForOutput(/^1 line/m)
  await tail.waitForOutput(/^2 line/m)
  producer.signal('SIGKILL', { group: true })
})

/** A follower of a topic that a producer is about to make. */
async function waitForTopic(cli: ReturnType<typeof makeCli>, topic: string): Promise<ReturnType<typeof cli.start>> {
  await cli.shell(`for i in $(seq 100); do logq topic ls 2>/dev/null | grep -q '^${topic}$' && exit; sleep 0.05; done; exit 1`)
  return cli.start(`exec logq tail -f ${topic} -o start`)
}

test('topic set compression.type is obeyed by a running producer', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t')
  const producer = cli.start(`( ${source} ) | logq produce t`)
  await cli.shell('while ! logq cat t | grep -q "line 20"; do sleep 0.1; done; logq topic set t compression.type=gzip')
  // The lower three bits of the attributes (bytes 21 and 22 of a batch) are the codec: 1 is gzip.
  const codecs = "logq cat t --format batch -o -1 2>/dev/null | od -An -tu1 -j22 -N1 | tr -d ' '"
  const seen = await cli.shell(`while [ "$(${codecs})" != 1 ]; do sleep 0.1; done; echo gzip`, { timeoutMs: 20_000 })
  t.is(seen.stdout.toString(), 'gzip\n')
  producer.signal('SIGKILL', { group: true })
})
