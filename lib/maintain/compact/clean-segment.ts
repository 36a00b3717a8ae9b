/**
 * Writes one segment anew without the records that a pass drops, beside the old one. A segment of which nothing changes is not written:
 * the copy begins at the first batch that changes, with all that is before it.
 */
import { CLEANER_DIRECTORY } from '../../log/file-names.js'
import type { LogContext } from '../../log/log-context.js'
import { SegmentWriter } from '../../log/segment-writer.js'
import { RecordBatch } from '../../record/batch.js'
import { filterBatch } from '../../record/filter-batch.js'
import type { RecordCursor } from '../../record/record-cursor.js'
import type { ClosedSegment, PlacedBatch } from './closed-segment.js'

/** What a pass does with the records of a batch. */
export interface RecordFilter {
  /** 'keep' and 'drop' speak of the whole batch, and its records are not looked at. */
  judge(batch: RecordBatch): 'keep' | 'drop' | ((record: RecordCursor) => boolean)
  /** For batches that have none yet, and hold a tombstone. */
  readonly newDeleteHorizonMs: number
}

export interface CleanedSegment {
  readonly outcome: 'unchanged' | 'rewritten' | 'emptied'
  /** Of the .log, before and after. */
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly recordsBefore: number
  readonly recordsAfter: number
}

/** With `isDry` nothing is written. Otherwise the new files are in `cleaner/`, on the device, unless it says 'unchanged'. */
export async function cleanSegment(
  context: LogContext,
  segment: ClosedSegment,
  filter: RecordFilter,
  isDry: boolean,
): Promise<CleanedSegment> {
  const copy = isDry ? undefined : new Copy(context, segment)
  let bytesAfter = 0
  let recordsBefore = 0
  let recordsAfter = 0
  try {
    for await (const placed of segment.batches()) {
      const { batch } = placed
      const judged = filter.judge(batch)
      if (typeof judged === 'string') {
        recordsBefore += batch.recordCount
        if (judged === 'keep') recordsAfter += batch.recordCount
        if (judged === 'keep') bytesAfter += batch.sizeBytes
        await copy?.add(placed, judged === 'keep' ? batch.bytes : undefined)
        continue
      }
      const { bytes, keptCount, droppedCount } = segment.located(placed, () =>
        filterBatch(batch, judged, filter.newDeleteHorizonMs),
      )
      recordsBefore += keptCount + droppedCount
      recordsAfter += keptCount
      bytesAfter += bytes?.length ?? 0
      await copy?.add(placed, bytes)
    }
    const isChanged = copy === undefined ? bytesAfter !== segment.sizeBytes || recordsAfter !== recordsBefore : copy.isBegun
    const outcome = !isChanged ? 'unchanged' : bytesAfter === 0 ? 'emptied' : 'rewritten'
    await copy?.finish()
    return { outcome, bytesBefore: segment.sizeBytes, bytesAfter, recordsBefore, recordsAfter }
  } finally {
    copy?.close()
  }
}

class Copy {
  #writer: SegmentWriter | undefined

  constructor(
    private readonly context: LogContext,
    private readonly segment: ClosedSegment,
  ) {}

  get isBegun(): boolean {
    return this.#writer !== undefined
  }

  /** `bytes`: what stays of a batch; its very own when nothing of it changed, undefined when nothing stays. */
  async add({ batch, position }: PlacedBatch, bytes: Uint8Array | undefined): Promise<void> {
    if (this.#writer === undefined) {
      if (bytes === batch.bytes) return
      const writer = await this.#begin(position)
      if (bytes !== undefined) append(writer, bytes)
      return
    }
    if (bytes !== undefined) append(this.#writer, bytes)
  }

  /** Returns when the new files are on the device. */
  async finish(): Promise<void> {
    await this.#writer?.finish()
  }

  close(): void {
    this.#writer?.close()
  }

  async #begin(position: number): Promise<SegmentWriter> {
    const { system, directory, ownership, config } = this.context
    const { baseOffset } = this.segment
    const writer = SegmentWriter.create(
      system,
      `${directory}/${CLEANER_DIRECTORY}`,
      baseOffset,
      ownership,
      config().indexIntervalBytes,
    )
    this.#writer = writer
    for await (const { batch } of this.segment.again(position)) append(writer, batch.bytes)
    return writer
  }
}

function append(writer: SegmentWriter, bytes: Uint8Array): void {
  const batch = new RecordBatch(bytes)
  writer.append(batch, batch.partitionLeaderEpoch)
}
