/** -o: every form of POINT, SPEC and TIME, in cat and tail. Ends are excluded, and each partition is counted by itself. */
import { LOG_START_OFFSET_FILE } from '../../../lib/log/file-names.js'
import { formatLogStartOffset } from '../../../lib/log/log-start-offset.js'
import { lines, refused, type Table } from '../table.js'

const all = 'r0 r1 r2 r3 r4 r5 r6 r7 r8 r9'

const points: Table = {
  title: 'offsets: POINT and [POINT]:[POINT]',
  before:
    'logq topic create t segment.bytes=256; seq -f r%g 0 9 | logq produce t --batch-bytes 60; seq 6 | logq produce two --partitions 2 --batch-bytes 1 --partitioner roundrobin',
  rows: [
    ...(
      [
        ['start', all],
        ['earliest', all],
        ['end', ''],
        ['latest', ''],
        ['0', all],
        ['7', 'r7 r8 r9'],
        ['10', ''],
        ['9007199254740991', ''],
        ['-2', 'r8 r9'],
        ['-0', ''],
        ['-100', all],
        ['+8', 'r8 r9'],
        ['+0', all],
        ['+100', ''],
        [':', all],
        ['3:5', 'r3 r4'],
        [':2', 'r0 r1'],
        ['8:', 'r8 r9'],
        ['-5:-3', 'r5 r6'],
        ['-2:end', 'r8 r9'],
        ['start:2', 'r0 r1'],
        ['earliest:latest', all],
        ['+1:+3', 'r1 r2'],
        ['8:-1', 'r8'],
        ['5:3', ''],
        ['5:5', ''],
        ['8:20', 'r8 r9'],
        ['10:20', ''],
      ] as const
    ).flatMap(([spec, words]): Table['rows'] => [
      [spec === '5:3' ? 'an empty range prints nothing' : `-o ${spec}`, `logq cat t -o ${spec}`, lines(words)],
    ]),
    ['-n counts from there', 'logq cat t -n3 -o 5', lines('r5 r6 r7')],
    [
      'tail: -n 0, more than there are, and none from the end on',
      'logq tail t -n 0 && logq tail t -n 100 && logq tail t -o end',
      lines(all),
    ],
    ['tail begins there too', 'logq tail t -o 8', lines('r8 r9')],
    ['and ends there', 'logq tail t -o 3:5', lines('r3 r4')],
    ['tail -o and -n exclude each other', 'logq tail t -o 1 -n 2', refused(/-o and -n exclude each other/)],
    ['what has an end cannot be followed', 'logq tail -f t -o 1:2', refused(/range with an end cannot be followed/)],
    ['digest takes it', 'test "$(logq digest t -o 8 | cut -d " " -f 3)" = 2 && echo two', 'two\n'],
    ['it holds per partition', "logq cat two -o -1 -F '%p@%o\\n'", '0@2\n1@2\n'],
    ['-n counts over all of them', 'logq cat two -n 4 | wc -l', '4\n'],
    ...['x', '5x', '-', '+', '1e3', '--5', '5:4:3', '5..6', '2026-01-01', '-1h', ''].map((spec): Table['rows'][number] => [
      'anything else is refused',
      `logq cat t -o '${spec}'`,
      refused(/option '-o': invalid offset/),
    ]),
    ['a time without @ gets a hint', 'logq cat t -o -1h', refused(/hint: a time is written with an @: @-1h/)],
  ],
}

const times: Table = {
  title: 'offsets: @TIME and @[TIME]:[TIME]',
  before: `for n in 0 1 2 3 4 5; do echo "{\\"value\\":\\"r$n\\",\\"timestamp\\":170000000\${n}000,\\"partition\\":$((n % 2))}"; done | logq produce t -J --keep partition --partitions 2 --batch-bytes 60
     echo '{"value":"old","timestamp":1600000000000}' | logq produce old -J; echo now | logq produce now`,
  rows: [
    ['13 digits: ms', 'logq cat t -o @1700000003000', lines('r4 r3 r5')],
    ['10 digits: s', 'logq cat t -o @1700000003', lines('r4 r3 r5')],
    ['RFC 3339, Z', 'logq cat t -o @2023-11-14T22:13:23Z', lines('r4 r3 r5')],
    ['with a fraction', 'logq cat t -o @2023-11-14T22:13:22.001Z', lines('r4 r3 r5')],
    ['with another zone', 'logq cat t -o @2023-11-14T23:13:23+01:00', lines('r4 r3 r5')],
    ['YYYY-MM-DD: UTC', 'logq cat t -o @2023-11-14', lines('r0 r2 r4 r1 r3 r5')],
    ['a day later', 'logq cat t -o @2023-11-15', ''],
    ['from now', 'logq cat now -o @-1h', 'now\n'],
    ['before it', 'logq cat old -o @-1h', ''],
    ['in the future', 'logq cat now -o @+1h', ''],
    ['from and to', 'logq cat t -o @1700000001000:1700000004000', lines('r2 r1 r3')],
    ['only to', 'logq cat t -o @:1700000002000', lines('r0 r1')],
    ['only from', 'logq cat t -o @1700000003000:', lines('r4 r3 r5')],
    ['a duration at the end counts from an absolute start', 'logq cat t -o @1700000001:+2s', lines('r2 r1')],
    ['both from now', 'logq cat now -o @-1h:+1h', 'now\n'],
    ['to a time before now', 'logq cat old -o @:-1h', 'old\n'],
    ['and not after it', 'logq cat now -o @:-1h', ''],
    ['dates at both ends', 'logq cat t -o @2023-11-14:2023-11-15 -p 0', lines('r0 r2 r4')],
    ['RFC 3339 at both ends', 'logq cat t -o @2023-11-14T22:13:20Z:2023-11-14T22:13:21Z', 'r0\n'],
    ['tail takes it', 'logq tail t -o @1700000004000', lines('r4 r5')],
    ['a time of day needs a zone', 'logq cat t -o @2023-11-14T22:13:20', refused(/a time of day needs a zone/)],
    ['a day that there is not', 'logq cat t -o @2023-02-30', refused(/there is no 2023-02-30/)],
    ...['@', '@x', '@123', '@12345678901', '@2023-11', '@1h', '@2023-11-14T22:13Z'].map((spec): Table['rows'][number] => [
      'anything else is refused',
      `logq cat t -o ${spec}`,
      refused(/option '-o': invalid time/),
    ]),
  ],
}

/** What retain does: the oldest segments go, and the log start offset says so. */
const START = 12

const gone: Table = {
  title: 'offsets: below the log start',
  before: `logq topic create t segment.bytes=300; seq -f r%g 0 14 | logq produce t --batch-bytes 60 --timestamp 1970-01-01
    for f in store/t-0/*.log; do n=$(basename "$f" .log | sed 's/^0*\\([0-9]\\)/\\1/'); [ "$n" -lt ${START} ] && rm "\${f%.log}".*; done
    printf '${Buffer.from(formatLogStartOffset(START)).toString().replace('\n', '\\n')}' > store/t-0/${LOG_START_OFFSET_FILE}`,
  rows: [
    ['start is the log start', 'logq cat t', lines('r12 r13 r14')],
    [
      'an offset below it is clamped, with one line',
      'logq cat t -o 1',
      { stdout: lines('r12 r13 r14'), stderr: "logq cat: 't-0' begins at offset 12: offset 1 no longer exists\n" },
    ],
    [
      'also in tail',
      'logq tail t -o 1',
      { stdout: lines('r12 r13 r14'), stderr: "logq tail: 't-0' begins at offset 12: offset 1 no longer exists\n" },
    ],
    [
      'also a range that lies below',
      'logq cat t -o 1:2',
      { stderr: "logq cat: 't-0' begins at offset 12: offset 1 no longer exists\n" },
    ],
    ['the start itself is not', 'logq cat t -o 12', lines('r12 r13 r14')],
    ['-N and +N count what is there', 'logq cat t -o -100 && logq cat t -o +2', lines('r12 r13 r14 r14')],
    ['so does tail -n', 'logq tail t -n 100', lines('r12 r13 r14')],
  ],
}

export const offsetTables: readonly Table[] = [points, times, gone]
