/**
 * Items that cannot become records: each named by file and line, the others unaffected, and the rest of what produce and its
 * input promise.
 */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

test('a record over max.message.bytes is named by line, the others are stored, status 1', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t max.message.bytes=1000; { echo a; head -c 2000 /dev/zero | tr '\\0' x; echo; echo b; head -c 5000000 /dev/zero | tr '\\0' y; echo; echo c; } > in
     logq produce t in; echo "status $?"; cat in | logq produce t - ; echo "status $?"; logq cat t`,
  )
  t.is(done.stdout.toString(), 'status 1\nstatus 1\na\nb\nc\na\nb\nc\n')
  t.regex(done.stderr, /^logq produce: in: line 2: a record of \d+ bytes is above max\.message\.bytes, 1000\n {2}hint: /)
  t.regex(done.stderr, /\nlogq produce: in: line 4: a record of 50000\d\d bytes/)
  t.regex(done.stderr, /\nlogq produce: stdin: line 2: /)
  const keyed =
    await cli.shell(`printf 'k:1\\n%01500d:2\\nk:3\\n' 0 | logq produce u -K: --partitions 2; echo $?; logq topic set u max.message.bytes=1000
    printf 'k:1\\n%01500d:2\\nk:3\\n' 0 | logq produce u -K:; echo $?; logq cat u | sort | uniq -c`)
  t.is(keyed.stdout.toString().replaceAll(/ +/g, ' '), '0\n1\n 2 1\n 1 2\n 2 3\n')
  t.regex(keyed.stderr, /stdin: line 2: a record of/)
})

test('a record of 16 MiB and a little less: one is refused, one comes out byte for byte', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `head -c 16777100 /dev/urandom | tr '\\n' x > big; head -c 16777300 /dev/zero | tr '\\0' z > huge
     { cat big; echo; cat huge; echo; echo end; } | logq produce t; echo $?; logq cat t | head -c 16777100 | cmp - big && logq cat t -o 1; logq cat t -J | wc -l`,
  )
  t.is(done.stdout.toString(), '1\nend\n2\n')
  t.regex(done.stderr, /stdin: line 2: a record of/)
})

test('invalid JSON records are named by line with a reason; the others are stored', async (t) => {
  const cli = makeCli(t)
  const bad = [
    '{"value":"ok1"}',
    '{"value":',
    '{"key":"k"}',
    '{"value":"x","color":"red"}',
    'null',
    '[]',
    '{"value":"\\ud800"}',
    '{"value":"x","headers":{"1":"x"}}',
    '{"value":"x","timestamp":"soon"}',
    '{"value":"%%%","valueEncoding":"base64"}',
    '',
    '{"value":"ok2","timestamp":5}',
    '{"value":"x","value":"y"}',
    '{"value":null}',
    '{"value":{"a": [1, 2]}}',
  ]
  const done = await cli.shell('logq produce t -J; echo $?; logq cat t -J', { stdin: `${bad.join('\n')}\n` })
  const [status, ...records] = done.stdout.toString().trimEnd().split('\n')
  t.is(status, '1')
  const values = records.map((record) => (JSON.parse(record) as { value: unknown }).value)
  t.is(values[0], 'ok1')
  t.true(values.includes('ok2'))
  t.true(values.includes(null))
  t.is(values.at(-1), '{"a": [1, 2]}')
  for (const line of [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    t.regex(done.stderr, new RegExp(`^logq produce: stdin: line ${line}: .`, 'm'), `line ${line}`)
  t.regex(done.stderr, /line 4: .*'?color'?.*\n {2}hint: to store JSON lines as plain values, leave out '-J'/)
  t.regex(done.stderr, /line 3: .*value/)
  t.notRegex(done.stderr, /line 1:|line 12:|line 14:|line 15:/)
})

test('--on-bad stop keeps what preceded and stops there, status 1', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'a:1\\nb:2\\nnokey\\nc:3\\n' > one; printf 'd:4\\n' > two; logq produce t -K: --on-bad stop --print-offsets one two; echo $?; logq cat t -K:`,
  )
  t.is(done.stdout.toString(), 't:0@0\nt:0@1\n1\na:1\nb:2\n')
  t.is(done.stderr, "logq produce: one: line 3: no key separator ':' is in it\n")
})

test('a line without key separator is an item error naming the line; the others are stored with their keys', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(`printf 'a:1\\nnokey\\n:2\\nb::3\\n' | logq produce t -K:; echo $?; logq cat t -J`)
  const [status, ...records] = done.stdout.toString().trimEnd().split('\n')
  t.is(status, '1')
  t.deepEqual(
    records.map((record) => JSON.parse(record) as { key: string; value: string }).map(({ key, value }) => [key, value]),
    [
      ['a', '1'],
      ['', '2'],
      ['b', ':3'],
    ],
  )
  t.regex(done.stderr, /stdin: line 2: no key separator/)
})

test('line numbers begin anew in each file, and an unreadable file leaves the others unaffected', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'a:1\\n' > one; printf 'b:2\\nbad\\n' > two; printf 'bad\\nc:3' > three; logq produce t -K: one two three; echo $?; logq cat t`,
  )
  t.is(done.stdout.toString(), '1\n1\n2\n3\n')
  t.deepEqual(done.stderr.match(/^logq produce: \w+: line \d+/gm), ['logq produce: two: line 2', 'logq produce: three: line 1'])
  // A directory as standard input can be opened, and not read.
  const directory = await cli.shell('printf x > last; logq produce u one - last < .; echo $?; logq cat u')
  t.is(directory.stdout.toString(), '1\na:1\nx\n')
  t.regex(directory.stderr, /'stdin': .*directory/)
})

test('records that go to a partition that is not there are named, the others are stored', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf '{"value":"a","partition":0}\\n{"value":"b","partition":7}\\n{"value":"c","partition":1}\\n{"value":"d"}\\n' |
     logq produce t -J --keep partition --partitions 2; echo $?; logq cat t -F '%p%v '`,
  )
  t.regex(done.stdout.toString(), /^1\n0a (0d )?1c (1d )?$/)
  t.regex(done.stderr, /stdin: line 2: .*partition 7/)
})

test('damaged raw batches end the command with the number of the batch; those before it stay', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `seq 500 | logq produce a --batch-bytes 500; logq cat a --format batch > raw; size=$(wc -c < raw)
     head -c $((size - 5)) raw | logq produce torn --format batch; echo $?; logq cat torn | wc -l
     { head -c 700 raw; printf X; tail -c +702 raw; } | logq produce flipped --format batch; echo $?; logq cat flipped | wc -l
     echo garbage that is no batch at all, but long enough to be a header of one, is it not | logq produce g --format batch; echo $?`,
  )
  const [torn, tornCount, flipped, flippedCount, garbage] = done.stdout.toString().split('\n').map(Number)
  t.deepEqual([torn, flipped, garbage], [1, 1, 1])
  t.true((tornCount ?? 0) > 300)
  t.true((flippedCount ?? 0) > 0 && (flippedCount ?? 0) < 200)
  t.regex(done.stderr, /stdin: batch \d+: the input ends after \d+ bytes of it/)
  t.regex(done.stderr, /stdin: batch 2: its CRC does not match\n {2}hint: 1 batches before it were appended/)
  t.notRegex(done.stderr, /unexpected error/)
})

test('--null, -k, -H, --timestamp and --acks 0 reach the records', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'k:NUL\\nNUL:v\\n' | logq produce a -K: --null NUL -H n=1 -H m --timestamp 1700000000000 --acks 0 && logq cat a -J &&
     echo v | logq produce b -k key -H n=1 -H n=2 && logq cat b -F '%k %v %h\\n' && logq cat a -K: --null NUL && logq cat a`,
  )
  t.is(
    done.stdout.toString(),
    '{"topic":"a","partition":0,"offset":0,"timestamp":1700000000000,"timestampType":"CreateTime","key":"k","value":null,"headers":[{"key":"n","value":"1"},{"key":"m","value":null}]}\n' +
      '{"topic":"a","partition":0,"offset":1,"timestamp":1700000000000,"timestampType":"CreateTime","key":null,"value":"v","headers":[{"key":"n","value":"1"},{"key":"m","value":null}]}\n' +
      'key v n=1,n=2\nk:NUL\nNUL:v\n\nv\n',
  )
  t.is(done.stderr, '')
})

test('a lingering producer appends when the oldest record is old enough, also while lines keep coming', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start('(while :; do echo line; sleep 0.02; done) | exec logq produce t --linger 300ms')
  await cli.shell('for i in $(seq 100); do [ "$(logq cat t 2>/dev/null | wc -l)" -gt 30 ] && exit; sleep 0.05; done')
  producer.signal('SIGKILL', { group: true })
  const batches = (await cli.shell('logq cat t --format batch | wc -c; logq cat t | wc -l')).stdout
    .toString()
    .trim()
    .split('\n')
    .map(Number)
  // About 15 lines a batch of 61 bytes and 11 or 12 bytes a line: far from a batch for each line, and far from one for all.
  t.true((batches[1] ?? 0) > 30)
  t.true((batches[0] ?? 0) / (batches[1] ?? 1) < 30)
})

test('a line is in the topic within a moment after it was written, without linger', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start('exec logq produce t --print-offsets', { stdin: 'open' })
  producer.write('0\n')
  await producer.waitForOutput('t:0@0\n')
  const times: number[] = []
  for (let n = 1; n <= 20; n += 1) {
    const startMs = performance.now()
    producer.write(`${n}\n`)
    await producer.waitForOutput(`t:0@${n}\n`)
    times.push(performance.now() - startMs)
  }
  times.sort((a, b) => a - b)
  t.true((times[10] ?? 0) < 250, times.join(' '))
  producer.end()
  t.is((await producer.finished).status, 0)
})

test('an empty input makes the topic and no record; --no-create makes nothing', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq produce a --no-create < /dev/null; echo $?; ls -d store; logq produce a < /dev/null; echo $?; logq cat a; logq tail a; logq topic ls`,
  )
  t.is(done.stdout.toString(), '1\n0\na\n')
})
