/** du. */
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
    ['an unknown topic', 'logq du nothing', { stderr: /'nothing' does not exist/, stdout: /.*/, status: 1 }],
    ['a damaged topic file', 'logq du -s corrupt', { stderr: /c\.json/, stdout: /.*/, status: 5 }],
    ['--by what', 'logq du --by day', refused(/'day' is not one of/)],
  ],
}

export const diskTables: readonly Table[] = [du]
