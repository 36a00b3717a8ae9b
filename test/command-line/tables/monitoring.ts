/** check and metrics: what a monitoring system asks, and what it is told. */
import { refused, type Row, type Table } from '../table.js'

const critical = (promise: string, line: string, stdout: RegExp): Row => [promise, line, { stdout, status: 2 }]
const unknown = (promise: string, line: string, stdout: RegExp): Row => [promise, line, { stdout, status: 3 }]

const check: Table = {
  title: 'check',
  before: [
    'seq 5 | logq produce a; logq consume a -g g -n 3 -q > said; logq group seek h --topic a -o end -q > said; logq topic create empty -q',
    'echo \'{"value":"x","timestamp":4102444800000}\' | logq produce ahead -J; touch -d "2 days ago" store/ahead-0/*.log',
    'cp -r store damaged; echo x > damaged/topics/a.json; rm said',
  ].join('; '),
  rows: [
    [
      'all is well',
      'logq check a --max-lag 2 --max-age 1h --min-free 1',
      {
        stdout:
          /^CHECK OK - g is 2 records behind in a:0; the newest record is [\d.]+ s old; \S+ are free \| lag=2;;2;0 age=[\d.]+s;;3600;0 free=\d+B;;1:;0;\d+\n$/,
      },
    ],
    ['nothing is said of what is well', 'logq check a --max-lag 2 --quiet-ok', ''],
    critical(
      'a group is too far behind',
      'logq check a --max-lag 1 --quiet-ok',
      /^CHECK CRITICAL - g is 2 records behind in a:0 \(at most 1\) \| lag=2;;1;0\n$/,
    ),
    ['one group', 'logq check a --max-lag 0 -g h', 'CHECK OK - h is 0 records behind in a:0 | lag=0;;0;0\n'],
    unknown('a group that is not there', 'logq check a --max-lag 0 -g x', /^CHECK UNKNOWN - group 'x' does not exist/),
    unknown(
      'a group that reads other topics',
      'logq check empty --max-lag 0 -g g',
      /^CHECK UNKNOWN - group 'g' does not read 'empty'\n$/,
    ),
    unknown('a topic that no group reads', 'logq check empty --max-lag 0', /^CHECK UNKNOWN - no group reads 'empty'\n$/),
    critical(
      'nothing arrives any more',
      'sleep 0.1; logq check a --max-age 1ms',
      /^CHECK CRITICAL - the newest record is [\d.]+ s old \(at most 1ms\) \| age=[\d.]+s;;0\.001;0\n$/,
    ),
    critical('nothing ever arrived', 'logq check empty --max-age 1d', /^CHECK CRITICAL - there is no record\n$/),
    critical(
      'a timestamp in the future is no sign of life',
      'logq check ahead --max-age 1d',
      /the newest record is 17[23]\d{3}\./,
    ),
    critical(
      'the disk is too full',
      'logq check a --min-free 100%',
      /^CHECK CRITICAL - \S+ are free \(at least 100%\) \| free=/,
    ),
    critical('in bytes', 'logq check a --min-free 8000TiB', /are free \(at least 8000TiB\)/),
    critical(
      'what is critical outweighs what is not known',
      'logq check empty --max-lag 1 --max-age 1d',
      /^CHECK CRITICAL - no group reads 'empty'; there is no record\n$/,
    ),
    unknown('an unknown topic', 'logq check nothing --max-age 1d', /^CHECK UNKNOWN - topic 'nothing' does not exist/),
    unknown('an unknown store', 'logq check a -s nowhere --min-free 1%', /^CHECK UNKNOWN - store 'nowhere' does not exist/),
    unknown('a damaged topic file', 'logq check a -qv -s damaged --max-age 1d', /^CHECK UNKNOWN - .*a\.json/),
    ['usage errors are unknown', 'logq check a', refused(/there is nothing to check/, 3)],
    ['-g alone', 'logq check a --min-free 1% -g g', refused(/-g needs --max-lag/, 3)],
    ['no topic', 'logq check', refused(/TOPIC/, 3)],
    ['more than all', 'logq check a --min-free 101%', refused(/invalid share '101%'/, 3)],
    ['no size', 'logq check a --min-free much', refused(/invalid size 'much'/, 3)],
  ],
}

const metrics: Table = {
  title: 'metrics',
  before: 'seq 5 | logq produce a; mkdir empty; cp -r store damaged; echo x > damaged/topics/a.json',
  rows: [
    ['offsets of partitions', 'logq metrics | grep ^logq_log_end', 'logq_log_end_offset{topic="a",partition="0"} 5\n'],
    ['-q -v -s', 'logq metrics -qv -s store | tail -n 1', '# EOF\n'],
    ['--output', 'logq metrics --output $T.prom; tail -n 1 $T.prom', '# EOF\n'],
    [
      'what is damaged is counted, and the rest is there',
      'logq metrics -s damaged | grep "^logq_unreadable"',
      { stdout: 'logq_unreadable 1\n', stderr: /a\.json/, statusOf: 'grep' },
    ],
    [
      'and is in the status',
      'logq metrics -s damaged --output $T.prom -q || { echo $?; tail -n 1 $T.prom; exit 5; }',
      { stdout: '5\n# EOF\n', stderr: /a\.json/, status: 5 },
    ],
    [
      'a directory that is not there',
      'logq metrics --output none/x.prom',
      refused(/cannot write 'none\/x\.prom': its directory/, 1),
    ],
    ['no regular file', 'logq metrics --output empty', refused(/cannot write 'empty': it is no regular file/, 1)],
    ['an unknown store', 'logq metrics -s nowhere', refused(/store 'nowhere' does not exist/, 1)],
    ['no operands', 'logq metrics a', refused(/'a'/)],
  ],
}

export const monitoringTables: readonly Table[] = [check, metrics]
