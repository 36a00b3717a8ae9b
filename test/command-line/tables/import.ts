/** import: every kind of file, and the options for tables. test/processes/import.test.ts has more. */
import { lines, refused, type Table } from '../table.js'

/** Key and value of what was imported. */
const shown = "logq cat $T -K ' '"

const kinds: Table = {
  title: 'import',
  before: `printf 'id,name,at\\n7,"Anna, B.",2026-01-02\\n8,Ben,2026-01-03\\n' > users.csv; printf 'id\\tname\\n7\\tAnna\\n' > users.tsv
    printf '{"a":1}\\n[2]\\n' > values.ndjson; gzip -k users.csv; printf 'x,1\\ny,2\\n' > bare.csv; printf 'id,name\\n1,a,b\\n2,c\\n' > ragged.csv
    echo '{"topic":"q","partition":1,"offset":5,"tstype":"create","ts":1700000000123,"broker":0,"headers":["h","1"],"key":"k","payload":"v"}' > q.kcat
    echo '{"topic":"q","key":"k","value":"v","timestamp":1700000000123,"partition":1,"offset":5}' > q.rpk; echo old | logq produce exists`,
  rows: [
    [
      'csv: a JSON object a row',
      'logq import $T users.csv && logq cat $T',
      '{"id":"7","name":"Anna, B.","at":"2026-01-02"}\n{"id":"8","name":"Ben","at":"2026-01-03"}\n',
    ],
    ['--from for standard input', 'logq import $T --from csv < users.csv && logq cat $T | wc -l', '2\n'],
    ['which needs it', 'logq import $T < users.csv', refused(/--from/)],
    ['.gz is decompressed', 'logq import $T users.csv.gz && logq cat $T | wc -l', '2\n'],
    ['tsv', 'logq import $T users.tsv && logq cat $T', '{"id":"7","name":"Anna"}\n'],
    ['ndjson: a value a line', 'logq import $T values.ndjson && logq cat $T', '{"a":1}\n[2]\n'],
    ['kcat', "logq import $T --from kcat q.kcat && logq cat $T -F '%k %v %h %T\\n'", 'k v h=1 1700000000123\n'],
    [
      'kcat: an array that is cut off',
      '{ echo "["; cat q.kcat; echo ,; } | logq import $T --from kcat --print-offsets | grep -c @0; exit ${PIPESTATUS[1]}',
      { stdout: '1\n', stderr: /stdin: line 1: the array that begins here is cut off/, status: 1 },
    ],
    ['rpk', "logq import $T --from rpk q.rpk && logq cat $T -F '%k %v %T\\n'", 'k v 1700000000123\n'],
    ['--keep partition', "logq import $T --from kcat --keep partition --partitions 2 q.kcat && logq cat $T -F '%p\\n'", '1\n'],
    [
      '--key-column, --value-column',
      `logq import $T users.csv --key-column id --value-column name && ${shown}`,
      '7 Anna, B.\n8 Ben\n',
    ],
    [
      '--timestamp-column',
      "logq import $T users.csv --timestamp-column at && logq cat $T -F '%T{iso}\\n' -n 1",
      '2026-01-02T00:00:00.000Z\n',
    ],
    [
      '--header-column',
      "logq import $T users.csv --header-column name --header-column id -H x=1 && logq cat $T -n 1 -o 1 -F '%h\\n'",
      { stdout: /name=Ben/ },
    ],
    [
      '--columns --no-header-row',
      'logq import $T bare.csv --columns k,v --no-header-row --key-column k --value-column v && ' + shown,
      'x 1\ny 2\n',
    ],
    [
      '--types infer',
      'logq import $T users.csv --types infer -q && logq cat $T -n 1',
      '{"id":7,"name":"Anna, B.","at":"2026-01-02"}\n',
    ],
    [
      '--csv-delimiter, --no-quotes',
      `printf 'a;b\\n"1;2\\n' | logq import $T --from csv --csv-delimiter ';' --no-quotes && logq cat $T`,
      '{"a":"\\"1","b":"2"}\n',
    ],
    [
      '--null',
      "printf 'k,v\\na,NIL\\n' | logq import $T --from csv --key-column k --value-column v --null NIL && logq cat $T -K= --null '(null)'",
      'a=(null)\n',
    ],
    [
      'a bad row is named, and the others stored',
      'logq import $T ragged.csv -q; s=$?; logq cat $T; exit $s',
      { stdout: '{"id":"2","name":"c"}\n', stderr: /ragged\.csv: (line|row) 2: /, status: 1, statusOf: 'import' },
    ],
    [
      '--on-bad stop',
      'logq import $T ragged.csv --on-bad stop; s=$?; logq cat $T; exit $s',
      { stderr: /ragged\.csv: (line|row) 2: /, status: 1, statusOf: 'import' },
    ],
    [
      '-p, -k, --timestamp, -z and --partitions as in produce',
      "logq import $T values.ndjson -p 1 --partitions 2 -k me --timestamp 2026-01-01 -z gzip --partitioner murmur2 && logq cat $T -p 1 -F '%k %T{iso}\\n' -n 1",
      'me 2026-01-01T00:00:00.000Z\n',
    ],
    [
      '--print-offsets, --acks, --linger, --batch-bytes',
      'logq import $T values.ndjson --print-offsets --acks 0 --linger 1ms --batch-bytes 1 | cut -d @ -f 2',
      lines('0 1'),
    ],
    ['--no-create', 'logq import $T values.ndjson --no-create', refused(/does not exist/, 1)],
    [
      '-s, --mode, -v, --allow-network-file-system',
      'logq import $T values.ndjson -s made-$T --mode 0750 -v --allow-network-file-system; stat -c %a made-$T',
      { stdout: '750\n', stderr: /./, status: 0 },
    ],
    [
      '--key-from, --timestamp-from',
      'printf \'{"id":7,"at":1700000000123}\\n\' | logq import $T --from ndjson --key-from .id --timestamp-from .at && logq cat $T -F \'%k %T\\n\'',
      '7 1700000000123\n',
    ],
    ['--rate, --on-full', 'logq import $T values.ndjson --rate 1000/s --on-full fail && logq cat $T | wc -l', '2\n'],
    [
      '--dedupe-by, --dedupe-window: a run that is started again',
      'for run in 1 2; do logq import $T users.csv --key-column id --dedupe-by key --dedupe-window 1h -q; done; logq cat $T | wc -l',
      '2\n',
    ],
    ['a file that is missing', 'logq import $T missing.csv', refused(/'missing\.csv'/, 1)],
    [
      'a damaged topic file',
      'logq topic create $T && echo x > store/topics/$T.json && logq import $T values.ndjson',
      refused(/\.json/, 5),
    ],
  ],
}

/** test/processes/kafka-import.test.ts has more. */
const kafka: Table = {
  title: 'import --kafka',
  before: `seq 3 | logq produce two -p 0 --partitions 2 --batch-bytes 1; seq 4 6 | logq produce two -p 1 --batch-bytes 1; logq export -q --kafka two out
seq 3 | logq produce other --partitions 2 --batch-bytes 1; mkdir empty`,
  rows: [
    [
      'a topic as it is in the directory',
      'logq import --kafka -q two out -s new-$T; logq cat two -s new-$T',
      '1\n2\n3\n4\n5\n6\n',
    ],
    ['--from-topic', 'logq import -q --kafka $T out --from-topic two; logq cat $T -p 0', '1\n2\n3\n'],
    [
      '--mode, --allow-network-file-system, -v',
      'logq import --kafka two out -s new-$T --mode 750 --allow-network-file-system -v; stat -c %a new-$T',
      {
        stdout: '750\n',
        stderr: /'two-0': offsets 0 to 3, end excluded, 3 batches, \d+ bytes\n.*\n.*topic 'two' was created with 6 batches/,
      },
    ],
    [
      'what is there is not taken twice',
      'logq import --kafka two out',
      { stderr: /0 batches in 2 partitions were appended to topic 'two'/ },
    ],
    ['a topic that holds something else: 6', 'logq import --kafka other out --from-topic two', refused(/'other-0' /, 6)],
    ['no directory of Kafka', 'logq import --kafka two empty', refused(/'empty' is not a logq store/, 1)],
    ['no topic of that name', 'logq import --kafka three out', refused(/topic 'three' does not exist/, 1)],
    [
      'no directory given',
      'logq import --kafka two',
      refused(/takes a topic and a directory\n {2}hint: logq import --kafka TOPIC DIR/),
    ],
    ['with --from', 'logq import --kafka two out --from csv', refused(/--from does not go with --kafka/)],
    ['with -z', 'logq import --kafka two out -z zstd', refused(/--compression does not go with --kafka/)],
    ['--from-topic without it', 'logq import two --from-topic one < /dev/null', refused(/--from-topic goes with --kafka/)],
  ],
}

export const importTables: readonly Table[] = [kinds, kafka]
