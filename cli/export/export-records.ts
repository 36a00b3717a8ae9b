/** One run of `export`: records of ranges, one after the other, through a format into outputs. */
import { isLogqError, LogqError } from '../../lib/errors.js'
import { readPartition, type BatchSlice } from '../../lib/log/read-partition.js'
import { SliceWalk } from '../../lib/log/slice-walk.js'
import type { PartitionRange } from '../../lib/consume/partition-source.js'
import { MAX_TEXT_BYTES } from '../../lib/record/expression.js'
import type { LentRecord } from '../../lib/record/lent-record.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'
import type { Io } from '../io.js'
import type { ExportFormat } from './export-format.js'
import type { ExportOutput, ExportOutputs } from './outputs.js'

export interface ExportOptions {
  readonly format: ExportFormat
  readonly outputs: ExportOutputs
  readonly matches: RecordPredicate | undefined
  readonly limit: number | undefined
}

/** So many records that went in changed are named; the others are counted. */
const MAX_NAMED = 10

export class RecordExport {
  /** Records that matched, whether or not they could be written. */
  matchedCount = 0
  exportedCount = 0
  #changedCount = 0

  constructor(
    private readonly options: ExportOptions,
    private readonly io: Io,
  ) {}

  async run(ranges: readonly PartitionRange[]): Promise<void> {
    const { format, outputs } = this.options
    try {
      for (const range of ranges) await this.#range(range)
      if (this.io.signal.aborted) outputs.abandon()
      else {
        await outputs.finish((output) => {
          format.begin(output.buffer)
        })
      }
    } catch (error) {
      outputs.abandon()
      throw error
    }
    const unnamed = this.#changedCount - MAX_NAMED
    if (unnamed > 0) await this.io.warn(`and ${unnamed} more records did not go in as they are`)
  }

  #isDone(): boolean {
    return this.options.outputs.isClosed || this.matchedCount >= (this.options.limit ?? Infinity)
  }

  async #range({ context, fromOffset, toOffset }: PartitionRange): Promise<void> {
    if (this.#isDone()) return
    for await (const slice of readPartition(context, fromOffset, toOffset, this.io.signal)) {
      try {
        await this.#slice(context.topic, slice)
      } catch (error) {
        throw slice.located(error)
      }
      if (this.#isDone()) return
    }
  }

  async #slice(topic: string, slice: BatchSlice): Promise<void> {
    const { matches } = this.options
    const walk = new SliceWalk(slice)
    while (!this.#isDone() && walk.next()) {
      if (matches !== undefined && !matches(topic, slice.partition, walk.record)) continue
      this.matchedCount += 1
      const wait = this.#record(topic, slice.partition, walk.record)
      if (wait !== undefined) await wait
    }
  }

  /** A promise where there is something to wait for. */
  #record(topic: string, partition: number, record: LentRecord): Promise<void> | undefined {
    try {
      if ((record.key?.length ?? 0) + (record.value?.length ?? 0) > MAX_TEXT_BYTES) throw tooLarge()
      this.options.format.prepare?.(topic, partition, record)
      const output = this.options.outputs.outputOf(topic, partition, record)
      if (output === undefined) return undefined
      if (output instanceof Promise) return output
      const changed = this.#print(topic, partition, record, output)
      const wait = output.settle()
      return changed === undefined ? wait : this.#name(`${topic}:${partition}@${record.offset}: ${changed}`, wait)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_INVALID_RECORD') && !isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
      return this.io.failItem(`${topic}:${partition}@${record.offset}: ${error.message}`, error.hint)
    }
  }

  /** All of the record, or nothing. */
  #print(topic: string, partition: number, record: LentRecord, output: ExportOutput): string | undefined {
    const { format } = this.options
    const { buffer } = output
    const { length } = buffer
    try {
      if (!output.isBegun) format.begin(buffer)
      const changed = format.print(topic, partition, record, buffer)
      output.isBegun = true
      this.exportedCount += 1
      return changed
    } catch (error) {
      buffer.length = length
      throw error
    }
  }

  async #name(message: string, wait: Promise<void> | undefined): Promise<void> {
    await wait
    this.#changedCount += 1
    this.io.merge('failed')
    if (this.#changedCount <= MAX_NAMED) await this.io.failItem(message)
  }
}

function tooLarge(): LogqError {
  return new LogqError('LOGQ_RECORD_TOO_LARGE', 'the record is too large for text', {
    hint: 'a key and value above 256 MiB are printed by the value and batch formats of logq cat only',
  })
}
