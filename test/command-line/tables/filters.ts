/** -w in cat and tail: variables, functions, what fails, and what a bounded reading ends with. */
import { lines, refused, type Table } from '../table.js'

const variables: Table = {
  title: 'filters: what an expression knows',
  before: `logq topic create t --partitions 2; logq produce t -J --keep partition --batch-bytes 1 << 'END'
{"partition":0,"key":"a","value":{"n":1,"tags":["x"],"user":{"id":7}},"timestamp":1700000000000,"headers":[{"key":"level","value":"info"}]}
{"partition":1,"key":"b","value":{"n":2,"tags":[]},"timestamp":1700000001000,"headers":[{"key":"level","value":"warn"},{"key":"trace-id","value":"t1"}]}
{"partition":0,"key":null,"value":"plain text","timestamp":1700000002000}
{"partition":1,"key":"c","value":null,"timestamp":-1}
END
seq 20 | logq produce numbers`,
  rows: [
    ...(
      [
        ['key, text', 'key == "a"', 'a'],
        ['a null key is empty text', 'key == ""', '-'],
        ['text: the value as a string', 'text.contains("plain")', '-'],
        ['that of a tombstone is empty', 'text == ""', 'c'],
        ['value: parsed as JSON', 'value.n == 2', 'b'],
        ['with numbers of one kind', 'value.n * 2 > 3', 'b'],
        ['and paths', 'value.user.id == 7', 'a'],
        ['and lists', '"x" in value.tags', 'a'],
        ['null for a tombstone', 'value == null', 'c'],
        ['headers: a map', 'headers.level == "warn"', 'b'],
        ['with any name', 'headers["trace-id"] == "t1"', 'b'],
        ['has and in ask without failing', '"trace-id" in headers || has(value.user)', 'a b'],
        ['topic', 'topic == "t" && key == "c"', 'c'],
        ['partition', 'partition == 1', 'b c'],
        ['offset', 'offset == 1', '- c'],
        ['timestamp', 'timestamp >= timestamp("2023-11-14T22:13:21Z")', '- b'],
        [
          'murmur2, startsWith, matches, size',
          'key.matches("^[ab]$") && size(key) == 1 && murmur2(key) != 0 && !key.startsWith("b")',
          'a',
        ],
        ['a minus at the beginning is no option', '-offset < 0 && key == "c"', 'c'],
      ] as const
    ).map(([promise, expression, keys]): Table['rows'][number] => [
      promise,
      `logq cat t -w '${expression}' -F '%k\\n' -q --null - 2> said`,
      lines(keys),
    ]),
    ['--where too', `logq cat t --where='key == "a"' -F '%k\\n'`, 'a\n'],
    ['in tail', `logq tail t -w 'key == "a"' -F '%k\\n'`, 'a\n'],
    ['what does not match does not count for -n', "logq cat numbers -w 'offset > 9' -n 2", lines('11 12')],
    ['tail -n: the last that match', "logq tail numbers -w 'offset < 9' -n 2", lines('8 9')],
    ['with -o', "logq cat numbers -o 5: -w 'offset % 10 == 0'", lines('11')],
    ['with -J', "logq cat numbers -w 'offset == 3' -J | logq produce $T -J && logq cat $T", lines('4')],
    ['nothing matches: 3', 'logq cat t -w false', { status: 3 }],
    ['also in tail', 'logq tail t -w \'key == "zz"\'', { status: 3 }],
    ['not of an empty -n', 'logq cat t -w false -n 0', ''],
    ['not with tail -f', 'logq tail -f numbers -w false --for 1s', ''],
    [
      'an expression that fails on a record is no match, said once',
      "logq cat t -w 'value.n > 0' -F '%k\\n'",
      { stdout: 'a\nb\n', stderr: /^logq cat: .*2 records.*\n( {2}hint: .*\n)?$/ },
    ],
    [
      'an unknown variable',
      "logq cat t -w 'valeu.n > 0'",
      refused(
        /Unknown variable: valeu\n {2}hint: variables are topic, key, text, value, headers, timestamp, partition, offset; /,
      ),
    ],
    ['a result that is not boolean', "logq cat t -w 'offset + 1'", refused(/it gives int, not true or false/)],
    ['no expression', "logq cat t -w 'offset >'", refused(/the expression 'offset >' cannot be used/)],
    ['refused before anything is read', "logq cat nothing -w 'offset >'", refused(/the expression 'offset >' cannot be used/)],
    ['not with raw batches', "logq cat numbers -F batch -w 'offset > 1'", refused(/-w/)],
  ],
}

export const filterTables: readonly Table[] = [variables]
