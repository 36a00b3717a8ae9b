/** logq import --kafka without Kafka: directories that export --kafka made, and what a broker would have appended to them. */
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { appendToKafka, kafkaBatch } from '../helpers/kafka-batches.js'
import { projectRoot } from '../helpers/project.js'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'
import { onSmallDisk } from '../helpers/small-disk.js'

/** Topic `t` of two partitions, and `kafka`, which it was exported to: offsets 0 to 99 of each. */
async function handOver(cli: Cli): Promise<void> {
  const done = await cli.shell(`logq topic create t --partitions 2 segment.bytes=1000
    for p in 0 1; do seq 100 | logq produce t -p $p --batch-bytes 200; done; logq export -q --kafka t kafka`)
  if (done.status !== 0) throw new Error(done.stderr)
}

const same = `cmp <(logq cat t -J) <(logq cat t -J -s kafka) && echo same; logq fsck -q t && echo clean`

test('there and back: what Kafka appended is appended, once, under the same offsets', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  appendToKafka(join(cli.directory, 'kafka/t-0'), [
    { baseOffset: 100, values: ['a', 'b'] },
    { baseOffset: 102, values: ['c'], producerId: 7 },
    { baseOffset: 103, producerId: 7, ends: 'commit' },
    { baseOffset: 104, values: ['d'], leaderEpoch: 5 },
  ])
  const first = await cli.shell(
    `logq import --kafka t kafka -v; ${same}; logq topic show t | tail -n 2; cat store/t-0/leader-epoch-checkpoint`,
  )
  t.regex(first.stdout.toString(), /^same\nclean\n +0 +0 +105 .*\n +1 +0 +100 .*\n0\n1\n0 0\n$/)
  t.regex(
    first.stderr,
    /'t-0': offsets 100 to 105, end excluded, 4 batches.*\n.*'t-1': offsets 100 to 100, .* 0 batches.*\n.*4 batches in 2 partitions were appended/,
  )
  const again = await cli.shell(`logq import --kafka t kafka; ${same}; echo x | logq produce t -p 0 --print-offsets`)
  t.regex(again.stdout.toString(), /^same\nclean\n.*105/)
  t.regex(again.stderr, /0 batches in 2 partitions were appended to topic 't'/)
})

test('a new topic: offsets, batches and epochs as in Kafka, and a new epoch for what is appended', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  appendToKafka(join(cli.directory, 'kafka/t-0'), [{ baseOffset: 100, values: ['a', 'b'], leaderEpoch: 3 }])
  const done = await cli.shell(`cp -r store old; rm -r store; logq import --kafka t kafka; ${same}
    echo mine | logq produce t -p 0; cat store/t-0/leader-epoch-checkpoint; cut -d' ' -f1 store/t-0/leader-epoch-ids; logq fsck -q t && echo clean
    cmp store/t-1/00000000000000000000.log old/t-1/00000000000000000000.log && echo as it was
    logq import -q --kafka copy kafka --from-topic t; cmp <(logq digest t -s kafka | cut -c -64) <(logq digest copy | cut -c -64) && echo same`)
  t.is(done.stdout.toString(), 'same\nclean\n0\n3\n0 0\n3 100\n4 102\n0\n1\n4\nclean\nas it was\nsame\n', done.stderr)
  t.regex(done.stderr, /^logq import: topic 't' was created with \d+ batches in 2 partitions\n/)
})

test('what a broker wrote: control batches, gaps, a log start, every codec', async (t) => {
  const cli = makeCli(t)
  const kafka = shellQuote(join(projectRoot, 'test/fixtures/kafka'))
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const topic = `kafka-${codec}`
    const done = await cli.shell(`logq import -q --kafka ${topic} ${kafka} && logq fsck -q ${topic} && echo clean
      cmp <(logq cat ${topic} -J) <(logq cat ${topic} -J -s ${kafka}) && echo same; cat store/${topic}-0/known-gaps
      echo x | logq produce ${topic}; logq fsck -q ${topic} && echo clean; logq cat ${topic} | tail -n 1`)
    t.is(done.stdout.toString(), 'clean\nsame\n0\n1\n52 59\nclean\nx\n', done.stderr)
  }
  const back =
    await cli.shell(`logq import -q --kafka new ${kafka} --from-topic kafka-none; logq export -q --kafka new out && ls out/new-0
    cmp <(logq cat new -J) <(logq cat new -J -s out) && echo same`)
  const [names, ends] = back.stdout.toString().split('leader-epoch-checkpoint\n')
  t.is(ends, 'same\n')
  // The broker has to build the indexes of the segment with the ends of transactions.
  t.deepEqual(names?.match(/\.[a-z]+$/gm)?.sort(), ['.index', '.log', '.log', '.timeindex'])
})

test('offsets that compaction took: a few are known gaps, many make a compacted topic', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    'seq 3 | logq produce few; logq export -q --kafka few kafka; seq 3 | logq produce many; logq export -q --kafka many kafka2; rm -r store',
  )
  appendToKafka(
    join(cli.directory, 'kafka/few-0'),
    [3, 7, 9].map((baseOffset) => ({ baseOffset, values: ['x'] })),
  )
  appendToKafka(
    join(cli.directory, 'kafka2/many-0'),
    Array.from({ length: 1200 }, (_, n) => ({ baseOffset: 3 + 2 * n, values: ['x'] })),
  )
  const done =
    await cli.shell(`logq import -q --kafka few kafka; cat store/few-0/known-gaps; logq cat few | wc -l; logq fsck -q few && echo clean
    logq import -q --kafka many kafka2; ls store/many-0/known-gaps; logq topic show many | grep -c cleanup.policy; logq cat many | wc -l; logq fsck -q many && echo clean`)
  t.is(done.stdout.toString(), '0\n2\n4 7\n8 9\n6\nclean\n1\n1203\nclean\n')
  t.regex(done.stderr, /'many' has many missing offsets, and was created with cleanup\.policy=compact/)
})

test('an open transaction is named and nothing is taken', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  appendToKafka(join(cli.directory, 'kafka/t-1'), [
    { baseOffset: 100, values: ['a'], producerId: 3 },
    { baseOffset: 101, values: ['b', 'c'], producerId: 4 },
    { baseOffset: 103, producerId: 3, ends: 'abort' },
  ])
  const done = await cli.shell(
    `logq import --kafka t kafka; echo $?; logq import --kafka new kafka --from-topic t; echo $?; logq topic ls; ls -A store; logq topic show t | tail -n 1`,
  )
  t.regex(done.stdout.toString(), /^6\n6\nt\nlock\nlogq.json\nt-0\nt-1\ntopics\n +1 +0 +100 /)
  t.regex(done.stderr, /'t-1' ends in an open transaction, of producer id 4, from offset 101 on\n {2}hint: end it in Kafka/)
})

test('where the two differ nothing is appended, and the first difference is named', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  const before = (await cli.shell('logq digest t -v')).stdout.toString()
  const kafka = join(cli.directory, 'kafka')
  const log = join(
    kafka,
    't-1',
    readdirSync(join(kafka, 't-1'))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1) ?? '',
  )
  appendToKafka(join(kafka, 't-0'), [{ baseOffset: 100, values: ['a'] }])
  const whole = readFileSync(log)
  const refused = async (message: RegExp) => {
    const done = await cli.shell('logq import --kafka t kafka; echo $?; logq digest t -v')
    t.is(done.stdout.toString(), `6\n${before}`, done.stderr)
    t.regex(done.stderr, message)
  }
  // The last batch is another one of the same offsets.
  const lastBatch = whole.lastIndexOf(Buffer.from([2]), whole.length - 60)
  t.true(lastBatch > 0)
  const base = Number(/(\d+)\.log$/.exec(log)?.[1])
  writeFileSync(log, kafkaBatch({ baseOffset: base, values: Array.from({ length: 100 - base }, () => 'other') }))
  await refused(
    new RegExp(
      `'t-1' differs from Kafka's log at offset ${base}\\n {2}hint: nothing was appended; import it under another name`,
    ),
  )
  writeFileSync(log, '')
  await refused(new RegExp(`'t-1' goes on to offset 99, and ends at offset ${base} in Kafka`))
  writeFileSync(log, whole)
  await cli.shell('echo mine | logq produce t -p 0; logq import --kafka t kafka')
  const done = await cli.shell('logq import --kafka t kafka')
  t.is(done.status, 6)
  t.regex(done.stderr, /'t-0' differs from Kafka's log at offset 100/)
})

test('an offset that is missing in what Kafka appended ends the append there', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  appendToKafka(join(cli.directory, 'kafka/t-0'), [
    { baseOffset: 100, values: ['a'] },
    { baseOffset: 103, values: ['b'] },
    { baseOffset: 104, values: ['c'] },
  ])
  const done = await cli.shell('logq import --kafka t kafka; echo $?; logq fsck -q t; echo $?')
  t.is(done.stdout.toString(), '6\n0\n', done.stderr)
  t.regex(done.stderr, /'t-0' ends at offset 101, not at 103/)
})

test("damage in Kafka's log, a partition that is elsewhere, a full disk: the topic does not come into being", async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  await cli.shell('rm -r store; logq topic create other; cp -r kafka damaged; cp -r kafka part; rm -r part/t-0')
  const log = join(cli.directory, 'damaged/t-1/00000000000000000000.log')
  const bytes = readFileSync(log)
  bytes.writeUInt8(bytes.readUInt8(300) ^ 1, 300)
  writeFileSync(log, bytes)
  const left = 'logq topic ls; ls -A store'
  const nothing = 'other\nlock\nlogq.json\nother-0\ntopics\n'
  const damaged = await cli.shell(`logq import --kafka t damaged; echo $?; ${left}`)
  t.is(damaged.stdout.toString(), `5\n${nothing}`)
  t.regex(damaged.stderr, /'t-1' is damaged/)
  const part = await cli.shell(
    `logq import --kafka t part; echo $?; logq import --kafka t store; echo $?; logq import --kafka t nowhere; echo $?; ${left}`,
  )
  t.is(part.stdout.toString(), `1\n2\n1\n${nothing}`)
  t.regex(part.stderr, /partition 0 of topic 't' is not in 'part'[^]*'store' is a store of logq, not a log directory of Kafka/)
  const failed = await cli.shell(
    `LOGQ_FAILPOINT=topic-create.before-commit=throw:EIO logq import --kafka t kafka; echo $?; ${left}`,
  )
  t.is(failed.stdout.toString(), `1\n${nothing}`)
  if ((await cli.shell(onSmallDisk('64k', 'true'))).status === 0) {
    const full = await cli.shell(
      onSmallDisk(
        '300k',
        'cp -r store disk/s; seq 100000 | logq produce big -s $PWD/big; logq export -q --kafka big out -s $PWD/big; logq import -s disk/s --kafka big out; echo $?; ls -A disk/s',
      ),
    )
    t.is(full.stdout.toString(), `1\n${nothing.slice('other\n'.length)}`)
    t.regex(full.stderr, /no space left on device|the disk may be full/)
  } else t.log('left out: no tmpfs can be mounted here')
})

for (const failpoint of [
  'copy.before-segment=kill@2',
  'kafka-import.after-partition=kill',
  'topic-create.after-intent=kill',
  'topic-import.after-rename=kill',
  'topic-create.before-commit=kill',
]) {
  test(`killed at ${failpoint}: the topic is not there, the next import makes it, and nothing is left over`, async (t) => {
    const cli = makeCli(t)
    await handOver(cli)
    rmSync(cli.store, { recursive: true })
    const done = await cli.shell(`LOGQ_FAILPOINT=${failpoint} logq import -q --kafka t kafka; echo $?; logq topic ls
      logq import -q --kafka t kafka; ${same}; ls -A store store/topics | tr '\\n' ' '`)
    t.is(done.stdout.toString(), '137\nsame\nclean\nstore: lock logq.json t-0 t-1 topics  store/topics: t.json ', done.stderr)
  })
}

test('killed while it appends the rest: the next import goes on from there', async (t) => {
  const cli = makeCli(t)
  await handOver(cli)
  appendToKafka(
    join(cli.directory, 'kafka/t-0'),
    Array.from({ length: 20 }, (_, n) => ({ baseOffset: 100 + n, values: ['x'] })),
  )
  const done =
    await cli.shell(`LOGQ_FAILPOINT=kafka-import.after-append=kill@7 logq import -q --kafka t kafka; echo $?; logq topic show t | grep -c ' 107 '
    logq import -q --kafka t kafka; ${same}`)
  t.is(done.stdout.toString(), '137\n1\nsame\nclean\n', done.stderr)
})
