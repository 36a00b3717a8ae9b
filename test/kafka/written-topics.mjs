/** The store that the checks of kafka-reads-logq.mjs look at: everything that logq writes into a .log, an .index and a .timeindex. */
import { appendFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { check, until } from './checks.mjs'
import {
  codecs,
  directoryBytes,
  linesOf,
  logq,
  partitionNames,
  placeOf,
  produceJson,
  root,
  runLogq,
  segmentsOf,
  startLogq,
} from './logq.mjs'
import { randomRecords } from './records.mjs'

export const indexIntervalBytes = 300
const small = ['segment.bytes=20000', `index.interval.bytes=${indexIntervalBytes}`]

/** Topics whose indexes Kafka would write otherwise: another interval, or a repair that knows only what is left. */
export const otherIndexes = /^(lines-.*|large|empty|each)$/

/** Makes the topics. Returns, by topic, the records that went in, where the topic has one partition and they are all there. */
export async function writeTopics(store) {
  const inputs = new Map()
  const write = (topic, records, options, settings = small) => {
    logq(store, ['topic', 'create', topic, ...settings])
    produceJson(store, topic, records, options)
    inputs.set(topic, records)
  }
  for (const [n, codec] of codecs.entries()) {
    write(`codec-${codec}`, randomRecords({ seed: n + 1, count: 3000 }), ['-z', codec, '--batch-bytes', '3000'])
  }

  // Plain lines take another path into a batch than JSON does; large batches; the default settings.
  const earthquakes = gunzipSync(readFileSync(join(root, 'test/fixtures/earthquakes.csv.gz'))).toString()
  const lines = earthquakes.split('\n').slice(0, 8000).join('\n')
  for (const codec of codecs) {
    logq(store, ['produce', `lines-${codec}`, '-z', codec, '--timestamp', '1700000000123'], lines)
    inputs.set(
      `lines-${codec}`,
      linesOf(lines).map((value) => ({ value, timestamp: 1_700_000_000_123 })),
    )
  }

  const untimed = randomRecords({ seed: 11, count: 500 }).map((record) => ({ ...record, timestamp: -1 }))
  write('untimed', untimed, ['--batch-bytes', '2000'])
  // Rolls by time, in both directions of it.
  const late = randomRecords({ seed: 12, count: 1500, span: 40_000_000 })
  write('late', late, ['-z', 'lz4', '--batch-bytes', '700'], [...small, 'segment.ms=3h'])
  // One record a batch, an entry a batch.
  write(
    'each',
    randomRecords({ seed: 13, count: 300 }),
    ['--batch-bytes', '1'],
    ['segment.bytes=5000', 'index.interval.bytes=0'],
  )
  inputs.set('large', writeLarge(store))

  logq(store, ['topic', 'create', 'keyed', ...small, '--partitions', '3'])
  produceJson(store, 'keyed', randomRecords({ seed: 14, count: 2000 }), ['--batch-bytes', '2000', '-z', 'zstd'])
  logq(store, ['topic', 'create', 'empty'])

  writeCompacted(store)
  await writeKilled(store)
  writeQuarantined(store)
  writeRepaired(store)
  return inputs
}

function writeLarge(store) {
  const large = [{ value: 'x'.repeat(3_000_000) }, { value: 'small' }, { value: 'y'.repeat(1_500_000), key: 'k' }]
  const stamped = large.map((record) => ({ ...record, timestamp: 1_700_000_000_000 }))
  logq(store, ['topic', 'create', 'large'])
  for (const codec of codecs) produceJson(store, 'large', stamped, ['-z', codec])
  return codecs.flatMap(() => stamped)
}

/** Segments that were written anew: with tombstones that have a delete horizon, without them, and with the last three of each key. */
function writeCompacted(store) {
  const records = randomRecords({ seed: 15, count: 3000 }).map((record, n) => ({
    ...record,
    key: `key ${(n * 7) % 61}${n % 50 === 0 ? ` only ${n}` : ''}`,
    keyEncoding: undefined,
  }))
  const pass = (topic, ...options) => logq(store, ['compact', topic, '--include-active', '--min-dirty', '0', ...options])
  for (const [topic, ...settings] of [['compacted'], ['expired', 'delete.retention.ms=0'], ['three-of-a-key']]) {
    logq(store, ['topic', 'create', topic, 'cleanup.policy=compact', ...small, ...settings])
    for (const [n, codec] of codecs.entries())
      produceJson(store, topic, records.slice(n * 600, (n + 1) * 600), ['-z', codec, '--batch-bytes', '2000'])
    pass(topic, ...(topic === 'three-of-a-key' ? ['--keep', '3'] : []))
    if (topic === 'expired') pass(topic)
    produceJson(store, topic, records.slice(0, 100))
  }
}

/** Producers killed with -9 in the middle of their work, each followed by one that goes on. */
async function writeKilled(store) {
  logq(store, ['topic', 'create', 'killed', ...small])
  const partition = join(store, 'killed-0')
  const sent = []
  for (let round = 0; round < 3; round += 1) {
    const child = startLogq(store, ['produce', 'killed', '--batch-bytes', '900'], 'pipe')
    const ended = new Promise((resolve) => {
      child.on('exit', resolve)
    })
    child.stdin.on('error', () => undefined)
    let n = 0
    const feed = setInterval(() => {
      const block = Array.from({ length: 200 }, () => `round ${round} line ${(n += 1)} ${'.'.repeat(n % 90)}`)
      child.stdin.write(`${block.join('\n')}\n`)
    }, 2)
    const before = directoryBytes(partition)
    await until('the producer writes', () => directoryBytes(partition) >= before + 60_000)
    child.kill('SIGKILL')
    clearInterval(feed)
    await ended
    // What a power cut may leave behind the last whole batch, in one of the rounds.
    if (round === 1) addHalfBatch(partition)
    sent.push(`survivor ${round}`)
    logq(store, ['produce', 'killed'], `survivor ${round}\n`)
  }
  const values = linesOf(logq(store, ['cat', 'killed']))
  const survivors = values.filter((value) => value.startsWith('survivor'))
  check('killed: every later record is there', survivors.join() === sent.join(), survivors.join())
  for (let round = 0; round < 3; round += 1) {
    const numbers = values.filter((value) => value.startsWith(`round ${round} `)).map((value) => Number(value.split(' ')[3]))
    const isPrefix = numbers.length > 0 && numbers.every((number, at) => number === at + 1)
    check(`killed: round ${round} left a prefix of what was sent (${numbers.length} records)`, isPrefix)
  }
}

/** Tails that a recovery puts into quarantine, each of which begins a leader epoch. */
function writeQuarantined(store) {
  const partition = join(store, 'quarantined-0')
  const statuses = []
  logq(store, ['topic', 'create', 'quarantined', ...small])
  for (let round = 0; round < 4; round += 1) {
    const records = randomRecords({ seed: 20 + round, count: 300 })
    produceJson(store, 'quarantined', records, ['-z', codecs[round + 1], '--batch-bytes', '900'])
    addDamagedBatches(partition)
    statuses.push(runLogq(store, ['produce', 'quarantined'], 'not appended\n').status)
  }
  logq(store, ['produce', 'quarantined'], 'the last\n')
  const epochs = linesOf(readFileSync(join(partition, 'leader-epoch-checkpoint'))).slice(2)
  const kept = readdirSync(join(partition, 'quarantine'))
  check(
    `quarantined: four recoveries with quarantine (${kept.length} files) and ${epochs.length} leader epochs`,
    statuses.join() === '5,5,5,5' && epochs.length === 5 && kept.length >= 4,
    `${statuses.join()}\n${epochs.join('\n')}\n${kept.join()}`,
  )
}

/** Damage of each kind below the log end, repaired, and appended to. */
function writeRepaired(store) {
  const settings = [...small, '--partitions', '4']
  logq(store, ['topic', 'create', 'repaired', ...settings])
  for (let partition = 0; partition < 4; partition += 1) {
    produceJson(store, 'repaired', randomRecords({ seed: 30 + partition, count: 800 }), [
      '-p',
      String(partition),
      '--batch-bytes',
      '900',
    ])
  }
  const segments = (partition) => segmentsOf(join(store, `repaired-${partition}`))
  change(segments(0)[1].log, (bytes) => bytes.fill(0xaa, 5000, 5010)) // in the middle of a closed segment
  change(segments(1).at(-1).log, (bytes) => bytes.fill(0xaa, 2000, 2010)) // in the active one
  for (const { index, timeIndex } of segments(2)) [index, timeIndex].forEach((path) => rmSync(path))
  change(segments(3)[0].index, (bytes) => bytes.fill(0xff, 16, 40))
  change(segments(3)[1].timeIndex, (bytes) => bytes.fill(0, 12, 36))
  const { status } = runLogq(store, ['fsck', '--repair', 'repaired'])
  check('repaired: fsck --repair has found damage', status === 5, `status ${status}`)
  const again = runLogq(store, ['fsck', 'repaired'])
  check('repaired: and then finds nothing', again.status === 0, `${again.status}\n${again.stdout}${again.stderr}`)
  for (let partition = 0; partition < 4; partition += 1) {
    produceJson(store, 'repaired', randomRecords({ seed: 40 + partition, count: 200 }), [
      '-p',
      String(partition),
      '--batch-bytes',
      '900',
    ])
  }
}

/** Half a batch, as if a write had been cut. */
function addHalfBatch(partition) {
  appendFileSync(segmentsOf(partition).at(-1).log, firstBatch(partition).subarray(0, 45))
}

/** Whole batches that nobody has acknowledged, the first of them damaged: a recovery puts both into quarantine. */
export function addDamagedBatches(partition) {
  const batch = firstBatch(partition)
  const damaged = Buffer.from(batch).fill(0x55, 61, 65)
  appendFileSync(segmentsOf(partition).at(-1).log, Buffer.concat([damaged, batch]))
}

function firstBatch(partition) {
  const bytes = readFileSync(segmentsOf(partition)[0].log)
  return bytes.subarray(0, 12 + bytes.readInt32BE(8))
}

function change(path, how) {
  const bytes = readFileSync(path)
  how(bytes)
  writeFileSync(path, bytes)
}

/** The partitions of a store, with topic, number and segments. */
export function partitionsOf(store) {
  return partitionNames(store).map((name) => ({ name, ...placeOf(name), segments: segmentsOf(join(store, name)) }))
}
