/** The partition of a key: Kafka's Java producer decides, and logq must agree. The table is also a vector for `npm test`. */
import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check, checkSame } from './checks.mjs'
import { linesOf, logq, produceJson, root } from './logq.mjs'

export const partitionCounts = [1, 2, 3, 5, 7, 12, 16, 50, 100, 1000]

/** Keys as base64: none, each length up to 64, so that murmur2 ends in each way; long, non-ASCII and binary ones. */
export function keyTable() {
  const text = 'The quick brown fox jumps over the lazy dog, again and again, 64.'
  const bytes = (length, of) => Buffer.from(Array.from({ length }, (_, n) => of(n)))
  const keys = [
    ...Array.from({ length: 65 }, (_, length) => Buffer.from(text.slice(0, length))),
    ...Array.from({ length: 65 }, (_, length) => bytes(length, (n) => 255 - ((n * 37 + length) & 127))),
    ...[
      'user-1',
      'user-2',
      '21',
      'foobar',
      'grüße',
      '日本語',
      'Ω≈ç√∫',
      '😀',
      'e\u0301',
      'a\u0000b',
      '\n',
      ' ',
      '\ufeffbom',
    ].map((key) => Buffer.from(key)),
    ...[0, 1, 127, 128, 255].map((byte) => Buffer.from([byte])),
    ...[1000, 1001, 1002, 1003, 4000].map((length) => bytes(length, (n) => (n * 31 + length) & 255)),
  ]
  return [...new Set(keys.map((key) => key.toString('base64')))]
}

/** What `npm test` compares with: the counts, and of each key the partition for each of them. */
export async function keyVectors(judge) {
  const keys = keyTable()
  const partitions = await judge.ask('partitionsOf', { keys, counts: partitionCounts })
  const rows = keys.map((key, n) => `    ${JSON.stringify([key, partitions[n]])}`)
  return `{\n  "counts": ${JSON.stringify(partitionCounts)},\n  "keys": [\n${rows.join(',\n')}\n  ]\n}\n`
}

/** A broker runs, and the judge is connected to it. */
export async function checkKeys(judge, work) {
  const store = join(work, 'keys')
  const keys = keyTable()
  const wanted = await judge.ask('partitionsOf', { keys, counts: partitionCounts })
  const vectors = readFileSync(join(root, 'test/fixtures/kafka/keys.json'), 'utf8')
  check('test/fixtures/kafka/keys.json is what Kafka says', vectors === (await keyVectors(judge)))

  const words = keys.map((key) => Buffer.from(key, 'base64')).filter((key) => isUtf8(key) && !key.includes(0))
  const rowOf = new Map(keys.map((key, n) => [key, wanted[n]]))
  for (const [n, count] of partitionCounts.entries()) {
    const found = linesOf(logq(store, ['partition-of', 'none', '--partitions', String(count), '--', ...words.map(String)]))
    const expected = words.map((key) => String(rowOf.get(key.toString('base64'))[n]))
    checkSame(`partition-of gives Kafka's partition of ${words.length} keys among ${count}`, found, expected)
  }

  logq(store, ['topic', 'create', 'keys', '--partitions', '12'])
  produceJson(
    store,
    'keys',
    keys.map((key, n) => ({ key, keyEncoding: 'base64', value: String(n) })),
  )
  const got = linesOf(logq(store, ['cat', '-F', '%v %p\\n', 'keys'])).map((line) => line.split(' '))
  got.sort(([a], [b]) => Number(a) - Number(b))
  checkSame(
    `produce puts ${keys.length} keys where Kafka's partitioner does`,
    got.map(([, partition]) => partition),
    wanted.map((row) => String(row[partitionCounts.indexOf(12)])),
  )

  const at = partitionCounts.indexOf(12)
  await judge.ask('createTopic', { topic: 'keys', partitions: 12, config: {} })
  await judge.ask('open', { producer: 'keys', settings: {} })
  const sent = await judge.ask('produce', {
    producer: 'keys',
    topic: 'keys',
    records: keys.map((key) => ({ key, value: null })),
  })
  await judge.ask('close', { producer: 'keys' })
  checkSame(
    "and where Kafka's producer sends them",
    sent.map(([partition]) => String(partition)),
    wanted.map((row) => String(row[at])),
  )
}
