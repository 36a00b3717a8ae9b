/** What the commands that read records share: which partitions, from where to where, and the printer. */
import type { LogqError } from '../lib/errors.js'
import { resolveOffsets, type OffsetRange, type OffsetSpec } from '../lib/consume/offset-spec.js'
import type { ViewContext } from '../lib/log/log-view.js'
import { viewContext } from '../lib/store/partition.js'
import { openStore, type Store } from '../lib/store/store.js'
import type { TopicFile } from '../lib/store/topic-file.js'
import { getTopic } from '../lib/store/topics.js'
import { selectPartitions as partitionsHere } from '../lib/store/partition.js'
import { usageError } from './errors.js'
import type { Io } from './io.js'
import { options } from './options.js'
import { selectPartitions, type PartitionList } from './partition-list.js'
import { BatchPrinter } from './print/batch-printer.js'
import { checkFormat, type FormatArguments } from './print/check-format.js'
import type { OutputFormat } from './print/format.js'
import { storePath } from './store-path.js'

/** The options of every command that prints records. */
export const printingOptions = {
  store: options.store,
  format: options.outputFormat,
  json: options.json,
  partition: options.partitions,
  offset: options.offset,
  count: options.count,
  keySeparator: options.keySeparator,
  delimiter: options.outputDelimiter,
  zeroTerminated: options.zeroTerminated,
  null: options.null,
  time: options.time,
  noValue: options.noValue,
  raw: options.raw,
  quiet: options.quiet,
  verbose: options.verbose,
} as const

interface PrintingArguments extends FormatArguments {
  readonly raw: boolean
}

export interface PartitionRange {
  readonly context: ViewContext
  readonly range: OffsetRange
}

export function openForReading(option: string | undefined, io: Io): Store {
  return openStore(io.system, storePath(option, io))
}

export function batchPrinter(given: PrintingArguments, limit: number | undefined, io: Io): BatchPrinter {
  const { format, delimiter, keySeparator, time, noValue, raw } = given
  checkFormat(given)
  if (format.kind === 'batch' && limit !== undefined)
    throw usageError('-n does not go with --format batch', 'batches are copied whole')
  const nowMs = () => io.system.clock.nowMs()
  const onTooLarge = (error: LogqError) => io.failWith(error)
  return new BatchPrinter(
    { format, delimiter, keySeparator, nullText: given.null, time, noValue, raw, limit, nowMs, onTooLarge },
    io.output(),
  )
}

export function partitionsOf(store: Store, file: TopicFile, list: PartitionList | undefined): number[] {
  return partitionsHere(store, file, list === undefined ? undefined : selectPartitions(list, file.topic, file.partitions))
}

/** --format batch is exactly one partition of one topic: nothing in the bytes would say which is which. */
export function refuseSeveral(format: OutputFormat, topicCount: number, partitionCount: number): void {
  if (format.kind !== 'batch' || (topicCount === 1 && partitionCount === 1)) return
  throw usageError('--format batch prints exactly one partition', 'name one topic, and one partition with -p')
}

/** Where to read, per partition of a topic; says on stderr what lies below the log start and was clamped. */
export async function resolveRanges(
  store: Store,
  topic: string,
  list: PartitionList | undefined,
  spec: OffsetSpec,
  io: Io,
): Promise<PartitionRange[]> {
  const file = getTopic(store, topic)
  const nowMs = io.system.clock.nowMs()
  const ranges: PartitionRange[] = []
  for (const partition of partitionsOf(store, file, list)) {
    const context = viewContext(store, topic, partition)
    const range = await resolveOffsets(context, spec, nowMs)
    if (range.clampedFrom !== undefined) {
      await io.warn(
        `'${topic}-${partition}' begins at offset ${range.logStartOffset}: offset ${range.clampedFrom} no longer exists`,
      )
    }
    ranges.push({ context, range })
  }
  return ranges
}
