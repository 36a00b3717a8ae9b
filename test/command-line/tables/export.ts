/** export. test/processes/export.test.ts has more. */
import { refused, type Table } from '../table.js'

const kinds: Table = {
  title: 'export',
  before: `logq produce t -J << 'END'
{"key":"a","value":{"id":1,"name":"Anna, B."},"timestamp":1700000000000,"headers":{"h":"1"}}
{"key":"b","value":{"id":2,"name":"Ben"},"timestamp":1700000001000}
END
seq 4 | logq produce two --partitions 2 --partitioner roundrobin --batch-bytes 1
seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd`,
  rows: [
    ['--to csv', 'logq export t --to csv --columns offset,key,value.name', 'offset,key,value.name\n0,a,"Anna, B."\n1,b,Ben\n'],
    ['the columns by default', 'logq export t --to csv | head -n 1', 'topic,partition,offset,timestamp,key,value,headers\n'],
    ['NAME=COLUMN', 'logq export t --to csv --columns who=value.name,h=header.h', 'who,h\n"Anna, B.",1\nBen,\n'],
    ['--flatten: the table that it was', 'logq export t --to csv --flatten', 'id,name\n1,"Anna, B."\n2,Ben\n'],
    ['--to tsv, --no-header-row', 'logq export t --to tsv --columns key,offset --no-header-row', 'a\t0\nb\t1\n'],
    ['--csv-delimiter', "logq export t --to csv --csv-delimiter ';' --columns key,offset -n 1", 'key;offset\na;0\n'],
    ['--time iso', 'logq export t --to csv --columns timestamp --time iso --no-header-row -n 1', '2023-11-14T22:13:20.000Z\n'],
    [
      '--byte-order-mark',
      'logq export t --to csv --columns key --byte-order-mark -n 1 | od -An -tx1 | head -n 1 | cut -c -10',
      ' ef bb bf \n',
    ],
    ['--to ndjson: the values', 'logq export t --to ndjson', '{"id":1,"name":"Anna, B."}\n{"id":2,"name":"Ben"}\n'],
    [
      '--to kcat is what import --from kcat reads',
      'logq export t --to kcat | logq import $T --from kcat -q && cmp <(logq digest t | cut -c -64) <(logq digest $T | cut -c -64) && echo same',
      'same\n',
    ],
    [
      '--to rpk is what import --from rpk reads',
      'logq export t --to rpk | logq import $T --from rpk -q && cmp <(logq digest t | cut -c -64) <(logq digest $T | cut -c -64) && echo same',
      'same\n',
    ],
    ['-p, -o, -n, -w', 'logq export two --to ndjson -p 0,1 -o 1: -n 1 -w \'text != "4"\'', '3\n'],
    ['nothing matches: 3', 'logq export t --to ndjson -w false', { status: 3 }],
    [
      '--dir, --split-by',
      'logq export two --to ndjson --dir out-$T --split-by partition -q; ls out-$T',
      'two-0.ndjson\ntwo-1.ndjson\n',
    ],
    [
      'a file that is there',
      'logq export t --to csv --dir out-$T -q; logq export t --to csv --dir out-$T',
      { status: 1, stderr: /t\.csv/ },
    ],
    ['--force replaces it', 'logq export t --to csv --dir out-$T -q; logq export t --to csv --dir out-$T --force -q', ''],
    [
      '-s, -v, --raw',
      'logq export t --to ndjson -s store -v --raw -n 1',
      { stdout: '{"id":1,"name":"Anna, B."}\n', stderr: /.*/ },
    ],
    ['--to must be given', 'logq export t', refused(/--to/)],
    ['an unknown topic', 'logq export u --to csv', refused(/'u' does not exist/, 1)],
    ['damaged', 'logq export bad --to ndjson', { status: 5, stdout: /.*/, stderr: /'bad-0' is damaged/ }],
  ],
}

/** test/processes/kafka-export.test.ts has more. */
const kafka: Table = {
  title: 'export --kafka',
  before: `seq 3 | logq produce two -p 0 --partitions 2 --batch-bytes 1; seq 4 6 | logq produce two -p 1 --batch-bytes 1
seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd
mkdir full; touch full/file`,
  rows: [
    [
      'the directories of the partitions, without files of logq',
      'logq export --kafka two out-$T -q; find out-$T -mindepth 1 | cut -d/ -f2- | LC_ALL=C sort',
      'two-0\ntwo-0/00000000000000000000.index\ntwo-0/00000000000000000000.log\ntwo-0/00000000000000000000.timeindex\ntwo-0/leader-epoch-checkpoint\n' +
        'two-1\ntwo-1/00000000000000000000.index\ntwo-1/00000000000000000000.log\ntwo-1/00000000000000000000.timeindex\ntwo-1/leader-epoch-checkpoint\n',
    ],
    ['a Kafka directory, which logq reads', 'logq export --kafka two out-$T -q; logq cat two -s out-$T', '1\n2\n3\n4\n5\n6\n'],
    ['an empty directory will do', 'mkdir out-$T; logq export -q two --kafka out-$T/; ls out-$T', 'two-0\ntwo-1\n'],
    [
      'what comes next is said on standard error',
      'logq export --kafka two out-$T -v',
      {
        stderr:
          /'out-.*\/two-0': offsets 0 to 3, end excluded, 1 segments, \d+ bytes\n.*\n.*2 partitions are in 'out-.*\n.*kafka-topics.sh --create --topic two --partitions 2 --replication-factor 1 --config retention.ms=-1\n$/,
      },
    ],
    [
      'a directory that is not empty',
      'logq export --kafka two full',
      refused(/'full' is not empty\n {2}hint: name a new directory/, 1),
    ],
    [
      'damaged: nothing is left',
      'logq export --kafka bad out-$T; s=$?; test -e out-$T || echo none; exit $s',
      { stdout: 'none\n', stderr: /'bad-0' is damaged/, status: 5 },
    ],
    ['an unknown topic', 'logq export --kafka u out-$T', refused(/'u' does not exist/, 1)],
    [
      'no directory',
      'logq export --kafka two',
      refused(/takes a topic and a directory\n {2}hint: logq export --kafka TOPIC DIR/),
    ],
    ['two topics', 'logq export --kafka two two out-$T', refused(/takes a topic and a directory/)],
    ['the name is empty', "logq export --kafka two ''", refused(/the name of the directory is empty/)],
    ['with --to', 'logq export --kafka two out-$T --to csv', refused(/--to does not go with --kafka/)],
    ['with -n', 'logq export --kafka two out-$T -n 1', refused(/--count does not go with --kafka/)],
    ['with --time', 'logq export --kafka two out-$T --time iso', refused(/--time does not go with --kafka/)],
    ['with --force', 'logq export --kafka two out-$T --force', refused(/--force does not go with --kafka/)],
    [
      'a Kafka log directory is one already',
      'logq export --kafka two out-$T -q; logq export -s out-$T --kafka two again-$T',
      refused(/is a Kafka log directory already\n {2}hint: copy/),
    ],
  ],
}

export const exportTables: readonly Table[] = [kinds, kafka]
