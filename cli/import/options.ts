/** What `import` can be told: what `produce` can, as far as it is not about lines, and what its formats need. */
import type { CommandArguments } from '../command.js'
import { parseCsvDelimiter } from '../values/delimiter.js'
import { usageError } from '../errors.js'
import { options } from '../options.js'
import { produceOperands, produceOptions } from '../produce/options.js'
import { importFormats } from './file-format.js'

export const importOptions = {
  store: produceOptions.store,
  from: {
    kind: 'choice',
    choices: importFormats,
    meaning:
      'What the files are: csv, tsv, ndjson (one JSON value a line), kcat (what kcat -J prints) or rpk (what rpk topic consume prints). Needed for standard input, and where the name of a file does not say it: .csv, .tsv, .ndjson, .jsonl, also with .gz, .zst or .br after it.',
  },
  kafka: {
    kind: 'flag',
    meaning:
      'The operands are TOPIC DIR: take the topic out of a log directory of Kafka, with its offsets. See the end of the description.',
  },
  fromTopic: {
    kind: 'string',
    valueName: 'NAME',
    defaultText: 'TOPIC',
    meaning: 'With --kafka: the name that the topic has in Kafka.',
  },
  keyColumn: {
    kind: 'string',
    valueName: 'NAME',
    meaning: 'The key of each record is the cell of this column (csv, tsv).',
  },
  valueColumn: {
    kind: 'string',
    valueName: 'NAME',
    meaning: 'The value of each record is the cell of this column, instead of a JSON object of all (csv, tsv).',
  },
  timestampColumn: {
    kind: 'string',
    valueName: 'NAME',
    meaning:
      'The timestamp of each record is in this column (csv, tsv): ms or s since 1970, a date, or date and time of day such as 2026-11-20 14:30:00, in UTC unless a zone is given.',
  },
  headerColumn: {
    kind: 'list',
    valueName: 'NAME',
    meaning: 'A header of this name for each record, from the column of this name (csv, tsv). May be repeated.',
  },
  columns: {
    kind: 'parsed',
    valueName: 'NAMES',
    parse: parseColumns,
    meaning: 'Names for the columns, separated by commas, instead of those in the header row (csv, tsv).',
  },
  noHeaderRow: {
    kind: 'flag',
    meaning: 'The first row is a record like the others (csv, tsv). Without --columns the columns are named c1, c2 and so on.',
  },
  csvDelimiter: {
    kind: 'parsed',
    valueName: 'CHAR',
    parse: parseCsvDelimiter,
    defaultText: 'a comma, a tab for tsv',
    meaning: 'What stands between cells. The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  noQuotes: { kind: 'flag', meaning: 'Quotes are characters like any other, and every line is a row (csv, tsv).' },
  types: {
    kind: 'choice',
    choices: ['strings', 'infer'],
    default: 'strings',
    meaning:
      'What cells become in the JSON object: always strings, or numbers, true, false and null where they are written as in JSON. A number with more than 15 digits stays a string, since many programs would change it.',
  },
  null: {
    ...options.null,
    meaning:
      'The text of cells that are null: as a key or value, in the JSON object, and as a timestamp, where it means none (csv, tsv). The escapes \\n \\t \\0 \\\\ \\xNN hold.',
  },
  keep: {
    kind: 'choice',
    choices: ['partition'],
    meaning: 'Append each record to the partition that its object names (kcat, rpk).',
  },
  partition: produceOptions.partition,
  key: produceOptions.key,
  keyFrom: produceOptions.keyFrom,
  header: produceOptions.header,
  timestampFrom: produceOptions.timestampFrom,
  timestamp: produceOptions.timestamp,
  compression: produceOptions.compression,
  acks: produceOptions.acks,
  linger: produceOptions.linger,
  batchBytes: produceOptions.batchBytes,
  onBad: produceOptions.onBad,
  rate: produceOptions.rate,
  onFull: produceOptions.onFull,
  dedupeBy: produceOptions.dedupeBy,
  dedupeWindow: produceOptions.dedupeWindow,
  partitions: produceOptions.partitions,
  partitioner: produceOptions.partitioner,
  noCreate: produceOptions.noCreate,
  printOffsets: produceOptions.printOffsets,
  mode: produceOptions.mode,
  allowNetworkFileSystem: produceOptions.allowNetworkFileSystem,
  quiet: produceOptions.quiet,
  verbose: produceOptions.verbose,
} as const

export const importOperands = {
  topic: produceOperands.topic,
  files: {
    label: 'FILE',
    meaning:
      "Files to read, one after the other; '-' is standard input, which is also the default. With --kafka: one directory.",
    repeated: true,
  },
} as const

export type ImportArguments = CommandArguments<typeof importOptions, typeof importOperands>

function parseColumns(text: string): readonly string[] {
  const names = text.split(',')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw usageError(`'${twice}' is given twice`)
  return names
}
