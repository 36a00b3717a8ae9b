/** One run of `produce`: its inputs, one after the other, into a producer, and the end of it all, good or bad. */
import { isLogqError } from '../../lib/errors.js'
import { Producer } from '../../lib/produce/producer.js'
import type { Store } from '../../lib/store/store.js'
import type { InputStream } from '../../lib/system/streams.js'
import { describeError } from '../errors.js'
import { Acknowledgements } from '../input/acknowledgements.js'
import { InputFailure } from '../input/chunked-input.js'
import { StopAtBadItem, ingest } from '../input/ingest.js'
import type { IngestOptions } from '../input/ingest-options.js'
import { InputProgress } from '../input/input-progress.js'
import { Pace } from '../input/pace.js'
import type { Io } from '../io.js'
import type { InputFormat } from '../print/format.js'
import { nameUnwritten } from './name-unwritten.js'
import type { ProduceArguments } from './options.js'
import { producerOptions } from './producer-options.js'

export async function produceInputs(
  store: Store,
  topic: string,
  inputs: readonly InputStream[],
  timestampMs: number | undefined,
  args: ProduceArguments,
  io: Io,
): Promise<void> {
  const acknowledgements = args.options.printOffsets ? new Acknowledgements(topic, io.output()) : undefined
  const producer = await Producer.open(store, topic, producerOptions(args, io, acknowledgements, topic))
  const progress = new InputProgress(unitOf(args.options.format))
  const pace = new Pace(producer, io.system.clock, args.options.linger, acknowledgements)
  const recordLimitBytes = () => producer.maxRecordBytes
  const ingestOptions = { ...ingestOptionsOf(args), timestampMs, recordLimitBytes, acknowledgements, pace, progress }
  try {
    await readAll(inputs, producer, ingestOptions, io)
    await producer.sync()
  } catch (error) {
    await nameUnwritten(producer, progress, error, io)
    await acknowledgeAppended(producer, acknowledgements, error)
    await producer.close(true)
    throw error
  }
  await acknowledgements?.print()
  await producer.close()
  await io.explain(`${producer.appendedCount} records appended to '${topic}' from ${progress.itemCount} items`)
}

function unitOf({ kind }: InputFormat): InputProgress['unit'] {
  if (kind === 'batch') return 'batch'
  return kind === 'source' ? 'record' : 'line'
}

/** What was appended before something failed is synced, and its offsets printed. The failure itself is what the user hears of. */
async function acknowledgeAppended(
  producer: Producer,
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

/** One input after the other. One that cannot be read is named, and the others are unaffected. */
async function readAll(inputs: readonly InputStream[], producer: Producer, options: IngestOptions, io: Io): Promise<void> {
  for (const input of inputs) {
    if (io.signal.aborted) return
    try {
      await ingest(input, producer, options, io)
    } catch (error) {
      if (error instanceof StopAtBadItem) return
      if (!(error instanceof InputFailure)) throw error
      const { message, hint } = describeError(error.cause)
      await io.failItem(`'${error.inputName}': ${message}`, hint)
      if (options.onBad === 'stop') return
    } finally {
      input.close()
    }
  }
}

function ingestOptionsOf(
  args: ProduceArguments,
): Omit<IngestOptions, 'timestampMs' | 'recordLimitBytes' | 'acknowledgements' | 'pace' | 'progress'> {
  const { format, delimiter, keySeparator, header, key, keep, onBad, partition } = args.options
  return {
    format,
    delimiter,
    keySeparator,
    nullText: args.options.null,
    key: key === undefined ? undefined : Buffer.from(key),
    headers: header,
    keepPartition: keep === 'partition',
    onBad,
    partition,
  }
}
