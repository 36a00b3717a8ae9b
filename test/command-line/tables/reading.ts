/** Order, rhythm and end of cat and tail: --merge, --reverse, --speed, --idle, --for, topic patterns, -f; tsv, --time, --no-value. */
import { lines, refused, type Table } from '../table.js'

const order: Table = {
  title: 'reading: order, patterns, rhythm and end',
  before: `for n in 1 2 3 4 5 6; do echo "{\\"value\\":\\"r$n\\",\\"timestamp\\":$((1000 + n)),\\"partition\\":$((n % 2))}"; done | logq produce a.one -J --keep partition --partitions 2 --batch-bytes 1
    printf '{"value":"x","timestamp":1002}\\n{"value":"y","timestamp":1009}\\n' | logq produce a.two -J; echo z | logq produce b`,
  rows: [
    ['topics as given, partitions ascending', 'logq cat a.two a.one', lines('x y r2 r4 r6 r1 r3 r5')],
    ['--merge: by timestamp', 'logq cat --merge a.two a.one', lines('r1 x r2 r3 r4 r5 r6 y')],
    ['equal timestamps in the order of the topics', 'logq cat --merge a.one a.two', lines('r1 r2 x r3 r4 r5 r6 y')],
    ['--reverse: the newest first', 'logq cat --reverse a.two a.one', lines('r5 r3 r1 r6 r4 r2 y x')],
    ['the newest of all', 'logq cat --reverse --merge a.one a.two -n 2', lines('y r6')],
    ['--reverse with -o', 'logq cat a.one -p 1 -o 1: --reverse', lines('r5 r3')],
    ['--reverse with -w', 'logq cat a.one --merge --reverse -w \'text < "r3"\'', lines('r2 r1')],
    ['topic patterns', "logq cat 'a.*'", lines('r2 r4 r6 r1 r3 r5 x y')],
    ['with ? and []', "logq cat '[b-c]'", 'z\n'],
    ['with {}', "logq cat --merge 'a.{one,two}' | wc -l", '8\n'],
    ['a topic is printed once', "logq cat b 'b*'", 'z\n'],
    ['a pattern that matches nothing', "logq cat 'q*'", refused(/'q\*'/, 1)],
    ['tail: newest N of several partitions', 'logq tail a.one -n 3', lines('r4 r5 r6')],
    ['of each topic', 'logq tail a.one a.two -n 1', lines('r6 y')],
    ['with --merge of all', 'logq tail --merge a.one a.two -n 2', lines('r6 y')],
    ['tail --reverse', 'logq tail --reverse a.one -n 2', lines('r6 r5')],
    ['tail -p', 'logq tail a.one -p 1 -n 2', lines('r3 r5')],
    ['--speed max does not wait', 'logq cat a.one --speed max', lines('r1 r2 r3 r4 r5 r6')],
    ['--speed 10x, of 5 ms', 'logq cat a.one --speed 10x', lines('r1 r2 r3 r4 r5 r6')],
    ['--speed 1x, in tail', 'logq tail a.one --speed 1x -o start', lines('r1 r2 r3 r4 r5 r6')],
    ['no speed', 'logq cat a.one --speed fast', refused(/option '--speed'/)],
    ['nor one of 0', 'logq cat a.one --speed 0x', refused(/option '--speed'/)],
    ['--for ends with 0', 'logq tail -f b --for 2s', 'z\n'],
    ['also cat', 'logq cat b --for 1h', 'z\n'],
    ['--idle gives up with 4', 'logq tail -f b --idle 2s', { stdout: 'z\n', stderr: /2s/, status: 4 }],
    ['4 before 3: nothing matched in time', 'logq tail -f b -w false --idle 1s', { stderr: /1s/, status: 4 }],
    ['reading what is there never waits', 'logq tail b --idle 1h && logq cat b --idle 1h', 'z\nz\n'],
    [
      'a record in time is no idleness',
      `logq topic create $T; logq tail -f $T --idle 60s > out-$T & until echo more | logq produce $T && [ -s out-$T ]; do sleep 0.1; done; kill $!; head -n 1 out-$T`,
      { stdout: 'more\n' },
    ],
    [
      'tail -n 0 -f: new records only',
      `echo old | logq produce $T; logq tail -f -n 0 $T > out-$T & until echo new | logq produce $T && [ -s out-$T ]; do sleep 0.1; done; kill $!; head -n 1 out-$T`,
      'new\n',
    ],
    [
      'a topic that does not exist yet is waited for by tail -f',
      `logq tail -f $T > out-$T 2> said-$T & until [ -s said-$T ]; do sleep 0.1; done; echo v | logq produce $T; until [ -s out-$T ]; do sleep 0.1; done; kill $!; cat out-$T; grep -c 'waiting for it' said-$T`,
      { stdout: 'v\n1\n' },
    ],
    ['an end cannot be followed', 'logq tail -f b -o :5', refused(/range with an end cannot be followed/)],
    ['raw batches cannot be merged', 'logq cat a.two b --merge -F batch', refused(/batch/)],
  ],
}

const tsv: Table = {
  title: 'output: tsv, --time, --no-value, --on-corrupt',
  before: `logq produce t -J << 'END'
{"key":"a\\tb","value":"line\\nbreak \\\\ back","timestamp":1700000000123,"headers":[{"key":"h","value":"1"},{"key":"n","value":null}]}
{"key":null,"value":null,"timestamp":-1}
END
echo '{"key":"/w==","keyEncoding":"base64","value":"AP4=","valueEncoding":"base64","timestamp":1700000000123}' | logq produce bin -J`,
  rows: [
    [
      'topic, partition, offset, timestamp, key, value, headers; C-escaped, null \\N',
      'logq cat t -F tsv',
      't\t0\t0\t1700000000123\ta\\tb\tline\\nbreak \\\\ back\th=1,n=\\N\nt\t0\t1\t-1\t\\N\t\\N\t\n',
    ],
    ['bytes stay one line', 'logq cat bin -F tsv | wc -l', '1\n'],
    ['--time iso', 'logq cat t -F tsv --time iso | cut -f 4', '2023-11-14T22:13:20.123Z\n-1\n'],
    ['--time ms', 'logq cat t -F tsv --time ms | cut -f 4', '1700000000123\n-1\n'],
    [
      '--time rel',
      'echo x | logq produce $T --timestamp -2h && logq cat $T -F tsv --time rel | cut -f 4',
      { stdout: /^-2h(0m)?(\d+s)?\n$/ },
    ],
    ['--time in a template', "logq tail t -n 2 -F '%T\\n' --time iso", '2023-11-14T22:13:20.123Z\n-1\n'],
    ['no such form', 'logq cat t --time utc -F tsv', refused(/option '--time'/)],
    [
      '--no-value in JSON: valueBytes',
      'logq cat t -J --no-value | grep -o \'"key".*\'',
      '"key":"a\\tb","valueBytes":17,"headers":[{"key":"h","value":"1"},{"key":"n","value":null}]}\n"key":null,"valueBytes":null,"headers":[]}\n',
    ],
    [
      'which cannot be read back',
      'logq cat t -J --no-value -n 1 | logq produce $T -J',
      refused(/'valueBytes' stands in place of the value/, 1),
    ],
    ['in tsv: the length', 'logq tail t -F tsv --no-value | cut -f 6', { stdout: /^17\n(-1|\\N)\n$/ }],
    ['not with value', 'logq cat t --no-value', refused(/--no-value/)],
    ['nor batch', 'logq cat t --no-value -F batch', refused(/--no-value/)],
    [
      'tail takes -K, -D, -0, --null and -J like cat',
      "logq tail t -K= -D '|' --null N && logq tail t -0 | tr '\\n\\0' ';#' && logq tail t -J | wc -l",
      'a\tb=line\nbreak \\ back|N=N|line;break \\ back##2\n',
    ],
    ['tail -s -q -v', 'logq tail -qv -s store t -n 1 --null N', { stdout: 'N\n', stderr: /.*/ }],
    ['tail of an unknown topic: 1', 'logq tail u', refused(/topic 'u' does not exist/, 1)],
  ],
}

const damaged: Table = {
  title: 'reading: damaged records',
  before:
    'seq 9 | logq produce t --batch-bytes 1; printf X | dd of=store/t-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd',
  rows: [
    ['--on-corrupt stop is the default', 'logq cat t', { stdout: '1\n', stderr: /'t-0' is damaged/, status: 5 }],
    ['stop', 'logq cat t --on-corrupt stop', { stdout: '1\n', stderr: /'t-0' is damaged/, status: 5 }],
    [
      'skip names what is passed over, goes on, and ends with 5',
      'logq cat t --on-corrupt skip',
      { stdout: lines('1 3 4 5 6 7 8 9'), stderr: /'t-0'.*offset/, status: 5 },
    ],
    ['in tail', 'logq tail t -o start --on-corrupt skip', { stdout: lines('1 3 4 5 6 7 8 9'), stderr: /'t-0'/, status: 5 }],
    ['5 before 3: nothing matches either', 'logq cat t --on-corrupt skip -w false', { stderr: /'t-0'/, status: 5 }],
    [
      '5 before 4: and nothing comes',
      'logq tail -f t --on-corrupt skip -o start --idle 2s',
      { stdout: lines('1 3 4 5 6 7 8 9'), stderr: /'t-0'/, status: 5 },
    ],
    ['no such action', 'logq cat t --on-corrupt ignore', refused(/not one of/)],
  ],
}

export const readingTables: readonly Table[] = [order, tsv, damaged]
