/** What is typed: templates, offsets and times, sizes, places, partitions, separators, whole command lines, expressions. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseArguments } from '../../../cli/arguments.js'
import type { Command } from '../../../cli/command.js'
import { commandGroups } from '../../../cli/command-list.js'
import { parseColumnTime } from '../../../cli/import/column-time.js'
import { normalise } from '../../../cli/normalise.js'
import { longName, takesValue } from '../../../cli/option-names.js'
import { escapeBytes } from '../../../cli/print/escape.js'
import { parseInputTemplate } from '../../../cli/print/input-template.js'
import { parseTemplate, type Template } from '../../../cli/print/template.js'
import { parseEscapes } from '../../../cli/values/delimiter.js'
import { parseGroupBy } from '../../../cli/values/group-by.js'
import { parseHeader } from '../../../cli/values/header.js'
import { parseOffsetSpec, parseRfc3339, parseTime } from '../../../cli/values/offset-spec.js'
import { parsePartitionList, selectPartitions } from '../../../cli/values/partition-list.js'
import { formatPlace, parsePlace } from '../../../cli/values/place.js'
import { parseSettings } from '../../../cli/values/topic-settings.js'
import { formatDuration, formatSize, parseDuration, parseSize, parseWholeNumber } from '../../../cli/values/units.js'
import { compileRecordFilter, type RecordFilter } from '../../../lib/record/expression.js'
import { isLogqError } from '../../../lib/errors.js'
import { rawIn } from '../../terminal/payloads.js'
import { bytesOf, textOf, unlessRefused, type FuzzTarget } from '../target.js'

const numbers = [
  '0',
  '1',
  '-1',
  '00',
  '1e3',
  'NaN',
  'Infinity',
  '9007199254740991',
  '9007199254740992',
  '2147483648',
  '-0',
  '+5',
  '0x10',
]

/** One word, as every value that an option can have. */
export const values: FuzzTarget = {
  name: 'values',
  inputs: fc
    .constantFrom(
      ...[
        'start',
        '-5:end',
        '+3:',
        '@2026-11-20',
        '@-1h:',
        '@1700000000:+5m',
        '@2026-11-20T14:30:00+02:00:2026-11-21',
        '64KiB',
      ],
      ...[
        '10MB',
        '5s',
        '1w',
        '0,2-5',
        't:0@42',
        'retention.ms=7d',
        'a=b',
        'header:x',
        '\\n\\x41',
        '2026/11/20 14:30',
        ...numbers,
      ],
    )
    .map(bytesOf),
  words: [
    ...numbers,
    ':',
    '@',
    '-',
    '+',
    ',',
    'T',
    'Z',
    '.',
    'ms',
    'KiB',
    'end',
    'start',
    '\\x',
    '=',
    '02-30',
    '24:00:00',
    '+24:00',
  ],
  check(input) {
    const text = textOf(input)
    unlessRefused(() => parseOffsetSpec(text))
    unlessRefused(() => parseTime(text))
    unlessRefused(() => parseHeader(text))
    unlessRefused(() => parseGroupBy(text))
    unlessRefused(() => parseSettings(text.split(' ')))
    unlessRefused(() => parseColumnTime(text))

    const time = parseRfc3339(text)
    // Date knows a second past midnight that is called 24:00:00, and leap seconds it does not: neither is taken.
    if (time !== undefined) assert.equal(time, new Date(text.toUpperCase()).getTime())
    const number = unlessRefused(() => parseWholeNumber(text))
    if (number !== undefined) assert.equal(String(number), text)
    const size = unlessRefused(() => parseSize(text))
    if (size !== undefined) assert.equal(parseSize(formatSize(size)), size)
    const duration = unlessRefused(() => parseDuration(text))
    if (duration !== undefined) assert.equal(parseDuration(formatDuration(duration)), duration)
    const place = unlessRefused(() => parsePlace(text))
    if (place !== undefined) assert.deepEqual(parsePlace(formatPlace(place)), place)
    const escaped = unlessRefused(() => parseEscapes(text))
    if (escaped !== undefined) {
      const each = Array.from(escaped, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
      assert.deepEqual(Buffer.from(parseEscapes(each)), Buffer.from(escaped))
    }
    checkPartitions(text)
  },
}

function checkPartitions(text: string): void {
  const list = unlessRefused(() => parsePartitionList(text))
  if (list === undefined) return
  const again = list.map(({ first, last }) => `${first}-${last}`).join(',')
  assert.deepEqual(parsePartitionList(again), list)
  const selected = unlessRefused(() => selectPartitions(list, 't', 50)) ?? []
  assert.deepEqual(
    selected,
    [...new Set(selected)].sort((a, b) => a - b),
  )
}

/** A template, and after the first line end what it is to read. */
export const templates: FuzzTarget = {
  name: 'templates',
  inputs: fc
    .constantFrom('%k\\t%v\\n\na\tb', '%t:%p@%o %T{iso} %v{base64}\\0\n', 'x%h|%v\na=b,c|d', '%p %T %k{hex} %%%v\n1 5 6162 %v')
    .map(bytesOf),
  words: [
    '%',
    '%v',
    '%s',
    '%k',
    '{',
    '}',
    '{hex}',
    '{base64}',
    '{iso}',
    '\\x',
    '\\',
    '\\n',
    '\n',
    '=',
    ',',
    '%h',
    '%T',
    '%p',
    '\ufffd',
  ],
  check(input) {
    const end = input.indexOf(0x0a)
    const text = textOf(end === -1 ? input : input.subarray(0, end))
    const template = unlessRefused(() => parseTemplate(text))
    if (template !== undefined) assert.deepEqual(parseTemplate(textOfTemplate(template)), template)
    const reader = unlessRefused(() => parseInputTemplate(text))
    if (reader === undefined || end === -1) return
    const item = input.subarray(end + 1)
    for (const nullText of [undefined, Uint8Array.of(), Buffer.from('a')]) unlessRefused(() => reader.parse(item, nullText))
  },
}

function textOfTemplate(template: Template): string {
  return template
    .map((part) =>
      part.kind === 'placeholder'
        ? part.typed
        : Array.from(part.bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
    )
    .join('')
}

let commands: Command[] = []

/** A word a line, for the command that the first byte chooses. */
export const argumentsTarget: FuzzTarget = {
  name: 'arguments',
  inputs: fc
    .constantFrom('\x01t\n-o\n-5:end\n-K:', '\x00-zgzip\nt\n-H\na=1', '\x06--from=csv\n--\n-x', '\x02-fn5\n-', '\x03-Jq\nt:0@1')
    .map(bytesOf),
  words: [
    '\n',
    '--',
    '-',
    '=',
    '-o',
    '-K',
    '--help',
    '-h',
    '-q',
    '-vv',
    '--no-',
    '--offset',
    '--offset=',
    '-n5',
    '-5',
    '__proto__',
    '--__proto__',
    '--constructor',
    '-J',
    '-F',
  ],
  async prepare() {
    commands = await Promise.all(commandGroups.flatMap((group) => group.commands).map((entry) => entry.load()))
  },
  check(input) {
    const command = commands[(input[0] ?? 0) % commands.length]
    assert(command !== undefined)
    const words = textOf(input.subarray(1)).split('\n')
    const first = unlessRefused(() => normalise(command, words))
    if (first === undefined) {
      // What is refused here is refused by the whole.
      assert.equal(
        unlessRefused(() => parseArguments(command, words)),
        undefined,
      )
      return
    }
    if (first === 'help') return
    const takesDashes = Object.values(command.operands).some(({ isAfterDashes }) => isAfterDashes === true)
    const rest = takesDashes ? [...first.operands, '--', ...first.afterDashes] : ['--', ...first.operands]
    const again = normalise(command, [...longForm(command, first), ...rest])
    assert(again !== 'help')
    assert.deepEqual([again.operands, again.afterDashes], [first.operands, first.afterDashes])
    const texts = (given: typeof first) => [...given.options].map(([key, option]) => [key, option.texts])
    assert.deepEqual(texts(again), texts(first))
    unlessRefused(() => parseArguments(command, words))
  },
}

function longForm(command: Command, { options }: Exclude<ReturnType<typeof normalise>, 'help'>): string[] {
  return [...options].flatMap(([key, { texts }]) => {
    const option = command.options[key]
    assert(option !== undefined)
    return texts.map((text) => (takesValue(option) ? `--${longName(key)}=${text}` : `--${longName(key)}`))
  })
}

const someRecords = [
  {
    topic: 't',
    partition: 0,
    offset: 5,
    key: Buffer.from('u1'),
    value: Buffer.from('{"a":{"b":[1,"x"]},"n":3}'),
    headers: [],
    timestampMs: 5,
  },
  { topic: 't', partition: 1, offset: 0, key: null, value: null, headers: [{ key: 'h', value: null }], timestampMs: -1 },
  { topic: 't', partition: 1, offset: 1, key: Buffer.of(255), value: Buffer.from('no'), headers: [], timestampMs: 2n ** 62n },
]

/** An expression of -w, and what it gives for a few records. */
export const where: FuzzTarget = {
  name: 'where',
  inputs: fc
    .constantFrom(
      ...[
        'key == "u1" && value.n > 2',
        'value.a.b[1] == "x" || offset % 2 == 0',
        'headers["h"].matches("^a+$")',
        'has(value.a)',
      ],
      ...[
        'timestamp > timestamp("2026-01-01T00:00:00Z")',
        '[1,2].exists(x, x == partition)',
        'murmur2(key) % 4 == 1',
        'text.size() > 3',
      ],
    )
    .map(bytesOf),
  words: [
    '&&',
    '||',
    '!',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '.',
    '"',
    "'",
    'value',
    'key',
    'text',
    '__proto__',
    'constructor',
    'matches("',
    '1u',
    '-',
    '?',
    ':',
    'in',
    'has(',
    'null',
    'x.map(x,',
  ],
  async check(input) {
    let filter: RecordFilter
    try {
      filter = await compileRecordFilter(textOf(input))
    } catch (error) {
      if (isLogqError(error, 'LOGQ_USAGE')) return
      throw error
    }
    for (const record of someRecords) assert.equal(typeof filter.matches(record), 'boolean')
  },
}

/** What a terminal is sent of any bytes can only be seen; and it is sent the same when it went through before. */
export const escape: FuzzTarget = {
  name: 'escape',
  inputs: fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }).map(bytesOf), fc.uint8Array({ maxLength: 60 })),
  words: ['\x1b[', '\u009b', '\u202e', '\u200b', '\u0301'.repeat(40), '\r', '\ufeff', '\u{e0041}', '\u2028', '\ud7ff'],
  check(input) {
    for (const mode of ['text', 'line'] as const) {
      const shown = Buffer.from(escapeBytes(input, mode))
      assert.deepEqual(rawIn(shown), [])
      assert.deepEqual(Buffer.from(escapeBytes(shown, mode)), shown)
    }
    const json = Buffer.from(JSON.stringify(textOf(input)))
    assert.equal(JSON.parse(Buffer.from(escapeBytes(json, 'text')).toString()), textOf(input))
  },
}
