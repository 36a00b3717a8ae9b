/**
 * The files of a partition as Kafka writes them, with transactions: batches of producers, the markers that end transactions, and beside
 * each segment its transaction index and producer snapshot. In memory; who uses it puts the files where it needs them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeInt16, writeInt32, writeInt64 } from '../../lib/bytes/big-endian.js'
import {
  LEADER_EPOCH_CHECKPOINT_FILE,
  LOG_SUFFIX,
  PRODUCER_SNAPSHOT_SUFFIX,
  TRANSACTION_INDEX_SUFFIX,
  segmentFileName,
} from '../../lib/log/file-names.js'
import { encodeProducerSnapshot, type ProducerState } from '../../lib/log/producer-snapshot.js'
import { encodeAbortedTransaction } from '../../lib/log/transaction-index.js'
import {
  ATTRIBUTES_POSITION,
  BASE_SEQUENCE_POSITION,
  BATCH_HEADER_BYTES,
  CONTROL_FLAG,
  LAST_OFFSET_DELTA_POSITION,
  LENGTH_COUNTS_FROM,
  LENGTH_POSITION,
  PRODUCER_EPOCH_POSITION,
  PRODUCER_ID_POSITION,
  RECORD_COUNT_POSITION,
  TRANSACTIONAL_FLAG,
} from '../../lib/record/batch-layout.js'
import { BatchBuilder, type RecordToAppend } from '../../lib/record/batch-builder.js'
import { stampBatch, writeCrc } from '../../lib/record/batch.js'
import { ABORT_TYPE, COMMIT_TYPE, type ProducerId } from '../../lib/record/control-record.js'

export const KAFKA_START_MS = 1_795_132_800_000

interface Segment {
  readonly baseOffset: number
  readonly log: Uint8Array[]
  readonly aborted: Uint8Array[]
  readonly snapshot: Uint8Array | undefined
}

interface Written {
  readonly baseOffset: number
  readonly position: number
}

export class KafkaLog {
  readonly #segments: Segment[] = []
  readonly #producers = new Map<ProducerId, ProducerState>()
  nextOffset: number
  /** Of the log as it is: without a gap that nothing follows. */
  endOffset = 0

  constructor(readonly baseOffset = 0) {
    this.nextOffset = baseOffset
    this.roll()
  }

  /** A batch of records without a producer. */
  plain(...values: readonly string[]): Written {
    return this.#append(batchOf(values.map(recordOf)))
  }

  /** A batch of a transaction. A value `key=value` has a key. */
  data(producerId: ProducerId, values: readonly string[], epoch = 0): Written {
    const known = this.#producers.get(producerId) ?? newState(producerId, epoch)
    const sequence = known.lastSequence + 1
    const bytes = batchOf(values.map(recordOf))
    stampProducer(bytes, producerId, epoch, sequence, TRANSACTIONAL_FLAG)
    const written = this.#append(bytes)
    this.#producers.set(producerId, {
      ...known,
      producerEpoch: epoch,
      lastSequence: sequence + values.length - 1,
      lastOffset: this.nextOffset - 1,
      offsetDelta: values.length - 1,
      timestampMs: KAFKA_START_MS + written.baseOffset,
      currentTxnFirstOffset: known.currentTxnFirstOffset === -1 ? written.baseOffset : known.currentTxnFirstOffset,
    })
    return written
  }

  commit(producerId: ProducerId, epoch = 0): Written {
    return this.#end(producerId, COMMIT_TYPE, epoch)
  }

  abort(producerId: ProducerId, epoch = 0): Written {
    return this.#end(producerId, ABORT_TYPE, epoch)
  }

  /** What the cleaner leaves of a marker whose transaction it has removed: a control batch without its record. */
  emptyControl(producerId: ProducerId): Written {
    const bytes = controlBatch(producerId, COMMIT_TYPE, 0, 0).subarray(0, BATCH_HEADER_BYTES)
    writeInt32(bytes, LENGTH_POSITION, bytes.length - LENGTH_COUNTS_FROM)
    writeInt32(bytes, RECORD_COUNT_POSITION, 0)
    return this.#append(bytes)
  }

  /** Offsets that compaction has removed. */
  gap(count: number): void {
    this.nextOffset += count
  }

  /** Begins another segment; Kafka takes a snapshot of the producers then. */
  roll(): void {
    if (this.#segments.at(-1)?.log.length === 0) return
    const isFirst = this.#segments.length === 0
    const snapshot = isFirst ? undefined : encodeProducerSnapshot([...this.#producers.values()])
    this.#segments.push({ baseOffset: this.nextOffset, log: [], aborted: [], snapshot })
    this.endOffset = this.nextOffset
  }

  /** By name. */
  files(): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>()
    for (const { baseOffset, log, aborted, snapshot } of this.#segments) {
      files.set(segmentFileName(baseOffset, LOG_SUFFIX), Buffer.concat(log))
      if (aborted.length > 0) files.set(segmentFileName(baseOffset, TRANSACTION_INDEX_SUFFIX), Buffer.concat(aborted))
      if (snapshot !== undefined) files.set(segmentFileName(baseOffset, PRODUCER_SNAPSHOT_SUFFIX), snapshot)
    }
    return files
  }

  /** Puts the files into a directory of that name. */
  writeTo(logDirectory: string, partition: string): void {
    const directory = join(logDirectory, partition)
    mkdirSync(directory, { recursive: true })
    for (const [name, bytes] of this.files()) writeFileSync(join(directory, name), bytes)
    writeFileSync(join(directory, LEADER_EPOCH_CHECKPOINT_FILE), `0\n1\n0 ${this.baseOffset}\n`)
  }

  #end(producerId: ProducerId, type: number, epoch: number): Written {
    const known = this.#producers.get(producerId) ?? newState(producerId, epoch)
    const written = this.#append(controlBatch(producerId, type, epoch, KAFKA_START_MS + this.nextOffset))
    const firstOffset = known.currentTxnFirstOffset
    const isOpen = (state: ProducerState) => state.producerId !== producerId && state.currentTxnFirstOffset !== -1
    const others = [...this.#producers.values()].filter(isOpen).map((state) => Number(state.currentTxnFirstOffset))
    if (type === ABORT_TYPE && firstOffset !== -1) {
      const lastStableOffset = others.length === 0 ? this.nextOffset : Math.min(...others)
      const entry = encodeAbortedTransaction({ producerId, firstOffset, lastOffset: written.baseOffset, lastStableOffset })
      this.#segments.at(-1)?.aborted.push(entry)
    }
    const timestampMs = KAFKA_START_MS + written.baseOffset
    const ended = { producerEpoch: epoch, timestampMs, coordinatorEpoch: 0, currentTxnFirstOffset: -1 }
    this.#producers.set(producerId, { ...known, ...ended })
    return written
  }

  #append(bytes: Uint8Array): Written {
    const { nextOffset: baseOffset } = this
    stampBatch(bytes, baseOffset, 0)
    const segment = this.#segments.at(-1)
    const position = segment?.log.reduce((sum, batch) => sum + batch.length, 0) ?? 0
    writeCrc(bytes)
    segment?.log.push(bytes)
    this.nextOffset += new DataView(bytes.buffer, bytes.byteOffset).getInt32(LAST_OFFSET_DELTA_POSITION) + 1
    this.endOffset = this.nextOffset
    return { baseOffset, position }
  }
}

function newState(producerId: ProducerId, producerEpoch: number): ProducerState {
  const none = { lastSequence: -1, lastOffset: -1, offsetDelta: 0, timestampMs: -1, coordinatorEpoch: -1 }
  return { producerId, producerEpoch, ...none, currentTxnFirstOffset: -1 }
}

function recordOf(text: string): RecordToAppend {
  const at = text.indexOf('=')
  const key = at < 0 ? null : Buffer.from(text.slice(0, at))
  return { key, value: Buffer.from(text.slice(at + 1)), timestampMs: KAFKA_START_MS }
}

function batchOf(records: readonly RecordToAppend[]): Uint8Array {
  const builder = new BatchBuilder({ codec: 'none' })
  for (const record of records) builder.append(record)
  return builder.seal().bytes.slice()
}

function controlBatch(producerId: ProducerId, type: number, epoch: number, timestampMs: number): Uint8Array {
  const key = new Uint8Array(4)
  writeInt16(key, 2, type)
  const bytes = batchOf([{ key, value: new Uint8Array(6), timestampMs }])
  stampProducer(bytes, producerId, epoch, -1, TRANSACTIONAL_FLAG | CONTROL_FLAG)
  return bytes
}

function stampProducer(bytes: Uint8Array, producerId: ProducerId, epoch: number, sequence: number, flags: number): void {
  writeInt16(bytes, ATTRIBUTES_POSITION, flags)
  writeInt64(bytes, PRODUCER_ID_POSITION, producerId)
  writeInt16(bytes, PRODUCER_EPOCH_POSITION, epoch)
  writeInt32(bytes, BASE_SEQUENCE_POSITION, sequence)
}

/** Shell commands that put the files into a directory, which they make. */
export function kafkaScript(log: KafkaLog, directory: string): string {
  const put = [...log.files()].map(
    ([name, bytes]) => `echo ${Buffer.from(bytes).toString('base64')} | base64 -d > ${directory}/${name}`,
  )
  return [`mkdir -p ${directory}`, ...put].join('\n')
}
