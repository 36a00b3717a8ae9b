/** logq import: each format with its options and its bad items, from files and pipes, into topics whose records are shown. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { fixture } from '../helpers/project.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

interface Case {
  readonly title: string
  /** Written to the file, or to the pipe of standard input. */
  readonly input: string | Buffer
  /** What stands between `logq import t` and the file. */
  readonly options: string
  /** Each record as `KEY VALUE HEADERS` in JSON. */
  readonly records: readonly string[]
  readonly status?: number
  /** Lines of standard error, without the name of the command. */
  readonly stderr?: readonly string[]
  /** With -F, what is printed of each record. */
  readonly show?: string
}

const SHOW = String.raw`%k %v %h\n`

async function check(t: ExecutionContext, cli: Cli, name: string, index: number, one: Case): Promise<void> {
  const { title, input, options, records, status = 0, stderr = [], show = SHOW } = one
  writeFileSync(join(cli.directory, name), input)
  const topic = `t${index}`
  const done = await cli.shell(`logq import ${topic} ${options} ${name}`)
  t.is(done.status, status, `${title}: ${done.stderr}`)
  t.is(done.stderr, stderr.map((line) => `${line.startsWith('  hint: ') ? '' : 'logq import: '}${line}\n`).join(''), title)
  t.is(done.stdout.toString(), '', title)
  const shown = await cli.shell(`logq cat ${topic} --null NULL -F '${show}'`)
  t.is(shown.stdout.toString(), records.map((record) => `${record}\n`).join(''), title)
}

function table(title: string, file: string, cases: readonly Case[]): void {
  test(title, async (t) => {
    const cli = makeCli(t)
    const extension = file.replace(/^[^.]*/, '')
    for (let from = 0; from < cases.length; from += 4)
      await Promise.all(
        cases.slice(from, from + 4).map((one, index) => check(t, cli, `f${from + index}${extension}`, from + index, one)),
      )
  })
}

table('csv: cells become JSON objects, keys, timestamps and headers', 'f.csv', [
  {
    title: 'rows as objects of strings',
    input: 'id,name\n1,ann\n2,"b ""o"" b\nby"\n',
    options: '',
    records: ['NULL {"id":"1","name":"ann"} ', 'NULL {"id":"2","name":"b \\"o\\" b\\nby"} '],
  },
  {
    title: 'byte order mark, CRLF, empty lines, no last line end, text of any language',
    input: '\ufeffid,n\u00e4me\r\n\r\n1,\u{1f600}\r\n\r\n2,',
    options: '',
    records: ['NULL {"id":"1","n\u00e4me":"\u{1f600}"} ', 'NULL {"id":"2","n\u00e4me":""} '],
  },
  {
    title: 'a key, and headers in the order of the options',
    input: 'id,a,b\nx,1,2\n',
    options: '--key-column id --header-column b --header-column a',
    records: ['x {"id":"x","a":"1","b":"2"} b=2,a=1'],
  },
  {
    title: 'a timestamp',
    input: 'at,v\n2026-11-20 14:30:00,a\n1763700000000,b\n',
    options: '--timestamp-column at --value-column v',
    show: String.raw`%T %v\n`,
    records: ['1795185000000 a', '1763700000000 b'],
  },
  {
    title: 'one cell as the value, with bytes that are not UTF-8',
    input: Buffer.from('id,v\n1,"\xff,"\n', 'latin1'),
    options: '--value-column v',
    show: String.raw`%v{hex}\n`,
    records: ['ff2c'],
  },
  {
    title: 'null',
    input: 'id,v,at\n1,-,-\n-,"",1763700000000\n',
    options: '--null - --key-column id --value-column v --timestamp-column at --timestamp-column at'.replace(
      / --timestamp-column at$/,
      '',
    ),
    show: String.raw`%k [%v]\n`,
    records: ['1 [NULL]', 'NULL []'],
  },
  {
    title: 'null in objects',
    input: 'id,v\n1,\n',
    options: "--null ''",
    records: ['NULL {"id":"1","v":null} '],
  },
  {
    title: 'columns without a header row',
    input: 'a,b\nc,d\n',
    options: '--no-header-row',
    records: ['NULL {"c1":"a","c2":"b"} ', 'NULL {"c1":"c","c2":"d"} '],
  },
  {
    title: 'columns without a header row, named',
    input: 'a,b\n',
    options: '--no-header-row --columns x,y --key-column y',
    records: ['b {"x":"a","y":"b"} '],
  },
  {
    title: 'columns named in place of the header row',
    input: 'x,x\na,b\n',
    options: '--columns y,z',
    records: ['NULL {"y":"a","z":"b"} '],
  },
  {
    title: 'types',
    input: `v\n${['1', '-1.50', '1e3', '007', '+1', '.5', '1.', 'true', 'True', 'null', '""', '123456789012345', '1234567890123456', '1e999', '0.0', 'NaN'].join('\n')}\n`,
    options: '--types infer',
    show: String.raw`%v\n`,
    records: [
      '1',
      '-1.50',
      '1e3',
      '"007"',
      '"+1"',
      '".5"',
      '"1."',
      'true',
      '"True"',
      'null',
      '""',
      '123456789012345',
      '"1234567890123456"',
      '"1e999"',
      '0.0',
      '"NaN"',
    ].map((value) => `{"v":${value}}`),
  },
  {
    title: 'another delimiter, and quotes that mean nothing',
    input: 'a;b\n5";"6\n',
    options: "--csv-delimiter ';' --no-quotes",
    records: [String.raw`NULL {"a":"5\"","b":"\"6"} `],
  },
  {
    title: '-k and -H are for every record',
    input: 'a\n1\n',
    options: '-k all -H from=csv',
    records: ['all {"a":"1"} from=csv'],
  },
  { title: 'an empty file', input: '', options: '', records: [] },
  { title: 'a header row and nothing else', input: 'a,b\n', options: '', records: [] },
])

table('csv: what is bad is named by file and line, and the others go in', 'f.csv', [
  {
    title: 'another number of cells, with the line on which the row begins',
    input: 'a,b\n"1\n\n1",2\n3\n4,5,6\n7,8\n',
    options: '--value-column b --key-column a',
    show: String.raw`%v\n`,
    records: ['2', '8'],
    status: 1,
    stderr: [
      'f0.csv: line 5: the row has 1 cell, not 2 as there are columns',
      'f0.csv: line 6: the row has 3 cells, not 2 as there are columns',
    ],
  },
  {
    title: 'quotes that do not add up',
    input: 'a,b\n1,"x"y\n2,x"y\n3,"\n4,z\n',
    options: '--value-column b',
    show: String.raw`%v\n`,
    records: ['z'],
    status: 1,
    stderr: [
      'f1.csv: line 2: text follows a closing quote',
      '  hint: a quote inside a quoted cell is doubled',
      'f1.csv: line 3: a quote stands within a cell that does not begin with one',
      "  hint: such a cell is quoted and its quotes doubled; if quotes mean nothing in this file, give '--no-quotes'",
      'f1.csv: line 4: a quote is opened and never closed',
      "  hint: if quotes mean nothing in this file, give '--no-quotes'",
    ],
  },
  {
    title: 'not UTF-8, not a time',
    input: Buffer.from('a,at\n\xff,2026-11-20\nb,yesterday\nc,2026-11-20\n', 'latin1'),
    options: '--timestamp-column at',
    records: ['NULL {"a":"c","at":"2026-11-20"} '],
    status: 1,
    stderr: [
      'f2.csv: line 2: not valid UTF-8',
      "  hint: a JSON object is text; '--value-column' keeps the bytes of one cell",
      "f2.csv: line 3: 'yesterday' is not a time",
      '  hint: a time is 13 digits (ms), 10 digits (s), 2026-11-20, or 2026-11-20 14:30:00, with a zone if it is not UTC',
    ],
  },
  {
    title: '--on-bad stop keeps what preceded',
    input: 'a,b\n1,2\n3\n4,5\n',
    options: '--on-bad stop',
    records: ['NULL {"a":"1","b":"2"} '],
    status: 1,
    stderr: ['f3.csv: line 3: the row has 1 cell, not 2 as there are columns'],
  },
  {
    title: 'a column that is not there',
    input: 'id,name\n1,2\n',
    options: '--key-column nmae',
    records: [],
    status: 1,
    stderr: ["f4.csv: there is no column 'nmae'", "  hint: did you mean 'name'?"],
  },
  {
    title: 'two columns of one name',
    input: 'id,id\n1,2\n',
    options: '',
    records: [],
    status: 1,
    stderr: ["f5.csv: two columns are named 'id'", "  hint: give names of your own with '--columns a,b,c'"],
  },
  {
    title: 'a header row that is no row',
    input: '"a"b\n1\n',
    options: '',
    records: [],
    status: 1,
    stderr: [
      'f6.csv: line 1: the columns are not known: text follows a closing quote',
      '  hint: a quote inside a quoted cell is doubled',
    ],
  },
  {
    title: 'a record above max.message.bytes',
    input: `v\n${'x'.repeat(17 << 20)}\nok\n`,
    options: '--value-column v',
    records: ['NULL ok '],
    status: 1,
    stderr: [
      'f7.csv: line 2: a record of 17825819 bytes is above max.message.bytes, 16777216',
      '  hint: see logq topic set TOPIC max.message.bytes=…',
    ],
  },
])

table('tsv', 'f.tsv', [
  { title: 'tabs', input: 'a\tb,c\n1\t"2\t3"\n', options: '', records: [String.raw`NULL {"a":"1","b,c":"2\t3"} `] },
])

table('ndjson: the value of each line as it was written', 'f.jsonl', [
  {
    title: 'any JSON value, white space around it left out',
    input: '\ufeff {"a" : 1.50}\r\n\n[1]\n \t\n"x"\nnull\n12345678901234567890',
    options: '-k k',
    records: ['k {"a" : 1.50} ', 'k [1] ', 'k "x" ', 'k null ', 'k 12345678901234567890 '],
  },
  {
    title: 'key and timestamp from the value',
    input: '{"user":{"id":"u1"},"at":1763700000000}\n{"user":{}}\n{"user":{"id":7},"at":"2026-11-20"}\n',
    options: '--key-from .user.id --timestamp-from .at',
    show: String.raw`%k %T\n`,
    records: ['u1 1763700000000', '7 1795132800000'],
    status: 1,
    stderr: ["f1.jsonl: line 2: the value has no '.user.id'"],
  },
  {
    title: 'bad lines',
    input: Buffer.from('{"a":1}\n{"a":1\n\n"\xff"\n{}\n', 'latin1'),
    options: '',
    records: ['NULL {"a":1} ', 'NULL {} '],
    status: 1,
    stderr: [
      'f2.jsonl: line 2: not JSON',
      "  hint: lines that are not JSON go in with 'logq produce'",
      'f2.jsonl: line 4: not valid UTF-8',
      "  hint: lines that are not JSON go in with 'logq produce'",
    ],
  },
])

const KCAT = String.raw`%T %k %v{hex} %h\n`

table('kcat: what kcat -J prints', 'f.json', [
  {
    title: 'every field',
    input:
      '{"topic":"a","partition":0,"offset":7,"tstype":"create","ts":1763700000000,"broker":1,"headers":["h","1","h","2"],"key":"k","payload":"v"}\n',
    options: '--from kcat',
    show: String.raw`%T %k %v %h\n`,
    records: ['1763700000000 k v h=1,h=2'],
  },
  {
    title: 'bytes that are not UTF-8 stay, escapes are UTF-8, null is null',
    input: Buffer.from(
      String.raw`{"offset":1,"ts":5,"key":"\u00e9","payload":"` +
        '\xff\xc3\xa9' +
        String.raw`\u00e9\ud83d\ude00\"\u0000"}{"offset":2,"key":null,"payload":null}`,
      'latin1',
    ),
    options: '--from kcat',
    show: KCAT,
    records: ['5 \u00e9 ffc3a9c3a9f09f98802200 ', '-1 NULL NULL '],
  },
  {
    title: 'values that a schema registry decoded keep their text',
    input: '{"ts":5,"key":1.50,"key_schema_id":3,"payload":{"a" : [1e3]},"value_schema_id":4}',
    options: '--from kcat',
    records: ['1.50 {"a" : [1e3]} '],
  },
  {
    title: 'bad objects',
    input: Buffer.from(
      [
        '{"payload":"1"}',
        '{"payload":"cut off',
        '{"key":"no payload"}',
        '{"value":"rpk"}',
        '{"payload":"x","headers":["a"]}',
        '{"payload":"\\ud800"}',
        '{"payload":"x","ts":1.5}',
        '{"payload":"x","payload":"y"}',
        '{"payload":null,"payload_error":"no schema 7"}',
        '{"payload":}',
        '% Reached end of topic a [0] at offset 3',
        '{"payload":"x","headers":["\xff","v"]}',
        '{"payload":"2","fetched":1}',
        '{"payload":"3","fetched":2',
      ].join('\n'),
      'latin1',
    ),
    options: '--from kcat',
    records: ['NULL 1 ', 'NULL 2 '],
    status: 1,
    stderr: [
      'f3.json: line 2: the object is cut off: a line ends within a string',
      "f3.json: line 3: the field 'payload' is missing",
      "f3.json: line 4: the field 'payload' is missing",
      "  hint: objects with a 'value' are rpk's: --from rpk",
      "f3.json: line 5: 'headers' is not an array of names and values in turn",
      "f3.json: line 6: 'payload' has a lone surrogate, which no bytes can say",
      'f3.json: line 7: invalid ts 1.5',
      "f3.json: line 8: the field 'payload' is given twice",
      'f3.json: line 9: kcat could not decode the payload: "no schema 7"',
      "f3.json: line 10: not a JSON object: unexpected '}' at character 12",
      "f3.json: line 11: '% Reached end of topic a [0] at offset 3' is no JSON object",
      "f3.json: line 12: a header's name is not valid UTF-8",
      "f3.json: line 13: the field 'fetched' is ignored, here and wherever else it stands",
      'f3.json: line 14: the object is cut off: the input ends before it does',
    ],
  },
  {
    title: 'several topics become one, which is said',
    input: '{"topic":"a","payload":"1"}{"topic":"b","payload":"2"}{"topic":"c","payload":"3"}',
    options: '--from kcat',
    records: ['NULL 1 ', 'NULL 2 ', 'NULL 3 '],
    stderr: ["f4.json: line 1: a record of topic 'b', where those before were of 'a'"],
  },
  {
    title: 'partitions are kept when asked for',
    input: '{"payload":"1","partition":2}[{"payload":"2","partition":0},{"payload":"3"}]',
    options: '--from kcat --partitions 3 --keep partition -k same',
    show: String.raw`%p %v\n`,
    records: ['0 2', '2 1', '2 3'],
  },
])

table('rpk: what rpk topic consume prints', 'f.json', [
  {
    title: 'objects on several lines',
    input: `${JSON.stringify(
      {
        topic: 'a',
        key: 'k',
        value: '{"x":1}',
        headers: [
          { key: 'h', value: '' },
          { key: 'h', value: '1' },
        ],
        timestamp: 1763700000000,
        partition: 0,
        offset: 7,
      },
      undefined,
      2,
    )}
${JSON.stringify({ topic: 'a', timestamp: 1763700000001, partition: 0, offset: 8 }, undefined, 2)}
${JSON.stringify({ topic: 'a', value: '', timestamp: 1763700000002, partition: 0, offset: 9 })}
`,
    options: '--from rpk',
    show: String.raw`%T %k [%v] %h\n`,
    records: ['1763700000000 k [{"x":1}] h=,h=1', '1763700000001 NULL [NULL] ', '1763700000002 NULL [] '],
  },
  {
    title: 'what is no record',
    input: `{"topic":"a","value_size":3,"timestamp":1,"partition":0,"offset":0}
{"topic":"a","timestamp":1}
{"payload":"kcat"}
{
  "topic": "a",
  "value": "cut
{
  "topic": "a",
  "value": "x",
{
  "value": "ok"
}
`,
    options: '--from rpk',
    records: ['NULL ok '],
    status: 1,
    stderr: [
      "f1.json: line 1: there is no value, only 'value_size'",
      '  hint: rpk printed it with --meta-only: print it again without',
      "f1.json: line 2: the field 'value' is missing, and it is not a tombstone as rpk prints one",
      "f1.json: line 3: the field 'value' is missing, and it is not a tombstone as rpk prints one",
      "  hint: objects with a 'payload' are kcat's: --from kcat",
      'f1.json: line 4: the object is cut off: a line ends within a string',
      'f1.json: line 7: the object is cut off: the next one begins before it ends',
    ],
  },
])

test('usage', async (t) => {
  const cli = makeCli(t)
  const cases: readonly (readonly [script: string, stderr: RegExp])[] = [
    ['logq import t', /the format of standard input is not known\n.*--from: csv, tsv, ndjson, kcat, rpk/],
    ['logq import t -', /the format of standard input is not known/],
    ['logq import t x.csv x.json', /the format of 'x.json' is not known/],
    ['logq import t .csv', /./],
    ['logq import t --from xml x', /'--from'/],
    ['logq import t x.jsonl --key-column a', /--key-column goes with csv and tsv, not with ndjson/],
    ['logq import t --from kcat --null x', /--null goes with csv and tsv, not with kcat/],
    ['logq import t x.csv --keep partition', /--keep partition goes with kcat and rpk, not with csv/],
    ['logq import t x.csv -k a --key-column b', /--key-column and -k exclude each other/],
    ['logq import t x.csv --key-from .a --key-column b', /--key-column and --key-from exclude each other/],
    ['logq import t x.jsonl --key-from .a -k b', /--key-from and -k exclude each other/],
    ['logq import t x.csv --timestamp-from .a --timestamp-column b', /exclude each other/],
    ['logq import t x.csv --timestamp 1763700000 --timestamp-column b', /exclude each other/],
    ['logq import t x.csv --value-column a --types infer', /--types goes with JSON objects/],
    ['logq import t x.csv --columns a,b,a', /'a' is given twice/],
    ["logq import t x.csv --csv-delimiter ''", /cannot stand between cells/],
    ["logq import t x.csv --csv-delimiter '\"'", /cannot stand between cells/],
    ["logq import t x.csv --csv-delimiter '::'", /cannot stand between cells/],
    ['logq import t --from kcat --keep partition -p 1', /--keep partition and -p exclude each other/],
    ['logq import', /TOPIC/],
  ]
  for (const [script, stderr] of cases) {
    const done = await cli.shell(script)
    t.is(done.status, script.endsWith(' .csv') ? 1 : 2, `${script}: ${done.stderr}`)
    t.regex(done.stderr, stderr, script)
  }
  t.is((await cli.shell('ls')).stdout.toString(), '')
})

test('several files of several formats, and one that is not there', async (t) => {
  const cli = makeCli(t)
  writeFileSync(join(cli.directory, 'a.csv'), 'v\n1\n')
  writeFileSync(join(cli.directory, 'b.ndjson'), '{"v":2}\n')
  const done = await cli.shell(
    'logq import t a.csv b.ndjson -v; logq cat t; logq import u a.csv none.csv; echo $?; ls store/topics',
  )
  t.is(done.stdout.toString(), '{"v":"1"}\n{"v":2}\n1\nt.json\nu.json\n')
  t.regex(done.stderr, /^logq import: 2 records appended to 't' from 2 items\n.*none.csv/)
})

test('offsets are printed for each record, from standard input', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell("printf 'a\\n1\\n2\\n' | logq import t --from csv --print-offsets -z gzip -")
  t.is(done.stdout.toString(), 't:0@0\nt:0@1\n')
})

test('real input: every row of a CSV file, every line of NDJSON', async (t) => {
  const cli = makeCli(t)
  for (const name of ['earthquakes.csv', 'nginx_status.ndjson']) writeFileSync(join(cli.directory, name), fixture(name))
  const done = await cli.shell(`
    logq import quakes earthquakes.csv --key-column EventID --timestamp-column DateTime --partitions 3 -q
    logq import status nginx_status.ndjson -q && logq cat status | cmp - nginx_status.ndjson
    logq cat quakes | wc -l
    logq cat quakes -F '%T{iso} %k %v\\n' | grep -F '"EventID":"72724990"'`)
  const rows = fixture('earthquakes.csv').toString().split('\n').length - 2
  t.is(done.stderr, '')
  t.is(
    done.stdout.toString(),
    `${rows}\n2016-11-14T12:02:14.650Z 72724990 {"DateTime":"2016/11/14 12:02:14.65","Latitude":"36.7622","Longitude":"-120.8830","Depth":"22.32","Magnitude":"2.22","MagType":"Md","NbStations":"9","Gap":"169","Distance":"34","RMS":"0.99","Source":"NC","EventID":"72724990"}\n`,
  )
})

test('hostile input: a cell of 1 MB, 10,000 columns, deep nesting, a quote that takes all', async (t) => {
  const cli = makeCli(t)
  const cell = 'x""\n'.repeat(250_000)
  const columns = Array.from({ length: 10_000 }, (_, n) => `c${n}`).join(',')
  writeFileSync(join(cli.directory, 'cell.csv'), `v,w\n"${cell}",1\n`)
  writeFileSync(join(cli.directory, 'columns.csv'), `${columns}\n${columns}\n`)
  writeFileSync(
    join(cli.directory, 'deep.json'),
    `{"payload":${'['.repeat(100_000)}${']'.repeat(100_000)}}\n{"payload":"ok"}\n`,
  )
  writeFileSync(join(cli.directory, 'quote.csv'), `v\n"a\n${'b\n'.repeat(200_000)}`)
  const done = await cli.shell(`
    logq import cell cell.csv --value-column v && logq cat cell | wc -c
    logq import columns columns.csv && logq cat columns | wc -c
    logq import deep deep.json --from kcat; logq cat deep -n 1 | head -c 3; echo; logq cat deep | tail -n 1
    logq import quote quote.csv --value-column v; echo $?; logq cat quote | sort | uniq -c`)
  const object = columns.split(',').reduce((sum, name) => sum + 2 * (name.length + 3), 1)
  t.is(done.stdout.toString().replace(/ +/g, ' '), `750001\n${object + 1}\n[[[\nok\n1\n 200000 b\n`)
  t.is(
    done.stderr,
    "logq import: quote.csv: line 2: a quote is opened and never closed\n  hint: if quotes mean nothing in this file, give '--no-quotes'\n",
  )
})

test('a signal: what was read is appended, a row that is not whole is not', async (t) => {
  const cli = makeCli(t)
  const running = cli.start('exec logq import t --from csv --print-offsets', { stdin: 'open' })
  running.write('a,b\n1,2\n3,"4')
  await running.waitForOutput('t:0@0\n')
  running.signal('SIGTERM', { group: true })
  await running.finished
  t.is((await cli.shell('logq cat t')).stdout.toString(), '{"a":"1","b":"2"}\n')
})

test('compressed files are what their names say', async (t) => {
  const cli = makeCli(t)
  writeFileSync(join(cli.directory, 'a.csv.gz'), gzipSync('v\n1\n2,3\n'))
  writeFileSync(join(cli.directory, 'b.jsonl.br'), brotliCompressSync('{"v":3}\n'))
  const done = await cli.shell('logq import t a.csv.gz b.jsonl.br; logq cat t')
  t.is(done.stdout.toString(), '{"v":"1"}\n{"v":3}\n')
  t.is(done.stderr, 'logq import: a.csv.gz: line 3: the row has 2 cells, not 1 as there are columns\n')
})
