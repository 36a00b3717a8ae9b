/** `logq digest` proves copies: by JSON lines, by raw batches, with other codecs and batch sizes. */
import test from 'ava'
import { fixture } from '../helpers/project.js'
import { makeCli } from '../helpers/run-cli.js'

const digest = /^[0-9a-f]{64}$/

test('a copy by any pipe has the digest of the original; a changed, missing or moved record has not', async (t) => {
  const cli = makeCli(t)
  const setUp = await cli.shell(
    `logq topic create a --partitions 2 && logq produce a -K: -H source=log && logq topic create json --partitions 2 && logq topic create small --partitions 2 &&
     logq cat a -J | logq produce json -J --keep partition && logq cat a -J | logq produce small -J --keep partition -z gzip --batch-bytes 300 &&
     logq topic create raw --partitions 2 && for p in 0 1; do logq cat a -p $p --format batch | logq produce raw -p $p --format batch; done`,
    { stdin: fixture('access.log').subarray(0, 60_000) },
  )
  t.is(setUp.status, 0, setUp.stderr)
  const lines = (await cli.shell('logq digest a json small raw')).stdout.toString().trimEnd().split('\n')
  const parts = lines.map((line) => line.split('  '))
  t.deepEqual(
    parts.map(([, , topic]) => topic),
    ['a', 'json', 'small', 'raw'],
  )
  t.regex(parts[0]?.[0] ?? '', digest)
  t.deepEqual(new Set(parts.map(([value, count]) => `${value ?? ''} ${count ?? ''}`)).size, 1)

  for (const [change, missing] of [
    ['sed \'1s/"value":"/&x/\'', 0],
    ['tail -n +2', 1],
    ['sed \'s/"partition":0/"partition":1/\'', 0],
  ] as const) {
    await cli.shell(
      `logq topic create other --partitions 2 && logq cat a -J | ${change} | logq produce other -J --keep partition`,
    )
    const other = await cli.shell('logq digest other')
    t.not(other.stdout.toString().slice(0, 64), parts[0]?.[0], change)
    t.is(Number(other.stdout.toString().split('  ')[1]), Number(parts[0]?.[1]) - missing, change)
    await cli.shell('logq topic rm -y other')
  }
})

test('digest -v has a line for each partition, -J one object, -p and -o a part; -q changes nothing', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    'logq topic create a --partitions 2 && seq 10 | logq produce a --partition 0 && seq 5 | logq produce a --partition 1',
  )
  const plain = (await cli.shell('logq digest a -q')).stdout.toString()
  const [zero, one, all] = (await cli.shell('logq digest a -v')).stdout.toString().trimEnd().split('\n')
  t.is(`${all ?? ''}\n`, plain)
  t.regex(zero ?? '', /^[0-9a-f]{64}  10  a-0$/)
  t.regex(one ?? '', /^[0-9a-f]{64}  5  a-1$/)
  const json = JSON.parse((await cli.shell('logq digest a -J')).stdout.toString()) as Record<string, unknown>
  t.deepEqual(json, {
    topic: 'a',
    digest: plain.slice(0, 64),
    recordCount: 15,
    partitions: [
      { partition: 0, digest: zero?.slice(0, 64), recordCount: 10 },
      { partition: 1, digest: one?.slice(0, 64), recordCount: 5 },
    ],
  })
  t.is((await cli.shell('logq digest a -v -p 1 | head -n 1')).stdout.toString(), `${one ?? ''}\n`)
  t.regex((await cli.shell('logq digest a -p 0 -o 2:5')).stdout.toString(), /^[0-9a-f]{64}  3  a\n$/)
})

test('digest of an unknown topic exits 1, of a damaged one 5, of an empty one 0', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create empty; logq topic create a segment.bytes=500; seq 300 | logq produce a --batch-bytes 200')
  t.is((await cli.shell('logq digest nope')).status, 1)
  t.regex((await cli.shell('logq digest empty')).stdout.toString(), /^[0-9a-f]{64}  0  empty\n$/)
  await cli.shell(`printf x | dd of=store/a-0/00000000000000000000.log bs=1 seek=80 conv=notrunc`)
  const done = await cli.shell('logq digest a')
  t.is(done.status, 5)
  t.is(done.stdout.toString(), '')
})
