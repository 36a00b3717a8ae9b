/**
 * Prints slices of batches in the format that was chosen: in bulk where nothing but values and delimiters is wanted, record by record
 * otherwise, and as they are for --format batch.
 */
import { joinValues } from '../../lib/record/join-values.js'
import type { BatchSlice } from '../../lib/log/read-partition.js'
import type { RecordBatch } from '../../lib/record/batch.js'
import { SliceWalk, type Direction } from '../../lib/log/slice-walk.js'
import type { RecordPredicate } from '../../lib/record/record-predicate.js'
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
  /** -w: of the slices that are printed, only these records. */
  readonly matches?: RecordPredicate | undefined
  /** The clock that --time rel counts from. */
  readonly nowMs: () => number
  /** Told of a record that is too large for the format; the others are printed. */
  readonly onTooLarge: (error: LogqError) => Promise<void>
}

export class BatchPrinter {
  /** Records printed so far. */
  printedCount = 0
  readonly #records: RecordPrinter | undefined
  /** Values are printed as they are. */
  readonly #printsBytes: boolean
  /** And all of them. */
  readonly #isPlain: boolean
  readonly #delimiter: Uint8Array

  constructor(
    private readonly options: BatchPrinterOptions,
    private readonly output: OutputWriter,
  ) {
    const { format, delimiter = NEWLINE, keySeparator, nullText, raw, matches, nowMs } = options
    this.#delimiter = delimiter
    this.#printsBytes = format.kind === 'value' && keySeparator === undefined && (raw || !output.isTerminal)
    this.#isPlain = this.#printsBytes && matches === undefined
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

  /** The records of a slice that match. */
  async print(topic: string, slice: BatchSlice, direction: Direction = 'forwards'): Promise<void> {
    try {
      await this.#printSlice(topic, slice, direction)
    } catch (error) {
      slice.failed(error)
    }
  }

  async #printSlice(topic: string, slice: BatchSlice, direction: Direction): Promise<void> {
    const left = (this.options.limit ?? Infinity) - this.printedCount
    if (this.#records === undefined) this.printedCount += await this.#printBatch(slice)
    else if (this.#isPlain && direction === 'forwards' && slice.batch.recordCount <= left && !isOfLargeRecords(slice.batch)) {
      await this.#printValues(slice)
    } else await this.#printRecords(topic, slice, direction)
  }

  /** One record that is wanted, whatever -w says. */
  async printRecord(topic: string, partition: number, record: PrintedRecord): Promise<void> {
    const wait = this.#append(topic, partition, record)
    if (wait !== undefined) await wait
  }

  /** A promise where there is something to wait for. */
  #append(topic: string, partition: number, record: PrintedRecord): Promise<void> | undefined {
    const { value } = this.#printsBytes || this.#records?.printInParts !== undefined ? record : NO_VALUE
    const isLarge = value !== null && value.length >= LARGE_BYTES
    if (isLarge && this.#printsBytes) {
      this.printedCount += 1
      return this.output.writeThrough(value, this.#delimiter)
    }
    try {
      if (isLarge) return this.#writeParts(this.#records?.printInParts?.(topic, partition, record) ?? [])
      this.#records?.print(topic, partition, record, this.output.buffer)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
      return this.options.onTooLarge(error)
    }
    this.printedCount += 1
    return this.output.settle()
  }

  async #writeParts(parts: Iterable<Uint8Array>): Promise<void> {
    for (const part of parts) {
      const wait = this.output.write(part)
      if (wait !== undefined) await wait
    }
    this.printedCount += 1
  }

  async #printValues(slice: BatchSlice): Promise<void> {
    const { batch, fromOffset, toOffset } = slice
    const { nullText } = this.options
    try {
      this.printedCount += joinValues(batch, fromOffset, toOffset, this.#delimiter, nullText ?? NOTHING, this.output.buffer)
    } catch (error) {
      // What stands before the bad record was printed: this walk fails where that did.
      for (const walk = new SliceWalk(slice); walk.next();) this.printedCount += 1
      throw error
    }
    const wait = this.output.settle()
    if (wait !== undefined) await wait
  }

  async #printRecords(topic: string, slice: BatchSlice, direction: Direction): Promise<void> {
    const { matches } = this.options
    const { partition } = slice
    const walk = new SliceWalk(slice, direction)
    while (!this.isDone && walk.next()) {
      if (matches !== undefined && !matches(topic, partition, walk.record)) continue
      const wait = this.#append(topic, partition, walk.record)
      if (wait !== undefined) await wait
    }
  }

  /** A batch goes whole or not at all; the caller has refused ranges that do not begin and end at a batch. */
  async #printBatch({ batch }: BatchSlice): Promise<number> {
    const wait = batch.sizeBytes >= LARGE_BYTES ? this.output.writeThrough(batch.bytes) : this.output.write(batch.bytes)
    if (wait !== undefined) await wait
    return batch.recordCount
  }
}

/** From this size on, waiting for a write costs less memory than a copy, and hardly more time. */
const LARGE_BYTES = 4 << 20

function isOfLargeRecords({ sizeBytes, recordCount }: RecordBatch): boolean {
  return sizeBytes / recordCount >= LARGE_BYTES
}

const NO_VALUE = { value: null }
const NOTHING = new Uint8Array(0)
const NEWLINE = Uint8Array.of(0x0a)
