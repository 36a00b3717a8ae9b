/** du and dump. */
import { refused, type Table } from '../table.js'

const du: Table = {
  title: 'du',
  before:
    'seq 100 | logq produce t --partitions 2; seq 3 | logq produce u; mkdir corrupt; logq topic create c -s corrupt; echo x > corrupt/topics/c.json',
  rows: [
    ['a line for each topic, and the total', "logq du 2> said | awk '{ print $NF }'", { stdout: /^\S+\nt\nu\n\S+\n$/ }],
    ['of some topics', 'logq du u 2> said | grep -c "^t "', { stdout: '0\n', status: 1, statusOf: 'grep' }],
    ...['topic', 'partition', 'segment', 'file'].map((by): Table['rows'][number] => [
      `--by ${by}`,
      `logq du t -p 0 --by ${by} -J | grep -c '"type":"${by}"'`,
      { stdout: /^[1-9]\d*\n$/ },
    ]),
    ['--human', 'logq du --human 2> said | grep -c iB', { stdout: /^[1-9]\d*\n$/ }],
    [
      '-J: an object a line, the forecast last',
      'logq du -J | grep -o \'^{"type":"[a-z]*"\'',
      '{"type":"topic"\n{"type":"topic"\n{"type":"total"\n{"type":"forecast"\n',
    ],
    ['-s, -q, -v', 'logq du -qv -s store u | wc -l', { stdout: /^[1-9]\d*\n$/, stderr: /.*/ }],
    [
      'an unknown topic',
      'logq du nothing',
      { stderr: /^logq du: topic 'nothing' does not exist in store [^\n]*\n[^\n]*\n$/, status: 1 },
    ],
    ['a damaged topic file', 'logq du -s corrupt', { stderr: /c\.json/, stdout: /.*/, status: 5 }],
    ['--by what', 'logq du --by day', refused(/'day' is not one of/)],
  ],
}

const dump: Table = {
  title: 'dump',
  before:
    'printf "a\\nb\\n" | logq produce t --partitions 2 -p 0; echo c | logq produce t -p 1; cp store/t-0/00000000000000000000.log torn.log; truncate -s -3 torn.log; head -c 90 /dev/urandom > notes.txt',
  rows: [
    [
      'a topic: every partition, segments first',
      "logq dump t | sed -n 's/^file .*(\\([a-z]*\\), .*/\\1/p' | grep -c log",
      '2\n',
    ],
    ['TOPIC:P', 'logq dump t:1 | grep -c ^batch', '1\n'],
    ['-p', 'logq dump t -p 0-1 | grep -c ^batch', '2\n'],
    ['a file', 'logq dump -s nowhere store/t-0/recovery-point | grep -c "^recovery-point .*isNewest=true"', '1\n'],
    ['--records', 'logq dump t:0 --records | grep -o "^record offset=1 .*" | grep -o value=.*', 'value="b"\n'],
    [
      '-J',
      'logq dump t:1 --records -J | grep -o \'"record":.*"value":"c"\' | cut -c -45',
      { stdout: /^"record":\{"topic":"t","partition":1,"offset"/ },
    ],
    ['-o', 'logq dump t:0 --records -o 1 | grep -c ^record', '1\n'],
    [
      '--position behind the end',
      'logq dump t:0 --position 4096 | grep -c ^batch',
      { stdout: '0\n', status: 1, statusOf: 'grep' },
    ],
    ['-n', 'logq dump t -n 0 | grep -c ^batch', { stdout: '0\n', status: 1, statusOf: 'grep' }],
    ['--raw, -q, -v', 'logq dump --raw -qv t:0 | grep -c ^batch', '1\n'],
    ['damage', 'logq dump torn.log', { stdout: /^damage .*torn\.log position 0 /m, stderr: /1 problem in 1 file/, status: 5 }],
    ['an unknown file', 'logq dump notes.txt', { stderr: /is no file that is known here/, status: 1 }],
    ['an unknown topic', 'logq dump nothing', { stderr: /'nothing' does not exist/, status: 1 }],
    ['-p beside TOPIC:P', 'logq dump t:0 -p 1', refused(/-p does not go with 't:0'.*\n {2}hint: leave out -p, or write 't'/)],
    ['no operand', 'logq dump', refused(/FILE/)],
  ],
}

export const diskTables: readonly Table[] = [du, dump]
