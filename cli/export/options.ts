/** What `export` can be told. */
import type { CommandArguments } from '../command.js'
import { parseCsvDelimiter } from '../values/delimiter.js'
import { usageError } from '../errors.js'
import { options } from '../options.js'
import { parseColumns, defaultColumns, type Column } from './columns.js'
import { csvFormat } from './csv.js'
import type { ExportFormat } from './export-format.js'
import { kcatFormat } from './kcat.js'
import { ndjsonFormat } from './ndjson.js'
import { rpkFormat } from './rpk.js'

export const exportOptions = {
  store: options.store,
  to: {
    kind: 'choice',
    choices: ['csv', 'tsv', 'ndjson', 'kcat', 'rpk'],
    meaning:
      'What is written: csv or tsv, ndjson (the value of each record as one line of JSON), kcat (what kcat -J prints) or rpk (what rpk topic consume prints). Must be given, or --kafka.',
  },
  kafka: {
    kind: 'flag',
    meaning:
      'The operands are TOPIC DIR: make a directory whose files take the place of those that a stopped Kafka broker has for the topic. See the end of the description.',
  },
  partition: options.partitions,
  offset: options.offset,
  where: options.where,
  isolation: options.isolation,
  count: options.count,
  columns: {
    kind: 'parsed',
    valueName: 'COLUMNS',
    parse: parseColumns,
    defaultText: defaultColumns,
    meaning:
      'What the columns are (csv, tsv), separated by commas: topic, partition, offset, timestamp, timestampType, key, value, headers, header.NAME, and value.NAME or key.NAME for what is in values or keys that are JSON objects (value.user.id: in an object within). NAME=COLUMN gives a column another name.',
  },
  flatten: {
    kind: 'flag',
    meaning:
      'The values are JSON objects, and their members are the columns (csv, tsv), as the first value has them; --columns are put before them.',
  },
  time: {
    kind: 'choice',
    choices: ['ms', 'iso'],
    default: 'ms',
    meaning: 'How timestamps are written (csv, tsv): in ms since 1970, or as 2026-11-20T14:30:00.000Z.',
  },
  csvDelimiter: {
    kind: 'parsed',
    valueName: 'CHAR',
    parse: parseCsvDelimiter,
    defaultText: 'a comma, a tab for tsv',
    meaning: 'What stands between cells. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  noHeaderRow: { kind: 'flag', meaning: 'Leave out the row with the names of the columns (csv, tsv).' },
  byteOrderMark: {
    kind: 'flag',
    meaning: 'Begin with a byte order mark, which some spreadsheets need to take the text for UTF-8 (csv, tsv).',
  },
  dir: {
    kind: 'string',
    valueName: 'DIR',
    meaning:
      'Write files into this directory, which is made if need be, instead of to standard output. They get their names when all are whole and on the device.',
  },
  splitBy: {
    kind: 'choice',
    choices: ['topic', 'partition', 'key'],
    defaultText: 'topic',
    meaning: 'With --dir: one file for each topic (TOPIC.csv), partition (TOPIC-0.csv) or key (KEY.csv, of one topic).',
  },
  force: { kind: 'flag', meaning: 'With --dir: replace files that are there already.' },
  raw: options.raw,
  quiet: options.quiet,
  verbose: options.verbose,
} as const

export const exportOperands = {
  topics: {
    label: 'TOPIC',
    meaning:
      'The topics, or patterns of topics, in this order, partitions ascending. See TOPICS in **logq**(1). With --kafka: one topic, and a directory that is new or empty.',
    required: true,
    repeated: true,
  },
} as const

export type ExportArguments = CommandArguments<typeof exportOptions, typeof exportOperands>

const COMMA = 0x2c
const TAB = 0x09

export function formatOf({ options: given }: ExportArguments): ExportFormat {
  checkOptions(given)
  switch (given.to) {
    case 'csv':
    case 'tsv':
      return csvFormat({
        extension: given.to,
        delimiter: given.csvDelimiter ?? (given.to === 'csv' ? COMMA : TAB),
        columns: columnsOf(given),
        flatten: given.flatten,
        headerRow: !given.noHeaderRow,
        byteOrderMark: given.byteOrderMark,
        time: given.time,
      })
    case 'ndjson':
      return ndjsonFormat
    case 'kcat':
      return kcatFormat
    case 'rpk':
      return rpkFormat
    case undefined:
      throw usageError('the format is missing', 'name it with --to: csv, tsv, ndjson, kcat, rpk')
  }
}

function columnsOf({ columns, flatten }: ExportArguments['options']): readonly Column[] {
  return columns ?? (flatten ? [] : parseColumns(defaultColumns))
}

function checkOptions(given: ExportArguments['options']): void {
  const { to, dir, splitBy, force } = given
  if (to !== 'csv' && to !== 'tsv') {
    const forCsv = {
      '--columns': given.columns !== undefined,
      '--flatten': given.flatten,
      '--time iso': given.time === 'iso',
      '--csv-delimiter': given.csvDelimiter !== undefined,
      '--no-header-row': given.noHeaderRow,
      '--byte-order-mark': given.byteOrderMark,
    }
    for (const [name, isGiven] of Object.entries(forCsv))
      if (isGiven && to !== undefined) throw usageError(`${name} goes with csv and tsv, not with ${to}`)
  }
  if (dir === undefined && splitBy !== undefined)
    throw usageError('--split-by goes with --dir', 'name the directory for the files')
  if (dir === undefined && force) throw usageError('--force goes with --dir')
  if (dir === '') throw usageError("option '--dir': the name is empty")
}
