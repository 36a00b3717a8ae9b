/** The JSON record, in both directions. test/cli/print/json-parse.test.ts tries the parser on more. */
import { refused, type Table } from '../table.js'

/** What `cat -J` prints of the one record of a topic, from its key on. */
const tail = `logq cat $T -J | grep -o '"timestamp":.*'`

/** One record as it is read, and as it is printed. */
function roundTrip(promise: string, read: string, printed: string): Table['rows'][number] {
  return [promise, `logq produce $T -J --timestamp 1970-01-02 && ${tail}`, { stdin: `${read}\n`, stdout: `${printed}\n` }]
}

const record = (rest: string) => `"timestamp":86400000,"timestampType":"CreateTime",${rest}}`

const accepted: Table = {
  title: 'JSON records: read and printed',
  rows: [
    [
      'one line, always these fields',
      'echo v | logq produce j --timestamp 1970-01-02 -k k -H a=1 && logq cat j -J',
      '{"topic":"j","partition":0,"offset":0,"timestamp":86400000,"timestampType":"CreateTime","key":"k","value":"v","headers":[{"key":"a","value":"1"}]}\n',
    ],
    roundTrip('null is null', '{"key":null,"value":null}', record('"key":null,"value":null,"headers":[]')),
    roundTrip('and differs from ""', '{"key":"","value":""}', record('"key":"","value":"","headers":[]')),
    roundTrip('key and headers may be left out', '{"value":"v"}', record('"key":null,"value":"v","headers":[]')),
    roundTrip(
      'bytes that are not UTF-8 are base64',
      '{"key":"/w==","keyEncoding":"base64","value":"AP4=","valueEncoding":"base64"}',
      record('"key":"/w==","keyEncoding":"base64","value":"AP4=","valueEncoding":"base64","headers":[]'),
    ),
    roundTrip(
      'base64 of what is UTF-8 comes out as text',
      '{"value":"aGk=","valueEncoding":"base64"}',
      record('"key":null,"value":"hi","headers":[]'),
    ),
    roundTrip('a BOM is kept', '{"value":"\\ufeffx"}', record('"key":null,"value":"\ufeffx","headers":[]')),
    roundTrip(
      'control characters are escaped',
      '{"value":"\\u0000\\n\\"\\\\"}',
      record('"key":null,"value":"\\u0000\\n\\"\\\\","headers":[]'),
    ),
    roundTrip(
      'headers in order, duplicates kept',
      '{"value":"","headers":[{"key":"b","value":"1"},{"key":"a","value":null},{"key":"b","value":"/w==","valueEncoding":"base64"}]}',
      record(
        '"key":null,"value":"","headers":[{"key":"b","value":"1"},{"key":"a","value":null},{"key":"b","value":"/w==","valueEncoding":"base64"}]',
      ),
    ),
    roundTrip(
      'headers may be an object',
      '{"value":"","headers":{"b":"1","a":null}}',
      record('"key":null,"value":"","headers":[{"key":"b","value":"1"},{"key":"a","value":null}]'),
    ),
    roundTrip(
      'what is neither string nor null is stored as its source text',
      '{"key":1e3,"value":{"b": [1, 2],"a":true}}',
      record('"key":"1e3","value":"{\\"b\\": [1, 2],\\"a\\":true}","headers":[]'),
    ),
    roundTrip(
      'topic and offset are ignored',
      '{"topic":"x","offset":77,"value":"v"}',
      record('"key":null,"value":"v","headers":[]'),
    ),
    roundTrip(
      'partition is, without --keep partition',
      '{"partition":5,"value":"v"}',
      record('"key":null,"value":"v","headers":[]'),
    ),
    roundTrip(
      'timestamp is kept',
      '{"timestamp":1700000000123,"value":"v"}',
      '"timestamp":1700000000123,"timestampType":"CreateTime","key":null,"value":"v","headers":[]}',
    ),
    roundTrip(
      '-1 is none',
      '{"timestamp":-1,"value":"v"}',
      '"timestamp":-1,"timestampType":"CreateTime","key":null,"value":"v","headers":[]}',
    ),
    [
      'partition is kept with --keep partition',
      `printf '{"partition":1,"value":"a"}\\n{"partition":0,"value":"b"}\\n' | logq produce $T -J --keep partition --partitions 2 && logq cat $T -F '%p%v\\n'`,
      '0b\n1a\n',
    ],
    [
      '-F json and --format json are -J',
      'echo v | logq produce $T && test "$(logq cat $T -J)" = "$(logq cat $T -F json)" && logq cat $T --format json | logq produce $T --format json && logq cat $T',
      'v\nv\n',
    ],
    [
      '-k and -H go with records that have none',
      `echo '{"value":"v"}' | logq produce $T -J -k k -H a=1 && logq cat $T -F '%k %h %v\\n'`,
      'k a=1 v\n',
    ],
    [
      'cat -J | produce -J --keep partition is an identity',
      `printf 'a:1\\nb:\\n:3\\n' | logq produce $T -K: --partitions 3 -H h && logq cat $T -J | logq produce $T-copy -J --keep partition --partitions 3 && cmp <(logq digest $T | cut -c -64) <(logq digest $T-copy | cut -c -64) && echo same`,
      'same\n',
    ],
  ],
}

/** Each line is refused for its own reason, and named; the two good ones are stored. */
const bad: readonly (readonly [line: string, reason: string])[] = [
  ['text', "not a JSON object: unexpected 't' at character 1"],
  ['{"key":"k"}', "the field 'value' is missing"],
  ['{"value":"v","color":1}', "unknown field 'color'"],
  ['{"value":"a","value":"b"}', "the field 'value' is given twice"],
  ['{"value":"\\ud800"}', "'value' has a lone surrogate"],
  ['{"key":"\\udc00","value":""}', "'key' has a lone surrogate"],
  ['{"value":"%","valueEncoding":"base64"}', "'value' is not base64"],
  ['{"value":"a","valueEncoding":"hex"}', 'the encoding of \'value\' is "hex"'],
  ['{"value":null,"valueEncoding":"base64"}', "'value' is not base64"],
  ['{"value":"","keyEncoding":"base64"}', "'keyEncoding' without 'key'"],
  ['{"value":"","timestamp":1.5}', 'invalid timestamp 1.5'],
  ['{"value":"","partition":-1}', 'invalid partition -1'],
  ['{"value":"","timestampType":"x"}', 'invalid timestampType "x"'],
  ['{"value":"","headers":"a"}', "'headers' is neither an array nor an object"],
  ['{"value":"","headers":[{"key":"a"}]}', "the header 'a' has no 'value'"],
  ['{"value":"","headers":{"7":"a"}}', "the header name '7' looks like an integer, whose place in an object is not kept"],
  ['{"value":"","headers":{"a":"1","a":"2"}}', "the header 'a' is given twice in an object"],
  ['{"valueBytes":3}', "'valueBytes' stands in place of the value: the record was printed with --no-value"],
]

const refusals: Table = {
  title: 'JSON records: what is refused',
  rows: [
    [
      'each by line number and reason, the others stored',
      `logq produce $T -J 2> said; s=$?; grep -v hint: said; logq cat $T; exit $s`,
      {
        stdin: ['{"value":"first"}', ...bad.map(([line]) => line), '{"value":"last"}', ''].join('\n'),
        stdout: [
          ...bad.map(([, reason], index) => `logq produce: stdin: line ${index + 2}: ${reason}`),
          'first',
          'last',
          '',
        ].join('\n'),
        status: 1,
        statusOf: 'produce',
      },
    ],
    [
      'with the hint that plain values go in without -J',
      `echo '{"level":"info"}' | logq produce $T -J`,
      refused(/unknown field 'level'\n {2}hint: to store JSON lines as plain values, leave out '-J'/, 1),
    ],
    [
      'or what was meant',
      `echo '{"vlaue":""}' | logq produce $T -J`,
      refused(/unknown field 'vlaue'\n {2}hint: did you mean 'value'\?/, 1),
    ],
    ['bytes that are not UTF-8', `printf '{"value":"\\377"}\\n' | logq produce $T -J`, refused(/line 1: not valid UTF-8/, 1)],
    ['-K does not go with it', 'logq produce $T -J -K: < /dev/null', refused(/-K goes with the value format only/)],
    [
      '--keep partition and -p exclude each other',
      'logq produce $T -J --keep partition -p 0 < /dev/null',
      refused(/--keep partition and -p exclude each other/),
    ],
    [
      'a partition that is not there is an item error',
      `echo '{"partition":7,"value":""}' | logq produce $T -J --keep partition`,
      refused(/line 1: .*partition 7/, 1),
    ],
  ],
}

export const jsonTables: readonly Table[] = [accepted, refusals]
