/** What a broker is given to write: a topic for each thing that its files can hold. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './checks.mjs'
import { codecs, segmentsOf } from './logq.mjs'
import { asKafka, baseTimestampMs, randomRecords } from './records.mjs'

/** Rolls early. Kafka refuses a segment.bytes below 1 MiB; its own tests set this name, and so do these. */
const smallSegments = { 'internal.segment.bytes': 6000, 'index.interval.bytes': 300 }
const compacting = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.001', 'segment.ms': 1_000_000_000_000 }
const longTransaction = { 'transaction.timeout.ms': 900_000 }
const plain = 'plain'

/** Every codec, with headers, nulls, and a batch now and then; one producer of each codec, all of them idempotent. */
export async function writeCodecTopics(judge) {
  for (const [n, codec] of codecs.entries()) {
    const topic = `codec-${codec}`
    await judge.ask('createTopic', {
      topic,
      partitions: 2,
      config: { ...smallSegments, 'segment.ms': 86_400_000, 'retention.ms': -1 },
    })
    await judge.ask('open', { producer: topic, settings: { 'compression.type': codec } })
    const records = randomRecords({ seed: 50 + n, count: 800 }).map((record, at) => asKafka(record, Number(at % 10 === 0)))
    await judge.ask('produce', { producer: topic, topic, records, perBatch: 17 })
    await judge.ask('close', { producer: topic })
  }
}

/** Times that the broker gives. */
export async function writeAppendTime(judge, count) {
  await writePlain(judge, 'append-time', 1, { ...smallSegments, 'message.timestamp.type': 'LogAppendTime' }, count)
}

/** Preallocated files; many partitions; a log start offset that was moved; nothing. */
export async function writePlainTopics(judge) {
  await writePlain(judge, 'preallocated', 1, { ...smallSegments, preallocate: 'true' }, 300)
  await writePlain(judge, 'many', 40, {}, 400)
  await writePlain(judge, 'trimmed', 1, smallSegments, 250)
  await judge.ask('deleteRecords', { topic: 'trimmed', partition: 0, offset: 123 })
  await judge.ask('createTopic', { topic: 'empty', partitions: 1, config: {} })
}

async function writePlain(judge, topic, partitions, config, count) {
  await judge.ask('createTopic', { topic, partitions, config: { 'retention.ms': -1, ...config } })
  await judge.ask('open', { producer: plain, settings: { 'compression.type': 'lz4' } })
  const records = randomRecords({ seed: 60 + count, count }).map((record, n) => asKafka(record, n % partitions))
  await judge.ask('produce', { producer: plain, topic, records, perBatch: 10 })
  await judge.ask('close', { producer: plain })
}

/**
 * Transactions of three producers that lie in one another, over rolls: committed, aborted, and in the end one that is open, with
 * committed, aborted and plain records after its first.
 */
export async function writeTransactions(judge, topic, rounds = 6) {
  await judge.ask('createTopic', {
    topic,
    partitions: 1,
    config: { ...smallSegments, 'internal.segment.bytes': 3000, 'retention.ms': -1 },
  })
  const names = ['a', 'b', 'c'].map((name) => `${topic}-${name}`)
  const [a, b, c] = names
  for (const name of names)
    await judge.ask('open', { producer: name, settings: { 'transactional.id': name, ...longTransaction } })
  await judge.ask('open', { producer: plain, settings: {} })
  let sent = 0
  const produce = (producer, count) => {
    const records = Array.from({ length: count }, () => {
      sent += 1
      const text = `${sent} of ${producer} ${'.'.repeat((sent * 37) % 90)}`
      return asKafka({ key: `k${sent % 7}`, value: text, timestamp: baseTimestampMs + sent })
    })
    return judge.ask('produce', { producer, topic, records, perBatch: 4 })
  }
  const begin = (producer) => judge.ask('begin', { producer })
  await produce(plain, 2)
  for (let round = 0; round < rounds; round += 1) {
    await begin(a)
    await produce(a, 5)
    await begin(b)
    await produce(b, 6)
    await produce(plain, 1)
    await judge.ask(round % 2 === 0 ? 'abort' : 'commit', { producer: a })
    await begin(c)
    await produce(c, 3)
    await produce(b, 2)
    await judge.ask(round % 3 === 0 ? 'commit' : 'abort', { producer: b })
    await produce(c, 9)
    await judge.ask(round % 3 === 2 ? 'commit' : 'abort', { producer: c })
  }
  await begin(b)
  await produce(b, 3) // stays open
  await begin(a)
  await produce(a, 3)
  await judge.ask('abort', { producer: a })
  await begin(c)
  await produce(c, 3)
  await judge.ask('commit', { producer: c })
  await produce(plain, 2)
  await judge.ask('close', { producer: plain })
}

/**
 * Topics that the cleaner has been through: `compacted` keeps its tombstones, with a delete horizon in their batches; `expired` has lost
 * them, in a second pass; `compacted-transactions` has lost what was aborted. Ends when the cleaner is done. Returns below which offset
 * `expired` has no tombstones; and what went into `compacted`, and up to where it was cleaned.
 */
export async function writeCompactedTopics(judge, broker, count = 600) {
  const config = { ...smallSegments, ...compacting }
  const keyed = (seed) =>
    randomRecords({ seed, count }).map((record, n) =>
      asKafka({ ...record, key: `key ${(n * 7) % 23}${n % 50 === 0 ? ` only ${n}` : ''}`, keyEncoding: undefined }),
    )
  await judge.ask('createTopic', {
    topic: 'compacted',
    partitions: 1,
    config: { ...config, 'delete.retention.ms': 864_000_000 },
  })
  await judge.ask('createTopic', { topic: 'expired', partitions: 1, config: { ...config, 'delete.retention.ms': 1 } })
  await judge.ask('createTopic', { topic: 'compacted-transactions', partitions: 1, config })
  await judge.ask('open', { producer: plain, settings: { 'compression.type': 'snappy' } })
  const compacted = keyed(71)
  await judge.ask('produce', { producer: plain, topic: 'compacted', records: compacted, perBatch: 13 })
  await judge.ask('produce', { producer: plain, topic: 'expired', records: keyed(72), perBatch: 13 })
  await judge.ask('open', { producer: 'compacting', settings: { 'transactional.id': 'compacting', ...longTransaction } })
  const records = keyed(73)
  for (let n = 0; n < records.length; n += 40) {
    await judge.ask('begin', { producer: 'compacting' })
    const part = { producer: 'compacting', topic: 'compacted-transactions', records: records.slice(n, n + 40), perBatch: 9 }
    await judge.ask('produce', part)
    await judge.ask(n % 3 === 0 ? 'abort' : 'commit', { producer: 'compacting' })
  }
  await judge.ask('close', { producer: 'compacting' })
  const withoutTombstones = await waitForCleaner(broker, 'expired')
  await judge.ask('produce', { producer: plain, topic: 'expired', records: keyed(74), perBatch: 13 })
  await judge.ask('close', { producer: plain })
  for (const topic of ['expired', 'compacted-transactions']) await waitForCleaner(broker, topic)
  return { withoutTombstones, compacted, cleanedOffset: await waitForCleaner(broker, 'compacted') }
}

/**
 * The cleaner notes in its checkpoint up to where it has been: to the active segment, which is never cleaned. Then there may be another
 * pass, for tombstones that are due. Returns the base offset of the active segment.
 */
async function waitForCleaner(broker, topic) {
  const directory = join(broker.logDir, `${topic}-0`)
  const active = () => Number.parseInt(segmentsOf(directory).at(-1).log.split('/').at(-1), 10)
  await until(`the cleaner has been through ${topic}`, () => {
    const checkpoint = readFileSync(join(broker.logDir, 'cleaner-offset-checkpoint'), 'utf8')
    const line = checkpoint.split('\n').find((entry) => entry.startsWith(`${topic} 0 `))
    return active() > 0 && Number(line?.split(' ')[2] ?? 0) >= active()
  })
  let before
  let sinceMs = 0
  await until(`the cleaner leaves ${topic} alone`, () => {
    const now = listing(directory)
    if (now !== before) sinceMs = Date.now()
    before = now
    return Date.now() - sinceMs > 2000
  })
  return active()
}

function listing(directory) {
  return readdirSync(directory)
    .sort()
    .map((name) => `${name} ${statSync(join(directory, name), { throwIfNoEntry: false })?.size}`)
    .join()
}
