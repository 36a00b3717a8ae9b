/** logq metrics, through real processes. */
import test from 'ava'
import { parseOpenMetrics } from '../helpers/open-metrics.js'
import { makeCli } from '../helpers/run-cli.js'

test('the figures are those of the store, in a form that parses', async (t) => {
  const cli = makeCli(t)
  const made = await cli.shell(`
    logq topic create t --partitions 2 -q
    echo '{"value":"x","timestamp":1700000000500}' | logq produce t -J -p 0
    echo '{"value":"y","timestamp":1600000000000}' | logq produce t -J -p 0
    logq group seek g --topic t:0 -o 1 -q > said; rm said`)
  t.is(made.status, 0, made.stderr)
  const done = await cli.shell('logq metrics')
  t.is(done.status, 0, done.stderr)
  const samples = parseOpenMetrics(done.stdout.toString())
  const valueOf = (name: string, labels: Record<string, string>) =>
    samples.find((sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels))?.value
  const [first, second] = [
    { topic: 't', partition: '0' },
    { topic: 't', partition: '1' },
  ]
  t.is(valueOf('logq_log_start_offset', first), 0)
  t.is(valueOf('logq_log_end_offset', first), 2)
  t.is(valueOf('logq_log_end_offset', second), 0)
  t.is(valueOf('logq_partition_segments', second), 1)
  t.is(valueOf('logq_newest_timestamp_seconds', first), 1_700_000_000.5)
  t.is(valueOf('logq_newest_timestamp_seconds', second), undefined)
  const size = await cli.shell('cat store/t-0/* | wc -c')
  t.is(valueOf('logq_partition_size_bytes', first), Number(size.stdout.toString()))
  t.is(valueOf('logq_group_committed_offset', { group: 'g', ...first }), 1)
  t.is(valueOf('logq_group_lag_records', { group: 'g', ...first }), 1)
  t.true(Number(valueOf('logq_group_lag_seconds', { group: 'g', ...first })) > 1e8)
  t.is(valueOf('logq_group_members', { group: 'g' }), 0)
  t.is(valueOf('logq_unreadable', {}), 0)
  t.true(Number(valueOf('logq_store_free_bytes', {})) <= Number(valueOf('logq_store_total_bytes', {})))
})

test('--output: whoever reads the file while it is replaced sees a whole text', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(`
    seq 3 | logq produce t
    logq metrics --output logq.prom
    (for n in 1 2 3 4 5; do logq metrics --output logq.prom || exit; done; touch done) &
    writer=$!
    until test -e done; do tail -n 1 logq.prom; done | sort -u
    wait $writer; ls -A | grep -c '^[.]tmp-'; stat -c %a logq.prom`)
  t.is(done.stderr, '')
  t.regex(done.stdout.toString(), /^# EOF\n0\n6[04][04]\n$/)
  const last = await cli.shell('cat logq.prom')
  t.true(parseOpenMetrics(last.stdout.toString()).length > 5)
})
