/** What the commands that read records share: which partitions, from where to where, and the printer. */
import { resolveOffsets, type OffsetSpec } from '../../lib/consume/offset-spec.js'
import type { PartitionRange } from '../../lib/consume/partition-source.js'
import { isUnreadable, type LogqError } from '../../lib/errors.js'
import type { ViewContext } from '../../lib/log/log-view.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'
import { readingContext, type LeftOut } from '../../lib/store/archive/reading-context.js'
import type { ViewOptions } from '../../lib/store/partition.js'
import { openStore, type Store } from '../../lib/store/store.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { getTopic } from '../../lib/store/topics.js'
import { selectPartitions as partitionsHere } from '../../lib/store/partition.js'
import { usageError } from '../errors.js'
import type { ExitStatus } from '../exit-status.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { selectPartitions, type PartitionList } from '../values/partition-list.js'
import { BatchPrinter } from '../print/batch-printer.js'
import { checkFormat, type FormatArguments } from '../print/check-format.js'
import type { OutputFormat } from '../print/format.js'
import { storePath } from '../store-path.js'
import type { Where } from './where.js'

/** How a record is written, beside its format. */
export const recordOptions = {
  keySeparator: options.keySeparator,
  delimiter: options.outputDelimiter,
  zeroTerminated: options.zeroTerminated,
  null: options.null,
  time: options.time,
  noValue: options.noValue,
  raw: options.raw,
} as const

/** The options of every command that prints records, beside what it says on standard error. */
export const printingOptions = {
  store: options.store,
  format: options.outputFormat,
  json: options.json,
  partition: options.partitions,
  offset: options.offset,
  count: options.count,
  where: options.where,
  isolation: options.isolation,
  ...recordOptions,
} as const

/** After all others. */
export const talkOptions = { quiet: options.quiet, verbose: options.verbose } as const

interface PrintingArguments extends FormatArguments {
  readonly raw: boolean
}

/** What to read of one partition of a topic. */
export interface ResolvedRange extends PartitionRange {
  /** Whether -o has an end, so that following would be in vain. */
  readonly hasEnd: boolean
}

export function openForReading(option: string | undefined, io: Io): Store {
  return openStore(io.system, storePath(option, io))
}

/** `matches` is -w, for what is printed by slices. */
export function batchPrinter(
  given: PrintingArguments,
  limit: number | undefined,
  io: Io,
  matches?: RecordPredicate,
  { onTooLarge = (error: LogqError) => io.failWith(error), output = io.output() } = {},
): BatchPrinter {
  const { format, delimiter, keySeparator, time, noValue, raw } = given
  checkFormat(given)
  if (format.kind === 'batch' && limit !== undefined)
    throw usageError('-n does not go with --format batch', 'batches are copied whole')
  if (format.kind === 'batch' && io.output().isTerminal && !raw)
    throw usageError('--format batch is bytes, which a terminal may obey', 'write them to a file or a pipe, or give --raw')
  const nowMs = () => io.system.clock.nowMs()
  return new BatchPrinter(
    { format, delimiter, keySeparator, nullText: given.null, time, noValue, raw, limit, matches, nowMs, onTooLarge },
    output,
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

export interface RangeOptions extends ViewOptions {
  /** Whether the ranges are read backwards, or following goes on from their ends. */
  readonly needsEnd?: boolean
  /** Of a partition that cannot be read: it is left out, and the others go on. Without it, the error is thrown. */
  readonly onUnreadable?: (error: unknown, partition: number) => Promise<void>
}

/** Where to read, per partition of a topic; says on stderr what lies below the log start and was clamped. */
export async function resolveRanges(
  store: Store,
  topic: string,
  list: PartitionList | undefined,
  spec: OffsetSpec,
  io: Io,
  how: RangeOptions,
): Promise<ResolvedRange[]> {
  const file = getTopic(store, topic)
  const nowMs = io.system.clock.nowMs()
  const ranges: ResolvedRange[] = []
  for (const partition of partitionsOf(store, file, list)) {
    try {
      let leftOut: LeftOut | undefined
      const onLeftOut = (one: LeftOut) => (leftOut = one)
      const context = await readingContext(store, topic, partition, { ...how, onLeftOut })
      const range = await rangeIn(context, spec, nowMs, io, how)
      if (leftOut !== undefined && range.fromOffset <= leftOut.toOffset) await warnOfLeftOut(context, leftOut, io)
      ranges.push(range)
    } catch (error) {
      if (how.onUnreadable === undefined || !isUnreadable(error)) throw error
      await how.onUnreadable(error, partition)
    }
  }
  return ranges
}

async function warnOfLeftOut(
  { topic, partition }: ViewContext,
  { location, fromOffset, toOffset }: LeftOut,
  io: Io,
): Promise<void> {
  await io.warn(
    `'${topic}-${partition}': offsets ${fromOffset} to ${toOffset - 1} are archived, and not read: the log was compacted since, and deleted keys would come back; see 'logq cat --archive ${location} ${topic}'`,
  )
}

/** The same for one partition. */
export async function rangeIn(
  context: ViewContext,
  spec: OffsetSpec,
  nowMs: number,
  io: Io,
  how: RangeOptions,
): Promise<ResolvedRange> {
  const range = await resolveOffsets(context, spec, nowMs, how.needsEnd, io.signal)
  if (range.clampedFrom !== undefined) {
    await io.warn(
      `'${context.topic}-${context.partition}' begins at offset ${range.logStartOffset}: offset ${range.clampedFrom} no longer exists`,
    )
  }
  return { context, fromOffset: range.fromOffset, toOffset: range.toOffset, hasEnd: range.hasEnd }
}

/** What a bounded reading with -w ends with: 'noMatch' when nothing was found, though something was looked for. */
export function statusOfMatches(
  where: Where | undefined,
  limit: number | undefined,
  printer: BatchPrinter,
  io: Io,
): ExitStatus | undefined {
  const lookedInVain = where !== undefined && limit !== 0 && printer.printedCount === 0
  return lookedInVain && !io.output().readerClosed && !io.signal.aborted ? 'noMatch' : undefined
}
