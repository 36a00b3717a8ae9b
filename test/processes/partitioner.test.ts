/** --partitioner: what a topic records, and where its records go. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

test('an expression chooses the partition, and a record on which it fails is named and not stored', async (t) => {
  const cli = makeCli(t)
  const produced = await cli.shell(
    `printf '{"u":1}\\n{"u":2}\\nx\\n{"u":6}\\n' | logq produce e --partitions 4 --partitioner 'int(value.u)' --print-offsets`,
  )
  t.is(produced.stdout.toString(), 'e:1@0\ne:2@0\ne:2@1\n')
  t.is(produced.status, 1)
  t.regex(produced.stderr, /stdin: line 3: the expression 'int\(value\.u\)' fails on it/)
  const shown = await cli.shell("logq cat e -F '%p %v\\n'")
  t.is(shown.stdout.toString(), '1 {"u":1}\n2 {"u":2}\n2 {"u":6}\n')
})

test('an expression that cannot be used creates neither topic nor store', async (t) => {
  const cli = makeCli(t)
  for (const command of ['topic create e', 'produce e']) {
    const done = await cli.shell(`echo x | logq ${command} --partitioner 'nope + 1'; echo $?; logq topic ls; echo $?`)
    t.is(done.stdout.toString(), '2\n1\n', command)
    t.regex(done.stderr, /the expression 'nope \+ 1' cannot be used: Unknown variable: nope/, command)
  }
})

test('roundrobin gives every record to the next partition', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 12 | logq produce r --partitions 3 --partitioner roundrobin')
  const counts = await cli.shell("logq cat r -F '%p\\n' | sort | uniq -c | awk '{print $1}'")
  t.is(counts.stdout.toString(), '4\n4\n4\n')
})
