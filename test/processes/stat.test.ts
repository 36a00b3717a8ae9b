/** logq stat: counts, sizes, rates and times by group. */
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

type Row = readonly [command: string, stdout: string, status?: number, stderr?: RegExp]

async function check(t: ExecutionContext, cli: Cli, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 8) {
    await Promise.all(
      rows.slice(from, from + 8).map(async ([command, stdout, status = 0, stderr]) => {
        const done = await cli.shell(`logq stat ${command}`)
        t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
        if (stderr === undefined) t.is(done.stderr, '', command)
        else t.regex(done.stderr, stderr, command)
        t.is(done.status, status, command)
      }),
    )
  }
}

/** Ten records over two partitions and four minutes from 22:13:20 on, one of them without a time. */
const records = `logq produce t -J --keep partition --partitions 2 <<'END'
{"partition":0,"key":"a","value":"12345678","timestamp":1700000000000,"headers":[{"key":"level","value":"info"}]}
{"partition":0,"key":"b","value":"1","timestamp":1700000001000,"headers":[{"key":"level","value":"warn"}]}
{"partition":1,"key":"a","value":"12345678","timestamp":1700000010000,"headers":[{"key":"level","value":"info"}]}
{"partition":1,"key":"a","value":null,"timestamp":1700000040000}
{"partition":0,"key":null,"value":"x","timestamp":1700000060000,"headers":[{"key":"level","value":null}]}
{"partition":0,"key":"two words\\t","value":"x","timestamp":1700000180000,"headers":[{"key":"level","value":"info"},{"key":"level","value":"warn"}]}
{"partition":1,"key":"/w==","keyEncoding":"base64","value":"","timestamp":1700000190000}
{"partition":1,"key":"","value":"","timestamp":-1}
END`

const columns = 'TOPIC  RECORDS  BYTES   SHARE  RECORDS/S  BYTES/S'

test('stat counts by partition, key, header and time', async (t) => {
  const cli = makeCli(t)
  await cli.shell(records)
  await check(t, cli, [
    [
      't',
      `${columns}                     FIRST                      LAST  FIRST-AT  LAST-AT  PARTITION
    t        4     23   50.0%       0.02     0.13  2023-11-14T22:13:20.000Z  2023-11-14T22:16:20.000Z       0@0      0@3  0
    t        4     11   50.0%       0.02     0.06  2023-11-14T22:13:30.000Z  2023-11-14T22:16:30.000Z       1@0      1@2  1
    t        8     34  100.0%       0.04     0.18  2023-11-14T22:13:20.000Z  2023-11-14T22:16:30.000Z       0@0      1@2  total
`,
    ],
    [
      't --by key',
      `${columns}                     FIRST                      LAST  FIRST-AT  LAST-AT  KEY
    t        3     19   37.5%       0.07     0.47  2023-11-14T22:13:20.000Z  2023-11-14T22:14:00.000Z       0@0      1@1  a
    t        1     11   12.5%          -        -  2023-11-14T22:16:20.000Z  2023-11-14T22:16:20.000Z       0@3      0@3  two words\\t
    t        1      2   12.5%          -        -  2023-11-14T22:13:21.000Z  2023-11-14T22:13:21.000Z       0@1      0@1  b
    t        1      1   12.5%          -        -  2023-11-14T22:16:30.000Z  2023-11-14T22:16:30.000Z       1@2      1@2  \\xff
    t        1      1   12.5%          -        -  2023-11-14T22:14:20.000Z  2023-11-14T22:14:20.000Z       0@2      0@2  \\N
    t        1      0   12.5%          -        -                        -1                        -1       1@3      1@3  ${''}
    t        8     34  100.0%       0.04     0.18  2023-11-14T22:13:20.000Z  2023-11-14T22:16:30.000Z       0@0      1@2  total
`,
    ],
    [
      't --by header:level',
      `${columns}                     FIRST                      LAST  FIRST-AT  LAST-AT  header:level
    t        4      3   50.0%       0.03     0.02  2023-11-14T22:14:00.000Z  2023-11-14T22:16:30.000Z       1@1      1@2  \\N
    t        2     18   25.0%       0.20     1.80  2023-11-14T22:13:20.000Z  2023-11-14T22:13:30.000Z       0@0      1@0  info
    t        2     13   25.0%       0.01     0.07  2023-11-14T22:13:21.000Z  2023-11-14T22:16:20.000Z       0@1      0@3  warn
    t        8     34  100.0%       0.04     0.18  2023-11-14T22:13:20.000Z  2023-11-14T22:16:30.000Z       0@0      1@2  total
`,
    ],
    [
      't --by 1m',
      `${columns}                     FIRST                      LAST  FIRST-AT  LAST-AT  TIME
    t        3     20   37.5%       0.05     0.33  2023-11-14T22:13:20.000Z  2023-11-14T22:13:30.000Z       0@0      1@0  2023-11-14T22:13:00.000Z
    t        2      2   25.0%       0.03     0.03  2023-11-14T22:14:00.000Z  2023-11-14T22:14:20.000Z       1@1      0@2  2023-11-14T22:14:00.000Z
    t        2     12   25.0%       0.03     0.20  2023-11-14T22:16:20.000Z  2023-11-14T22:16:30.000Z       0@3      1@2  2023-11-14T22:16:00.000Z
    t        1      0   12.5%          -        -                        -1                        -1       1@3      1@3  \\N
    t        8     34  100.0%       0.04     0.18  2023-11-14T22:13:20.000Z  2023-11-14T22:16:30.000Z       0@0      1@2  total
`,
    ],
    [
      't --by key -n 1 -p 0 -o 1:',
      `${columns}                     FIRST                      LAST  FIRST-AT  LAST-AT  KEY
    t        1     11   33.3%          -        -  2023-11-14T22:16:20.000Z  2023-11-14T22:16:20.000Z       0@3      0@3  two words\\t
    t        3     14  100.0%       0.02     0.08  2023-11-14T22:13:21.000Z  2023-11-14T22:16:20.000Z       0@1      0@3  total
`,
    ],
    [
      't -J -o @2023-11-14T22:16:00Z --by key',
      '{"topic":"t","by":"key","group":"two words\\t","recordCount":1,"sizeBytes":11,"share":0.5,"recordsPerSecond":null,"bytesPerSecond":null,"firstTimestampMs":1700000180000,"lastTimestampMs":1700000180000,"firstPartition":0,"firstOffset":3,"lastPartition":0,"lastOffset":3}\n'.replace(
        '0.5',
        '0.3333333333333333',
      ) +
        '{"topic":"t","by":"key","group":"/w==","groupEncoding":"base64","recordCount":1,"sizeBytes":1,"share":0.3333333333333333,"recordsPerSecond":null,"bytesPerSecond":null,"firstTimestampMs":1700000190000,"lastTimestampMs":1700000190000,"firstPartition":1,"firstOffset":2,"lastPartition":1,"lastOffset":2}\n' +
        '{"topic":"t","by":"key","group":"","recordCount":1,"sizeBytes":0,"share":0.3333333333333333,"recordsPerSecond":null,"bytesPerSecond":null,"firstTimestampMs":-1,"lastTimestampMs":-1,"firstPartition":1,"firstOffset":3,"lastPartition":1,"lastOffset":3}\n' +
        '{"topic":"t","by":"key","total":true,"groupCount":3,"recordCount":3,"sizeBytes":12,"share":1,"recordsPerSecond":0.3,"bytesPerSecond":1.2,"firstTimestampMs":1700000180000,"lastTimestampMs":1700000190000,"firstPartition":0,"firstOffset":3,"lastPartition":1,"lastOffset":2}\n',
    ],
    [
      't -J --by 60s -w \'key == "b"\'',
      '{"topic":"t","by":"1m","group":1699999980000,"recordCount":1,"sizeBytes":2,"share":1,"recordsPerSecond":0.016666666666666666,"bytesPerSecond":0.03333333333333333,"firstTimestampMs":1700000001000,"lastTimestampMs":1700000001000,"firstPartition":0,"firstOffset":1,"lastPartition":0,"lastOffset":1}\n' +
        '{"topic":"t","by":"1m","total":true,"groupCount":1,"recordCount":1,"sizeBytes":2,"share":1,"recordsPerSecond":null,"bytesPerSecond":null,"firstTimestampMs":1700000001000,"lastTimestampMs":1700000001000,"firstPartition":0,"firstOffset":1,"lastPartition":0,"lastOffset":1}\n',
    ],
  ])
})

test('stat of several topics, patterns, empty topics, and what fails', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create empty --partitions 2; for n in 1 2; do seq $n | logq produce a.$n --timestamp 2023-11-14; done`,
  )
  const group = (topic: string, count: number, partition: string, share = '100.0%') =>
    `${topic} ${count} ${count} ${share} - - ${count === 0 ? '-1 -1' : '2023-11-14T00:00:00.000Z 2023-11-14T00:00:00.000Z'} ${count === 0 ? '- -' : `0@0 0@${count - 1}`} ${partition}\n`
  const squeeze = " | sed 's/^ *//; s/  */ /g; 1d'"
  await check(t, cli, [
    [`'a.*' ${squeeze}`, group('a.1', 1, '0') + group('a.1', 1, 'total') + group('a.2', 2, '0') + group('a.2', 2, 'total')],
    [
      `a.2 empty ${squeeze}`,
      group('a.2', 2, '0') +
        group('a.2', 2, 'total') +
        group('empty', 0, '0', '0.0%') +
        group('empty', 0, '1', '0.0%') +
        group('empty', 0, 'total', '0.0%'),
    ],
    [`empty --by key ${squeeze}`, group('empty', 0, 'total', '0.0%')],
    [
      `a.1 -w 'key == "x"' ${squeeze}; exit \${PIPESTATUS[0]}`,
      group('a.1', 0, '0', '0.0%') + group('a.1', 0, 'total', '0.0%'),
      3,
    ],
    [`a.2 -w 'int(text + "x") > 1' --by key | tail -n 1 | awk '{ print $2 }'`, '0\n', 0, /^logq stat: -w failed on 2 records/],
    ['a.1 none', '', 1, /topic 'none' does not exist/],
    ['a.1 -p 4', '', 1, /has no partition 4/],
    ['', '', 2, /TOPIC is missing/],
    ['a.1 --by value', '', 2, /nothing can be grouped by 'value'\n {2}hint: write key, partition, header:NAME, or a duration/],
    ['a.1 --by header:', '', 2, /nothing can be grouped by 'header:'/],
    ['a.1 --by 0s', '', 2, /too small/],
    ['a.1 --by 5y', '', 2, /invalid duration '5y'/],
    ['a.1 -w nope', '', 2, /cannot be used/],
  ])
})

test('awk reads the table, and get takes its places', async (t) => {
  const cli = makeCli(t)
  await cli.shell(records)
  const scripts: readonly [script: string, stdout: string][] = [
    [`logq stat t --by key | awk 'NR > 1 && $11 != "total" { n += $2; b += $3 } END { print n, b }'`, '8 34\n'],
    [`logq stat t --by header:level -n 1 | awk 'NR == 2 { print $1 ":" $9 }' | xargs logq get -F '%o %V\\n'`, '1 -1\n'],
    ['logq stat t --by 1m -J | grep -c recordCount', '5\n'],
  ]
  for (const [script, stdout] of scripts) t.is((await cli.shell(script)).stdout.toString(), stdout, script)
})

test('more groups than are held at once are counted exactly, and those that are not shown are said', async (t) => {
  const cli = makeCli(t)
  // Each key once, some of them twice, in a topic that is read several times.
  await cli.shell(`{ seq 130000; seq 10 10 500; } | sed 's/.*/&:v/' | logq produce t -K : --partitions 2`, {
    timeoutMs: 60_000,
  })
  const done = await cli.shell(
    `logq stat t --by key > all; wc -l < all; awk '$2 == 2' all | wc -l; awk '{ print $11 }' all | sort | uniq -d | wc -l; tail -n 1 all | awk '{ print $2 }'
     logq stat t --by key -n 3 -J -o +0: 2> err | grep -o '"groupCount":.*,"size'; cat err`,
    { timeoutMs: 60_000 },
  )
  t.is(done.stdout.toString(), '20002\n50\n0\n130050\n"groupCount":130000,"recordCount":130050,"size\n', done.stderr)
  t.is(done.stderr, "logq stat: topic 't': 110000 groups with fewer records are not shown; the total is over all\n")
})
