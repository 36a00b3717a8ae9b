/** What produce reads: lines, delimiters, keys, templates, batches, files. */
import { lines, refused, type Table } from '../table.js'

const plain: Table = {
  title: 'input: values, delimiters and keys',
  before: "printf 'one\\n' > f1; printf 'two' > f2; printf '' > empty; printf 'a:1\\nbad\\n' > keyed",
  rows: [
    ['lines by default', "printf 'a\\nb\\n' | logq produce $T && logq cat $T -F '[%v]'", '[a][b]'],
    ['a last line without a delimiter counts', "printf 'a\\nb' | logq produce $T && logq cat $T -F '[%v]'", '[a][b]'],
    ['an empty line is an empty value', "printf 'a\\n\\nb\\n' | logq produce $T && logq cat $T -F '[%v]'", '[a][][b]'],
    ['CR is kept', "printf 'a\\r\\n' | logq produce $T && logq cat $T -F '%v{hex}\\n'", '610d\n'],
    ['no input, no record', 'logq produce $T < /dev/null && logq cat $T', ''],
    ['-D of any length', "printf 'a--b--c' | logq produce $T -D -- && logq cat $T -F '[%v]'", '[a][b][c]'],
    ['-D of bytes', "printf 'a\\377b' | logq produce $T -D '\\xff' && logq cat $T -F '[%v]'", '[a][b]'],
    ['-0 is NUL', "printf 'a\\nb\\0c\\0' | logq produce $T -0 && logq cat $T -F '[%v]'", '[a\nb][c]'],
    [
      'an empty -D ends nothing',
      "logq produce $T -D '' < /dev/null",
      refused(/option '-D': an empty delimiter ends no record/),
    ],
    ['-K splits at its first occurrence', "printf 'a:b:c\\n' | logq produce $T -K: && logq cat $T -F '%k|%v\\n'", 'a|b:c\n'],
    ['-K of any length', "printf 'a => b\\n' | logq produce $T -K ' => ' && logq cat $T -F '%k|%v\\n'", 'a|b\n'],
    ['an empty key is a key', "printf ':b\\n' | logq produce $T -K: && logq cat $T -F '%K|%v\\n'", '0|b\n'],
    ['an empty value is a value', "printf 'a:\\n' | logq produce $T -K: && logq cat $T -F '%k|%V\\n'", 'a|0\n'],
    [
      'a line without it is an item error',
      "printf 'a:1\\nbad\\nb:2\\n' | logq produce $T -K:; s=$?; logq cat $T -K:; exit $s",
      {
        stdout: 'a:1\nb:2\n',
        stderr: "logq produce: stdin: line 2: no key separator ':' is in it\n",
        status: 1,
        statusOf: 'produce',
      },
    ],
    [
      '--null stands for a null key and value',
      "printf 'NIL:1\\na:NIL\\n' | logq produce $T -K: --null NIL && logq cat $T -F '%K %V\\n'",
      '-1 1\n1 -1\n',
    ],
    ['-k is the key of every record', "printf 'a\\nb\\n' | logq produce $T -k me && logq cat $T -K=", 'me=a\nme=b\n'],
    ['without -k and -K the key is null', "echo a | logq produce $T && logq cat $T -F '%K\\n'", '-1\n'],
    [
      '-H NAME=VALUE is a header of every record',
      "printf 'a\\nb\\n' | logq produce $T -H x=1 && logq cat $T -F '%v %h\\n'",
      'a x=1\nb x=1\n',
    ],
    ['the first = ends the name', "echo a | logq produce $T -H q=a=b && logq cat $T -F '%h\\n'", 'q=a=b\n'],
    [
      'NAME= is empty, NAME alone is null',
      `echo a | logq produce $T -H e= -H n && logq cat $T -J | grep -o '"headers".*'`,
      '"headers":[{"key":"e","value":""},{"key":"n","value":null}]}\n',
    ],
    ['FILEs, one after the other', 'logq produce $T f1 f2 f1 && logq cat $T', lines('one two one')],
    ['a file that ends without a delimiter ends its record', "logq produce $T f2 f2 && logq cat $T -F '[%v]'", '[two][two]'],
    ['an empty file has no record', 'logq produce $T f1 empty f1 && logq cat $T', lines('one one')],
    [
      'bad items are named by file and line',
      'logq produce $T -K: keyed -',
      {
        stdin: 'bad\n',
        status: 1,
        stderr:
          "logq produce: keyed: line 2: no key separator ':' is in it\nlogq produce: stdin: line 1: no key separator ':' is in it\n",
      },
    ],
    [
      '--on-bad stop keeps what preceded',
      "printf 'a:1\\nbad\\nb:2\\n' | logq produce $T -K: --on-bad stop; s=$?; logq cat $T -K:; exit $s",
      {
        stdout: 'a:1\n',
        stderr: "logq produce: stdin: line 2: no key separator ':' is in it\n",
        status: 1,
        statusOf: 'produce',
      },
    ],
    [
      '--on-bad skip is the default',
      "printf 'a:1\\nbad\\nb:2\\n' | logq produce $T -K: --on-bad skip 2> said; s=$?; logq cat $T -K:; exit $s",
      { stdout: 'a:1\nb:2\n', status: 1, statusOf: 'produce' },
    ],
    ...(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec): Table['rows'][number] => [
      'every codec is read again',
      `yes abc | head -n 1000 | logq produce $T -z ${codec} && logq cat $T | sort | uniq -c | tr -d ' '`,
      '1000abc\n',
    ]),
  ],
}

const templates: Table = {
  title: 'input: templates and batches',
  before: `printf 'a\\nb\\nc\\n' | logq produce t; seq 4 | logq produce two --partitions 2 --batch-bytes 10`,
  rows: [
    [
      '%k %v with text between them',
      "printf 'a\\t1\\nb\\t2\\n' | logq produce $T -F '%k\\t%v\\n' && logq cat $T -K=",
      'a=1\nb=2\n',
    ],
    ['%s is %v', "printf 'a 1\\n' | logq produce $T -F '%k %s\\n' && logq cat $T -K=", 'a=1\n'],
    ['%h headers', "printf 'x=1,y|v\\n' | logq produce $T -F '%h|%v\\n' && logq cat $T -F '%h %v\\n'", 'x=1,y v\n'],
    [
      '%T in ms',
      "printf '1700000000123 v\\n' | logq produce $T -F '%T %v\\n' && logq cat $T -F '%T %v\\n'",
      '1700000000123 v\n',
    ],
    [
      '%T{iso}',
      "printf '2023-11-14T22:13:20.123Z v\\n' | logq produce $T -F '%T{iso} %v\\n' && logq cat $T -F '%T %v\\n'",
      '1700000000123 v\n',
    ],
    [
      '%p with --keep partition',
      "printf '1 a\\n0 b\\n' | logq produce $T -F '%p %v\\n' --keep partition --partitions 2 && logq cat $T -F '%p %v\\n'",
      '0 b\n1 a\n',
    ],
    [
      '%k{base64} %v{hex}',
      "printf 'aGk= ff00\\n' | logq produce $T -F '%k{base64} %v{hex}\\n' && logq cat $T -F '%k %v{hex}\\n'",
      'hi ff00\n',
    ],
    [
      '%k{hex} %v{base64}',
      "printf '6869 aGk=\\n' | logq produce $T -F '%k{hex} %v{base64}\\n' && logq cat $T -F '%k %v\\n'",
      'hi hi\n',
    ],
    ['%% is a percent sign', "printf '5%%\\n' | logq produce $T -F '%v%%\\n' && logq cat $T", '5\n'],
    [
      'text before the first placeholder must be there',
      "printf '<a>\\nb>\\n' | logq produce $T -F '<%v>\\n'",
      { status: 1, stderr: /^logq produce: stdin: line 2: / },
    ],
    [
      'without text at the end the delimiter ends a record',
      "printf 'a-1;b-2' | logq produce $T -D ';' -F '%k-%v' && logq cat $T -K=",
      'a=1\nb=2\n',
    ],
    [
      'what a template prints it reads',
      "printf 'a,1\\n,2\\nb,\\n' | logq produce $T -F '%k,%v\\n' && logq cat $T -F '%k,%v\\n'",
      'a,1\n,2\nb,\n',
    ],
    [
      '--null in a template',
      "printf 'NIL\\t1\\n' | logq produce $T -F '%k\\t%v\\n' --null NIL && logq cat $T -F '%K %V\\n'",
      '-1 1\n',
    ],
    [
      'two placeholders need text between them',
      "logq produce $T -F '%k%v' < /dev/null",
      refused(/cannot be read back: nothing separates %k from %v/),
    ],
    ['%v must be there', "logq produce $T -F '%k\\n' < /dev/null", refused(/option '-F'/)],
    ['a placeholder once only', "logq produce $T -F '%v %v\\n' < /dev/null", refused(/option '-F'/)],
    ...['%t', '%o', '%K', '%V'].map((output): Table['rows'][number] => [
      'what a record is not made from is refused',
      `logq produce $T -F '${output} %v\\n' < /dev/null`,
      refused(/is for output only/),
    ]),
    [
      '--format batch reads raw batches',
      'logq cat t --format batch | logq produce $T --format batch && logq cat $T',
      lines('a b c'),
    ],
    ['-F batch is the same', 'logq cat t -F batch | logq produce $T -F batch && logq cat $T', lines('a b c')],
    [
      'into one partition, which is named',
      'logq cat t -F batch | logq produce $T -F batch --partitions 2 -p 1 && logq cat $T -p 1',
      lines('a b c'),
    ],
    ['else refused', 'logq produce $T -F batch --partitions 2 < /dev/null', refused(/--format batch needs a partition/)],
    [
      'keys and headers do not go with it',
      'logq produce $T -F batch -H a=1 < /dev/null',
      refused(/-k and -H do not go with --format batch/),
    ],
    [
      'a codec is refused: they are not compressed anew',
      'logq produce $T -F batch -z gzip -p 0 < /dev/null',
      refused(/-z and --timestamp do not go with --format batch/),
    ],
    [
      'a timestamp is refused: every record has one',
      'logq produce $T -F batch --timestamp -1h -p 0 < /dev/null',
      refused(/-z and --timestamp do not go with --format batch/),
    ],
    [
      'what is no batch is refused',
      'echo not a batch, and long enough to look like one: 0123456789012345678901234567890 | logq produce $T -F batch',
      { status: 1, stderr: /stdin: batch 1: / },
    ],
    ['--format value is the default', 'echo a | logq produce $T --format value && logq cat $T --format value', 'a\n'],
  ],
}

const options: Table = {
  title: 'input: where records go, and what is said',
  before: 'seq 3 | logq produce t',
  rows: [
    [
      '-p appends to one partition, whatever the key',
      'seq 3 | logq produce $T --partitions 3 -p 2 -k x && logq cat $T -p 2',
      lines('1 2 3'),
    ],
    [
      'a key goes where murmur2 of Kafka sends it',
      "printf 'a:1\\nb:2\\nc:3\\na:4\\n' | logq produce $T -K: --partitions 3 && logq cat $T -F '%p %k %v\\n'",
      '1 a 1\n1 c 3\n1 a 4\n2 b 2\n',
    ],
    [
      '--partitioner is kept with the topic',
      'echo x | logq produce $T --partitions 2 --partitioner roundrobin && logq topic show $T | grep partitioner',
      { stdout: /^partitioner +roundrobin\n$/ },
    ],
    [
      'another one is refused later',
      'echo x | logq produce t --partitioner random',
      refused(/has the partitioner 'murmur2', not 'random'/),
    ],
    [
      'so is another number of partitions',
      'echo x | logq produce t --partitions 2',
      refused(/topic 't' has 1 partitions, not 2/),
    ],
    [
      '--partitions is for a topic that is created',
      'logq produce $T --partitions 4 < /dev/null; logq topic ls -J | grep -c "\\"$T\\".*\\"partitions\\":4"',
      '1\n',
    ],
    ['--no-create creates nothing', 'echo x | logq produce $T --no-create', refused(/topic 'n\d+' does not exist/, 1)],
    [
      '--timestamp: for records that bring none',
      "echo a | logq produce $T --timestamp 1700000000123 && logq cat $T -F '%T\\n'",
      '1700000000123\n',
    ],
    [
      'in every form of TIME',
      "echo a | logq produce $T --timestamp 2023-11-14T22:13:20Z && logq cat $T -F '%T\\n'",
      '1700000000000\n',
    ],
    [
      'also a date',
      "echo a | logq produce $T --timestamp 2023-11-14 && logq cat $T -F '%T{iso}\\n'",
      '2023-11-14T00:00:00.000Z\n',
    ],
    ['also from now', 'echo a | logq produce $T --timestamp -2h && logq cat $T -o @-3h:-1h', 'a\n'],
    [
      '--print-offsets: TOPIC:PARTITION@OFFSET for each record',
      'printf "a\\nb\\n" | logq produce topic-$T --print-offsets',
      { stdout: /^topic-n\d+:0@0\ntopic-n\d+:0@1\n$/ },
    ],
    ['--acks 0 and 1', 'echo a | logq produce $T --acks 0 && echo b | logq produce $T --acks 1 && logq cat $T', lines('a b')],
    [
      '--linger and --batch-bytes change batches, not records',
      'seq 5 | logq produce $T --linger 10ms --batch-bytes 1 && logq cat $T',
      lines('1 2 3 4 5'),
    ],
    [
      '-v says what was done',
      'echo a | logq produce topic-$T -v',
      { stderr: /1 records appended to 'topic-n\d+' from 1 items/ },
    ],
    ['-q says nothing of it', 'echo a | logq produce $T -q', ''],
    ['--mode is that of a new store', 'echo a | logq produce $T -s made-$T --mode 0750 && stat -c %a made-$T', '750\n'],
    ['-s names the store', 'echo a | logq produce $T -s other-$T && logq cat $T -s other-$T', 'a\n'],
    ['--store too', 'echo a | logq produce $T --store=other2-$T && logq cat $T --store other2-$T', 'a\n'],
    [
      '--allow-network-file-system changes nothing on a local one',
      'echo a | logq produce $T --allow-network-file-system && logq cat $T',
      'a\n',
    ],
    [
      '--keep partition needs an input that names one',
      'logq produce t --keep partition < /dev/null',
      refused(/--keep partition goes with -J or a template with %p/),
    ],
    ['-k and -K exclude each other', 'logq produce t -k a -K: < /dev/null', refused(/-k and -K exclude each other/)],
  ],
}

const wholes: Table = {
  title: 'input: files as records, compressed files, keys and timestamps from values, rate and duplicates',
  before: `printf 'one\\ntwo\\n' > text; printf 'a\\nb\\n' | gzip > log.gz; printf '' > empty; printf 'a\\nb\\n' > log; echo '{"user":{"id":7},"at":1700000000123}' > orders
    echo KLUv/QRYIQAAYQpiCiVQsyM= | base64 -d > log.zst`,
  rows: [
    ['--whole: a FILE is a record', "logq produce $T --whole text empty && logq cat $T -F '[%v]'", '[one\ntwo\n][]'],
    ['or standard input is', "printf 'a\\0b\\n' | logq produce $T --whole && logq cat $T -F '%v{hex}\\n'", '6100620a\n'],
    ['a FILE that ends in .gz is decompressed', 'logq produce $T log.gz && logq cat $T', lines('a b')],
    ['in .zst too', 'logq produce $T log.zst && logq cat $T', lines('a b')],
    ['also beside others', 'logq produce $T log log.gz && logq cat $T', lines('a b a b')],
    [
      '--no-decompress takes the bytes as they are',
      'logq produce $T --whole --no-decompress log.gz && logq cat $T -D "" | cmp - log.gz && echo same',
      'same\n',
    ],
    ['what is no gzip is named', 'cp log wrong-$T.gz; logq produce $T wrong-$T.gz', { status: 1, stderr: /wrong-n\d+\.gz/ }],
    ['standard input never is', 'logq produce $T --whole < log.gz && logq cat $T -D "" | cmp - log.gz && echo same', 'same\n'],
    ['--key-from: a path in JSON values', "logq produce $T --key-from .user.id orders && logq cat $T -F '%k\\n'", '7\n'],
    ['--timestamp-from', "logq produce $T --timestamp-from .at orders && logq cat $T -F '%T\\n'", '1700000000123\n'],
    [
      'a record without it is bad, and named',
      'printf \'{"id":1}\\n{}\\n\' | logq produce $T --key-from .id; s=$?; logq cat $T -K=; exit $s',
      { stdout: '1={"id":1}\n', stderr: /stdin: line 2: /, status: 1, statusOf: 'produce' },
    ],
    ['no path', "logq produce $T --key-from 'user id' orders", refused(/option '--key-from'/)],
    ['--rate', 'seq 3 | logq produce $T --rate 1000/s && logq cat $T', lines('1 2 3')],
    ['no rate', 'seq 3 | logq produce $T --rate fast', refused(/option '--rate'/)],
    [
      '--dedupe-by value: what is there is left out',
      "printf 'a\\nb\\na\\n' | logq produce $T --dedupe-by value -q && echo b | logq produce $T --dedupe-by value -q && logq cat $T",
      lines('a b'),
    ],
    ['duplicates are counted on standard error', "printf 'a\\na\\n' | logq produce $T --dedupe-by value", { stderr: /1 / }],
    ['--dedupe-by key', "printf 'k:1\\nk:2\\n' | logq produce $T -K: --dedupe-by key -q && logq cat $T", lines('1')],
    [
      '--dedupe-by header:NAME',
      'for v in 1 2; do echo $v | logq produce $T -H id=7 --dedupe-by header:id -q; done; logq cat $T',
      lines('1'),
    ],
    [
      '--dedupe-window: not what is older',
      'echo a | logq produce $T --timestamp -2h; echo a | logq produce $T --dedupe-by value --dedupe-window 1h -q; echo a | logq produce $T --dedupe-by value --dedupe-window 3h -q; logq cat $T',
      lines('a a'),
    ],
    ['by what', 'logq produce $T --dedupe-by colour < /dev/null', refused(/option '--dedupe-by'/)],
  ],
}

export const inputTables: readonly Table[] = [plain, templates, options, wholes]
