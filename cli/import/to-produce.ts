/** `import` is `produce` with another input format: its arguments as those of `produce`. */
import { usageError } from '../errors.js'
import type { RecordSource, SourceInput } from '../input/record-source.js'
import { withoutProduceOnly, type ProduceArguments } from '../produce/options.js'
import type { CsvOptions } from './csv-records.js'
import { formatOfFile, type ImportFormat } from './file-format.js'
import type { ImportArguments } from './options.js'

export function asProduceArguments({ operands, options: given }: ImportArguments): ProduceArguments {
  if (given.fromTopic !== undefined) throw usageError('--from-topic goes with --kafka')
  const formats = (operands.files.length === 0 ? ['-'] : operands.files).map((file) => formatOfFile(file, given.from))
  for (const format of formats) checkOptions(format, given)
  return {
    operands,
    options: {
      ...withoutProduceOnly,
      // What only `import` has is of no concern to what `produce` does.
      ...given,
      format: { kind: 'source', open: (source) => openSource(formatOfFile(source.name, given.from), source, given) },
      // A source splits its input and knows null by itself.
      keySeparator: undefined,
      delimiter: Buffer.from('\n'),
      null: undefined,
    },
  }
}

/** Loads what the format needs, and only that. */
async function openSource(format: ImportFormat, source: SourceInput, given: ImportArguments['options']): Promise<RecordSource> {
  switch (format) {
    case 'csv':
    case 'tsv':
      return await (await import('./csv-records.js')).csvSource(source, csvOptions(format, given))
    case 'ndjson':
      return new (await import('./ndjson.js')).NdjsonSource(source)
    case 'kcat':
      return new (await import('./object-records.js')).ObjectSource(source, (await import('./kcat.js')).kcatFormat)
    case 'rpk':
      return new (await import('./object-records.js')).ObjectSource(source, (await import('./rpk.js')).rpkFormat)
  }
}

const COMMA = 0x2c
const TAB = 0x09

function csvOptions(format: 'csv' | 'tsv', given: ImportArguments['options']): CsvOptions {
  return {
    delimiter: given.csvDelimiter ?? (format === 'csv' ? COMMA : TAB),
    quotes: !given.noQuotes,
    headerRow: !given.noHeaderRow,
    columns: given.columns,
    keyColumn: given.keyColumn,
    valueColumn: given.valueColumn,
    timestampColumn: given.timestampColumn,
    headerColumns: given.headerColumn,
    types: given.types,
    nullText: given.null,
  }
}

function checkOptions(format: ImportFormat, given: ImportArguments['options']): void {
  const isCsv = format === 'csv' || format === 'tsv'
  const forCsv = {
    '--key-column': given.keyColumn !== undefined,
    '--value-column': given.valueColumn !== undefined,
    '--timestamp-column': given.timestampColumn !== undefined,
    '--header-column': given.headerColumn.length > 0,
    '--columns': given.columns !== undefined,
    '--no-header-row': given.noHeaderRow,
    '--csv-delimiter': given.csvDelimiter !== undefined,
    '--no-quotes': given.noQuotes,
    '--types infer': given.types === 'infer',
    '--null': given.null !== undefined,
  }
  for (const [name, isGiven] of Object.entries(forCsv))
    if (isGiven && !isCsv) throw usageError(`${name} goes with csv and tsv, not with ${format}`)
  if (isCsv && given.keyColumn !== undefined && (given.key !== undefined || given.keyFrom !== undefined))
    throw usageError(`--key-column and ${given.key === undefined ? '--key-from' : '-k'} exclude each other`)
  if (isCsv && given.timestampColumn !== undefined && (given.timestamp !== undefined || given.timestampFrom !== undefined))
    throw usageError(
      `--timestamp-column and ${given.timestamp === undefined ? '--timestamp-from' : '--timestamp'} exclude each other`,
    )
  if (isCsv && given.valueColumn !== undefined && given.types === 'infer')
    throw usageError('--types goes with JSON objects, not with --value-column')
  if (given.keep !== undefined && format !== 'kcat' && format !== 'rpk')
    throw usageError(`--keep partition goes with kcat and rpk, not with ${format}`)
}
