/** Which of the formats a file has: what --from says, else what its name says. */
import { usageError } from '../errors.js'

export const importFormats = ['csv', 'tsv', 'ndjson', 'kcat', 'rpk'] as const
export type ImportFormat = (typeof importFormats)[number]

const byExtension: Readonly<Record<string, ImportFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
}

/** `operand` is a path, or `-` for standard input. Compressed files are what their names say without the last extension. */
export function formatOfFile(operand: string, from: ImportFormat | undefined): ImportFormat {
  if (from !== undefined) return from
  const extension = /\.([a-z]+)$/i.exec(operand.replace(/\.(gz|zst|br)$/i, ''))?.[1]?.toLowerCase() ?? ''
  const format = Object.hasOwn(byExtension, extension) ? byExtension[extension] : undefined
  if (format !== undefined) return format
  const what = operand === '-' ? 'standard input' : `'${operand}'`
  throw usageError(
    `the format of ${what} is not known`,
    `name it with --from: ${importFormats.join(', ')}; 'logq produce' reads lines, and with -J what 'logq cat -J' prints`,
  )
}
