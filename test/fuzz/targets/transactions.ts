/** What Kafka keeps of transactions: its indexes of aborted ones, and its snapshots of producers. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { writeInt16, writeInt32 } from '../../../lib/bytes/big-endian.js'
import { crc32c } from '../../../lib/bytes/crc32c.js'
import { PRODUCER_SNAPSHOT_SUFFIX, TRANSACTION_INDEX_SUFFIX } from '../../../lib/log/file-names.js'
import { isIndexedAsAborted, newestSnapshot, openTransactions } from '../../../lib/log/kafka-transactions.js'
import type { ViewContext } from '../../../lib/log/log-view.js'
import {
  encodeProducerSnapshot,
  PRODUCER_SNAPSHOT_HEADER_BYTES,
  PRODUCER_SNAPSHOT_VERSION,
  PRODUCER_STATE_BYTES,
  producerSnapshotFault,
  producerStates,
} from '../../../lib/log/producer-snapshot.js'
import {
  decodeAbortedTransaction,
  encodeAbortedTransaction,
  TRANSACTION_INDEX_ENTRY_BYTES,
  TRANSACTION_INDEX_VERSION,
} from '../../../lib/log/transaction-index.js'
import { checkTransactionFiles } from '../../../lib/maintain/check-transactions.js'
import { createFakeSystem } from '../../helpers/fake-system.js'
import { createTiny, pathOf } from '../../log/tiny-log.js'
import { hex, type FuzzTarget } from '../target.js'

const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.nat(40).map(BigInt))

const someIndex = fc
  .array(fc.tuple(int64, int64, int64, int64), { maxLength: 5 })
  .map((entries) =>
    Buffer.concat(
      entries.map(([producerId, firstOffset, lastOffset, lastStableOffset]) =>
        encodeAbortedTransaction({ producerId, firstOffset, lastOffset, lastStableOffset }),
      ),
    ),
  )

const someSnapshot = fc.array(fc.tuple(int64, int64, int64, int64, fc.nat(9)), { maxLength: 4 }).map((producers) =>
  encodeProducerSnapshot(
    producers.map(([producerId, lastOffset, timestampMs, currentTxnFirstOffset, small]) => ({
      ...{ producerId, lastOffset, timestampMs, currentTxnFirstOffset },
      ...{ producerEpoch: small, lastSequence: small - 1, offsetDelta: small, coordinatorEpoch: small - 1 },
    })),
  ),
)

/** The same bytes as both kinds of file; as they are, and with version, count and checksum put right. */
export const transactions: FuzzTarget = {
  name: 'transactions',
  inputs: fc.oneof(someIndex, someSnapshot),
  async check(input) {
    for (const bytes of [input, mendedIndex(input)]) checkIndex(bytes)
    for (const bytes of [input, mendedSnapshot(input)]) checkSnapshot(bytes)
    const context = directoryOf(mendedIndex(input), mendedSnapshot(input))
    const [entry] = entriesOf(mendedIndex(input))
    if (entry !== undefined)
      for (const offset of [0, 5, Number.MAX_SAFE_INTEGER])
        assert.equal(
          isIndexedAsAborted(context, entry.producerId, offset),
          entriesOf(mendedIndex(input)).some(
            ({ producerId, firstOffset, lastOffset }) =>
              producerId === entry.producerId && firstOffset <= offset && lastOffset >= offset,
          ),
        )
    // The log is empty: an entry names no marker, and what is wrong with a cache is no damage.
    const findings = await checkTransactionFiles(context)
    for (const { kind } of findings) assert.equal(kind, 'cache')
    assert.equal(
      findings.length > 0,
      mendedIndex(input).length > 0 || producerSnapshotFault(mendedSnapshot(input)) !== undefined,
    )
  },
}

function checkIndex(bytes: Uint8Array): void {
  for (let at = 0; at <= bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) {
    const entry = decodeAbortedTransaction(bytes, at)
    if (entry !== undefined)
      assert.equal(hex(encodeAbortedTransaction(entry)), hex(bytes.subarray(at, at + TRANSACTION_INDEX_ENTRY_BYTES)))
  }
}

function entriesOf(bytes: Uint8Array) {
  return Array.from({ length: Math.floor(bytes.length / TRANSACTION_INDEX_ENTRY_BYTES) }, (_, n) =>
    decodeAbortedTransaction(bytes, n * TRANSACTION_INDEX_ENTRY_BYTES),
  ).filter((entry) => entry !== undefined)
}

function mendedIndex(input: Uint8Array): Uint8Array {
  const bytes = input.slice()
  for (let at = 0; at + 2 <= bytes.length; at += TRANSACTION_INDEX_ENTRY_BYTES) writeInt16(bytes, at, TRANSACTION_INDEX_VERSION)
  return bytes
}

function checkSnapshot(bytes: Uint8Array): void {
  const producers = [...producerStates(bytes)]
  if (producerSnapshotFault(bytes) !== undefined) return
  assert.equal(hex(encodeProducerSnapshot(producers)), hex(bytes))
  const snapshot = newestSnapshot(directoryOf(new Uint8Array(0), bytes), 0, 9)
  assert(snapshot !== undefined)
  const open = openTransactions(snapshot)
  for (const [n, [, offset]] of open.entries()) {
    assert(Number.isSafeInteger(offset) && offset >= (open[n - 1]?.[1] ?? 0), `a transaction that begins at ${offset}`)
  }
}

function mendedSnapshot(input: Uint8Array): Uint8Array {
  const count = Math.floor((input.length - PRODUCER_SNAPSHOT_HEADER_BYTES) / PRODUCER_STATE_BYTES)
  if (count < 0) return input
  const bytes = input.slice(0, PRODUCER_SNAPSHOT_HEADER_BYTES + count * PRODUCER_STATE_BYTES)
  writeInt16(bytes, 0, PRODUCER_SNAPSHOT_VERSION)
  writeInt32(bytes, 6, count)
  writeInt32(bytes, 2, crc32c(bytes, 6))
  return bytes
}

/** A partition with an empty log and these two beside it. */
function directoryOf(index: Uint8Array, snapshot: Uint8Array): ViewContext {
  const context = createTiny(createFakeSystem())
  const { fs } = context.system
  for (const [suffix, bytes] of [
    [TRANSACTION_INDEX_SUFFIX, index],
    [PRODUCER_SNAPSHOT_SUFFIX, snapshot],
  ] as const) {
    const fd = fs.open(pathOf(0, suffix), 'create')
    fs.write(fd, bytes, 0, bytes.length, 0)
    fs.close(fd)
  }
  return context
}
