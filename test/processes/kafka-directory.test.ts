/** A Kafka log directory, as a broker leaves it: it opens read-only, and is never written to. */
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

/** A directory such as a broker has: partitions without logq's own files, and what else lies about there. */
async function kafkaDirectory(cli: Cli): Promise<void> {
  await cli.shell(
    `logq topic create foo --partitions 2 segment.bytes=600; for p in 0 1; do seq -f "p$p-%g" 0 40 | logq produce foo -p $p --batch-bytes 60; done
     printf 'b\\n' | logq produce bar.baz-qux
     mkdir kafka; cp -r store/foo-0 store/foo-1 store/bar.baz-qux-0 kafka; rm -f kafka/*/lock kafka/*/recovery-point kafka/*/log-start-offset kafka/*/leader-epoch-ids
     cp -r kafka/foo-0 kafka/foo-0.a1b2c3d4e5f60718293a4b5c6d7e8f90-delete; cp -r kafka/foo-1 kafka/foo-1.a1b2c3d4e5f60718293a4b5c6d7e8f90-future
     cp -r kafka/foo-1 kafka/foo-2.a1b2c3d4e5f60718293a4b5c6d7e8f90-stray; cp -r kafka/foo-0 kafka/__cluster_metadata-0
     printf 'version: 1\\nbroker.id=0\\n' > kafka/meta.properties; printf '0\\n1\\nfoo 0 7\\n' > kafka/log-start-offset-checkpoint; : > kafka/.lock
     printf '0\\n0\\n' > kafka/recovery-point-offset-checkpoint; printf 'version: 0\\ntopic_id: 3kLzQ0pRQ4mVqDr1S2tU3w\\n' > kafka/bar.baz-qux-0/partition.metadata
     last=$(ls kafka/foo-1/*.index | tail -n 1); truncate -s 8192 $last; truncate -s 8196 \${last%.index}.timeindex; head -c 4096 /dev/zero >> \${last%.index}.log`,
  )
}

test('topics are inferred, and read: foreign directories skipped, the log start and preallocated tails honoured', async (t) => {
  const cli = makeCli(t)
  await kafkaDirectory(cli)
  const before = (await cli.shell('find kafka -type f | sort | xargs cksum; ls -AR kafka')).stdout.toString()
  const shell = (script: string) => cli.shell(script, { env: { LOGQ_STORE: `${cli.directory}/kafka` } })
  t.is((await shell('logq topic ls')).stdout.toString(), 'bar.baz-qux\nfoo\n')
  t.is((await shell('logq cat bar.baz-qux')).stdout.toString(), 'b\n')
  const lines = (partition: number, from: number) =>
    Array.from({ length: 41 - from }, (_, n) => `p${partition}-${from + n}\n`).join('')
  const all = await shell('timeout 10 logq cat foo')
  t.is(all.stdout.toString(), lines(0, 7) + lines(1, 0))
  t.is(all.stderr, '')
  t.is((await shell('timeout 10 logq tail -n 2 foo -p 1')).stdout.toString(), 'p1-39\np1-40\n')
  t.is((await shell('timeout 10 logq cat foo -p 1 -o 33 -n 1')).stdout.toString(), 'p1-33\n')
  t.regex((await shell('logq cat foo -p 0 -o 2 -n 1')).stderr, /begins at offset 7/)
  t.regex((await shell('logq topic show foo')).stdout.toString(), /\n +0 +7 +41 .*\n +1 +0 +41 /)
  const tail = cli.start('exec logq tail -f foo -o -1', { env: { LOGQ_STORE: `${cli.directory}/kafka` } })
  await tail.waitForOutput('p1-40\n')
  tail.signal('SIGTERM')
  await tail.finished
  t.is((await cli.shell('find kafka -type f | sort | xargs cksum; ls -AR kafka')).stdout.toString(), before)
})

test('a partition that another broker has is said not to be in this directory', async (t) => {
  const cli = makeCli(t)
  await kafkaDirectory(cli)
  await cli.shell('rm -r kafka/foo-0')
  for (const command of ['cat', 'tail', 'digest']) {
    const done = await cli.shell(`logq ${command} foo -p 0 -s kafka`)
    t.is(done.status, 1, command)
    t.regex(done.stderr, /partition 0 of topic 'foo' is not in 'kafka'\n {2}hint: /, command)
  }
  t.is((await cli.shell('logq cat foo -p 1 -s kafka | wc -l')).stdout.toString().trim(), '41')
  t.regex((await cli.shell('logq cat foo -p 2 -s kafka')).stderr, /topic 'foo' has no partition 2/)
})

test('fsck: the first leader epoch may begin at the log start offset, within a segment, and what is wrong from there on is named', async (t) => {
  const cli = makeCli(t)
  await kafkaDirectory(cli)
  const moved = await cli.shell("printf '0\n1\n0 7\n' > kafka/foo-0/leader-epoch-checkpoint; logq fsck -s kafka foo -p 0")
  t.is(moved.status, 0, moved.stdout.toString())
  const done = await cli.shell("printf '0\n2\n0 7\n1 20\n' > kafka/foo-0/leader-epoch-checkpoint; logq fsck -s kafka foo -p 0")
  t.is(done.status, 5)
  t.regex(done.stdout.toString(), /it does not have offset \d+ in leader epoch 0, as the log has it/)
})

test('whatever writes refuses: status 1, a hint, and not a byte changed', async (t) => {
  const cli = makeCli(t)
  await kafkaDirectory(cli)
  const before = (await cli.shell('find kafka -type f | sort | xargs cksum; ls -AR kafka')).stdout.toString()
  for (const command of [
    'produce foo',
    'produce new',
    'produce --no-create foo',
    'topic create new',
    'topic rm -y foo',
    'topic set foo retention.ms=1d',
    'topic add-partitions foo 5',
  ]) {
    const done = await cli.shell(`echo x | logq ${command} -s kafka`)
    t.is(done.status, 1, command)
    t.regex(done.stderr, /'kafka' is a Kafka log directory and opens read-only\n {2}hint: /, command)
  }
  t.is((await cli.shell('find kafka -type f | sort | xargs cksum; ls -AR kafka')).stdout.toString(), before)
})
