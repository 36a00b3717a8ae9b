/** The printer of the format that was chosen. */
import type { OutputFormat } from './format.js'
import { jsonPrinter } from './json-print.js'
import { templatePrinter } from './output-template.js'
import type { PrinterOptions, RecordPrinter } from './printer.js'
import { valuePrinter } from './value.js'

/** 'batch', which prints no records, has none. */
export function recordPrinter(
  format: Exclude<OutputFormat, { readonly kind: 'batch' }>,
  options: PrinterOptions,
): RecordPrinter {
  switch (format.kind) {
    case 'value':
      return valuePrinter(options)
    case 'json':
      return jsonPrinter({ gate: options.gate })
    case 'template':
      return templatePrinter(format.template, { nullText: options.nullText ?? new Uint8Array(0), gate: options.gate })
  }
}
