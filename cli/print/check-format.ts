/** Which options go with which output format: one that would be ignored is a usage error, never silence. */
import { usageError } from '../errors.js'
import type { OutputFormat } from './format.js'
import { hasField } from './template.js'
import type { TimeForm } from './timestamp.js'

export interface FormatArguments {
  readonly format: OutputFormat
  readonly delimiter: Uint8Array | undefined
  readonly keySeparator: Uint8Array | undefined
  readonly null: Uint8Array | undefined
  readonly time: TimeForm | undefined
  readonly noValue: boolean
}

/** Throws a usage error for the first option that does not go with the format. */
export function checkFormat(given: FormatArguments): void {
  const { format } = given
  const { kind } = format
  if (given.delimiter !== undefined && kind !== 'value')
    throw usageError('-D and -0 go with the value format only', endings[kind])
  if (given.keySeparator !== undefined && kind !== 'value') {
    throw usageError(
      '-K goes with the value format only',
      kind === 'template' ? 'a template prints the key where it has %k' : undefined,
    )
  }
  if (given.null !== undefined && kind !== 'value' && kind !== 'template')
    throw usageError('--null goes with the value format and with templates only', nulls[kind])
  if (given.noValue) checkNoValue(format)
  if (given.time !== undefined) checkTime(format, given.time)
}

const endings = {
  json: 'every record is one line of JSON',
  tsv: 'every record is one line',
  batch: 'batches are copied as they are',
  template: 'a template ends records itself: write \\n or \\0 at its end',
} as const

const nulls = {
  json: 'in JSON it is null',
  tsv: 'in tsv it is \\N',
  batch: 'batches are copied as they are',
} as const

function checkNoValue(format: OutputFormat): void {
  if (format.kind === 'value' || format.kind === 'batch')
    throw usageError(`--no-value does not go with the ${format.kind} format`, 'use -J, which gives valueBytes instead')
  if (format.kind === 'template' && hasField(format.template, 'value'))
    throw usageError('--no-value does not go with %v', '%V is the length of the value')
}

function checkTime(format: OutputFormat, time: TimeForm): void {
  if (format.kind === 'json') {
    if (time !== 'ms')
      throw usageError('--time does not go with JSON, where times are in ms', 'use -F tsv, or %T in a template')
  } else if (!printsTime(format)) {
    throw usageError('--time goes with tsv and with %T in templates only', 'nothing else prints a time')
  }
}

function printsTime(format: OutputFormat): boolean {
  return format.kind === 'tsv' || (format.kind === 'template' && hasField(format.template, 'timestamp', 'plain'))
}
