/** Options of `produce` that exclude each other: said before anything is opened, as exit status 2. */
import { usageError } from '../errors.js'
import type { ProduceArguments } from './options.js'

export function checkCombinations(args: ProduceArguments): void {
  const { expectOffset, expectKeyOffset } = args.options
  const { format, delimiter, keySeparator, key, partition, keep, header } = args.options
  if (delimiter.length === 0)
    throw usageError("option '-D': an empty delimiter ends no record", "'-0' ends records with a NUL byte")
  const kind = format.kind
  if (keySeparator !== undefined && kind !== 'value') throw usageError('-K goes with the value format only')
  if (keySeparator !== undefined && key !== undefined)
    throw usageError('-k and -K exclude each other', 'the key comes from the line, or from the option')
  if (keep !== undefined && partition !== undefined) throw usageError('--keep partition and -p exclude each other')
  if (keep !== undefined && kind !== 'json' && kind !== 'template' && kind !== 'source')
    throw usageError('--keep partition goes with -J or a template with %p')
  if (kind === 'batch' && (key !== undefined || header.length > 0))
    throw usageError('-k and -H do not go with --format batch', 'its records are copied as they are')
  if (expectOffset !== undefined && expectKeyOffset !== undefined)
    throw usageError('--expect-offset and --expect-key-offset exclude each other')
}
