/** What cat and tail print: ranges, counts, partitions, several topics, formats. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { LOG_START_OFFSET_FILE } from '../../lib/log/file-names.js'
import { formatLogStartOffset } from '../../lib/log/log-start-offset.js'
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

test('-o in all its forms, -n and -p choose records of one partition', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=256; seq -f r%g 0 9 | logq produce t --batch-bytes 60')
  const all = words('r0 r1 r2 r3 r4 r5 r6 r7 r8 r9')
  await check(t, cli, [
    ['cat t', all],
    ['cat t -o start', all],
    ['cat t -o earliest', all],
    ['cat t -o end', ''],
    ['cat t -o latest', ''],
    ['cat t -o 7', words('r7 r8 r9')],
    ['cat t -o -2', words('r8 r9')],
    ['cat t -o-2', words('r8 r9')],
    ['cat t --offset=-2', words('r8 r9')],
    ['cat t -o +8', words('r8 r9')],
    ['cat t -o 3:5', words('r3 r4')],
    ['cat t -o :2', words('r0 r1')],
    ['cat t -o 8:', words('r8 r9')],
    ['cat t -o :', all],
    ['cat t -o -5:-3', words('r5 r6')],
    ['cat t -o -5:end', words('r5 r6 r7 r8 r9')],
    ['cat t -o +1:+3', words('r1 r2')],
    ['cat t -o 5:3', ''],
    ['cat t -o 5:5', ''],
    ['cat t -o 10', ''],
    ['cat t -o 10:20', ''],
    ['cat t -o 8:20', words('r8 r9')],
    ['cat t -o -100', all],
    ['cat t -o 9007199254740991', ''],
    ['cat t -n 0', ''],
    ['cat t -n 3', words('r0 r1 r2')],
    ['cat t -n3 -o 5', words('r5 r6 r7')],
    ['cat t -n 100', all],
    ['cat t -p 0 -n 1', words('r0')],
    ['tail t -n 3', words('r7 r8 r9')],
    ['tail t -n 0', ''],
    ['tail t -n 100', all],
    ['tail t', all],
    ['tail t -o 8', words('r8 r9')],
    ['tail t -o 3:5', words('r3 r4')],
    ['tail t -o end', ''],
  ])
})

test('times: @ms, @s, dates, RFC 3339 and durations, ends excluded, in each partition', async (t) => {
  const cli = makeCli(t)
  // One record a second from 2023-11-14T22:13:20Z on, over two partitions; an older one comes late.
  await cli.shell(
    `for n in 0 1 2 3 4 5; do echo "{\\"value\\":\\"r$n\\",\\"timestamp\\":170000000\${n}000,\\"partition\\":$((n % 2))}"; done | logq produce t -J --keep partition --partitions 2 --batch-bytes 60
     echo '{"value":"old","timestamp":1600000000000}' | logq produce old -J; echo now | logq produce now`,
  )
  await check(t, cli, [
    ['cat t -o @1700000003000', words('r4 r3 r5')],
    ['cat t -o @1700000003', words('r4 r3 r5')],
    ['cat t -o @2023-11-14T22:13:23Z', words('r4 r3 r5')],
    ['cat t -o @2023-11-14T23:13:23+01:00', words('r4 r3 r5')],
    ['cat t -o @2023-11-15', ''],
    ['cat t -o @2023-11-14', words('r0 r2 r4 r1 r3 r5')],
    ['cat t -o @1700000001000:1700000004000', words('r2 r1 r3')],
    ['cat t -o @:1700000002000', words('r0 r1')],
    ['cat t -o @1700000001:+2s', words('r2 r1')],
    ['cat old -o @-1h', ''],
    ['cat now -o @-1h', words('now')],
    ['cat now -o @+1h', ''],
    ['cat now -o @:-1h', ''],
    ['cat old -o @:-1h', words('old')],
  ])
})

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

test('formats: keys, null, delimiters, templates and JSON', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq produce t -J --partitions 1 <<'END'
{"key":"k1","value":"v1","timestamp":1700000000123,"headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}
{"key":null,"value":"","timestamp":1700000000124}
{"key":"","value":null,"timestamp":-1}
{"key":"/w==","keyEncoding":"base64","value":"a\\tb","timestamp":1700000000125}
END`,
  )
  await check(t, cli, [
    ['cat t -n 3', 'v1\n\n\n'],
    ['cat t -n 3 -K:', 'k1:v1\n:\n:\n'],
    ['cat t -n 3 --null NIL', 'v1\n\nNIL\n'],
    ["cat t -n 3 -K '\\t' --null '\\0'", 'k1\tv1\n\0\t\n\t\0\n'],
    ['cat t -n 3 -0', 'v1\0\0\0'],
    ["cat t -n 3 -D '--\\n'", 'v1--\n--\n--\n'],
    ["cat t -n 3 -D ''", 'v1'],
    [
      "cat t -n 2 -F '%t:%p@%o %k=%v (%K,%V) %T %T{iso} %h%%\\n'",
      't:0@0 k1=v1 (2,2) 1700000000123 2023-11-14T22:13:20.123Z a=1,b%\nt:0@1 = (-1,0) 1700000000124 2023-11-14T22:13:20.124Z %\n',
    ],
    ["cat t -o 3 -F '%k{base64} %k{hex} %v{hex} %s\\x21\\0'", '/w== ff 610962 a\tb!\0'],
    [
      'cat t -J -o 2',
      '{"topic":"t","partition":0,"offset":2,"timestamp":-1,"timestampType":"CreateTime","key":"","value":null,"headers":[]}\n' +
        '{"topic":"t","partition":0,"offset":3,"timestamp":1700000000125,"timestampType":"CreateTime","key":"/w==","keyEncoding":"base64","value":"a\\tb","headers":[]}\n',
    ],
    [
      'tail t -n 1 -F json',
      '{"topic":"t","partition":0,"offset":3,"timestamp":1700000000125,"timestampType":"CreateTime","key":"/w==","keyEncoding":"base64","value":"a\\tb","headers":[]}\n',
    ],
  ])
})

test('an offset below the log start is clamped with one line on standard error', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=300; seq -f r%g 0 29 | logq produce t --batch-bytes 60')
  // What retain does: the oldest segments go, and the log start offset says so.
  const first = (
    await cli.shell(
      'ls store/t-0/*.log | head -n 3 | while read -r f; do rm "${f%.log}".*; done; basename $(ls store/t-0/*.log | head -n 1) .log',
    )
  ).stdout
  const start = Number(first.toString())
  t.true(start > 0)
  writeFileSync(join(cli.store, 't-0', LOG_START_OFFSET_FILE), formatLogStartOffset(start))
  const rest = Array.from({ length: 30 - start }, (_, n) => `r${start + n}\n`).join('')
  const message = new RegExp(`^logq (cat|tail): 't-0' begins at offset ${start}: offset 1 no longer exists\\n$`)
  await check(t, cli, [
    ['cat t', rest],
    ['cat t -o start', rest],
    ['cat t -o 1', rest, message],
    ['tail t -o 1', rest, message],
    ['cat t -o 1:2', '', message],
    ['cat t -o -1000', rest],
    [`cat t -o ${start}`, rest],
    ['tail t -n 1000', rest],
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
