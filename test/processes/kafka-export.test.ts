/**
 * logq export --kafka without Kafka: what the directories hold, compared byte by byte with the store, and what is left when
 * something is in the way. test/kafka gives such directories to a real broker.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatLogStartOffset } from '../../lib/log/log-start-offset.js'
import { PartitionLock } from '../../lib/log/partition-lock.js'
import { RecordBatch, peekBatchSize } from '../../lib/record/batch.js'
import { createNodeSystem } from '../../lib/system/node-system.js'
import { makeCli, statusOfSignal, type Cli } from '../helpers/run-cli.js'
import { onSmallDisk } from '../helpers/small-disk.js'

/**
 * Topic `t`: partition 0 has many small segments, every codec, headers, nulls, records without a time, and a second leader epoch,
 * which a recovery began; 1 has one record; 2 has none.
 */
async function fill(cli: Cli): Promise<void> {
  const done = await cli.shell(`set -e
    logq topic create t --partitions 3 segment.bytes=4000 index.interval.bytes=500
    for z in none gzip snappy lz4 zstd; do seq -f "a text of some length %g" 300 | logq produce t -p 0 -z $z --batch-bytes 400; done
    printf '%s\\n' '{"key":null,"value":null,"headers":[{"key":"h","value":null},{"key":"h","value":"x"}]}' '{"key":"","value":"","timestamp":-1}' |
      logq produce t -J -p 0
    echo one | logq produce t -p 1
    echo lost | logq produce t -p 0 --acks 0; echo lost | logq produce t -p 0 --acks 0`)
  if (done.status !== 0) throw new Error(done.stderr)
  const log = segments(join(cli.store, 't-0'), '.log').at(-1)
  if (log === undefined) throw new Error('no segment')
  const bytes = readFileSync(log)
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 80) ^ 0xff, bytes.length - 80)
  writeFileSync(log, bytes)
  const epoch = await cli.shell(`rm store/t-0/lock; cp store/t-1/lock store/t-0/lock; echo x | logq produce t -p 0
    seq 300 | logq produce t -p 0 --batch-bytes 100; cat store/t-0/leader-epoch-checkpoint`)
  if (!epoch.stdout.toString().includes('\n1 ')) throw new Error(epoch.stderr)
}

function segments(directory: string, suffix: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(suffix))
    .map((name) => join(directory, name))
}

function batchesOf(path: string): RecordBatch[] {
  const bytes = readFileSync(path)
  const batches: RecordBatch[] = []
  for (let start = 0; start < bytes.length;) {
    const sizeBytes = peekBatchSize(bytes, start, bytes.length - start)
    batches.push(new RecordBatch(bytes.subarray(start, start + sizeBytes)))
    start += sizeBytes
  }
  return batches
}

const withoutEpoch = ({ bytes }: RecordBatch) =>
  `${Buffer.from(bytes).toString('hex', 0, 12)} ${Buffer.from(bytes).toString('hex', 16)}`

test('segments and indexes are those of the store, in leader epoch 0', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const done = await cli.shell('logq export --kafka t out')
  t.is(done.status, 0, done.stderr)
  t.is(done.stdout.toString(), '')
  t.true(segments(join(cli.store, 't-0'), '.log').length > 5)
  let epochs = new Set<number>()
  for (const log of segments(join(cli.store, 't-0'), '.log')) {
    const copy = log.replace(cli.store, join(cli.directory, 'out'))
    const [own, copied] = [batchesOf(log), batchesOf(copy)]
    epochs = new Set([...epochs, ...own.map((batch) => batch.partitionLeaderEpoch)])
    t.deepEqual(copied.map(withoutEpoch), own.map(withoutEpoch))
    t.true(copied.every((batch) => batch.partitionLeaderEpoch === 0 && batch.crcMatches()))
    for (const suffix of ['.index', '.timeindex']) {
      const index = readFileSync(log.replace('.log', suffix))
      const copyOfIndex = readFileSync(copy.replace('.log', suffix))
      const isActive = log === segments(join(cli.store, 't-0'), '.log').at(-1)
      // The last segment gets the entry that a roll, or a clean shutdown of Kafka, would write.
      if (isActive && suffix === '.timeindex') t.deepEqual(copyOfIndex.subarray(0, index.length), index)
      else t.deepEqual(copyOfIndex, index, copy)
    }
  }
  t.deepEqual(
    [...epochs].sort((a, b) => a - b),
    [0, 1],
  )
  const { stdout } = await cli.shell(`for p in 0 1 2; do cat out/t-$p/leader-epoch-checkpoint; done
    ls -A out; cat out/t-*/* | wc -c > /dev/null; ls -A out/t-2; find out -type f ! -name '*.log' ! -name '*index' ! -name leader-epoch-checkpoint
    cmp <(logq cat t -J) <(logq cat t -J -s out) && echo same; cmp <(logq digest t -v) <(logq digest t -v -s out) && echo same
    logq dump t -s out -q > dumped && echo dumped; logq fsck -q -s out && echo clean`)
  t.is(
    stdout.toString(),
    '0\n1\n0 0\n'.repeat(3) +
      't-0\nt-1\nt-2\n00000000000000000000.index\n00000000000000000000.log\n00000000000000000000.timeindex\nleader-epoch-checkpoint\n' +
      'same\nsame\ndumped\nclean\n',
  )
})

test('while others append: a prefix that ends at a batch, whole', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 1000 | logq produce t --partitions 2 --batch-bytes 100')
  const producer = cli.start('seq 40000 | logq produce t --rate 20000 --batch-bytes 2000', { timeoutMs: 120_000 })
  const script = `for n in 1 2; do logq export -q --kafka t out$n && logq fsck -q -s out$n && echo whole; done
    for p in 0 1; do logq cat t -p $p -s out2 > copy; cmp <(logq cat t -p $p -n $(wc -l < copy)) copy && test -s copy && echo prefix; done`
  const done = await cli.shell(script, { timeoutMs: 120_000 })
  t.is(done.stdout.toString(), 'whole\nwhole\nprefix\nprefix\n', done.stderr)
  t.is((await producer.finished).status, 0)
})

test('records below the log start are left out up to the batch that holds it', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t --partitions 3; for n in 1 2 3 4; do for p in 0 1 2; do seq 10 | logq produce t -p $p; done; done`,
  )
  for (const [partition, offset] of [20, 25, 40].entries())
    writeFileSync(join(cli.store, `t-${partition}`, 'log-start-offset'), formatLogStartOffset(offset))
  const done =
    await cli.shell(`logq export --kafka t out; ls out/t-*/*.log; tail -qn 1 out/*/leader-epoch-checkpoint; logq fsck -q -s out && echo clean
    logq cat t -s out -F '%p %o\\n' | sed -n '1p;20p;21p;$p'`)
  t.is(
    done.stdout.toString(),
    `${[20, 20, 40].map((base, partition) => `out/t-${partition}/${String(base).padStart(20, '0')}.log\n`).join('')}0 20\n0 20\n0 40\nclean\n0 20\n0 39\n1 20\n1 39\n`,
  )
  t.regex(
    done.stderr,
    /^logq export: 't-1' starts at offset 25, within a batch: the deleted records from offset 20 on are readable in Kafka\n {2}hint: .*kafka-delete-records.sh, up to offset 25\n/,
  )
})

test('batches that Kafka would not take from a producer are named, with the setting', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `seq 3 | logq produce t; head -c 1100000 /dev/zero | tr '\\0' x | logq produce t; logq export --kafka t out; ls out`,
  )
  t.is(done.stdout.toString(), 't-0\n')
  t.regex(
    done.stderr,
    /^logq export: 't-0' has 1 batches above 1048588 bytes, the largest of (\d+) bytes at offset 3\n {2}hint: set max.message.bytes=\1 on the topic .*\n.*\n.* --config retention.ms=-1 --config max.message.bytes=\1\n$/,
  )
})

test('what fails leaves nothing: damage, a full disk, a failed sync, signals', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2; seq 200000 | logq produce t; mkdir empty')
  const left = 'ls -A; ls -A empty'
  const before = (await cli.shell(left)).stdout.toString()
  const { stdout, stderr } =
    await cli.shell(`LOGQ_FAILPOINT=kafka-export.after-partition=throw:EIO logq export --kafka t out; echo $?
    LOGQ_FAILPOINT=kafka-export.before-rename=throw:EIO@2 logq export --kafka t empty; echo $?
    LOGQ_FAILPOINT=kafka-export.before-end=throw:EIO logq export --kafka t empty; echo $?; ${left}`)
  t.is(stdout.toString(), `1\n1\n1\n${before}`)
  t.is(stderr.match(/^logq export: /gm)?.length, 3, stderr)
  const limited = await cli.shell(`(ulimit -f 100; logq export --kafka t out); echo $?; ${left}`)
  t.is(limited.stdout.toString(), `1\n${before}`)
  t.regex(limited.stderr, /^logq export: .*out\/\.partial\/t-0\/00000000000000000000\.log.*\n/)
  if ((await cli.shell(onSmallDisk('64k', 'true'))).status === 0) {
    const full = await cli.shell(onSmallDisk('300k', 'logq export --kafka t disk/d; echo $?; ls -A disk; mkdir disk/e'))
    t.is(full.stdout.toString(), '1\n')
    t.regex(full.stderr, /no space left on device|the disk may be full/)
    await cli.shell('rmdir disk')
  } else t.log('left out: no tmpfs can be mounted here')
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    const stopped = await cli.shell(
      `LOGQ_FAILPOINT=kafka-export.after-partition=stop logq export --kafka t out & while ! grep -q '^State:.T' /proc/$!/status; do sleep 0.05; done
       kill -${name.slice(3)} $!; kill -CONT $!; wait $!; echo $?; ${left}`,
    )
    t.is(stopped.stdout.toString(), `${statusOfSignal(name)}\n${before}`, stopped.stderr)
  }
  const log = join(cli.store, 't-1', '00000000000000000000.log')
  const bytes = readFileSync(log)
  bytes.writeUInt8(bytes.readUInt8(2000) ^ 1, 2000)
  writeFileSync(log, bytes)
  const damaged = await cli.shell(`logq export --kafka t out; echo $?; ${left}`)
  t.is(damaged.stdout.toString(), `5\n${before}`)
  t.regex(damaged.stderr, /'t-1' is damaged/)
})

test('a log whose fsync failed is not handed over', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 10 | logq produce t')
  const lock = PartitionLock.open(createNodeSystem(), join(cli.store, 't-0'))
  const state = lock.readState()
  if (state === undefined) throw new Error('no state block')
  lock.writeState({ ...state, status: 'sync-failed' })
  lock.close()
  const failed = await cli.shell('logq export --kafka t out')
  t.is(failed.status, 1)
  t.regex(failed.stderr, /an fsync of 't-0' failed: its last records may be lost\n {2}hint: see logq fsck/)
})

const failpoints = [
  'copy.before-segment=kill',
  'kafka-export.after-partition=kill',
  'kafka-export.before-rename=kill',
  'kafka-export.before-rename=kill@2',
  'kafka-export.before-end=kill',
]
for (const failpoint of failpoints) {
  test(`killed at ${failpoint}: no partition that has its name is unfinished, and the next export says so`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('logq topic create t --partitions 2; seq 1000 | logq produce t')
    const killed = await cli.shell(`LOGQ_FAILPOINT=${failpoint} logq export --kafka t out; echo $?; ls -Ad out/.partial`)
    t.is(killed.stdout.toString(), '137\nout/.partial\n')
    for (const name of readdirSync(join(cli.directory, 'out')).filter((entry) => entry !== '.partial')) {
      const partition = name.slice(2)
      const same = await cli.shell(`cmp <(logq cat t -p ${partition}) <(logq cat t -p ${partition} -s out) && echo same`)
      t.is(same.stdout.toString(), 'same\n')
    }
    const again = await cli.shell('logq export --kafka t out; echo $?; rm -r out; logq export -q --kafka t out; echo $?')
    t.is(again.stdout.toString(), '1\n0\n')
    t.regex(again.stderr, /'out' is not empty: an export into it was cut off\n {2}hint: remove it/)
  })
}
