/**
 * Checks the two kinds of file that Kafka keeps of transactions, by format-spec/transactions.md: transaction indexes against the abort
 * markers of the log, and producer snapshots by themselves, since compaction may have removed what they speak of. They are caches to a
 * reader: what is wrong with one is never damage. At most one finding is given for each file.
 */
import { LogqError } from '../errors.js'
import { PRODUCER_SNAPSHOT_SUFFIX, TRANSACTION_INDEX_SUFFIX, offsetsOf, segmentFileName } from '../log/file-names.js'
import { MAX_SNAPSHOT_BYTES } from '../log/kafka-transactions.js'
import { listSegments, logStartOffset, type ViewContext } from '../log/log-view.js'
import { producerSnapshotFault } from '../log/producer-snapshot.js'
import {
  TRANSACTION_INDEX_ENTRY_BYTES,
  TRANSACTION_INDEX_VERSION,
  decodeAbortedTransaction,
  type AbortedTransaction,
} from '../log/transaction-index.js'
import { TransactionWalk } from '../log/transaction-walk.js'
import type { ProducerId } from '../record/control-record.js'
import { readInt16 } from '../bytes/big-endian.js'
import { readSmallFile, readUpTo } from '../system/durable.js'
import type { FileSystem } from '../system/file-system.js'
import type { Finding } from './finding.js'
import { oddKind } from './odd-file.js'

/** Of so many producers it is known whether they have written since their last marker. */
const MAX_PRODUCERS = 200_000
const LOOK_AGAIN_MS = 50

/** Throws LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a system error. */
export async function checkTransactionFiles(context: ViewContext, signal?: AbortSignal): Promise<Finding[]> {
  const { clock } = context.system
  const findings = checkIndexes(context, signal)
  if (findings.length > 0) await clock.sleep(LOOK_AGAIN_MS, signal)
  // A broker appends a marker before its entry.
  const again = findings.length > 0 ? checkIndexes(context, signal) : []
  return [...again, ...checkSnapshots(context)]
}

/** What is wrong with one producer snapshot. */
export function checkSnapshot(fs: FileSystem, file: string): Finding | undefined {
  const odd = oddKind(fs, file)
  const fault = odd === undefined ? snapshotFault(fs, file) : `${odd} stands in place of the file`
  return fault === undefined ? undefined : { kind: 'cache', file, position: 0, message: fault }
}

function checkSnapshots({ system, directory }: ViewContext): Finding[] {
  return offsetsOf(system.fs.list(directory), PRODUCER_SNAPSHOT_SUFFIX).flatMap(
    (offset) => checkSnapshot(system.fs, `${directory}/${segmentFileName(offset, PRODUCER_SNAPSHOT_SUFFIX)}`) ?? [],
  )
}

function snapshotFault(fs: FileSystem, file: string): string | undefined {
  try {
    const bytes = readSmallFile(fs, file, MAX_SNAPSHOT_BYTES)
    return bytes === undefined ? undefined : producerSnapshotFault(bytes)
  } catch (error) {
    if (error instanceof LogqError) return error.message
    throw error
  }
}

function checkIndexes(context: ViewContext, signal: AbortSignal | undefined): Finding[] {
  const segments = listSegments(context)
  const walk = new TransactionWalk(context, logStartOffset(context, segments))
  const begun = new Map<ProducerId, number>()
  const findings: Finding[] = []
  let index: IndexInTurn | undefined
  const goOnTo = (offset: number) => {
    const base = segments.findLast((candidate) => candidate <= offset) ?? 0
    if (index?.base === base) return index
    // Indexes of segments without a marker have no entries either.
    for (const between of segments.filter((candidate) => candidate > (index?.base ?? -1) && candidate < base)) {
      findings.push(...(index?.finish() ?? []))
      index = new IndexInTurn(context, between)
    }
    findings.push(...(index?.finish() ?? []))
    index = new IndexInTurn(context, base)
    return index
  }
  try {
    for (let step = walk.next(); step !== undefined; step = walk.next()) {
      if (signal?.aborted === true) throw new LogqError('LOGQ_ABORTED', 'stopped while checking')
      const { producerId } = step
      if (step.kind === 'data') {
        if (begun.size < MAX_PRODUCERS && !begun.has(producerId)) begun.set(producerId, step.baseOffset)
        continue
      }
      const firstOffset = begun.get(producerId)
      begun.delete(producerId)
      if (!step.isCommit) goOnTo(step.offset).pass(producerId, firstOffset, step.offset)
    }
    // What cannot be read is named elsewhere; markers may be in it.
    if (walk.damage !== undefined) return []
    if (segments.length > 0) goOnTo(segments.at(-1) ?? 0)
    findings.push(...(index?.finish() ?? []))
    return findings
  } finally {
    walk.close()
    index?.close()
  }
}

const CHUNK_ENTRIES = 1024

/** The entries of one index, one after the other, beside the abort markers of its segment. */
class IndexInTurn {
  readonly #file: string
  readonly #fd: number | undefined
  #finding: Finding | undefined
  #entry = 0
  #chunk: Uint8Array = new Uint8Array(0)
  #chunkEntry = 0

  constructor(
    private readonly context: ViewContext,
    readonly base: number,
  ) {
    const { fs } = context.system
    this.#file = `${context.directory}/${segmentFileName(base, TRANSACTION_INDEX_SUFFIX)}`
    const odd = oddKind(fs, this.#file)
    if (odd !== undefined) this.#find(`${odd} stands in place of the transaction index`)
    this.#fd = odd === undefined && fs.pathStatus(this.#file) !== undefined ? fs.open(this.#file, 'read') : undefined
  }

  /** An abort marker; `firstOffset` is that of the first batch since the producer's last marker, when there is one. */
  pass(producerId: ProducerId, firstOffset: number | undefined, markerOffset: number): void {
    for (let entry = this.#present(); entry !== undefined && entry.lastOffset < markerOffset; entry = this.#present()) {
      this.#nameless(entry)
      this.#entry += 1
    }
    const entry = this.#present()
    const isIts = entry?.lastOffset === markerOffset
    if (isIts && entry.producerId !== producerId) this.#nameless(entry)
    if (isIts && firstOffset !== undefined && entry.firstOffset > firstOffset)
      this.#find(`the entry begins at offset ${entry.firstOffset}, behind the transaction's first record at ${firstOffset}`)
    if (!isIts && firstOffset !== undefined)
      this.#find(`the transaction of producer ${producerId} that was aborted at offset ${markerOffset} is missing`)
    if (isIts) this.#entry += 1
  }

  finish(): Finding[] {
    const entry = this.#present()
    if (entry !== undefined) this.#nameless(entry)
    this.close()
    return this.#finding === undefined ? [] : [this.#finding]
  }

  close(): void {
    if (this.#fd !== undefined && !this.#isClosed) this.context.system.fs.close(this.#fd)
    this.#isClosed = true
  }

  #isClosed = false

  #nameless({ producerId, lastOffset }: AbortedTransaction): void {
    this.#find(`the entry for offset ${lastOffset} names no marker that aborts a transaction of producer ${producerId}`)
  }

  #find(message: string): void {
    const position = this.#entry * TRANSACTION_INDEX_ENTRY_BYTES
    this.#finding ??= { kind: 'cache', file: this.#file, position, message }
  }

  /** The next entry; undefined at the end, and where no entry can be read, which is named. */
  #present(): AbortedTransaction | undefined {
    if (this.#fd === undefined || this.#isClosed) return undefined
    const { fs } = this.context.system
    const at = (this.#entry - this.#chunkEntry) * TRANSACTION_INDEX_ENTRY_BYTES
    if (at < 0 || at + TRANSACTION_INDEX_ENTRY_BYTES > this.#chunk.length) {
      this.#chunkEntry = this.#entry
      const position = this.#entry * TRANSACTION_INDEX_ENTRY_BYTES
      this.#chunk = readUpTo(fs, this.#fd, position, CHUNK_ENTRIES * TRANSACTION_INDEX_ENTRY_BYTES)
    }
    const start = (this.#entry - this.#chunkEntry) * TRANSACTION_INDEX_ENTRY_BYTES
    const left = this.#chunk.length - start
    if (left <= 0) return undefined
    const entry = decodeAbortedTransaction(this.#chunk, start)
    if (entry !== undefined) return entry
    this.#find(
      left < TRANSACTION_INDEX_ENTRY_BYTES
        ? 'the size is not a whole number of entries'
        : `version ${readInt16(this.#chunk, start)} of transaction indexes is not ${TRANSACTION_INDEX_VERSION}`,
    )
    return undefined
  }
}
