/** Checking beside producers, again and again: an append that is under way, a roll or a kill must never look like damage. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

test('fsck beside producers that roll, pause and are killed never reports damage', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create a --partitions 2 segment.bytes=60000 index.interval.bytes=500')
  let records = 0
  for (let round = 0; round < 12; round += 1) {
    const producers = [
      cli.start('seq 100000000 | logq produce a --batch-bytes 900', { timeoutMs: 60_000 }),
      cli.start('seq 100000000 | logq produce a -z gzip', { timeoutMs: 60_000 }),
      cli.start('while sleep 0.01; do echo x; done | logq produce a', { timeoutMs: 60_000 }),
    ]
    for (let n = 0; n < 5; n += 1) {
      const done = await cli.shell('logq fsck a -J', { timeoutMs: 60_000 })
      t.is(done.status, 0, done.stdout.toString())
      const lines = done.stdout.toString().trimEnd().split('\n')
      for (const line of lines) {
        const { kind, recordCount } = JSON.parse(line) as { kind: string; recordCount?: number }
        t.true(kind === 'summary' || kind === 'note', line)
        records += recordCount ?? 0
      }
    }
    for (const producer of producers) producer.signal('SIGKILL', { group: true })
    await Promise.all(producers.map(({ finished }) => finished))
    const after = await cli.shell('logq fsck a', { timeoutMs: 60_000 })
    t.is(after.status, 0, after.stdout.toString())
    await cli.shell('logq topic rm -y a; logq topic create a --partitions 2 segment.bytes=60000 index.interval.bytes=500')
  }
  t.true(records > 1000)
})
