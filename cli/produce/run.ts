/** One run of `produce`: its inputs, one after the other, into a producer, and the end of it all, good or bad. */
import { isLogqError } from '../../lib/errors.js'
import { ConditionalProducer } from '../../lib/produce/conditional-producer.js'
import { ExpectationError } from '../../lib/produce/expectation.js'
import { Producer, type RecordTaker } from '../../lib/produce/producer.js'
import type { Store } from '../../lib/store/store.js'
import { decompressByName } from '../../lib/system/compressed-input.js'
import type { InputStream } from '../../lib/system/streams.js'
import { describeError } from '../errors.js'
import { Acknowledgements } from '../input/acknowledgements.js'
import { InputFailure } from '../input/chunked-input.js'
import { StopAtBadItem, ingest } from '../input/ingest.js'
import type { IngestOptions } from '../input/ingest-options.js'
import { InputProgress } from '../input/input-progress.js'
import { Pace } from '../input/pace.js'
import { RateLimit } from '../input/rate-limit.js'
import type { Io } from '../io.js'
import { sayDuplicates } from './dedupe.js'
import { expectationOf } from './expectation.js'
import { nameUnwritten } from './name-unwritten.js'
import type { ProduceArguments } from './options.js'
import { producerOptions } from './producer-options.js'

/** An expectation is of all that was meant to be appended, not of a part of it. */
const NOT_WHOLE = 'nothing was appended: with an expectation that takes the whole input, each item of it good'
const STOPPED = 'stopped before the end of the input: nothing was appended'

export async function produceInputs(
  store: Store,
  topic: string,
  inputs: { readonly files: readonly string[]; readonly isComplete: boolean },
  timestampMs: number | undefined,
  args: ProduceArguments,
  io: Io,
): Promise<void> {
  const acknowledgements = args.options.printOffsets ? new Acknowledgements(topic, io.output()) : undefined
  const options = producerOptions(args, io, acknowledgements, store, topic)
  const expectation = expectationOf(args.options)
  const conditional = expectation === undefined ? undefined : await ConditionalProducer.open(store, topic, expectation, options)
  const producer: RecordTaker = conditional ?? (await Producer.open(store, topic, options))
  const progress = new InputProgress(unitOf(args.options))
  const pace = new Pace(producer, io.system.clock, args.options.linger, acknowledgements)
  const recordLimitBytes = () => producer.maxRecordBytes
  const ingestOptions = { ...ingestOptionsOf(args, io), timestampMs, recordLimitBytes, acknowledgements, pace, progress }
  try {
    const isWhole = (await readAll(inputs.files, producer, ingestOptions, io)) && inputs.isComplete
    if (conditional === undefined) await producer.sync()
    else if (isWhole && progress.badCount === 0) await conditional.commit()
    else await io.warn(io.signal.aborted ? STOPPED : NOT_WHOLE)
  } catch (error) {
    if (!wasRefused(error, conditional)) await nameUnwritten(producer, progress, error, io)
    await acknowledgeAppended(producer, acknowledgements, error)
    await producer.close(true)
    throw error
  }
  await acknowledgements?.print()
  await producer.close()
  await sayDuplicates(producer, io)
  await io.explain(`${producer.appendedCount} records appended to '${topic}' from ${progress.itemCount} items`)
}

function unitOf({ format: { kind }, whole }: ProduceArguments['options']): InputProgress['unit'] {
  if (kind === 'batch') return 'batch'
  if (whole) return 'file'
  return kind === 'source' ? 'record' : 'line'
}

/** The error itself says that nothing was appended. */
function wasRefused(error: unknown, conditional: ConditionalProducer | undefined): boolean {
  return conditional !== undefined && (error instanceof ExpectationError || isLogqError(error, 'LOGQ_USAGE'))
}

/** What was appended before something failed is synced, and its offsets printed. The failure itself is what the user hears of. */
async function acknowledgeAppended(
  producer: RecordTaker,
  acknowledgements: Acknowledgements | undefined,
  failure: unknown,
): Promise<void> {
  if (isLogqError(failure, 'LOGQ_SYNC_FAILED') || isLogqError(failure, 'LOGQ_TOPIC_REMOVED')) return
  try {
    await producer.syncAppended()
    await acknowledgements?.print()
  } catch {
    // No offset is printed that was not synced, and exit status and message tell of the failure.
  }
}

/**
 * One input after the other. One that cannot be read is named, and the others are unaffected. True when all were read to their end.
 */
async function readAll(files: readonly string[], producer: RecordTaker, options: IngestOptions, io: Io): Promise<boolean> {
  let isWhole = true
  for (const file of files) {
    if (io.signal.aborted) return false
    try {
      await readOne(file, producer, options, io)
    } catch (error) {
      isWhole = false
      if (error instanceof StopAtBadItem) return false
      if (!(error instanceof InputFailure)) throw error
      const { message, hint } = describeError(error.cause)
      await io.failItem(message.includes(`'${error.inputName}'`) ? message : `'${error.inputName}': ${message}`, hint)
      if (options.onBad === 'stop') return false
    }
  }
  return isWhole && !io.signal.aborted
}

async function readOne(file: string, producer: RecordTaker, options: IngestOptions, io: Io): Promise<void> {
  const input = await open(file, options.decompress, io)
  try {
    await ingest(input, producer, options, io)
  } finally {
    input.close()
  }
}

/** It could be opened a while ago (inputs.ts), but may be gone by now. */
async function open(file: string, decompress: boolean, io: Io): Promise<InputStream> {
  try {
    const input = await io.openInput(file)
    return decompress && file !== '-' ? decompressByName(input) : input
  } catch (error) {
    throw new InputFailure(file, error)
  }
}

function ingestOptionsOf(
  args: ProduceArguments,
  io: Io,
): Omit<IngestOptions, 'timestampMs' | 'recordLimitBytes' | 'acknowledgements' | 'pace' | 'progress'> {
  const { format, delimiter, keySeparator, header, key, keep, onBad, partition } = args.options
  const { whole, noDecompress, keyFrom, timestampFrom, rate } = args.options
  return {
    format,
    whole,
    decompress: !noDecompress,
    fromValue: keyFrom === undefined && timestampFrom === undefined ? undefined : { key: keyFrom, timestamp: timestampFrom },
    rate: rate === undefined ? undefined : new RateLimit(rate, io.system.clock, io.signal),
    delimiter: delimiter ?? Buffer.from('\n'),
    keySeparator,
    nullText: args.options.null,
    key: key === undefined ? undefined : Buffer.from(key),
    headers: header,
    keepPartition: keep === 'partition',
    onBad,
    partition,
  }
}
