/**
 * Prints slices of batches in the format that was chosen: in bulk where nothing but values and delimiters is wanted, record by record
 * otherwise, and as they are for --format batch.
 */
import { joinValues } from '../../lib/record/join-values.js'
import type { BatchSlice } from '../../lib/log/read-partition.js'
import type { RecordCursor } from '../../lib/record/record-cursor.js'
import type { RecordBatch } from '../../lib/record/batch.js'
import { isLogqError, type LogqError } from '../../lib/errors.js'
import type { OutputWriter } from '../output.js'
import { gateFor } from './escape.js'
import type { OutputFormat } from './format.js'
import type { PrintedRecord, RecordPrinter } from './printer.js'
import { recordPrinter } from './record-printer.js'
import type { TimeForm } from './timestamp.js'

export interface BatchPrinterOptions {
  readonly format: OutputFormat
  /** Default: a newline. */
  readonly delimiter: Uint8Array | undefined
  readonly keySeparator: Uint8Array | undefined
  readonly nullText: Uint8Array | undefined
  readonly time: TimeForm | undefined
  readonly noValue: boolean
  readonly raw: boolean
  /** -n: no more records than this. */
  readonly limit: number | undefined
  /** The clock that --time rel counts from. */
  readonly nowMs: () => number
  /** Told of a record that is too large for the format; the others are printed. */
  readonly onTooLarge: (error: LogqError) => Promise<void>
}

export class BatchPrinter {
  /** Records printed so far. */
  printedCount = 0
  readonly #records: RecordPrinter | undefined
  readonly #isPlain: boolean
  readonly #delimiter: Uint8Array

  constructor(
    private readonly options: BatchPrinterOptions,
    private readonly output: OutputWriter,
  ) {
    const { format, delimiter = NEWLINE, keySeparator, nullText, raw, nowMs } = options
    this.#delimiter = delimiter
    this.#isPlain = format.kind === 'value' && keySeparator === undefined && (raw || !output.isTerminal)
    if (format.kind === 'batch') return
    this.#records = recordPrinter(format, {
      delimiter,
      keySeparator,
      nullText,
      gate: gateFor(output, raw),
      time: options.time ?? (format.kind === 'tsv' && output.isTerminal ? 'iso' : 'ms'),
      nowMs,
      withoutValue: options.noValue,
    })
  }

  /** True when -n is reached, or nobody reads any more: reading on would be in vain. */
  get isDone(): boolean {
    return this.output.readerClosed || this.printedCount >= (this.options.limit ?? Infinity)
  }

  async print(topic: string, slice: BatchSlice): Promise<void> {
    try {
      await this.#printSlice(topic, slice)
    } catch (error) {
      throw slice.located(error)
    }
  }

  async #printSlice(topic: string, slice: BatchSlice): Promise<void> {
    const left = (this.options.limit ?? Infinity) - this.printedCount
    if (this.#records === undefined) this.printedCount += await this.#printBatch(slice)
    else if (this.#isPlain && slice.batch.recordCount <= left) await this.#printValues(slice)
    else await this.#printRecords(topic, slice)
  }

  /** One record that is held already. */
  async printRecord(topic: string, partition: number, record: PrintedRecord): Promise<void> {
    const wait = this.#append(topic, partition, record)
    if (wait !== undefined) await wait
  }

  /** A promise where there is something to wait for. */
  #append(topic: string, partition: number, record: PrintedRecord): Promise<void> | undefined {
    try {
      this.#records?.print(topic, partition, record, this.output.buffer)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
      return this.options.onTooLarge(error)
    }
    this.printedCount += 1
    return this.output.settle()
  }

  async #printValues({ batch, fromOffset, toOffset }: BatchSlice): Promise<void> {
    const { nullText } = this.options
    this.printedCount += joinValues(batch, fromOffset, toOffset, this.#delimiter, nullText ?? NOTHING, this.output.buffer)
    const wait = this.output.settle()
    if (wait !== undefined) await wait
  }

  async #printRecords(topic: string, { partition, batch, fromOffset, toOffset }: BatchSlice): Promise<void> {
    const cursor = batch.cursor()
    const record = lendingRecord(batch, cursor)
    while (!this.isDone && cursor.next()) {
      if (cursor.offset < fromOffset || cursor.offset >= toOffset) continue
      const wait = this.#append(topic, partition, record)
      if (wait !== undefined) await wait
    }
  }

  /** A batch goes whole or not at all; the caller has refused ranges that do not begin and end at a batch. */
  async #printBatch({ batch }: BatchSlice): Promise<number> {
    const wait = this.output.write(batch.bytes)
    if (wait !== undefined) await wait
    return batch.recordCount
  }
}

const NOTHING = new Uint8Array(0)
const NEWLINE = Uint8Array.of(0x0a)

/** One object for all records of a batch: a printer reads it before the cursor moves on. */
function lendingRecord(batch: RecordBatch, cursor: RecordCursor): PrintedRecord {
  const { timestampType } = batch
  return {
    timestampType,
    get offset() {
      return cursor.offset
    },
    get timestampMs() {
      return cursor.timestampMs
    },
    get key() {
      return viewOf(cursor.bytes, cursor.keyStart, cursor.keyEnd)
    },
    get value() {
      return viewOf(cursor.bytes, cursor.valueStart, cursor.valueEnd)
    },
    get headers() {
      return cursor.headers()
    },
  }
}

/** No copy: a printer may ask several times, and the batch stays where it is until the next one is read. Null starts below 0. */
function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  return start < 0 ? null : bytes.subarray(start, end)
}
