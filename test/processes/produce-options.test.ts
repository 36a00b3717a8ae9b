/** Options of `produce`, each combination with its exit status, what it says, and the records that are then in the topic. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

interface Case {
  /** Run with topic t not there yet, in a directory with the files of `before`. */
  readonly script: string
  readonly status?: number
  readonly stderr?: RegExp
  /** What `logq cat t -F '%k|%T|%v\n'` prints then; without it, topic t must not be there. */
  readonly records?: string
}

const before = `printf 'one\\ntwo\\n' > two-lines; : > empty; printf '\\0\\377\\r\\n' > binary; head -c 2000 /dev/zero > large
  mkdir directory; ln -s directory link; echo hidden > fifo-content; printf '{"id":"a","at":1732147200123}' > a.json
  printf '{"id":7,"at":"2026-11-20"}' > seven.json; printf 'logq' > word`

function table(title: string, cases: readonly Case[], format = '%v\\n'): void {
  test(title, async (t) => {
    const cli = makeCli(t)
    await cli.shell(before)
    const run = async ({ script, status = 0, stderr = /^$/, records }: Case, n: number) => {
      const env = { LOGQ_STORE: `${cli.directory}/s${n}` }
      const done = await cli.shell(script, { env })
      t.is(done.status, status, `${script}: ${done.stderr}`)
      t.regex(done.stderr, stderr, script)
      t.notRegex(done.stderr, /unexpected error/)
      const found = await cli.shell(`logq cat t -F '${format}'`, { env })
      t.is(found.status === 0 ? found.stdout.toString('latin1') : undefined, records, script)
    }
    for (let from = 0; from < cases.length; from += 6) {
      await Promise.all(cases.slice(from, from + 6).map((one, n) => run(one, from + n)))
    }
  })
}

table('--whole: each input is one record, its bytes untouched', [
  { script: 'logq produce t --whole two-lines empty word', records: 'one\ntwo\n\n\nlogq\n' },
  { script: 'logq produce t --whole binary', records: '\0\xff\r\n\n' },
  { script: 'cat two-lines | logq produce t --whole', records: 'one\ntwo\n\n' },
  { script: 'cat two-lines | logq produce t --whole word - empty', records: 'logq\none\ntwo\n\n\n' },
  { script: 'logq produce t --whole < /dev/null', records: '\n' },
  { script: 'logq produce t --whole <(printf "a\\nb") /proc/sys/kernel/ostype', records: 'a\nb\nLinux\n\n' },
  { script: 'mkfifo f; cat word > f & logq produce t --whole f', records: 'logq\n' },
  {
    script: 'logq produce t --whole word --null logq -k K && logq cat t -J | grep -c \'"key":"K","value":null\'',
    records: '\n',
  },
  {
    script: 'logq topic create t max.message.bytes=1000; logq produce t --whole large word',
    status: 1,
    stderr: /^logq produce: large: 2000 bytes are above max\.message\.bytes, 1000\n {2}hint: see logq topic set/,
    records: 'logq\n',
  },
  {
    script: 'logq topic create t max.message.bytes=1000; cat large | logq produce t --whole',
    status: 1,
    stderr: /^logq produce: stdin: more than 1000 bytes are above max\.message\.bytes, 1000\n/,
    records: '',
  },
  {
    script: 'logq topic create t max.message.bytes=1000; logq produce t --whole large word --on-bad stop',
    status: 1,
    stderr: /large: 2000 bytes/,
    records: '',
  },
  { script: 'logq produce t --whole word --expect-offset 0', records: 'logq\n' },
  { script: 'logq produce t --whole -J word', status: 2, stderr: /--whole goes with the value format only\n {2}hint: / },
  { script: "logq produce t --whole -F '%k %v' word", status: 2, stderr: /--whole goes with the value format only/ },
  { script: 'logq produce t --whole -F batch word', status: 2, stderr: /--whole goes with the value format only/ },
  {
    script: 'logq produce t --whole -K: word',
    status: 2,
    stderr: /--whole and -K exclude each other\n {2}hint: -k gives the key/,
  },
  { script: "logq produce t --whole -D '\\n' word", status: 2, stderr: /--whole and -D or -0 exclude each other/ },
  { script: 'logq produce t --whole -0 word', status: 2, stderr: /--whole and -D or -0 exclude each other/ },
])

const badPaths = ['id', '', '.a..b', '.a.', '.a[', '.a[01]', '.a[-1]', '.a-b', '."a', '."\\x"', '.a b', '.a["b"', '[0]']
const lines = (...texts: string[]) => `printf '%s\\n' ${texts.map((text) => `'${text}'`).join(' ')}`

table(
  '--key-from and --timestamp-from: key and timestamp from places in JSON values',
  [
    {
      script: `${lines('{"id":"x"}')} | logq produce t --key-from .id --timestamp 1000000000000`,
      records: 'x|1000000000000\n',
    },
    {
      script: `${lines(
        '{"id":12345678901234567890}',
        '{"id":1.50e1}',
        '{"id":true}',
        '{"id":{"b": [1,"é"]}}',
        '{"id":"é\\u0041"}',
        '{"id":""}',
      )} | logq produce t --key-from .id --timestamp 1000000000000`,
      records: ['12345678901234567890', '1.50e1', 'true', '{"b": [1,"\xc3\xa9"]}', '\xc3\xa9A', '']
        .map((key) => `${key}|1000000000000\n`)
        .join(''),
    },
    {
      script: `${lines('{"a":{"odd name":[[0],{"id":"deep"}]},"at":1732147200}')} | logq produce t --key-from '.a."odd name"[1].id' --timestamp-from .at`,
      records: 'deep|1732147200000\n',
    },
    {
      script: `${lines('["k",1732147200123]')} | logq produce t --key-from '.[0]' --timestamp-from '.[1]'`,
      records: 'k|1732147200123\n',
    },
    {
      script: `${lines('"2026-11-20"')} | logq produce t --key-from . --timestamp-from .`,
      records: '2026-11-20|1795132800000\n',
    },
    { script: `${lines('{"id":1,"id":2}')} | logq produce t --key-from .id --timestamp 0000000000`, records: '2|0\n' },
    {
      script: `${lines('{"at":"2026-11-20T01:00:00+01:00"}', '{"at":"2026-11-20T00:00:00.5Z"}')} | logq produce t --timestamp-from .at -k c`,
      records: 'c|1795132800000\nc|1795132800500\n',
    },
    {
      script: `${lines('{"id":"x"}', '{"no":1}', '{"id":null}', 'text', '{"id":', '[1]', '{"id":"y"}')} | logq produce t --key-from .id --timestamp 1000000000000`,
      status: 1,
      stderr: new RegExp(
        [
          "^logq produce: stdin: line 2: the value has no '\\.id'",
          "logq produce: stdin: line 3: '\\.id' of the value is null",
          'logq produce: stdin: line 4: the value is not JSON: .*',
          'logq produce: stdin: line 5: the value is not JSON: .*',
          "logq produce: stdin: line 6: the value has no '\\.id'\n$",
        ].join('\n'),
      ),
      records: 'x|1000000000000\ny|1000000000000\n',
    },
    {
      script: `${lines('{"at":173214720012}', '{"at":1732147200.5}', '{"at":true}', '{"at":"1732147200"}', '{"at":"-1h"}', '{"at":"2026-02-30"}', '{"at":"tomorrow"}', '{}')} | logq produce t --timestamp-from .at`,
      status: 1,
      stderr:
        /^(logq produce: stdin: line [1-7]: '\.at' of the value is no timestamp: .*\n {2}hint: a timestamp is a number of 13 digits.*\n){7}logq produce: stdin: line 8: the value has no '\.at'\n$/,
      records: '',
    },
    {
      script: `${lines('{"key":"old","value":{"id":"new","at":1732147200},"timestamp":5}')} | logq produce t -J --key-from .id --timestamp-from .at`,
      records: 'new|1732147200000\n',
    },
    {
      script: `${lines('{"value":"{\\"id\\":3}","timestamp":5}', '{"value":null}', '{"value":"/w==","valueEncoding":"base64"}')} | logq produce t -J --key-from .id`,
      status: 1,
      stderr:
        /line 2: the value is null, and has no key or timestamp in it\nlogq produce: stdin: line 3: the value is not JSON: not valid UTF-8\n$/,
      records: '3|5\n',
    },
    {
      script: 'logq produce t --whole --key-from .id --timestamp-from .at a.json seven.json',
      records: 'a|1732147200123\n7|1795132800000\n',
    },
    ...badPaths.map((path) => ({
      script: `logq produce t --key-from '${path}' < /dev/null`,
      status: 2,
      stderr: /option '--key-from': invalid path '.*'\n {2}hint: a path is written as \.id/,
    })),
    {
      script: 'logq produce t --timestamp-from at < /dev/null',
      status: 2,
      stderr: /option '--timestamp-from': invalid path 'at'/,
    },
    { script: 'logq produce t --key-from .a -k b < /dev/null', status: 2, stderr: /--key-from and -k exclude each other/ },
    { script: 'logq produce t --key-from .a -K: < /dev/null', status: 2, stderr: /--key-from and -K exclude each other/ },
    {
      script: 'logq produce t --timestamp-from .a --timestamp 1000000000000 < /dev/null',
      status: 2,
      stderr: /--timestamp-from and --timestamp exclude each other/,
    },
    {
      script: "logq produce t --key-from .a -F '%k %v' < /dev/null",
      status: 2,
      stderr: /--key-from and --timestamp-from go with the value format and -J only/,
    },
    {
      script: 'logq produce t --timestamp-from .a -F batch < /dev/null',
      status: 2,
      stderr: /go with the value format and -J only/,
    },
  ],
  '%k|%T\\n',
)

table('several files: each that cannot be read is named, and the others go in', [
  { script: 'logq produce t two-lines word', records: 'one\ntwo\nlogq\n' },
  {
    script: 'logq produce t missing two-lines directory link word missing/below',
    status: 1,
    stderr:
      /^logq produce: cannot .* 'missing': no such file or directory\nlogq produce: 'directory' is a directory\nlogq produce: 'link' is a directory\nlogq produce: cannot .* 'missing\/below': no such file or directory\n$/,
    records: 'one\ntwo\nlogq\n',
  },
  { script: 'logq produce t missing directory', status: 1, stderr: /'missing'.*\nlogq produce: 'directory' is a directory\n$/ },
  { script: 'logq produce t two-lines missing --on-bad stop', status: 1, stderr: /^logq produce: cannot .* 'missing': .*\n$/ },
  {
    script: 'logq produce t two-lines missing --expect-offset 0',
    status: 1,
    stderr: /'missing'.*\nlogq produce: nothing was appended: with an expectation/,
    records: '',
  },
  {
    script: "printf 'k:1\\nbad\\n' > keyed; logq produce t -K: keyed word",
    status: 1,
    stderr:
      /^logq produce: keyed: line 2: no key separator ':' is in it\nlogq produce: word: line 1: no key separator ':' is in it\n$/,
    records: '1\n',
  },
  {
    script:
      'for n in $(seq 200); do echo $n > file-$n; done; ulimit -Sn 60; ulimit -Hn 60; logq produce t $(seq -f file-%g 200)',
    records: Array.from({ length: 200 }, (_, n) => `${n + 1}\n`).join(''),
  },
])

const zip = (name: string, format: 'gzip' | 'brotliCompress', text: string) =>
  `node -e 'process.stdout.write(require("zlib").${format}Sync(process.argv[1]))' '${text}' > ${name}`

table('compressed files: read as what they hold, by the ends of their names', [
  { script: `${zip('two.gz', 'gzip', 'one\\ntwo')}; logq produce t two.gz word`, records: 'one\\ntwo\nlogq\n' },
  { script: `gzip -k two-lines; logq produce t two-lines.gz`, records: 'one\ntwo\n' },
  { script: `gzip < two-lines > a.GZ; gzip < word >> a.GZ; logq produce t a.GZ`, records: 'one\ntwo\nlogq\n' },
  { script: `${zip('b.br', 'brotliCompress', '{"value":"v","key":"k"}')}; logq produce t -J b.br`, records: 'v\n' },
  { script: 'gzip < two-lines > w.gz; logq produce t --whole w.gz', records: 'one\ntwo\n\n' },
  {
    script: 'seq 3 | logq produce u; logq cat u -F batch | gzip > batches.gz; logq produce t -F batch batches.gz',
    records: '1\n2\n3\n',
  },
  {
    script: 'gzip < a.json > k.gz; logq produce t k.gz --key-from .id && logq cat t -F %k',
    records: '{"id":"a","at":1732147200123}\n',
  },
  {
    script: 'printf "k:1\\nbad\\nk:2\\n" | gzip > bad.gz; logq produce t -K: bad.gz',
    status: 1,
    stderr: /^logq produce: bad\.gz: line 2: no key/,
    records: '1\n2\n',
  },
  {
    script:
      'seq 100000 | gzip > all.gz; head -c 100000 all.gz > cut.gz; logq produce t cut.gz word; logq cat t > got; seq 100000 | head -n $(($(wc -l < got) - 1)) | cat - word > wanted; echo >> wanted; [ $(wc -l < got) -gt 20000 ] && cmp got wanted && logq topic rm -y t; exit 1',
    status: 1,
    stderr: /^logq produce: 'cut\.gz': it ends in the midst of its gzip data\n {2}hint: what came before the end was taken/,
  },
  {
    script: 'cp two-lines text.gz; cp two-lines text.br; cp two-lines text.zst; logq produce t text.gz text.br text.zst word',
    status: 1,
    stderr:
      /^logq produce: 'text\.gz': damaged, or not gzip: .*\n {2}hint: .*--no-decompress.*\nlogq produce: 'text\.br': damaged, or not Brotli: .*\n.*\nlogq produce: 'text\.zst': damaged, or not zstd: no frame begins it\n.*\n$/,
    records: 'logq\n',
  },
  { script: 'cp two-lines text2.gz; logq produce t text2.gz --no-decompress', records: 'one\ntwo\n' },
  {
    script:
      'gzip -n < word > w2.gz; logq produce t --whole w2.gz --no-decompress && logq cat t -F %v | gunzip | cmp - word && logq topic rm -y t',
  },
  { script: 'gzip < two-lines | logq produce t --whole && logq cat t -F %v | gunzip | cmp - two-lines && logq topic rm -y t' },
  ...[
    ['xz', 'xz -dc'],
    ['bz2', 'bzip2 -dc'],
    ['lz4', 'lz4 -dc'],
    ['snappy', 'snzip -dc'],
  ].map(([extension, program]) => ({
    script: `cp word w.${extension ?? ''}; logq produce t w.${extension ?? ''} word`,
    status: 1,
    stderr: new RegExp(
      `^logq produce: 'w\\.${extension ?? ''}' is compressed in a way that is not read here\\n {2}hint: ${program ?? ''} 'w\\.${extension ?? ''}' \\| logq produce t; or --no-decompress`,
    ),
    records: 'logq\n',
  })),
  { script: 'cp word w3.xz; logq produce t w3.xz --no-decompress', records: 'logq\n' },
])

table('options that a format would not look at', [
  { script: "printf 'k v;' | logq produce t -F '%k %v' -D ';'", records: 'v\n' },
  {
    script: "logq produce t -F '%k %v\\n' -0 < /dev/null",
    status: 2,
    stderr: /the template says what ends each record, and so does -D or -0\n {2}hint: leave out/,
  },
  { script: "logq produce t -F '%v;' -D ';' < /dev/null", status: 2, stderr: /the template says what ends each record/ },
  { script: 'logq produce t -F batch -0 < /dev/null', status: 2, stderr: /-D and -0 do not go with --format batch/ },
  {
    script: 'logq produce t -J --null x < /dev/null',
    status: 2,
    stderr: /--null goes with the value format and with templates/,
  },
  { script: 'logq produce t -F batch --null x < /dev/null', status: 2, stderr: /--null goes with the value format and/ },
])

table('--rate: rates that are not', [
  { script: 'logq produce t --rate 0/s < /dev/null', status: 2, stderr: /option '--rate': '0' is too small/ },
  ...['1/d', '-1', 'x', '1.5/s', '', '1/', '/s', '5/sec'].map((rate) => ({
    script: `logq produce t --rate '${rate}' < /dev/null`,
    status: 2,
    stderr: /option '--rate': invalid rate '.*'\n {2}hint: a rate is written as 100\/s, 30\/m or 1\/h/,
  })),
  {
    script: 'logq produce t --rate 1 --expect-offset 0 < /dev/null',
    status: 2,
    stderr: /--rate does not go with an expectation/,
  },
  { script: 'seq 3 | logq produce t --rate 100000', records: '1\n2\n3\n' },
  { script: 'seq 3 | logq produce t --rate 6000/m -K 3 --on-bad skip 2> /dev/null; true', records: '\n' },
  { script: 'logq produce t --rate 360000/h --whole word two-lines', records: 'logq\none\ntwo\n\n' },
  { script: 'seq 3 | logq produce u && logq cat u -F batch | logq produce t -F batch --rate 100/s', records: '1\n2\n3\n' },
])

test('--rate: records come no faster, evenly; a signal ends it at once, and what was taken is there', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(`seq 40 | logq produce t --rate 20/s && logq cat t -F '%T\\n'`)
  const times = done.stdout.toString().trim().split('\n').map(Number)
  t.is(times.length, 40)
  for (const [n, time] of times.entries()) {
    // 20 in any second, and at most 100 ms are made up for after a pause; a few ms of the clocks.
    const secondBefore = times[n - 23]
    if (secondBefore !== undefined) t.true(time - secondBefore >= 990, `record ${n}: ${times.join(' ')}`)
  }
  const running = cli.start('exec logq produce slow --rate 1/m', { stdin: 'open' })
  running.write('first\nsecond\nthird\n')
  const look = 'logq cat slow 2> /dev/null'
  while ((await cli.shell(look)).stdout.toString() !== 'first\n') await new Promise((resolve) => setTimeout(resolve, 50))
  running.signal('SIGINT')
  t.is((await running.finished).signal, 'SIGINT')
  t.is((await cli.shell(look)).stdout.toString(), 'first\n')
})
