/** logq export through the built program: formats, ranges and filters, files, and what happens when something is in the way. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { fixture } from '../helpers/project.js'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'
import { onSmallDisk } from '../helpers/small-disk.js'

/** Topic `t`: two partitions, keys, headers, null and empty, fixed times; topic `bin`: a value that is not UTF-8. */
async function fill(cli: Cli): Promise<void> {
  const records = [
    { partition: 0, timestamp: 1000, key: 'u1', value: '{"n":1,"s":"a,b"}', headers: [{ key: 'h', value: 'x' }] },
    { partition: 0, timestamp: 2000, key: '', value: '', headers: [] },
    { partition: 1, timestamp: 3000, key: null, value: null, headers: [{ key: 'h', value: null }] },
    { partition: 1, timestamp: 4000, key: 'u/2', value: '{\n "n": 2.50\n}', headers: [] },
  ]
  writeFileSync(join(cli.directory, 'records'), records.map((one) => `${JSON.stringify(one)}\n`).join(''))
  const done = await cli.shell(`logq produce t -J --keep partition --partitions 2 records && rm records
    printf 'a\\nb\\377\\n' | logq produce bin`)
  if (done.status !== 0) throw new Error(done.stderr)
}

interface Case {
  readonly script: string
  readonly stdout: string
  readonly status?: number
  readonly stderr?: string
}

const cases: readonly Case[] = [
  {
    script: 'logq export t --to csv',
    stdout:
      'topic,partition,offset,timestamp,key,value,headers\n' +
      't,0,0,1000,u1,"{""n"":1,""s"":""a,b""}","[{""key"":""h"",""value"":""x""}]"\n' +
      't,0,1,2000,"","",\n' +
      't,1,0,3000,,,"[{""key"":""h"",""value"":null}]"\n' +
      't,1,1,4000,u/2,"{\n ""n"": 2.50\n}",\n',
  },
  {
    script: 'logq export t --to tsv --columns offset,n=value.n,value.s,header.h',
    stdout: 'offset\tn\tvalue.s\theader.h\n0\t1\ta,b\tx\n1\t\t\t\n0\t\t\t\n1\t2.50\t\t\n',
  },
  {
    script: "logq export t --to csv --columns key,value.s --no-header-row --csv-delimiter ';' -p 0",
    stdout: 'u1;a,b\n"";\n',
  },
  { script: 'logq export t --to csv --columns timestamp --time iso -n 1', stdout: 'timestamp\n1970-01-01T00:00:01.000Z\n' },
  { script: 'logq export t --to csv --flatten -w \'key == "u1"\'', stdout: 'n,s\n1,"a,b"\n' },
  { script: 'logq export t --to csv --byte-order-mark --columns key -n 1', stdout: '\ufeffkey\nu1\n' },
  { script: 'logq export t --to ndjson', stdout: '{"n":1,"s":"a,b"}\n""\nnull\n{"n":2.50}\n' },
  { script: 'logq export t --to ndjson -o 1:', stdout: '""\n{"n":2.50}\n' },
  { script: "logq export t 'b*' --to ndjson -n 5", stdout: '{"n":1,"s":"a,b"}\n""\nnull\n{"n":2.50}\n"a"\n' },
  {
    script: 'logq export t --to kcat -p 1',
    stdout:
      '{"topic":"t","partition":1,"offset":0,"tstype":"create","ts":3000,"broker":-1,"headers":["h",null],"key":null,"payload":null}\n' +
      '{"topic":"t","partition":1,"offset":1,"tstype":"create","ts":4000,"broker":-1,"key":"u/2","payload":"{\\n \\"n\\": 2.50\\n}"}\n',
  },
  {
    script: 'logq export t --to rpk',
    stdout:
      '{"topic":"t","key":"u1","value":"{\\"n\\":1,\\"s\\":\\"a,b\\"}","headers":[{"key":"h","value":"x"}],"timestamp":1000,"partition":0,"offset":0}\n' +
      '{"topic":"t","value":"","timestamp":2000,"partition":0,"offset":1}\n' +
      '{"topic":"t","headers":[{"key":"h","value":""}],"timestamp":3000,"partition":1,"offset":0}\n' +
      '{"topic":"t","key":"u/2","value":"{\\n \\"n\\": 2.50\\n}","timestamp":4000,"partition":1,"offset":1}\n',
    status: 1,
    stderr:
      'logq export: t:0@1: the key is empty, and left out like one that is null\nlogq export: t:1@0: a header that is null becomes empty\n',
  },
  {
    script: 'logq export t --to csv --flatten -p 0',
    stdout: 'n,s\n1,"a,b"\n',
    status: 1,
    stderr:
      "logq export: t:0@1: the value is no JSON object, which --flatten could make columns of\n  hint: leave such records out with -w, or name columns with '--columns'\n",
  },
  {
    script: 'logq export bin --to ndjson',
    stdout: '"a"\n',
    status: 1,
    stderr:
      'logq export: bin:0@1: the value is not valid UTF-8, and cannot be JSON\n  hint: --to csv and --to kcat keep such bytes; logq cat -J writes them as base64\n',
  },
  { script: 'logq export bin --to csv --columns value | od -An -tx1', stdout: ' 76 61 6c 75 65 0a 61 0a 62 ff 0a\n' },
  {
    script:
      'seq 30 | sed "s/^/\\xff/" | logq produce many && logq export many --to rpk 2>&1 >/dev/null | tail -n 2 | cut -d: -f 2-',
    stdout: ' many:0@9: bytes that are not UTF-8 become U+FFFD\n and 20 more records did not go in as they are\n',
    status: 1,
  },
  { script: 'logq export t --to ndjson -w false', stdout: '', status: 3 },
  { script: 'logq export t --to csv -w false --columns key', stdout: 'key\n', status: 3 },
  { script: 'logq topic create none -q && logq export none --to csv --columns key', stdout: 'key\n' },
  {
    script: 'seq 200000 | logq produce long -q && logq export long --to csv | head -n 1',
    stdout: 'topic,partition,offset,timestamp,key,value,headers\n',
  },
]

test('standard output', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  for (let from = 0; from < cases.length; from += 4) {
    await Promise.all(
      cases.slice(from, from + 4).map(async ({ script, stdout, status = 0, stderr = '' }) => {
        const done = await cli.shell(`set -o pipefail; ${script}`)
        t.is(done.stdout.toString(), stdout, script)
        t.is(done.stderr, stderr, script)
        t.is(done.status, status, script)
      }),
    )
  }
})

test('usage', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo | logq produce t; echo | logq produce u')
  const refused: readonly (readonly [script: string, stderr: RegExp])[] = [
    ['logq export', /TOPIC/],
    ['logq export t', /the format is missing\n {2}hint: name it with --to: csv, tsv, ndjson, kcat, rpk/],
    ['logq export t --to xml', /'--to'/],
    ['logq export t --to kcat --columns key', /--columns goes with csv and tsv, not with kcat/],
    ['logq export t --to ndjson --flatten', /--flatten goes with csv and tsv, not with ndjson/],
    [
      'logq export t --to csv --columns kye',
      /^logq export: option '--columns': there is no column 'kye'\n {2}hint: did you mean 'key'/,
    ],
    ['logq export t --to csv --columns key,key', /two columns are named 'key'\n {2}hint: rename one/],
    ['logq export t --to csv --split-by key', /--split-by goes with --dir/],
    ['logq export t --to csv --force', /--force goes with --dir/],
    ["logq export t --to csv --dir ''", /the name is empty/],
    ['logq export t u --to csv --dir d --split-by key', /--split-by key takes one topic/],
    ["logq export t --to csv -w 'nonsense('", /./],
  ]
  for (const [script, stderr] of refused) {
    const done = await cli.shell(script)
    t.is(done.status, 2, `${script}: ${done.stderr}`)
    t.regex(done.stderr, stderr, script)
    t.is(done.stdout.toString(), '', script)
  }
  t.is((await cli.shell('ls')).stdout.toString(), 'store\n')
  t.is((await cli.shell('logq export nothing --to csv')).status, 1)
})

test('files: one for each topic, partition and key, whole and under safe names', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const done = await cli.shell(`
    logq export t bin --to kcat --dir a/b && (cd a/b; wc -l *)
    logq export t --to csv --columns offset --dir p --split-by partition && (cd p; head *)
    logq export t --to ndjson --dir k --split-by key && (cd k; head *; ls -A)`)
  t.is(done.stderr, '')
  t.is(
    done.stdout.toString().replace(/ +/g, ' '),
    ` 2 bin.json\n 4 t.json\n 6 total
==> t-0.csv <==\noffset\n0\n1\n\n==> t-1.csv <==\noffset\n0\n1
==> u%2F2.ndjson <==\n{"n":2.50}\n\n==> u1.ndjson <==\n{"n":1,"s":"a,b"}\n\n==> ~empty.ndjson <==\n""\n\n==> ~null.ndjson <==\nnull
u%2F2.ndjson\nu1.ndjson\n~empty.ndjson\n~null.ndjson\n`,
  )
})

test('files that are there are named and kept, the others are written; --force replaces them', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  const done = await cli.shell(`
    mkdir d; echo old > d/t-0.ndjson
    logq export t --to ndjson --dir d --split-by partition; echo $?; (cd d; head *; ls -A)
    logq export t --to ndjson --dir d --split-by partition --force; echo $?; (cd d; head *; ls -A)
    ln -s d link; logq export t --to ndjson --dir link --split-by topic; echo $?; ls d
    logq export t --to ndjson --dir d/t-0.ndjson; echo $?; logq export t --to ndjson --dir d/t-0.ndjson/x; echo $?`)
  t.is(
    done.stdout.toString(),
    `1\n==> t-0.ndjson <==\nold\n\n==> t-1.ndjson <==\nnull\n{"n":2.50}\nt-0.ndjson\nt-1.ndjson
0\n==> t-0.ndjson <==\n{"n":1,"s":"a,b"}\n""\n\n==> t-1.ndjson <==\nnull\n{"n":2.50}\nt-0.ndjson\nt-1.ndjson
0\nt-0.ndjson\nt-1.ndjson\nt.ndjson\n1\n1\n`,
  )
  t.regex(
    done.stderr,
    /^logq export: 'd\/t-0.ndjson' exists: its records were not exported\n {2}hint: --force replaces files that are there\nlogq export: cannot create 'd\/t-0.ndjson': file already exists\nlogq export: cannot \w+( \w+)* 'd\/t-0.ndjson\/x': not a directory\n$/,
  )
})

test('more files than may be open at a time', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(`
    seq 600 | awk '{ print $1 % 200 ":" $1 }' | logq produce t -K: && ulimit -n 150
    logq export t --to ndjson --dir d --split-by key && ls -A d | wc -l && cat d/7.ndjson d/0.ndjson`)
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '200\n7\n207\n407\n200\n400\n600\n')
})

test('what fails leaves no file: a signal, a file size limit, a full disk', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 300000 | logq produce t')
  const limited = await cli.shell('(ulimit -f 100; logq export t --to csv --dir d); echo $?; ls -A d')
  t.is(limited.stdout.toString(), '1\n')
  t.regex(limited.stderr, /^logq export: cannot write 'd\/t.csv': file too large\n {2}hint: a file size limit was reached/)
  if ((await cli.shell(onSmallDisk('64k', 'true'))).status === 0) {
    const full = await cli.shell(onSmallDisk('300k', 'logq export t --to csv --dir disk/d; echo $?; ls -A disk/d'))
    t.is(full.stdout.toString(), '1\n')
    t.regex(full.stderr, /^logq export: cannot write 'disk\/d\/t.csv': no space left on device\n {2}hint: free space/)
  } else t.log('left out: no tmpfs can be mounted here')
  // Stopped while it reads: the first records are in a temporary file by then.
  const running = cli.start(
    'logq export t --to csv --dir s & while ! ls -A s 2>/dev/null | grep -q .; do :; done; kill -TERM $!; wait $!; echo $?; ls -A s',
  )
  const { stdout } = await running.finished
  t.true(['143\n', '0\nt.csv\n'].includes(stdout.toString()), stdout.toString())
})

test('round trips: kcat, rpk and CSV, in and out', async (t) => {
  const cli = makeCli(t)
  await fill(cli)
  writeFileSync(join(cli.directory, 'earthquakes.csv'), fixture('earthquakes.csv'))
  const done = await cli.shell(`
    logq export t bin --to kcat > kcat.json
    logq import t2 --from kcat --partitions 2 --keep partition < <(grep '"topic":"t"' kcat.json)
    logq import bin2 --from kcat < <(grep -a '"topic":"bin"' kcat.json)
    logq digest t t2 bin bin2 | cut -c 1-64 | uniq -c | awk '{ print $1 }'
    logq export t --to rpk -w 'key == "u1"' | logq import rpk --from rpk && logq export t --to rpk -w 'key == "u1"' > a; logq export rpk --to rpk | sed 's/"topic":"rpk"/"topic":"t"/' | cmp - a
    logq import quakes earthquakes.csv --key-column EventID --timestamp-column DateTime
    logq export quakes --to csv --flatten > quakes.csv && logq import again quakes.csv --key-column EventID --timestamp-column DateTime
    logq digest quakes again | cut -c 1-64 | uniq | wc -l`)
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '2\n2\n1\n')
  const [given, got] = [fixture('earthquakes.csv').toString(), readFileSync(join(cli.directory, 'quakes.csv'), 'utf8')]
  t.is(got.replaceAll('""', ''), given.replaceAll('""', ''))
})

test('a terminal gets no control characters from records', async (t) => {
  const cli = makeCli(t)
  await cli.shell(String.raw`printf 'a\033[2Jb\n' | logq produce t`)
  const onTerminal = (command: string) => cli.shell(`script -qec ${shellQuote(command)} /dev/null`)
  const probe = await onTerminal('true')
  if (probe.status !== 0) {
    t.log('left out: there is no script(1) here')
    t.pass()
    return
  }
  t.is((await onTerminal('logq export t --to csv --columns value')).stdout.toString(), 'value\r\na\\x1b[2Jb\r\n')
  t.is((await onTerminal('logq export t --to csv --columns value --raw')).stdout.toString(), 'value\r\na\x1b[2Jb\r\n')
})
