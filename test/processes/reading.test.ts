/** What cat and tail print of several topics, partitions and segments. Offsets, times and formats have tables in test/command-line. */
import test, { type ExecutionContext } from 'ava'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'

type Row = readonly [command: string, stdout: string, stderr?: RegExp, status?: number]

async function check(t: ExecutionContext, cli: Cli, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 8) {
    await Promise.all(
      rows.slice(from, from + 8).map(async ([command, stdout, stderr, status = 0]) => {
        const done = await cli.shell(`logq ${command}`)
        t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
        if (stderr === undefined) t.is(done.stderr, '', command)
        else t.regex(done.stderr, stderr, command)
        t.is(done.status, status, command)
      }),
    )
  }
}

const words = (text: string) =>
  text
    .split(' ')
    .map((word) => `${word}\n`)
    .join('')

test('several topics and partitions: as given, partitions ascending, an unknown one before anything is printed', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `for n in 0 1 2 3 4 5 6 7 8; do echo "{\\"value\\":\\"r$n\\",\\"timestamp\\":$((1000 + n)),\\"partition\\":$((2 - n % 3))}"; done | logq produce t -J --keep partition --partitions 3
     printf 'x\\ny\\n' | logq produce u --timestamp 1970-01-02`,
  )
  await check(t, cli, [
    ['cat t', words('r2 r5 r8 r1 r4 r7 r0 r3 r6')],
    ['cat u t -p 0', words('x y r2 r5 r8')],
    ['cat t u t -o -1', words('r8 r7 r6 y r8 r7 r6')],
    ['cat t -p 2,0', words('r2 r5 r8 r0 r3 r6')],
    ['cat t -p 0-1', words('r2 r5 r8 r1 r4 r7')],
    ['cat t -p 1,1-2', words('r1 r4 r7 r0 r3 r6')],
    ['cat t -o 1:2', words('r5 r4 r3')],
    ['cat t -n 4', words('r2 r5 r8 r1')],
    // The last records of all partitions, merged by their timestamps.
    ['tail t', words('r0 r1 r2 r3 r4 r5 r6 r7 r8')],
    ['tail t -n 4', words('r5 r6 r7 r8')],
    ['tail t -n 4 -p 0,2', words('r3 r5 r6 r8')],
    ['tail t -n 1 -p 2', words('r6')],
    ['tail t u -n 2', words('r7 r8 x y')],
    ["cat t -p 1 -F '%t %p %o %v %T\\n'", 't 1 0 r1 1001\nt 1 1 r4 1004\nt 1 2 r7 1007\n'],
  ])
})

test('reading goes on where segments end, from any offset, with indexes and without', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=600 index.interval.bytes=100; seq 0 199 | logq produce t --batch-bytes 90')
  const offsets = [0, 1, 17, 50, 99, 100, 150, 198, 199]
  const rows = offsets.map((offset): Row => [
    `cat t -n 2 -o ${offset}`,
    [offset, offset + 1].filter((n) => n < 200).join('\n') + '\n',
  ])
  await check(t, cli, rows)
  await cli.shell('rm store/t-0/*index')
  await check(t, cli, rows)
  await check(t, cli, [['tail -n 2 t', '198\n199\n']])
})

test('cat stops at the end as it was when it began, however busy the topic is', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start('(while :; do yes x | head -n 5000; sleep 0.02; done) | exec logq produce t', {
    timeoutMs: 60_000,
  })
  await cli.shell('for i in $(seq 100); do [ "$(logq cat t 2>/dev/null | head -n 1)" = x ] && exit; sleep 0.05; done')
  for (let round = 0; round < 3; round += 1) {
    const done = await cli.shell('timeout 20 logq cat t | wc -l')
    t.true(Number(done.stdout.toString()) > 0)
    t.is((await cli.shell('timeout 20 logq tail -n 5 t')).stdout.toString(), 'x\nx\nx\nx\nx\n')
  }
  producer.signal('SIGKILL', { group: true })
})

test('topic ls and show print what is there, as text and as JSON', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create b --partitions 2 retention.ms=7d; seq 5 | logq produce a; seq 3 | logq produce b -p 1')
  await check(t, cli, [
    ['topic ls', 'a\nb\n'],
    ['topic ls -q', 'a\nb\n'],
  ])
  const show = await cli.shell('logq topic show b')
  t.regex(
    show.stdout.toString(),
    /^topic +b\ntopic id +\S+\npartitioner +murmur2\nretention\.ms=604800000 .*\n\nPARTITION .*\n +0 +0 +0 +1 +0\n +1 +0 +3 +1 +\d+\n$/,
  )
  const json = JSON.parse((await cli.shell('logq topic show b -J')).stdout.toString()) as Record<string, unknown>
  t.is(json['topic'], 'b')
  const listed = (await cli.shell('logq topic ls -J')).stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  t.deepEqual(
    listed.map(({ topic, partitions, partitioner }) => [topic, partitions, partitioner]),
    [
      ['a', 1, 'murmur2'],
      ['b', 2, 'murmur2'],
    ],
  )
  t.is((await cli.shell(`logq topic show ${shellQuote('a')} -v`)).status, 0)
})
