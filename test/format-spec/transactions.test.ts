import test from 'ava'
import { decodeAbortedTransaction, encodeAbortedTransaction } from '../../lib/log/transaction-index.js'
import {
  encodeProducerSnapshot,
  producerSnapshotFault,
  producerStates,
  type ProducerState,
} from '../../lib/log/producer-snapshot.js'
import { RecordBatch } from '../../lib/record/batch.js'
import { endMarkerOf } from '../../lib/record/control-record.js'
import { KafkaLog } from '../helpers/kafka-log.js'
import { hex } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

const [control, index, snapshot] = readWorkedExamples('transactions.md')
const bytesOf = (example: typeof control) => example?.bytes ?? new Uint8Array()
/** JSON has no integers beyond 2^53-1. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)))
const exact = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_, each: unknown) => (typeof each === 'string' ? BigInt(each) : each))

test('transactions.md: the control batch is the marker that the page says', (t) => {
  const batch = new RecordBatch(bytesOf(control))
  t.true(batch.crcMatches())
  t.deepEqual(plain({ producerId: batch.producerId, offset: batch.baseOffset, ...endMarkerOf(batch) }), control?.expected)
})

test('transactions.md: the bytes of the transaction index decode to what the page says, which encodes to them', (t) => {
  t.deepEqual(plain(decodeAbortedTransaction(bytesOf(index))), index?.expected)
  const entry = exact(index?.expected) as Parameters<typeof encodeAbortedTransaction>[0]
  t.is(hex(encodeAbortedTransaction(entry)), hex(bytesOf(index)))
  t.is(decodeAbortedTransaction(bytesOf(index).subarray(0, 33)), undefined)
})

test('transactions.md: the bytes of the producer snapshot decode to what the page says, which encodes to them', (t) => {
  t.is(producerSnapshotFault(bytesOf(snapshot)), undefined)
  t.deepEqual(plain([...producerStates(bytesOf(snapshot))]), snapshot?.expected)
  t.is(hex(encodeProducerSnapshot(exact(snapshot?.expected) as ProducerState[])), hex(bytesOf(snapshot)))
})

test('transactions.md: a producer snapshot with any byte changed, or cut, is refused', (t) => {
  const bytes = bytesOf(snapshot)
  for (let at = 0; at < bytes.length; at += 1) {
    t.not(producerSnapshotFault(bytes.map((byte, n) => (n === at ? byte ^ 1 : byte))), undefined)
    t.not(producerSnapshotFault(bytes.subarray(0, at)), undefined)
  }
})

test('transactions.md: the examples are from one log', (t) => {
  const log = new KafkaLog()
  log.plain('a')
  log.data(1000, ['k=b', 'c'])
  log.data(9_007_199_254_740_993n, ['k=d'])
  log.commit(1000)
  log.abort(9_007_199_254_740_993n)
  log.plain('e')
  log.data(1001, ['x'])
  log.roll()
  const files = log.files()
  t.true(hex(files.get('00000000000000000000.log') ?? new Uint8Array()).includes(hex(bytesOf(control))))
  t.is(hex(files.get('00000000000000000000.txnindex') ?? new Uint8Array()), hex(bytesOf(index)))
  t.is(hex(files.get('00000000000000000008.snapshot') ?? new Uint8Array()), hex(bytesOf(snapshot)))
})
