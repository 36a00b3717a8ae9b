/** How words become options and operands, the same in every command. test/cli/arguments.test.ts tries the same function on more. */
import { lines, refused, type Table } from '../table.js'

const words: Table = {
  title: 'parsing: letters, long options, operands',
  before: `seq -f r%g 0 9 | logq produce t; echo one > f1; echo two > f2; echo dash > ./-x; printf 'k:v\\n' | logq produce k -K:
    echo named | logq produce 1e3; echo named | logq produce 007`,
  rows: [
    ['a value may follow its letter', 'logq cat t -n2', lines('r0 r1')],
    ['or stand in the next word', 'logq cat t -n 2', lines('r0 r1')],
    ['--long VALUE', 'logq cat t --count 2', lines('r0 r1')],
    ['--long=VALUE', 'logq cat t --count=2', lines('r0 r1')],
    ['letters cluster', 'printf "a\\0" | logq produce $T -qv0 2> said && logq cat $T -q0 | tr "\\0" .', 'a.'],
    ['the last letter of a cluster may take a value, attached', 'logq cat t -qn2', lines('r0 r1')],
    ['or in the next word', 'logq cat t -qn 2', lines('r0 r1')],
    ['-K: has the value :', 'logq cat k -K:', 'k:v\n'],
    ['-K= has the value =', 'logq cat k -K=', 'k=v\n'],
    ['-K == has the value ==', 'logq cat k -K ==', 'k==v\n'],
    ['--key-separator==', 'logq cat k --key-separator==', 'k=v\n'],
    ['-zgzip', 'echo a | logq produce $T -zgzip && logq cat $T', 'a\n'],
    ['the next word is the value, whatever it begins with', 'logq cat t -o -2', lines('r8 r9')],
    ['also attached', 'logq cat t -o-2', lines('r8 r9')],
    ['also after --long', 'logq cat t --offset -2', lines('r8 r9')],
    ['also a range that begins with -', 'logq cat t -o -5:-3', lines('r5 r6')],
    ['also --', 'logq cat k -K --', 'k--v\n'],
    ['also what looks like an option', 'logq cat k -K -q', 'k-qv\n'],
    ['also a help option', 'logq cat k -K --help', 'k--helpv\n'],
    ['options stand before operands', 'logq cat -n 1 t', 'r0\n'],
    ['after them', 'logq cat t -n 1', 'r0\n'],
    ['and between them', 'logq produce $T -q f1 -v f2 2> said && logq cat $T', lines('one two')],
    ['a lone - is standard input', 'echo in | logq produce $T f1 - f2 && logq cat $T', lines('one in two')],
    ['- as the only operand', 'echo in | logq produce $T - && logq cat $T', lines('in')],
    ['everything after -- is an operand', 'logq produce -q -- $T -x && logq cat -- $T', lines('dash')],
    ['an operand that looks like a number stays as it is', 'logq cat 1e3 007', lines('named named')],
    ['a flag may be repeated', 'logq cat t -qq -q --quiet -n 1', 'r0\n'],
    ['a list option may be repeated', "echo a | logq produce $T -H a=1 -H b -Ha=2 && logq cat $T -F '%h\\n'", 'a=1,b,a=2\n'],
    ['a list option takes one word only', "logq produce -H a=1 $T f1 && logq cat $T -F '%h %v\\n'", 'a=1 one\n'],
    ['a shorthand may be repeated', 'logq cat t -JJ -n 0', ''],
    ['--no-X is an option of its own', 'echo a | logq produce $T --no-create', refused(/'n\d+' does not exist/, 1)],
    ['no option takes a dot or a colon apart', 'logq cat t --count.x 1', refused(/unknown option '--count\.x'/)],
    ['--help wins over everything else', 'logq cat --bogus -n x --help | head -n 1', { stdout: /^Usage: logq cat / }],
    ['-h is --help', 'logq cat -h | head -n 1', { stdout: /^Usage: logq cat / }],
    ['--version', 'logq --version', { stdout: /^logq \d+\.\d+\.\d+\n$/ }],
    ['--help of the tool', 'logq --help | grep -c "^  produce "', '1\n'],
  ],
}

const refusals: Table = {
  title: 'parsing: what is refused',
  before: 'seq 3 | logq produce t',
  rows: [
    ['a single-valued option given twice', 'logq cat t -o 1 -o 2', refused(/^logq cat: option '-o' is given twice\n/)],
    ['the same by letter and name', 'logq cat t -o 1 --offset 2', refused(/'-o' and '--offset' exclude each other/)],
    ['a shorthand beside what it stands for', 'logq cat t -J -F json', refused(/'-J' and '-F' exclude each other/)],
    ['and the other way round', 'logq cat t -D x -0', refused(/'-D' and '-0' exclude each other/)],
    ['a value that is missing', 'logq cat t -o', refused(/option '-o' needs a value/)],
    ['a value for a flag', 'logq cat t --quiet=yes', refused(/option '--quiet' takes no value/)],
    [
      'an unknown option, with a guess',
      'logq cat t --ofset 1',
      refused(/unknown option '--ofset'\n {2}hint: did you mean '--offset'\?/),
    ],
    ['an abbreviated option', 'logq cat t --off 1', refused(/unknown option '--off'/)],
    ['an unknown letter in a cluster', 'logq cat t -qx', refused(/unknown option '-x'/)],
    ['-5 as tail of old has it', 'logq tail -5 t', refused(/unknown option '-5'\n {2}hint: .*'-n 5'/)],
    ['a long option with one hyphen', 'logq cat t -offset 1', refused(/option '-o': invalid offset 'ffset'/)],
    ['--quiet negated', 'logq cat t --no-quiet', refused(/unknown option '--no-quiet'/)],
    ['an option before the command', 'logq -q cat t', refused(/options come after the command/)],
    ['no command', 'logq', refused(/^Usage: logq COMMAND/)],
    ['an unknown command, with a guess', 'logq prodcue t', refused(/'prodcue'.*\n {2}hint: .*produce/)],
    [
      'an operand that is missing',
      'logq cat',
      refused(/^logq cat: TOPIC is missing\n {2}hint: usage: logq cat \[OPTION…\] TOPIC…\n$/),
    ],
    ['an operand too many', 'logq topic show t u', refused(/unexpected operand 'u'/)],
    ...['1e3', '-1', '+1', '007', '0x10', '1.5', ' 1', '1 ', '', 'NaN', '1,000', '٣'].map((number): Table['rows'][number] => [
      'a number is ^(0|[1-9]\\d*)$',
      `logq cat t -n '${number}'`,
      refused(/option '-n': invalid number/),
    ]),
    ['a number up to 2^53-1', 'logq cat t -n 9007199254740991', lines('1 2 3')],
    ['and not beyond', 'logq cat t -n 9007199254740992', refused(/'9007199254740992' is too large/)],
    ...['64 KiB', '64kib', '1.5MiB', '-1', '1e3', '', '5s'].map((size): Table['rows'][number] => [
      'a size that is none',
      `logq produce t --batch-bytes '${size}' < /dev/null`,
      refused(/option '--batch-bytes': invalid size/),
    ]),
    ...['1 s', '1S', '1min', '-1s', '1.5s', '', '1KiB'].map((duration): Table['rows'][number] => [
      'a duration that is none',
      `logq produce t --linger '${duration}' < /dev/null`,
      refused(/option '--linger': invalid duration/),
    ]),
    [
      'a size out of range',
      'logq produce t --batch-bytes 1TiB < /dev/null',
      refused(/too large\n {2}hint: the largest value is/),
    ],
    [
      'a duration out of range',
      'logq produce t --linger 2h < /dev/null',
      refused(/too large\n {2}hint: the largest value is 1h/),
    ],
    [
      'a choice that is none',
      'logq produce t -z brotli < /dev/null',
      refused(/'brotli' is not one of 'none', 'gzip', 'snappy', 'lz4', 'zstd'/),
    ],
  ],
}

const units: Table = {
  title: 'parsing: sizes, durations and escapes',
  rows: [
    ...(
      [
        ['5000', 5000],
        ['5000B', 5000],
        ['64KiB', 65_536],
        ['64K', 65_536],
        ['1MiB', 1_048_576],
        ['2M', 2_097_152],
        ['1GiB', 1_073_741_824],
        ['1G', 1_073_741_824],
        ['10kB', 10_000],
        ['10MB', 10_000_000],
        ['1GB', 1_000_000_000],
      ] as const
    ).map(([size, bytes]): Table['rows'][number] => [
      'a size',
      `logq topic create $T segment.bytes=${size} && logq topic show $T -J | grep -o '"segment.bytes":{"value":[0-9]*'`,
      `"segment.bytes":{"value":${bytes}\n`,
    ]),
    ...(
      [
        ['5', 5],
        ['500ms', 500],
        ['5s', 5000],
        ['10m', 600_000],
        ['2h', 7_200_000],
        ['3d', 259_200_000],
        ['1w', 604_800_000],
      ] as const
    ).map(([duration, ms]): Table['rows'][number] => [
      'a duration',
      `logq topic create $T retention.ms=${duration} && logq topic show $T -J | grep -o '"retention.ms":{"value":[0-9]*'`,
      `"retention.ms":{"value":${ms}\n`,
    ]),
    [
      '\\n \\t \\0 \\\\ \\xNN hold in -F',
      "echo v | logq produce $T && logq cat $T -F '%v\\t\\\\\\x41\\0\\n' | od -An -c",
      { stdout: /^ +v +\\t +\\ +A +\\0 +\\n\n$/ },
    ],
    ['in -D', "printf 'a\\tb\\t' | logq produce $T -D '\\t' && logq cat $T -D '\\x2c\\\\'", 'a,\\b,\\'],
    ['in -K', "printf 'k\\tv\\n' | logq produce $T -K '\\t' && logq cat $T -K '\\x3d'", 'k=v\n'],
    ['and in --null', `echo '{"value":null}' | logq produce $T -J && logq cat $T --null '\\\\N\\t.'`, '\\N\t.\n'],
    ['nowhere else: -H', "echo v | logq produce $T -H 'a=\\n' && logq cat $T -F '%h\\n'", 'a=\\n\n'],
    ['nor -k', "echo v | logq produce $T -k 'a\\tb' && logq cat $T -F '%k\\n'", 'a\\tb\n'],
    ['any other escape is refused', "logq cat $T -D '\\q'", refused(/option '-D': invalid escape '\\q'/)],
    ['also in a format', "logq cat $T -F '%v\\r'", refused(/option '-F': invalid escape '\\r'/)],
    ['also a half one', "logq cat $T -K '\\x4'", refused(/option '-K': invalid escape '\\x4'/)],
  ],
}

export const parsingTables: readonly Table[] = [words, refusals, units]
