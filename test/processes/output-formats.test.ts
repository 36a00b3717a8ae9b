/** The options of output formats through cat and tail: tsv, --time, --no-value, and which option goes with which format. */
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const produceTable = `logq produce t -J --partitions 1 <<'END'
{"key":"b","value":"two\\twords","timestamp":1700000000123,"headers":[{"key":"a","value":"1"},{"key":"a","value":null}]}
{"key":null,"value":"\\\\N\\n","timestamp":1700000000124}
{"key":"a","value":null,"timestamp":-1}
{"key":"/w==","keyEncoding":"base64","value":"größe","timestamp":1700000000125,"headers":[{"key":"","value":""}]}
END`

type Row = readonly [command: string, stdout: string, stderr?: RegExp, status?: number]

test('tsv, --time and --no-value print what their pages say', async (t) => {
  const cli = makeCli(t)
  await cli.shell(produceTable)
  const lines = [
    't\t0\t0\t1700000000123\tb\ttwo\\twords\ta=1,a=\\N\n',
    't\t0\t1\t1700000000124\t\\N\t\\\\N\\n\t\n',
    't\t0\t2\t-1\ta\t\\N\t\n',
    't\t0\t3\t1700000000125\t\\xff\tgröße\t=\n',
  ]
  const rows: readonly Row[] = [
    ['cat t -F tsv', lines.join('')],
    ['cat t --format=tsv --raw', lines.join('')],
    ['tail t -F tsv -o 3', lines[3] ?? ''],
    ['cat t -F tsv --time ms', lines.join('')],
    ['cat t -F tsv -n 1 --time iso', 't\t0\t0\t2023-11-14T22:13:20.123Z\tb\ttwo\\twords\ta=1,a=\\N\n'],
    ['cat t -F tsv -o 2 -n 1 --time rel', 't\t0\t2\t-1\ta\t\\N\t\n'],
    ["cat t -n 1 -F '%T\\n' --time iso", '2023-11-14T22:13:20.123Z\n'],
    ["cat t -n 1 -F '%T %T{iso}\\n' --time ms", '1700000000123 2023-11-14T22:13:20.123Z\n'],
    ["cat t -o 2 -n 1 -F '%T %T{iso}\\n' --time iso", '-1 -1\n'],
    ['cat t -F tsv --no-value -o 1:3', 't\t0\t1\t1700000000124\t\\N\t3\t\n' + 't\t0\t2\t-1\ta\t\\N\t\n'],
    [
      'cat t -J --no-value --time ms -o 2',
      '{"topic":"t","partition":0,"offset":2,"timestamp":-1,"timestampType":"CreateTime","key":"a","valueBytes":null,"headers":[]}\n' +
        '{"topic":"t","partition":0,"offset":3,"timestamp":1700000000125,"timestampType":"CreateTime","key":"/w==","keyEncoding":"base64","valueBytes":7,"headers":[{"key":"","value":""}]}\n',
    ],
    ["cat t -F '%k %V\\n' --no-value -n 2", 'b 9\n 3\n'],
    ["cat t -F '%k %V\\n' --null - -o 1:3", '- 3\na -1\n'],
  ]
  await check(t, cli, rows)
})

test('tsv goes through cut, sort -t and awk', async (t) => {
  const cli = makeCli(t)
  await cli.shell(produceTable)
  const scripts: readonly [script: string, stdout: string][] = [
    ['logq cat t -F tsv | wc -l', '4\n'],
    ['logq cat t -F tsv | cut -f 3,5', '0\tb\n1\t\\N\n2\ta\n3\t\\xff\n'],
    ["logq cat t -F tsv | LC_ALL=C sort -t '\t' -k 5,5 | cut -f 3", '1\n3\n2\n0\n'],
    ["logq cat t -F tsv | awk -F '\t' '$6 != \"\\\\N\" { n += 1 } NF != 7 { exit 1 } END { print n }'", '3\n'],
    // Bash's printf knows the same escapes.
    ['logq cat t -F tsv -n 1 | cut -f 6 | { IFS= read -r v; printf "%b|" "$v"; }', 'two\twords|'],
  ]
  for (const [script, stdout] of scripts) t.is((await cli.shell(script)).stdout.toString(), stdout, script)
})

test('--time rel is the time before now, and after it', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    'echo a | logq produce t --timestamp -2h; echo b | logq produce t --timestamp +3d --allow-future || echo b | logq produce t --timestamp +3d; echo c | logq produce t',
  )
  const shown = (
    await cli.shell("logq cat t -F '%v %T\\n' --time rel; logq cat t -F tsv --time rel | cut -f 4")
  ).stdout.toString()
  t.regex(shown, /^a -2h(\d+m)?\nb \+2d23h\nc -\d+(ms|s|m\d*s?)\n-2h(\d+m)?\n\+2d23h\n-\d+(ms|s|m\d*s?)\n$/)
})

test('an option that would be ignored is a usage error', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo v | logq produce t')
  const formats = { value: '-F value', json: '-J', tsv: '-F tsv', batch: '-F batch', template: "-F '%k %v %T\\n'" } as const
  type Format = keyof typeof formats
  /** What happens with value, json, tsv, batch and a template: '' goes, a text is the message of exit 2. */
  const only = 'go with the value format only'
  const table: readonly (readonly [option: string, ...messages: readonly string[]])[] = [
    ["-D ';'", '', only, only, only, only],
    ['-0', '', only, only, only, only],
    ['-K :', '', '-K goes with', '-K goes with', '-K goes with', '-K goes with'],
    ['--null x', '', '--null goes with', '--null goes with', '--null goes with', ''],
    ['--time ms', '--time goes with', '', '', '--time goes with', ''],
    ['--time iso', '--time goes with', '--time does not go with JSON', '', '--time goes with', ''],
    ['--time rel', '--time goes with', '--time does not go with JSON', '', '--time goes with', ''],
    ['--no-value', 'does not go with the value format', '', '', 'does not go with the batch format', 'does not go with %v'],
    ['--raw', '', '', '', '', ''],
  ]
  for (const command of ['cat t', 'tail t -o 0']) {
    const cells = table.flatMap(([option, ...messages]) =>
      (Object.keys(formats) as Format[]).map((format, index) => ({
        line: `${command} ${formats[format]} ${option}`,
        message: messages[index],
      })),
    )
    for (let from = 0; from < cells.length; from += 9) {
      await Promise.all(
        cells.slice(from, from + 9).map(async ({ line, message = 'missing' }) => {
          const done = await cli.shell(`logq ${line}`)
          t.is(done.status, message === '' ? 0 : 2, `${line}\n${done.stderr}`)
          t.true(message === '' ? done.stderr === '' : done.stderr.includes(message), `${line}\n${done.stderr}`)
          t.is(done.stdout.length > 0, message === '', line)
        }),
      )
    }
  }
  await check(t, cli, [
    ["cat t -F '%v\\n' --time iso", '', /--time goes with tsv and with %T/, 2],
    ["cat t -F '%T{iso}\\n' --time rel", '', /--time goes with tsv and with %T/, 2],
    ['cat t -F tsv --time ISO', '', /'ISO' is not one of 'ms', 'iso', 'rel'/, 2],
    ["cat t -F '%s' --no-value", '', /%V is the length/, 2],
    ['cat t --no-value', '', /use -J/, 2],
    ['cat t -F tvs', '', /did you mean 'tsv'\?/, 2],
    ['produce t -F tsv', '', /there is no format 'tsv'/, 2],
  ])
})

test('produce -J refuses a record without its value, and takes the others', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'a\\nb\\n' | logq produce t; { logq cat t -J -n 1 --no-value; logq cat t -J -o 1; } | logq produce u -J; echo $?; logq cat u`,
  )
  t.is(done.stdout.toString(), '1\nb\n')
  t.regex(done.stderr, /stdin: line 1: 'valueBytes' stands in place of the value: the record was printed with --no-value/)
})

async function check(
  t: { is: (a: unknown, b: unknown, m?: string) => unknown; regex: (a: string, b: RegExp, m?: string) => unknown },
  cli: Cli,
  rows: readonly Row[],
): Promise<void> {
  for (const [command, stdout, stderr, status = 0] of rows) {
    const done = await cli.shell(`logq ${command}`)
    t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
    if (stderr === undefined) t.is(done.stderr, '', command)
    else t.regex(done.stderr, stderr, command)
    t.is(done.status, status, command)
  }
}

test('tsv on a terminal has RFC 3339 times, and its control characters are shown', async (t) => {
  const cli = makeCli(t)
  await cli.shell(`printf 'a\\tb\\n\\xc2\\x9b2J\\n' | logq produce t --timestamp 2023-11-14T22:13:20.123Z`)
  const onTerminal = async (command: string): Promise<string> => {
    const done = await cli.shell(`script -qec ${JSON.stringify(command)} /dev/null < /dev/null`)
    return done.stdout.toString().replaceAll('\r', '')
  }
  const time = '2023-11-14T22:13:20.123Z'
  t.is(await onTerminal('logq cat t -F tsv'), `t\t0\t0\t${time}\t\\N\ta\\tb\t\nt\t0\t1\t${time}\t\\N\t\\u009b2J\t\n`)
  t.is(await onTerminal('logq cat t -F tsv -n 1 --time ms'), 't\t0\t0\t1700000000123\t\\N\ta\\tb\t\n')
})
