/**
 * The options that several commands share, declared once, so that a letter means the same everywhere. A command picks what it
 * takes: `options: { store: options.store, quiet: options.quiet, partition: options.partitions }`.
 */
import type { OptionDeclarations } from './command.js'
import { parseEscapes, parseSeparator } from './values/delimiter.js'
import { parseHeader } from './values/header.js'
import { parseOffsetSpec } from './values/offset-spec.js'
import { parsePartitionList } from './values/partition-list.js'
import { parseInputFormat, parseOutputFormat } from './print/format.js'
import { TIME_FORMS } from './print/timestamp.js'

export const options = {
  store: {
    kind: 'string',
    letter: 's',
    valueName: 'PATH',
    defaultText: '$LOGQ_STORE, else ~/.local/share/logq',
    meaning: 'The store: the directory that holds the topics.',
  },
  quiet: { kind: 'flag', letter: 'q', meaning: 'Say nothing but warnings and errors.' },
  verbose: { kind: 'flag', letter: 'v', meaning: 'Say on standard error what is being done.' },
  yes: {
    kind: 'flag',
    letter: 'y',
    meaning: 'Answer yes to the question that would be asked. Needed where there is no terminal to ask on.',
  },
  dryRun: { kind: 'flag', meaning: 'Say what would be done, and do nothing.' },

  /** For commands that read. */
  partitions: {
    kind: 'parsed',
    letter: 'p',
    valueName: 'LIST',
    parse: parsePartitionList,
    meaning: 'Only these partitions, such as 0 or 0,2-5.',
  },
  /** For commands that write. */
  partition: {
    kind: 'integer',
    letter: 'p',
    valueName: 'N',
    maximum: 0x7fff_ffff,
    meaning: 'Append to this partition, whatever the key.',
  },
  offset: {
    kind: 'parsed',
    letter: 'o',
    valueName: 'SPEC',
    parse: parseOffsetSpec,
    meaning:
      'Where to begin, and where to end: start, end, 42, -10 (before the end), +10 (after the start), a range such as 10:20, or times such as @2026-11-20, @-1h or @-2d:-1d. Ends are excluded.',
  },
  where: {
    kind: 'string',
    letter: 'w',
    valueName: 'EXPR',
    meaning:
      'Only records for which this CEL expression is true, over topic, partition, offset, key, value (parsed as JSON), text (the value as text), headers and timestamp. See FILTERS in **logq**(1).',
  },
  isolation: {
    kind: 'choice',
    valueName: 'LEVEL',
    choices: ['read_committed', 'read_uncommitted'],
    default: 'read_committed',
    meaning:
      'Of transactions, which only Kafka writes: read_committed leaves out the records of those that were aborted, and ends where one is open that has no end yet; read_uncommitted reads both.',
  },
  count: { kind: 'integer', letter: 'n', valueName: 'N', meaning: 'Stop after this many records.' },

  outputFormat: {
    kind: 'parsed',
    letter: 'F',
    valueName: 'FORMAT',
    default: 'value',
    parse: parseOutputFormat,
    meaning:
      'How records are printed: value, json, tsv, batch (raw record batches of one partition), or a template such as "%k\\t%v\\n". See FORMATS in **logq**(1).',
  },
  inputFormat: {
    kind: 'parsed',
    letter: 'F',
    valueName: 'FORMAT',
    default: 'value',
    parse: parseInputFormat,
    meaning:
      'How records are read: value (one per line), json, batch (raw record batches), or a template such as "%k\\t%v\\n". See FORMATS in **logq**(1).',
  },
  /** Beside `format: options.outputFormat` or `format: options.inputFormat`. */
  json: { kind: 'shorthand', letter: 'J', sets: 'format', to: 'json', meaning: 'The same as --format json.' },
  /** -J of commands that do not print records. */
  jsonLines: { kind: 'flag', letter: 'J', meaning: 'Print one JSON object a line.' },

  key: { kind: 'string', letter: 'k', valueName: 'KEY', meaning: 'The key of every record.' },
  keySeparator: {
    kind: 'parsed',
    letter: 'K',
    valueName: 'SEP',
    parse: parseSeparator,
    meaning: 'What separates the key from the value. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  delimiter: {
    kind: 'parsed',
    letter: 'D',
    valueName: 'DELIM',
    default: '\\n',
    parse: parseEscapes,
    meaning: 'What ends each record. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  /** `delimiter` of commands that print records. */
  outputDelimiter: {
    kind: 'parsed',
    letter: 'D',
    valueName: 'DELIM',
    defaultText: '\\n',
    parse: parseEscapes,
    meaning: 'What ends each record in the value format. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  /** Beside `delimiter: options.delimiter` or `delimiter: options.outputDelimiter`. */
  zeroTerminated: {
    kind: 'shorthand',
    letter: '0',
    sets: 'delimiter',
    to: '\\0',
    meaning: "A NUL byte ends each record; the same as -D '\\0'.",
  },
  null: {
    kind: 'parsed',
    valueName: 'STR',
    parse: parseEscapes,
    meaning: 'The text that stands for a null key or value. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  header: {
    kind: 'list',
    letter: 'H',
    valueName: 'NAME=VALUE',
    parse: parseHeader,
    meaning: 'A header for every record; NAME alone has a null value. May be repeated.',
  },
  compression: {
    kind: 'choice',
    letter: 'z',
    valueName: 'CODEC',
    choices: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    meaning: 'How record batches are compressed: none, gzip, snappy, lz4 or zstd.',
  },
  time: {
    kind: 'choice',
    valueName: 'FORM',
    choices: TIME_FORMS,
    defaultText: 'ms; iso for tsv on a terminal',
    meaning:
      'How tsv and %T in a template print times: ms (since 1970), iso (RFC 3339 in UTC) or rel (before now as -2m3s, after now as +5s). A record without a time has -1 in each of them.',
  },
  noValue: {
    kind: 'flag',
    meaning:
      'Leave out the values, which are then not looked at: JSON has "valueBytes" instead (null for a null value), tsv the length where the value would be. Not with the value and batch formats.',
  },
  raw: { kind: 'flag', meaning: 'Send control characters to a terminal as they are, instead of showing them escaped.' },
} as const satisfies OptionDeclarations
