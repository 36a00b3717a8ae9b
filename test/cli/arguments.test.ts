import test from 'ava'
import { parseArguments } from '../../cli/arguments.js'
import { defineCommand } from '../../cli/command.js'
import { options } from '../../cli/options.js'
import { isLogqError } from '../../lib/errors.js'

const command = defineCommand({
  name: 'sample',
  summary: 'a command of the tests',
  operands: {
    topic: { label: 'TOPIC', meaning: 'the topic', required: true },
    files: { label: 'FILE', meaning: 'files', repeated: true },
  },
  options: {
    store: options.store,
    format: options.outputFormat,
    json: options.json,
    offset: options.offset,
    count: options.count,
    partition: options.partitions,
    keySeparator: options.keySeparator,
    delimiter: options.delimiter,
    zeroTerminated: options.zeroTerminated,
    null: options.null,
    header: options.header,
    compression: options.compression,
    quiet: options.quiet,
    verbose: options.verbose,
    where: { kind: 'string', letter: 'w', meaning: 'an expression' },
    create: { kind: 'flag', meaning: 'not the opposite of --no-create' },
    noCreate: { kind: 'flag', meaning: 'an option of its own name' },
    batchBytes: { kind: 'size', minimum: 1, maximum: 1024 ** 3, default: 1_000_000, meaning: 'a size' },
    linger: { kind: 'duration', maximum: 3_600_000, meaning: 'a duration' },
    acks: { kind: 'choice', choices: ['0', '1', 'all'], default: '1', meaning: 'a choice' },
    tag: { kind: 'list', letter: 't', meaning: 'a list' },
  },
  exits: [],
  examples: [],
  man: { description: [] },
  async run() {
    await Promise.resolve()
  },
})

const none = defineCommand({
  name: 'none',
  summary: 'takes one optional operand',
  operands: { name: { label: 'NAME', meaning: 'a name' } },
  options: {},
  exits: [],
  examples: [],
  man: { description: [] },
  async run() {
    await Promise.resolve()
  },
})

/** Words → the options and operands that must come out; what is not named must have its default. */
const accepted: readonly [words: string[], options: Record<string, unknown>, topic: string, files?: string[]][] = [
  [['t'], {}, 't'],
  [['1e3'], {}, '1e3'],
  [['0x10', '007', '1_000'], {}, '0x10', ['007', '1_000']],
  [['-'], {}, '-'],
  [['t', '-'], {}, 't', ['-']],
  [['t', '-', '-'], {}, 't', ['-', '-']],
  [['--', '-q'], {}, '-q'],
  [['--', '--', '--help'], {}, '--', ['--help']],
  [['t', '--', '-n', '5'], {}, 't', ['-n', '5']],
  [['a.b', 'c'], {}, 'a.b', ['c']],
  [["'quoted'"], {}, "'quoted'"],
  [[''], {}, ''],
  [['t', ''], {}, 't', ['']],

  [['-K:', 't'], { keySeparator: bytes(':') }, 't'],
  [['-K=', 't'], { keySeparator: bytes('=') }, 't'],
  [['-K', '=', 't'], { keySeparator: bytes('=') }, 't'],
  [['-K', '--', 't'], { keySeparator: bytes('--') }, 't'],
  [['-K', "''", 't'], { keySeparator: bytes("''") }, 't'],
  [['-K""', 't'], { keySeparator: bytes('""') }, 't'],
  [['-K\\t', 't'], { keySeparator: bytes('\t') }, 't'],
  [['-K', ' ', 't'], { keySeparator: bytes(' ') }, 't'],
  [['--key-separator==', 't'], { keySeparator: bytes('=') }, 't'],
  [['--key-separator', '=', 't'], { keySeparator: bytes('=') }, 't'],
  [['-zgzip', 't'], { compression: 'gzip' }, 't'],
  [['-z', 'gzip', 't'], { compression: 'gzip' }, 't'],
  [['--compression=lz4', 't'], { compression: 'lz4' }, 't'],

  [['-o', '-5', 't'], { offset: { kind: 'point', point: { kind: 'before-end', count: 5 } } }, 't'],
  [['-o-5', 't'], { offset: { kind: 'point', point: { kind: 'before-end', count: 5 } } }, 't'],
  [['--offset', '-5', 't'], { offset: { kind: 'point', point: { kind: 'before-end', count: 5 } } }, 't'],
  [['-o', '-5:end', 't'], { offset: { kind: 'range', from: { kind: 'before-end', count: 5 }, to: { kind: 'end' } } }, 't'],
  [['-w', '-offset > -5', 't'], { where: '-offset > -5' }, 't'],
  [['-w', '--help', 't'], { where: '--help' }, 't'],
  [['-w', '', 't'], { where: '' }, 't'],
  [['--where=', 't'], { where: '' }, 't'],
  [['--where=a=b', 't'], { where: 'a=b' }, 't'],
  [['-w', 'a\nb', 't'], { where: 'a\nb' }, 't'],
  [['-w', 'true', 't'], { where: 'true' }, 't'],
  [['-w', '12', 't'], { where: '12' }, 't'],

  [['-H', 'a=1', 't'], { header: [{ key: 'a', value: bytes('1') }] }, 't'],
  [
    ['-Ha=1', 't', '-H', 'b'],
    {
      header: [
        { key: 'a', value: bytes('1') },
        { key: 'b', value: null },
      ],
    },
    't',
  ],
  [['-t', 'a', 'x', '-t', '1e3', '-t', "'q'"], { tag: ['a', '1e3', "'q'"] }, 'x'],

  [['-qv', 't'], { quiet: true, verbose: true }, 't'],
  [['-qn5', 't'], { quiet: true, count: 5 }, 't'],
  [['-qn', '5', 't'], { quiet: true, count: 5 }, 't'],
  [['-qq', '-q', '--quiet', 't'], { quiet: true }, 't'],
  [['t', '-q', 'f', '-v', 'g'], { quiet: true, verbose: true }, 't', ['f', 'g']],
  [['-n', '0', 't'], { count: 0 }, 't'],
  [['--no-create', 't'], { noCreate: true }, 't'],
  [['--create', 't'], { create: true }, 't'],
  [['--create', '--no-create', 't'], { create: true, noCreate: true }, 't'],

  [['-J', 't'], { format: { kind: 'json' } }, 't'],
  [['-JqJ', 't'], { format: { kind: 'json' }, quiet: true }, 't'],
  [['-F', 'json', 't'], { format: { kind: 'json' } }, 't'],
  [['-0', 't'], { delimiter: Uint8Array.of(0) }, 't'],
  [['-D', '', 't'], { delimiter: new Uint8Array(0) }, 't'],
  [['-D', '-', 't'], { delimiter: bytes('-') }, 't'],
  [['--null', '\\\\N', 't'], { null: bytes('\\N') }, 't'],
  [['--null=', 't'], { null: new Uint8Array(0) }, 't'],

  [['--batch-bytes', '64KiB', 't'], { batchBytes: 65_536 }, 't'],
  [['--batch-bytes=10kB', 't'], { batchBytes: 10_000 }, 't'],
  [['--linger', '5', 't'], { linger: 5 }, 't'],
  [['--linger', '500ms', 't'], { linger: 500 }, 't'],
  [['--linger=1h', 't'], { linger: 3_600_000 }, 't'],
  [['--acks', '0', 't'], { acks: '0' }, 't'],
  [
    ['-p', '0,2-5', 't'],
    {
      partition: [
        { first: 0, last: 0 },
        { first: 2, last: 5 },
      ],
    },
    't',
  ],
  [['--store', '~/x', 't'], { store: '~/x' }, 't'],
]

const defaults: Record<string, unknown> = {
  store: undefined,
  format: { kind: 'value' },
  offset: undefined,
  count: undefined,
  partition: undefined,
  keySeparator: undefined,
  delimiter: bytes('\n'),
  null: undefined,
  header: [],
  compression: undefined,
  quiet: false,
  verbose: false,
  where: undefined,
  create: false,
  noCreate: false,
  batchBytes: 1_000_000,
  linger: undefined,
  acks: '1',
  tag: [],
}

for (const [words, given, topic, files = []] of accepted) {
  test(`parseArguments() reads ${JSON.stringify(words)}`, (t) => {
    const parsed = parseArguments(command, words)
    t.not(parsed, 'help')
    if (parsed === 'help') return
    t.deepEqual(plain(parsed.options), plain({ ...defaults, ...given }))
    t.deepEqual(parsed.operands, { topic, files })
  })
}

const refused: readonly [words: string[], message: RegExp, hint?: RegExp][] = [
  [[], /^TOPIC is missing$/, /^usage: logq sample \[OPTION…\] TOPIC \[FILE…\]$/],
  [['-q'], /^TOPIC is missing$/],
  [['-o', '5', '-o', '6', 't'], /^option '-o' is given twice$/],
  [['-o', '5', '--offset=6', 't'], /^options '-o' and '--offset' exclude each other$/],
  [['-n5', '-n5', 't'], /^option '-n' is given twice$/],
  [['-J', '-F', 'json', 't'], /^options '-J' and '-F' exclude each other$/, /^both set --format$/],
  [['-0', '-D', ',', 't'], /^options '-0' and '-D' exclude each other$/],
  [['-D', ',', '-0', 't'], /^options '-D' and '-0' exclude each other$/],
  [['t', '-n'], /^option '-n' needs a value$/],
  [['t', '--offset'], /^option '--offset' needs a value$/],
  [['t', '-qo'], /^option '-o' needs a value$/],
  [['--quiet=yes', 't'], /^option '--quiet' takes no value$/],
  [['--json=1', 't'], /^option '--json' takes no value$/],
  [['--no-quiet', 't'], /^unknown option '--no-quiet'$/],
  [['--ofset', '5', 't'], /^unknown option '--ofset'$/, /^did you mean '--offset'\?$/],
  [['--batch', '5', 't'], /^unknown option '--batch'$/, /^did you mean '--batch-bytes'\?$/],
  [['--batchBytes', '5', 't'], /^unknown option '--batchBytes'$/],
  [['--xyzzy', 't'], /^unknown option '--xyzzy'$/, /^see 'logq sample --help'$/],
  [['--__proto__', 't'], /^unknown option '--__proto__'$/],
  [['--constructor=1', 't'], /^unknown option '--constructor'$/],
  [['--a.b=1', 't'], /^unknown option '--a\.b'$/],
  [['--=x', 't'], /^unknown option '--'$/],
  [['-x', 't'], /^unknown option '-x'$/],
  [['-qx', 't'], /^unknown option '-x'$/],
  [['-é', 't'], /^unknown option '-é'$/],
  [['-5', 't'], /^unknown option '-5'$/, /^for a number of records: '-n 5'$/],
  [['-create', 't'], /^unknown option '-c'$/, /^did you mean '--create'\?$/],
  [['-n', '-5', 't'], /^option '-n': invalid number '-5'$/],
  [['-n=5', 't'], /^option '-n': invalid number '=5'$/],
  [['-n', '1e3', 't'], /^option '-n': invalid number '1e3'$/],
  [['-n', 'NaN', 't'], /^option '-n': invalid number 'NaN'$/],
  [['-n', '007', 't'], /^option '-n': invalid number '007'$/],
  [['-n', '0x10', 't'], /^option '-n': invalid number '0x10'$/],
  [['-n', ' 5', 't'], /^option '-n': invalid number ' 5'$/],
  [['-n', '5\n', 't'], /^option '-n': invalid number/],
  [['-n', '', 't'], /^option '-n': invalid number ''$/],
  [['-n', '1.5', 't'], /^option '-n': invalid number '1.5'$/],
  [['-n', '+5', 't'], /^option '-n': invalid number '\+5'$/],
  [['-n', 'Infinity', 't'], /^option '-n': invalid number 'Infinity'$/],
  [['--count=9007199254740992', 't'], /^option '--count': '9007199254740992' is too large$/],
  [['-n', '9'.repeat(400), 't'], /too large$/],
  [['--batch-bytes', '0', 't'], /^option '--batch-bytes': '0' is too small$/, /^the smallest value is 1$/],
  [['--batch-bytes', '2GiB', 't'], /^option '--batch-bytes': '2GiB' is too large$/, /^the largest value is 1GiB$/],
  [['--batch-bytes', '64 KiB', 't'], /invalid size/],
  [['--batch-bytes', '64kib', 't'], /invalid size/],
  [['--batch-bytes', '1.5MiB', 't'], /invalid size/],
  [['--batch-bytes', '-1', 't'], /invalid size/],
  [['--linger', '1 s', 't'], /invalid duration/],
  [['--linger', '1S', 't'], /invalid duration/],
  [['--linger', '2h', 't'], /too large/, /1h/],
  [['--acks', '2', 't'], /^option '--acks': '2' is not one of '0', '1', 'all'$/],
  [['-zbrotli', 't'], /^option '-z': 'brotli' is not one of 'none', 'gzip', 'snappy', 'lz4', 'zstd'$/],
  [['-F', 'jsn', 't'], /^option '-F': there is no format 'jsn'$/, /did you mean 'json'\?/],
  [['-F', 'value%', 't'], /^option '-F': invalid format/],
  [['-K', '', 't'], /^option '-K': the separator is empty$/],
  [['-K', '\\q', 't'], /^option '-K': invalid escape '\\q'$/],
  [['-H', '=x', 't'], /^option '-H': the header '=x' has no name$/],
  [['-p', '5-2', 't'], /^option '-p': invalid partitions '5-2'$/, /2-5/],
  [['-o', '5x', 't'], /^option '-o': invalid offset '5x'$/],
]

for (const [words, message, hint] of refused) {
  test(`parseArguments() refuses ${JSON.stringify(words).slice(0, 80)}`, (t) => {
    const error = t.throws(() => parseArguments(command, words))
    t.true(isLogqError(error, 'LOGQ_USAGE'), error.message)
    t.regex(error.message, message)
    if (hint !== undefined && isLogqError(error)) t.regex(error.hint ?? '', hint)
  })
}

test('parseArguments() refuses an operand too many', (t) => {
  const error = t.throws(() => parseArguments(none, ['a', 'b']))
  t.is(error.message, "unexpected operand 'b'")
  t.deepEqual(parseArguments(none, []), { options: {}, operands: { name: undefined } })
})

test('parseArguments() gives help for --help or -h anywhere among the options, whatever else is wrong', (t) => {
  for (const words of [['--help'], ['-h'], ['t', '--help'], ['--xyzzy', '-h'], ['-n', 'x', '--help'], ['-qh']]) {
    t.is(parseArguments(command, words), 'help', words.join(' '))
  }
  for (const words of [
    ['--', '--help'],
    ['t', '--', '-h'],
    ['-w', '-h', 't'],
  ]) {
    t.not(parseArguments(command, words), 'help', words.join(' '))
  }
})

test('parseArguments() does not look at the environment or the working directory', (t) => {
  process.env['SAMPLE_COUNT'] = '9'
  process.env['COUNT'] = '9'
  const parsed = parseArguments(command, ['t'])
  t.not(parsed, 'help')
  if (parsed !== 'help') t.is(parsed.options['count'], undefined)
})

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** Buffers as plain byte lists: deepEqual tells a Buffer from a Uint8Array. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
