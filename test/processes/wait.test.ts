/** logq wait: what counts, what it waits for, and how it ends. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { makeCli, statusOfSignal, type Cli } from '../helpers/run-cli.js'

type Row = readonly [command: string, stdout: string, status?: number, stderr?: RegExp]

async function check(t: ExecutionContext, cli: Cli, rows: readonly Row[]): Promise<void> {
  await Promise.all(
    rows.map(async ([command, stdout, status = 0, stderr]) => {
      const done = await cli.shell(`logq wait ${command}`, { timeoutMs: 60_000 })
      t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
      if (stderr === undefined) t.is(done.stderr, '', command)
      else t.regex(done.stderr, stderr, command)
      t.is(done.status, status, command)
    }),
  )
}

test('a record that was produced before counts', async (t) => {
  const cli = makeCli(t)
  await cli.shell(`printf 'k:{"n":%s}\\n' 1 2 3 4 | logq produce t -K : --partitions 1 --timestamp 2023-11-14T22:13:20.123Z`)
  await check(t, cli, [
    ['t', '{"n":1}\n'],
    ['t -n 2', '{"n":1}\n{"n":2}\n'],
    ["t -w 'value.n > 2'", '{"n":3}\n'],
    ["t -w 'value.n > 2' -n 2 --timeout 1m", '{"n":3}\n{"n":4}\n'],
    ['t -o 2', '{"n":3}\n'],
    ['t -o -1', '{"n":4}\n'],
    ['t -o @2023-11-14', '{"n":1}\n'],
    ['t -p 0', '{"n":1}\n'],
    ["t -F '%o %k %T{iso}\\n'", '0 k 2023-11-14T22:13:20.123Z\n'],
    ['t -F tsv --time iso --no-value', 't\t0\t0\t2023-11-14T22:13:20.123Z\tk\t7\t\n'],
    ['t -K = --null x', 'k={"n":1}\n'],
    ['t -0', '{"n":1}\0'],
    [
      't -J -o 3 --no-value',
      '{"topic":"t","partition":0,"offset":3,"timestamp":1700000000123,"timestampType":"CreateTime","key":"k","valueBytes":7,"headers":[]}\n',
    ],
    ['t:0@2', '{"n":3}\n'],
    ["t:0@3 -F '%o\\n'", '3\n'],
  ])
})

test('after --timeout it says what it waited for, and ends with 4', async (t) => {
  const cli = makeCli(t)
  await cli.shell(`printf '1\\n2\\nx\\n' | logq produce t --partitions 1`)
  await check(t, cli, [
    [
      "t -w 'value > 2' --timeout 300ms",
      '',
      4,
      /^logq wait: -w failed on a record[^]*logq wait: 0 of 1 records that match 'value > 2' came in topic 't' within 300ms; looked at 3\n$|^logq wait: 0 of 1 records that match 'value > 2'[^]*-w failed on a record/,
    ],
    ['t -n 5 --timeout 2s', '1\n2\nx\n', 4, /^logq wait: 3 of 5 records came in topic 't' within 2s; looked at 3\n$/],
    ['t -o end --timeout 300ms', '', 4, /^logq wait: 0 of 1 records came in topic 't' within 300ms; looked at 0\n$/],
    [
      'u --timeout 300ms',
      '',
      4,
      /^logq wait: topic 'u' does not exist yet; waiting for it\nlogq wait: topic 'u' was not created within 300ms\n$/,
    ],
    ['u -q --timeout 300ms', '', 4, /^logq wait: topic 'u' was not created within 300ms\n$/],
    [
      '-s later t --timeout 300ms',
      '',
      4,
      /^logq wait: store 'later' does not exist yet; waiting for it\nlogq wait: the store was not created within 300ms\n$/,
    ],
    ['t:0@3 --timeout 300ms', '', 4, /^logq wait: 't:0@3' was not written within 300ms\n$/],
    ['u:0@0 -q --timeout 300ms', '', 4, /^logq wait: topic 'u' was not created within 300ms\n$/],
  ])
})

test('what cannot come is not waited for', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo v | logq produce t --partitions 1; mkdir other; echo x > other/file')
  await check(t, cli, [
    ['t:1@0', '', 1, /has no partition 1/],
    ['t -p 3', '', 1, /has no partition 3/],
    ['-s other t', '', 1, /'other' is not a logq store/],
    ['t -F batch', '', 2, /--format batch copies whole batches/],
    ['t -o 1:2', '', 2, /a range with an end cannot be waited for/],
    ['t -o @:-1h', '', 2, /a range with an end/],
    ['t -n 0', '', 2, /too small/],
    ['t --timeout 0', '', 2, /too small/],
    ['t --timeout soon', '', 2, /invalid duration/],
    ["t -w 'nope'", '', 2, /the expression 'nope' cannot be used/],
    ['t -w key', '', 2, /it gives string, not true or false/],
    ['t --no-value', '', 2, /--no-value does not go with the value format/],
    ["t:0@0 -w 'true'", '', 2, /-w does not go with a place/],
    ['t:0@0 -n 1', '', 2, /-n does not go with a place/],
    ['t:0@0 -o 0', '', 2, /-o does not go with a place/],
    ['t:0@0 -p 0', '', 2, /-p does not go with a place/],
    ['t:0', '', 2, /invalid place/],
    ['', '', 2, /TOPIC is missing/],
    ['t u', '', 2, /unexpected operand 'u'/],
  ])
})

test('it waits for a store, a topic, and a record that matches, whatever comes before it', async (t) => {
  const cli = makeCli(t)
  const waiting = cli.start(`logq wait t -w 'headers.state == "ready"' -F '%o %v\\n' --timeout 1m`, { timeoutMs: 60_000 })
  await waiting.waitForOutput("store '", { stream: 'stderr' })
  await cli.shell('logq topic create other')
  await waiting.waitForOutput("topic 't' does not exist yet", { stream: 'stderr', timeoutMs: 30_000 })
  await cli.shell(
    'seq 100 | logq produce t --partitions 1 -H state=busy; echo go | logq produce t -H state=ready; echo late | logq produce t',
  )
  const done = await waiting.finished
  t.is(done.stdout.toString(), '100 go\n')
  t.is(done.status, 0, done.stderr)
  t.is(done.stderr.match(/waiting for it/g)?.length, 2, done.stderr)
})

test('it waits for an offset that is not written yet, in a topic that is not there yet', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create other')
  const waiting = cli.start('logq wait t:1@3 --timeout 1m', { timeoutMs: 60_000 })
  await waiting.waitForOutput('waiting for it', { stream: 'stderr' })
  await cli.shell(
    `printf 'a\\nb\\n' | logq produce t -p 1 --partitions 2; printf 'c\\nd\\ne\\n' | logq produce t -p 1; echo f | logq produce t -p 0`,
  )
  const done = await waiting.finished
  t.is(done.stdout.toString(), 'd\n', done.stderr)
  t.is(done.status, 0)
})

test('it prints several records as they come, each at once, and none from before -o', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo before | logq produce t')
  const waiting = cli.start('logq wait t -o end -n 2 --timeout 1m', { timeoutMs: 60_000 })
  // Until it follows, what is appended is still before the end.
  const pinging = cli.start('while sleep 0.2; do echo ping | logq produce t; done')
  await waiting.waitForOutput('ping\n', { timeoutMs: 30_000 })
  const done = await waiting.finished
  pinging.signal('SIGKILL', { group: true })
  t.is(done.stdout.toString(), 'ping\nping\n')
  t.is(done.status, 0)
})

test('a program in the background is waited for, however quick it is', async (t) => {
  const cli = makeCli(t)
  const script = `
    ( echo starting; echo ready ) | logq produce log -q &
    logq wait log -w 'text == "ready"' --timeout 30s -q && echo up
    ( sleep 0.3; echo '{"done":true}' | logq produce jobs -q ) &
    logq wait jobs -w 'value.done' --timeout 30s -q > /dev/null; echo $?`
  const done = await cli.shell(script, { timeoutMs: 60_000 })
  t.is(done.stdout.toString(), 'ready\nup\n0\n', done.stderr)
})

test('INT ends it as a signal does, with nothing printed; and a reader that has gone away is no failure', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const waiting = cli.start('logq wait u; echo "status $?"', { timeoutMs: 60_000 })
    await waiting.waitForOutput('waiting for it', { stream: 'stderr' })
    const children = readFileSync(`/proc/${waiting.pid}/task/${waiting.pid}/children`, 'utf8').trim().split(' ')
    const logq = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('wait'))
    process.kill(Number(logq), signal)
    if (signal === 'SIGTERM') {
      const done = await waiting.finished
      t.is(done.stdout.toString(), `status ${statusOfSignal(signal)}\n`)
      t.notRegex(done.stderr, /was not created/)
    } else {
      // Bash itself dies with a child that died of INT.
      t.is((await waiting.finished).stdout.toString().replace(`status ${statusOfSignal(signal)}\n`, ''), '')
    }
  }
  const closed = await cli.shell('seq 100000 | logq produce v; logq wait v -n 100000 | head -n 1; echo ${PIPESTATUS[0]}')
  t.is(closed.stdout.toString(), '1\n0\n')
})
