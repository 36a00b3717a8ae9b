/** Options of `produce` that exclude each other: said before anything is opened, as exit status 2. */
import { usageError } from '../errors.js'
import { checkDedupe } from './dedupe.js'
import type { ProduceArguments } from './options.js'

export function checkCombinations(args: ProduceArguments): void {
  const { expectOffset, expectKeyOffset, rate, whole, keyFrom, timestampFrom, timestamp } = args.options
  const { format, delimiter, keySeparator, key, partition, keep, header } = args.options
  if (delimiter?.length === 0)
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
  if (rate !== undefined && (expectOffset !== undefined || expectKeyOffset !== undefined))
    throw usageError('--rate does not go with an expectation', 'all records are appended at once, or none')
  if (whole && kind !== 'value')
    throw usageError('--whole goes with the value format only', 'each file is one value, its bytes untouched')
  if (whole && keySeparator !== undefined)
    throw usageError('--whole and -K exclude each other', '-k gives the key, or --key-from takes it from a value that is JSON')
  if (whole && delimiter !== undefined)
    throw usageError('--whole and -D or -0 exclude each other', 'a record ends where its file ends')
  if ((keyFrom !== undefined || timestampFrom !== undefined) && (kind === 'template' || kind === 'batch'))
    throw usageError('--key-from and --timestamp-from go with the value format and -J only')
  if (keyFrom !== undefined && (key !== undefined || keySeparator !== undefined))
    throw usageError(`--key-from and ${key === undefined ? '-K' : '-k'} exclude each other`)
  if (timestampFrom !== undefined && timestamp !== undefined)
    throw usageError('--timestamp-from and --timestamp exclude each other')
  checkIgnored(args)
  checkDedupe(args.options)
}

/** An option that the format would not look at is not meant. */
function checkIgnored({ options }: ProduceArguments): void {
  const { format, delimiter } = options
  if (delimiter !== undefined && format.kind === 'template' && format.template.delimiter !== undefined)
    throw usageError(
      'the template says what ends each record, and so does -D or -0',
      'leave out the text after the last placeholder, or the option',
    )
  if (format.kind === 'batch' && (options.compression !== undefined || options.timestamp !== undefined))
    throw usageError('-z and --timestamp do not go with --format batch', 'its records are copied as they are')
  if (delimiter !== undefined && format.kind === 'batch') throw usageError('-D and -0 do not go with --format batch')
  if (options.null !== undefined && (format.kind === 'json' || format.kind === 'batch'))
    throw usageError('--null goes with the value format and with templates only', 'JSON has a null of its own')
}
