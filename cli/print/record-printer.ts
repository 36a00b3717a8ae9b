/** The printer of the format that was chosen, which prints a record whole or not at all. */
import { isLogqError, LogqError } from '../../lib/errors.js'
import { MAX_TEXT_BYTES } from '../../lib/record/expression.js'
import type { OutputFormat } from './format.js'
import { jsonPrinter } from './json-print.js'
import { templatePrinter } from './output-template.js'
import type { PrintedRecord, PrinterOptions, RecordPrinter } from './printer.js'
import { hasField } from './template.js'
import { tsvPrinter } from './tsv.js'
import { valuePrinter } from './value.js'

type RecordFormat = Exclude<OutputFormat, { readonly kind: 'batch' }>

/** 'batch', which prints no records, has none. */
export function recordPrinter(format: RecordFormat, options: PrinterOptions): RecordPrinter {
  const printer = printerOf(format, options)
  const prints = printedFields(format, options.withoutValue)
  const refuseTooLarge = (topic: string, partition: number, record: PrintedRecord): void => {
    const textBytes = (prints.key ? (record.key?.length ?? 0) : 0) + (prints.value ? (record.value?.length ?? 0) : 0)
    if (textBytes > MAX_TEXT_BYTES) throw tooLarge(format, topic, partition, record)
  }
  return {
    ...(printer.printInParts === undefined || !prints.value
      ? {}
      : {
          printInParts(topic, partition, record) {
            refuseTooLarge(topic, partition, record)
            return printer.printInParts?.(topic, partition, record) ?? []
          },
        }),
    print(topic, partition, record, out) {
      refuseTooLarge(topic, partition, record)
      const { length } = out
      try {
        printer.print(topic, partition, record, out)
      } catch (error) {
        out.length = length
        // The text of what is small enough may still be larger than a buffer can be: very many headers, or a terminal's escapes.
        throw isLogqError(error, 'LOGQ_RECORD_TOO_LARGE') ? tooLarge(format, topic, partition, record) : error
      }
    },
  }
}

function printerOf(format: RecordFormat, options: PrinterOptions): RecordPrinter {
  switch (format.kind) {
    case 'value':
      return valuePrinter(options)
    case 'json':
      return jsonPrinter(options)
    case 'tsv':
      return tsvPrinter(options)
    case 'template':
      return templatePrinter(format.template, { ...options, nullText: options.nullText ?? new Uint8Array(0) })
  }
}

/** What of a record becomes text, and so must not be too large for it. The value format copies bytes. */
function printedFields(format: RecordFormat, withoutValue: boolean): { readonly key: boolean; readonly value: boolean } {
  if (format.kind === 'value') return { key: false, value: false }
  if (format.kind === 'template') return { key: hasField(format.template, 'key'), value: hasField(format.template, 'value') }
  return { key: true, value: !withoutValue }
}

const names = { value: 'the value format', json: 'JSON', tsv: 'tsv', template: 'a template' } as const

function tooLarge(format: RecordFormat, topic: string, partition: number, { offset }: PrintedRecord): LogqError {
  return new LogqError(
    'LOGQ_RECORD_TOO_LARGE',
    `the record '${topic}:${partition}@${offset}' is too large for ${names[format.kind]}`,
    {
      hint: 'a key and value above 256 MiB are printed by the value and batch formats only; --no-value leaves the value out',
    },
  )
}
