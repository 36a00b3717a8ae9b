/** stat. test/processes/stat.test.ts has more. */
import { refused, type Table } from '../table.js'

/** Group and number of records. */
const counts = `grep -o '"group":[^,]*\\|"recordCount":[0-9]*' | tr '\\n' ' '`

const groups: Table = {
  title: 'stat',
  before: `logq produce t --partitions 2 --batch-bytes 1 -J --keep partition << 'END'
{"partition":0,"key":"a","value":"1","timestamp":1700000000000,"headers":{"level":"info"}}
{"partition":1,"key":"b","value":"22","timestamp":1700000030000,"headers":{"level":"warn"}}
{"partition":0,"key":"a","value":"333","timestamp":1700000060000,"headers":{"level":"info"}}
END
seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd`,
  rows: [
    ['a line for each partition, and the total', "logq stat t | awk '{ print $NF }'", { stdout: /^\S+\n0\n1\ntotal\n$/ }],
    [
      '--by key',
      `logq stat t --by key -J | ${counts}`,
      { stdout: /^"group":"a" "recordCount":2 "group":"b" "recordCount":1 "recordCount":3 $/ },
    ],
    [
      '--by header:NAME',
      `logq stat t --by header:level -J | ${counts}`,
      { stdout: /^"group":"info" "recordCount":2 "group":"warn" "recordCount":1 "recordCount":3 $/ },
    ],
    ['by time', 'logq stat t --by 1m -J | grep -c recordCount', '3\n'],
    [
      '-n: the largest groups; the total is over all',
      `logq stat t --by key -n 1 -J | ${counts}`,
      { stdout: /^"group":"a" "recordCount":2 "recordCount":3 $/ },
    ],
    ['-p, -o', `logq stat t -p 0 -o 1: -J | grep -o '"recordCount":[0-9]*' | tail -n 1`, '"recordCount":1\n'],
    ['-w', `logq stat t -w 'key == "b"' -J | grep -o '"recordCount":[0-9]*' | tail -n 1`, '"recordCount":1\n'],
    ['nothing matches: 3', 'logq stat t -w false', { stdout: /./, status: 3 }],
    ['-s, -q, -v', 'logq stat -qv -s store t | wc -l', { stdout: '4\n', stderr: /.*/ }],
    ['by what', 'logq stat t --by colour', refused(/option '--by'/)],
    ['an unknown topic', 'logq stat u', refused(/'u' does not exist/, 1)],
    ['damaged', 'logq stat bad', { status: 5, stdout: /.*/, stderr: /'bad-0' is damaged/ }],
  ],
}

export const statisticsTables: readonly Table[] = [groups]
