/** What cat and tail print: formats, nulls, delimiters, templates. */
import { lines, refused, type Table } from '../table.js'

const formats: Table = {
  title: 'output: value, json, batch',
  before: `logq produce t -J << 'END'
{"key":"k1","value":"v1","timestamp":1700000000123,"headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}
{"key":null,"value":"","timestamp":1700000000124}
{"key":"","value":null,"timestamp":-1}
END
seq 4 | logq produce two --partitions 2 --batch-bytes 1`,
  rows: [
    ['value: value and newline; null is empty', 'logq cat t', 'v1\n\n\n'],
    ['-F value is the default', 'logq cat t -F value', 'v1\n\n\n'],
    ['-K puts key and separator before it', 'logq cat t -K:', 'k1:v1\n:\n:\n'],
    ['-D instead of newline', "logq cat t -D '--'", 'v1------'],
    ['-D of nothing', "logq cat t -D ''", 'v1'],
    ['-0: NUL', 'logq cat t -0', 'v1\0\0\0'],
    ['--null stands for null, not for empty', 'logq cat t --null NIL', 'v1\n\nNIL\n'],
    ['also for keys', 'logq cat t -K= --null NIL', 'k1=v1\nNIL=\n=NIL\n'],
    ['-n: so many records', 'logq cat t -n 1', 'v1\n'],
    ['fewer records are success', 'logq cat t -n 9', 'v1\n\n\n'],
    ['none', 'logq cat t -n 0', ''],
    [
      'json',
      'logq cat t -J -o 1 -n 1',
      '{"topic":"t","partition":0,"offset":1,"timestamp":1700000000124,"timestampType":"CreateTime","key":null,"value":"","headers":[]}\n',
    ],
    ['batch: the bytes on disk', 'logq cat t -F batch | cmp - store/t-0/00000000000000000000.log && echo same', 'same\n'],
    ['of one partition only', 'logq cat two -F batch', refused(/exactly one partition/)],
    [
      'which -p names',
      'logq cat two -p 1 -F batch | logq produce $T -F batch; test "$(logq cat two -p 1)" = "$(logq cat $T)" && echo same',
      'same\n',
    ],
    ['no count with it', 'logq cat t -F batch -n 1', refused(/-n does not go with --format batch/)],
    ['nor an offset within a batch', 'logq cat t -F batch -o 1', refused(/cuts through the batch/)],
    ['-K goes with value only', 'logq cat t -K: -J', refused(/-K goes with the value format only/)],
    ['-p: partitions as a list', 'logq cat two -p 0,1 | sort', lines('1 2 3 4')],
    ['and as a range', 'logq cat two -p 0-1 | sort', lines('1 2 3 4')],
    ['one that is not there', 'logq cat two -p 2', refused(/topic 'two' has no partition 2/, 1)],
    ['no list', 'logq cat two -p 1-0', refused(/invalid partitions '1-0'/)],
    ['topics as given', 'logq cat two t -p 0 -n 9 | tail -n 3 | head -n 1', 'v1\n'],
    ['tail: the last 10', 'seq 20 | logq produce $T && logq tail $T', lines('11 12 13 14 15 16 17 18 19 20')],
    ['tail -n', 'seq 20 | logq produce $T && logq tail -n 2 $T', lines('19 20')],
    [
      'tail of several partitions, merged by timestamp',
      'for n in 3 1 2; do echo $n | logq produce $T --partitions 3 -p $((n - 1)) --timestamp 170000000$n; done; logq tail $T',
      lines('1 2 3'),
    ],
    ['tail in any format', "logq tail t -n 1 -F '%o\\n'", '2\n'],
    ['an unknown format', 'logq cat t -F jsno', refused(/there is no format 'jsno'\n {2}hint: did you mean 'json'\?/)],
    [
      '--raw changes nothing in a pipe',
      "printf 'a\\033[1m\\n' | logq produce $T && logq cat $T | cmp - <(logq cat --raw $T) && logq cat --raw $T | od -An -tx1",
      ' 61 1b 5b 31 6d 0a\n',
    ],
    ['nor is anything escaped there', "printf 'a\\033[1m\\n' | logq produce $T && logq tail $T --raw", 'a\u001b[1m\n'],
  ],
}

/** Two records: with a key, two headers and a timestamp; and with nulls. */
const templates: Table = {
  title: 'output: templates',
  before: `logq topic create t --partitions 2; logq produce t -p 1 -J << 'END'
{"key":"k","value":"v\\u00e9","timestamp":1700000000123,"headers":[{"key":"a","value":"1"},{"key":"b","value":null},{"key":"a","value":""}]}
{"key":null,"value":null,"timestamp":-1}
END`,
  rows: [
    ...(
      [
        ['topic', '%t', 't t'],
        ['partition', '%p', '1 1'],
        ['offset', '%o', '0 1'],
        ['key', '%k', 'k '],
        ['value', '%v', 'vé '],
        ['value too', '%s', 'vé '],
        ['headers', '%h', 'a=1,b,a= '],
        ['timestamp in ms', '%T', '1700000000123 -1'],
        ['length of the key in bytes, -1 for null', '%K', '1 -1'],
        ['length of the value in bytes', '%V', '3 -1'],
        ['value in base64', '%v{base64}', 'dsOp '],
        ['value in hex', '%v{hex}', '76c3a9 '],
        ['key in base64', '%k{base64}', 'aw== '],
        ['key in hex', '%k{hex}', '6b '],
        ['a percent sign', '%%', '% %'],
      ] as const
    ).map(([promise, template, printed]): Table['rows'][number] => [
      promise,
      `logq cat t -F '${template}\\n'`,
      printed.replace(' ', '\n') + '\n',
    ]),
    ['timestamp in RFC 3339', "logq cat t -n 1 -F '%T{iso}\\n'", '2023-11-14T22:13:20.123Z\n'],
    ['nothing is appended', 'logq cat t -F %o', '01'],
    ['any format that contains a backslash is a template', "logq cat t -F 'x\\t'", 'x\tx\t'],
    ['a null is --null', "logq cat t -F '%k %v\\n' --null NIL", 'k vé\nNIL NIL\n'],
    ['a key with its value', "logq cat t -n 1 -F '%t:%p@%o %k=%v (%K,%V)\\n'", 't:1@0 k=vé (1,3)\n'],
    ['anything else is refused', "logq cat t -F '%q'", refused(/there is no '%q'/)],
    ['also a form that there is not', "logq cat t -F '%o{hex}'", refused(/option '-F'/)],
    ['also a percent sign at the end', "logq cat t -F '100%'", refused(/option '-F'/)],
  ],
}

export const outputTables: readonly Table[] = [formats, templates]
