/**
 * What `produce` does with one input: items become records, bad items are named by file and line, and batches are appended when
 * they are full or the input pauses.
 */
import { LogqError, isLogqError } from '../../lib/errors.js'
import { MAX_TEXT_BYTES } from '../../lib/record/expression.js'
import { tooLarge, type RecordTaker } from '../../lib/produce/producer.js'
import type { RecordInput } from '../../lib/record/record.js'
import type { InputStream } from '../../lib/system/streams.js'
import type { Io } from '../io.js'
import { parseJsonRecord } from '../print/json-parse.js'
import type { ParsedRecord } from '../print/parsed-record.js'
import { ingestBatches } from './batches.js'
import { ChunkedInput } from './chunked-input.js'
import { withFieldsFromValue } from './from-value.js'
import type { IngestOptions } from './ingest-options.js'
import { ItemSplitter } from './items.js'
import { readWhole } from './whole-file.js'
import type { RecordSource, SourceItem } from './record-source.js'

/** A record as text can be longer than the record: JSON writes a byte as up to 6 characters, and fields beside the value. */
const TEXT_FACTOR = 6
const TEXT_EXTRA_BYTES = 1 << 16

function textLimitBytes(recordLimitBytes: number): number {
  return TEXT_FACTOR * recordLimitBytes + TEXT_EXTRA_BYTES
}

/** Thrown for --on-bad stop, after the bad item was named. */
export class StopAtBadItem extends Error {}

/** Reads one input to its end, or until the signal. Throws InputFailure, StopAtBadItem, and what appending throws. */
export async function ingest(stream: InputStream, producer: RecordTaker, options: IngestOptions, io: Io): Promise<void> {
  const { clock } = io.system
  const input = new ChunkedInput(stream, (ms, signal) => clock.sleep(ms, signal), io.signal)
  options.progress.begin(stream.name)
  if (options.format.kind === 'batch') {
    await ingestBatches(input, stream.name, producer, options)
    return
  }
  const ingestion = new Ingestion(producer, options, io)
  if (options.format.kind === 'source') {
    const { pace, recordLimitBytes } = options
    const warn = (message: string, hint?: string) => io.warn(message, hint)
    const source = await options.format.open({ input, name: stream.name, pace, recordLimitBytes, warn })
    await ingestion.source(source, stream.name)
    return
  }
  if (options.whole) {
    await ingestion.whole(stream, input)
    return
  }
  const isPlain = options.format.kind === 'value' && options.keySeparator === undefined && options.nullText === undefined
  const hasNoExtras = options.key === undefined && options.headers.length === 0 && options.fromValue === undefined
  if (options.rate === undefined && isPlain && hasNoExtras && producer.takesLines) await ingestion.lines(input)
  else await ingestion.items(input)
}

class Ingestion {
  constructor(
    private readonly producer: RecordTaker,
    private readonly options: IngestOptions,
    private readonly io: Io,
  ) {}

  /** The fast path: values without key and headers go from the input's window into batches in bulk. */
  async lines(input: ChunkedInput): Promise<void> {
    const { producer, options, io } = this
    const { pace, progress } = options
    const splitter = new ItemSplitter(input, options.delimiter, options.recordLimitBytes, pace)
    for (;;) {
      while (input.start < input.end) {
        const timestampMs = options.timestampMs ?? io.system.clock.nowMs()
        const taken = producer.addLines(
          input.buffer,
          input.start,
          input.end,
          options.delimiter,
          timestampMs,
          progress.itemCount + 1,
        )
        progress.itemCount += taken.recordCount
        if (taken.recordCount > 0) pace.noteTaken()
        options.acknowledgements?.take(producer.lastPartition, taken.recordCount)
        input.start = taken.position
        if (taken.stopped !== 'batch-full') break
        await producer.flushFull()
      }
      // What is left is a partial line, a last line without delimiter, or a line that is too large: the splitter's business.
      if (!(await this.one(splitter))) return
    }
  }

  /** The general path, an item at a time. */
  async items(input: ChunkedInput): Promise<void> {
    const { format, delimiter } = this.options
    const ends = (format.kind === 'template' ? format.template.delimiter : undefined) ?? delimiter
    const limitBytes = () => Math.min(textLimitBytes(this.options.recordLimitBytes()), MAX_TEXT_BYTES)
    const splitter = new ItemSplitter(
      input,
      ends,
      format.kind === 'value' ? this.options.recordLimitBytes : limitBytes,
      this.options.pace,
    )
    while (await this.one(splitter)) {
      // One item after the other. After a signal those that were read already are taken, then the splitter has no more.
    }
  }

  /** One record. */
  async whole(stream: InputStream, input: ChunkedInput): Promise<void> {
    const { pace, progress, recordLimitBytes } = this.options
    const read = await readWhole(stream, input, pace, recordLimitBytes())
    if (read === undefined || !(await this.mayTake())) return
    await this.take(
      () => this.toRecord(read()),
      () => progress.label(progress.itemCount),
    )
  }

  /** Items that find their own ends, and know on which line they begin. */
  async source(source: RecordSource, name: string): Promise<void> {
    for (;;) {
      const item = await this.nextOf(source, name)
      if (item === undefined || !(await this.mayTake())) return
      await this.take(
        () => this.complete(this.addFromValue(item.read())),
        () => `${name}: line ${item.line}`,
      )
    }
  }

  /** An input that is not what it was said to be is named, and the others are unaffected. */
  private async nextOf(source: RecordSource, name: string): Promise<SourceItem | undefined> {
    try {
      return await source.next()
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_INVALID_RECORD')) throw error
      await this.io.failItem(`${name}: ${error.message}`, error.hint)
      if (this.options.onBad === 'stop') throw new StopAtBadItem()
      return undefined
    }
  }

  /** False at the end of the input. */
  private async one(splitter: ItemSplitter): Promise<boolean> {
    const item = await splitter.next()
    if (item === undefined || !(await this.mayTake())) return false
    const { format, progress, recordLimitBytes } = this.options
    await this.take(
      () => {
        if (item.kind === 'too-large') throw tooLargeItem(item.sizeBytes, recordLimitBytes(), format.kind === 'value')
        return this.toRecord(item.bytes)
      },
      () => progress.label(progress.itemCount),
    )
    return true
  }

  /** Waits for its turn, with --rate. False when a signal came instead. */
  private async mayTake(): Promise<boolean> {
    const { rate, pace } = this.options
    return rate === undefined || (await rate.admit(pace))
  }

  /** One item: `read` makes a record of it, or throws; `label` says where it is. */
  private async take(read: () => ParsedRecord, label: () => string): Promise<void> {
    const { options, producer } = this
    const { progress } = options
    progress.itemCount += 1
    try {
      const { record, partition } = read()
      const wait = producer.add(record, progress.itemCount, options.keepPartition ? partition : undefined)
      if (wait !== undefined) await wait
      options.pace.noteTaken()
      options.acknowledgements?.take(producer.lastPartition, 1)
    } catch (error) {
      if (!isBadItem(error)) throw error
      progress.badCount += 1
      await this.io.failItem(`${label()}: ${error.message}`, error.hint)
      if (options.onBad === 'stop') throw new StopAtBadItem()
    }
  }

  private toRecord(bytes: Buffer): ParsedRecord {
    const { format, options } = { format: this.options.format, options: this.options }
    switch (format.kind) {
      case 'json':
        return this.complete(this.addFromValue(parseJsonRecord(bytes)))
      case 'template':
        return this.complete(format.template.parse(bytes, options.nullText))
      case 'value':
      case 'batch':
      case 'source':
        return this.complete(this.addFromValue({ record: this.valueRecord(bytes), partition: undefined }))
    }
  }

  private addFromValue(parsed: ParsedRecord): ParsedRecord {
    const { fromValue } = this.options
    return fromValue === undefined ? parsed : { ...parsed, record: withFieldsFromValue(parsed.record, fromValue) }
  }

  private valueRecord(bytes: Buffer): RecordInput {
    const { keySeparator, nullText } = this.options
    const orNull = (text: Buffer) => (nullText !== undefined && text.equals(nullText) ? null : text)
    if (keySeparator === undefined) return { value: orNull(bytes) }
    const at = bytes.indexOf(keySeparator)
    if (at === -1) {
      throw new LogqError('LOGQ_INVALID_RECORD', `no key separator '${Buffer.from(keySeparator).toString()}' is in it`)
    }
    return { key: orNull(bytes.subarray(0, at)), value: orNull(bytes.subarray(at + keySeparator.length)) }
  }

  /** Adds what the options give to every record; what the item itself says wins. */
  private complete({ record, partition }: ParsedRecord): ParsedRecord {
    const { key, headers, timestampMs } = this.options
    const withKey = key === undefined || record.key !== undefined ? {} : { key }
    const withHeaders = headers.length === 0 ? {} : { headers: [...(record.headers ?? []), ...headers] }
    const withTimestamp = timestampMs === undefined || record.timestampMs !== undefined ? {} : { timestampMs }
    return { record: { ...record, ...withKey, ...withHeaders, ...withTimestamp }, partition }
  }
}

/** Strings end at 512 MiB, so that a topic may take records that text cannot hold. */
function tooLargeItem(sizeBytes: number, recordLimitBytes: number, isValue: boolean): LogqError {
  if (isValue || textLimitBytes(recordLimitBytes) <= MAX_TEXT_BYTES) return tooLarge(sizeBytes, recordLimitBytes)
  return new LogqError('LOGQ_RECORD_TOO_LARGE', `${sizeBytes} bytes of text are above 256 MiB`, {
    hint: 'larger records are taken in the value and batch formats only',
  })
}

function isBadItem(error: unknown): error is LogqError {
  return (
    isLogqError(error, 'LOGQ_INVALID_RECORD') ||
    isLogqError(error, 'LOGQ_RECORD_TOO_LARGE') ||
    isLogqError(error, 'LOGQ_UNKNOWN_PARTITION')
  )
}
