/** The files that Kafka keeps of transactions: checked against the log, where a broker is fine and where something is wrong. */
import test from 'ava'
import type { ViewContext } from '../../lib/log/log-view.js'
import { checkTransactionFiles } from '../../lib/maintain/check-transactions.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { KafkaLog } from '../helpers/kafka-log.js'

const DIRECTORY = '/kafka/t-0'
const FIRST = '00000000000000000000.txnindex'

function someLog(): KafkaLog {
  const log = new KafkaLog()
  log.data(1, ['a'])
  log.abort(1)
  log.data(2, ['b'])
  log.data(1, ['c', 'd'])
  log.abort(2)
  log.commit(1)
  log.emptyControl(9)
  log.abort(9)
  log.data(3, ['e'])
  log.roll()
  log.data(3, ['f'])
  log.abort(3)
  log.roll()
  log.data(4, ['g'])
  return log
}

function put(files: ReadonlyMap<string, Uint8Array>): ViewContext {
  const system = createFakeSystem()
  system.fs.makeDirectory('/kafka', 0o700)
  system.fs.makeDirectory(DIRECTORY, 0o700)
  for (const [name, bytes] of files) {
    const fd = system.fs.open(`${DIRECTORY}/${name}`, 'create', 0o600)
    system.fs.write(fd, bytes, 0, bytes.length, 0)
    system.fs.close(fd)
  }
  return { system, directory: DIRECTORY, topic: 't', partition: 0, mayHaveOpenTransactions: true }
}

async function findingsIn(files: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
  const findings = await checkTransactionFiles(put(files))
  return findings.map(
    ({ kind, file, position, message }) => `${kind} ${file.slice(DIRECTORY.length + 1)} ${position}: ${message}`,
  )
}

function changed(name: string, change: (bytes: Buffer) => Uint8Array | undefined): Map<string, Uint8Array> {
  const files = someLog().files()
  const bytes = change(Buffer.from(files.get(name) ?? new Uint8Array(0)))
  if (bytes === undefined) files.delete(name)
  else files.set(name, bytes)
  return files
}

test('nothing is found where Kafka is fine', async (t) => {
  t.deepEqual(await findingsIn(someLog().files()), [])
  t.deepEqual(await findingsIn(new KafkaLog().files()), [])
})

test('nor where the first segments were retained away, with the beginning of a transaction', async (t) => {
  const files = someLog().files()
  for (const name of files.keys()) if (name.startsWith('00000000000000000000')) files.delete(name)
  t.deepEqual(await findingsIn(files), [])
})

test('an index that lacks an aborted transaction is named, and so is one that is missing', async (t) => {
  const missing = `cache ${FIRST} 34: the transaction of producer 2 that was aborted at offset 5 is missing`
  t.deepEqual(await findingsIn(changed(FIRST, (bytes) => bytes.subarray(0, 34))), [missing])
  const gone = `cache ${FIRST} 0: the transaction of producer 1 that was aborted at offset 1 is missing`
  t.deepEqual(await findingsIn(changed(FIRST, () => undefined)), [gone])
})

test('entries that name no marker, of another producer, in another order, or of another version are named', async (t) => {
  const at = (position: number, value: number) => (bytes: Buffer) => {
    bytes[position] = value
    return bytes
  }
  const nameless = (offset: number, producer: number) =>
    `the entry for offset ${offset} names no marker that aborts a transaction of producer ${producer}`
  t.deepEqual(await findingsIn(changed(FIRST, at(9, 7))), [`cache ${FIRST} 0: ${nameless(1, 7)}`])
  t.deepEqual(await findingsIn(changed(FIRST, at(25, 0))), [`cache ${FIRST} 0: ${nameless(0, 1)}`])
  const swapped = (bytes: Buffer) => Buffer.concat([bytes.subarray(34), bytes.subarray(0, 34)])
  t.is((await findingsIn(changed(FIRST, swapped))).length, 1)
  t.regex((await findingsIn(changed(FIRST, at(1, 3))))[0] ?? '', /version 3 of transaction indexes is not 0/)
  const behind = /the entry begins at offset 4, behind the transaction's first record at 2/
  t.regex((await findingsIn(changed(FIRST, at(34 + 17, 4))))[0] ?? '', behind)
  const longer = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(5)])
  t.regex((await findingsIn(changed(FIRST, longer)))[0] ?? '', /68: the size is not a whole number of entries/)
  const invented = '00000000000000000012.txnindex'
  const first = someLog().files().get(FIRST) ?? new Uint8Array(0)
  t.deepEqual(await findingsIn(someLog().files().set(invented, first)), [`cache ${invented} 0: ${nameless(1, 1)}`])
})

test('a producer snapshot that does not hold is named', async (t) => {
  const name = [...someLog().files().keys()].find((one) => one.endsWith('.snapshot')) ?? ''
  const flipped = await findingsIn(changed(name, (bytes) => bytes.map((byte, n) => (n === 20 ? byte ^ 1 : byte))))
  t.deepEqual(flipped, [`cache ${name} 0: the CRC of the producer snapshot does not match`])
  t.is((await findingsIn(changed(name, (bytes) => bytes.subarray(0, 5)))).length, 1)
})
