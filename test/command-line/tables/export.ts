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

export const exportTables: readonly Table[] = [kinds]
