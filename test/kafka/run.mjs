/**
 * The checks of test/kafka/run.sh, which says what they are. Every topic is made, and read, by the built program; Kafka's side is
 * DumpLogSegments and KafkaSegments.java. Starting a JVM is slow, so each run of one takes all files.
 *
 * Usage: node test/kafka/run.mjs JARS [--vectors]
 */
import { spawn, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { checkDump, checkSanity } from './dump.mjs'
import { canonical, randomRecords } from './records.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
const [jarsFolder = '', mode] = process.argv.slice(2)
const jars = resolve(jarsFolder)
const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const work = mkdtempSync(join(tmpdir(), 'logq-kafka-'))
const store = join(work, 'store')
const maxBytes = 256 << 20
const indexIntervalBytes = 300
let passed = 0
let failed = 0

try {
  if (mode === '--vectors') writeVectors()
  else await compare()
} catch (error) {
  check('the run comes to its end', false, String(error))
} finally {
  rmSync(work, { recursive: true, force: true })
}
if (mode !== '--vectors') process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed > 0 ? 1 : 0

async function compare() {
  const inputs = await makeTopics()
  kafkaReadsLogq(inputs)
  logqReadsKafka()
}

// ---- topics

/** Makes the topics of the store. Returns, by topic, the records that went in (undefined where their order is not known). */
async function makeTopics() {
  const inputs = new Map()
  const small = ['segment.bytes=20000', `index.interval.bytes=${indexIntervalBytes}`]

  for (const [n, codec] of codecs.entries()) {
    const records = randomRecords({ seed: n + 1, count: 3000 })
    createTopic(`codec-${codec}`, small)
    produceJson(`codec-${codec}`, records, ['-z', codec, '--batch-bytes', '3000'])
    inputs.set(`codec-${codec}`, records)
  }

  // Plain lines take another path into a batch than JSON does; large batches; the default settings.
  const lines = gunzipSync(readFileSync(join(root, 'test/fixtures/earthquakes.csv.gz')))
  for (const codec of codecs) {
    logq(['produce', `lines-${codec}`, '-z', codec, '--timestamp', '1700000000123'], lines)
    inputs.set(`lines-${codec}`, recordsOfLines(lines, 1_700_000_000_123))
  }

  const untimed = randomRecords({ seed: 11, count: 500 }).map((record) => ({ ...record, timestamp: -1 }))
  createTopic('untimed', small)
  produceJson('untimed', untimed, ['--batch-bytes', '2000'])
  inputs.set('untimed', untimed)

  // Rolls by time, in both directions of it.
  const late = randomRecords({ seed: 12, count: 1500, span: 40_000_000 })
  createTopic('late', [...small, 'segment.ms=3h'])
  produceJson('late', late, ['-z', 'lz4', '--batch-bytes', '700'])
  inputs.set('late', late)

  // One record a batch, an entry a batch.
  const each = randomRecords({ seed: 13, count: 300 })
  createTopic('each', ['segment.bytes=5000', 'index.interval.bytes=0'])
  produceJson('each', each, ['--batch-bytes', '1'])
  inputs.set('each', each)

  const large = [{ value: 'x'.repeat(3_000_000) }, { value: 'small' }, { value: 'y'.repeat(1_500_000), key: 'k' }]
  createTopic('large', [])
  for (const codec of codecs) produceJson('large', large, ['-z', codec])

  createTopic('keyed', small, ['--partitions', '3'])
  produceJson('keyed', randomRecords({ seed: 14, count: 2000 }), ['--batch-bytes', '2000', '-z', 'zstd'])

  createTopic('empty', [])
  await makeKilledTopic(small)
  return inputs
}

/** Producers killed with -9 in the middle of their work, each followed by one that goes on. */
async function makeKilledTopic(settings) {
  createTopic('killed', settings)
  const sent = []
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(
      process.execPath,
      [join(root, 'cli/logq.cjs'), ...arguments_(['produce', 'killed', '--batch-bytes', '900'])],
      {
        stdio: ['pipe', 'ignore', 'inherit'],
      },
    )
    const ended = new Promise((resolve) => {
      child.on('exit', resolve)
    })
    child.stdin.on('error', () => undefined)
    let n = 0
    const feed = setInterval(() => {
      const block = Array.from({ length: 200 }, () => `round ${round} line ${(n += 1)} ${'.'.repeat(n % 90)}`)
      child.stdin.write(`${block.join('\n')}\n`)
    }, 2)
    const log = join(store, 'killed-0')
    const before = directoryBytes(log)
    const deadlineMs = Date.now() + 10_000
    while (directoryBytes(log) < before + 60_000 && Date.now() < deadlineMs) await sleep(10)
    child.kill('SIGKILL')
    clearInterval(feed)
    await ended
    // What a power cut may leave behind the last whole batch, in one of the rounds.
    if (round === 1) tearTail(log)
    sent.push(`survivor ${round}`)
    logq(['produce', 'killed'], `survivor ${round}\n`)
  }
  const values = logq(['cat', 'killed']).toString().split('\n').slice(0, -1)
  const survivors = values.filter((value) => value.startsWith('survivor'))
  check('killed: every later record is there', survivors.join() === sent.join(), survivors.join())
  for (let round = 0; round < 3; round += 1) {
    const numbers = values.filter((value) => value.startsWith(`round ${round} `)).map((value) => Number(value.split(' ')[3]))
    const isPrefix = numbers.length > 0 && numbers.every((number, at) => number === at + 1)
    check(`killed: round ${round} left a prefix of what was sent (${numbers.length} records)`, isPrefix)
  }
}

/** Half a copy of the last batch, as if a write had been cut. */
function tearTail(directory) {
  const active = segmentsOf(directory).at(-1)
  if (active === undefined) throw new Error('no segment was written')
  const bytes = readFileSync(active.log)
  writeFileSync(active.log, Buffer.concat([bytes, bytes.subarray(0, 45)]))
}

// ---- Kafka reads what logq wrote

function kafkaReadsLogq(inputs) {
  const topics = readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /-\d+$/.test(entry.name))
    .map((entry) => ({ name: entry.name, segments: segmentsOf(join(store, entry.name)) }))
  const segments = topics.flatMap((topic) => topic.segments)
  const rolls = segments.length - topics.length
  check(`the topics hold ${segments.length} segments, of ${rolls} rolls`, rolls > 60)

  const printed = new Map(topics.map(({ name }) => [name, catJson(name)]))
  for (const [topic, records] of inputs) {
    const given = records.map((record, offset) => canonical({ ...record, offset }))
    checkSame(`${topic}: what went in comes out of cat`, printed.get(`${topic}-0`), given)
  }

  const output = join(work, 'read.jsonl')
  java(['read', output, ...segments.map(({ log }) => log)])
  const byFile = new Map()
  for (const line of linesOf(readFileSync(output))) {
    const record = JSON.parse(line)
    const partition = dirname(record.file).slice(store.length + 1)
    if (!byFile.has(partition)) byFile.set(partition, [])
    byFile.get(partition).push(canonicalOfKafka(record))
  }
  for (const { name } of topics) {
    checkSame(`${name}: Kafka reads the records that cat prints`, byFile.get(name) ?? [], printed.get(name))
  }

  const files = segments.flatMap(({ log, index, timeIndex }) => [log, index, timeIndex])
  const dump = runJava('org.apache.kafka.tools.DumpLogSegments', [
    '--deep-iteration',
    '--print-data-log',
    '--max-message-size',
    '2000000000',
    '--files',
    files.join(','),
  ])
  const findings = checkDump(dump, topics, printed)
  check(`DumpLogSegments finds nothing wrong in ${files.length} files`, findings.length === 0, findings.slice(0, 20).join('\n'))

  const indexes = segments.flatMap(({ index, timeIndex }) => [index, timeIndex])
  const sanity = runJava('org.apache.kafka.tools.DumpLogSegments', ['--index-sanity-check', '--files', indexes.join(',')])
  const insane = checkSanity(sanity, indexes)
  check(`${indexes.length} indexes pass the check that a broker makes at its start`, insane.length === 0, insane.join('\n'))

  // Topics with the interval that KafkaSegments is told; the active segment has no last entry in its time index yet.
  const comparable = topics.filter(({ name }) => !/^(lines-.*|large|empty|each)-0$/.test(name))
  const names = comparable.flatMap((topic) =>
    topic.segments.map(({ log }, n) => (n === topic.segments.length - 1 ? `${log}!` : log)),
  )
  const differences = java(['reindex', join(work, 'reindexed'), ...names])
  check(`Kafka writes the same bytes into the indexes of ${names.length} segments`, differences === '', differences)
}

// ---- logq reads what Kafka wrote

function logqReadsKafka() {
  const directory = join(work, 'kafka')
  java(['write', directory, '4000'])
  for (const codec of codecs) {
    const topic = `kafka-${codec}`
    const expected = linesOf(readFileSync(join(directory, `${topic}.expected.jsonl`))).map((line) =>
      canonicalOfKafka(JSON.parse(line)),
    )
    const printed = linesOf(logq(['cat', '-J', topic], undefined, directory)).map((line) => canonical(JSON.parse(line)))
    checkSame(`${topic}: logq reads ${expected.length} records that Kafka wrote`, printed, expected)
    const far = JSON.parse(expected.at(-100))
    const found = linesOf(logq(['cat', '-J', '-n', '1', '-o', String(far.offset), topic], undefined, directory))
    checkSame(
      `${topic}: an offset is found by Kafka's index`,
      found.map((line) => canonical(JSON.parse(line))),
      [expected.at(-100)],
    )
    const since = expected.findIndex((line) => JSON.parse(line).timestamp >= 1_700_000_900_000)
    const first = linesOf(logq(['cat', '-J', '-n', '1', '-o', '@1700000900000', topic], undefined, directory))
    checkSame(
      `${topic}: a time is found by Kafka's index`,
      first.map((line) => canonical(JSON.parse(line))),
      [expected[since]],
    )
  }
}

/** The fixed records of KafkaSegments.java for test/record/kafka-vectors.test.ts. */
function writeVectors() {
  const directory = join(work, 'vectors')
  const target = join(root, 'test/fixtures/kafka')
  java(['write', directory, '0'])
  rmSync(target, { recursive: true, force: true })
  for (const codec of codecs) {
    const topic = `kafka-${codec}`
    mkdirSync(join(target, `${topic}-0`), { recursive: true })
    for (const name of readdirSync(join(directory, `${topic}-0`))) {
      copyFileSync(join(directory, `${topic}-0`, name), join(target, `${topic}-0`, name))
    }
    const expected = readFileSync(join(directory, `${topic}.expected.jsonl`))
    writeFileSync(join(target, `${topic}.expected.jsonl.gz`), gzipSync(expected, { level: 9 }))
  }
}

// ---- helpers

function check(title, isGood, detail = '') {
  if (isGood) passed += 1
  else failed += 1
  if (!isGood) process.stdout.write(`FAILED  ${title}\n${detail === '' ? '' : `${detail}\n`}`)
  else process.stdout.write(`ok      ${title}\n`)
}

function checkSame(title, got = [], wanted = []) {
  const at = wanted.findIndex((line, n) => line !== got[n])
  const place = at === -1 && got.length > wanted.length ? wanted.length : at
  check(
    title,
    place === -1,
    `at ${place} of ${wanted.length} (${got.length} there):\n  got    ${got[place]}\n  wanted ${wanted[place]}`,
  )
}

function arguments_([command, ...rest], where = store) {
  const words = command === 'topic' ? [command, rest.shift()] : [command]
  return [...words, '-s', where, ...rest]
}

function logq(args, input = '', where = store) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'cli/logq.cjs'), ...arguments_(args, where)], {
    input,
    maxBuffer: maxBytes,
  })
  if (status !== 0) throw new Error(`logq ${args.join(' ')}: exit ${status}: ${stderr}`)
  return stdout
}

function createTopic(topic, settings, options = []) {
  logq(['topic', 'create', topic, ...settings, ...options])
}

function produceJson(topic, records, options) {
  logq(['produce', topic, '-J', ...options], records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}

function catJson(directory) {
  const [, topic, partition] = /^(.*)-(\d+)$/.exec(directory) ?? []
  return linesOf(logq(['cat', '-J', topic, '-p', partition])).map((line) => canonical(JSON.parse(line)))
}

function java(args) {
  return runJava(join(here, 'KafkaSegments.java'), args).stdout
}

function runJava(program, args) {
  const { status, stdout, stderr, error } = spawnSync('java', ['-cp', join(jars, '*'), program, ...args], {
    maxBuffer: maxBytes,
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, INTERVAL: String(indexIntervalBytes) },
  })
  if (status !== 0) throw new Error(`java ${program}: exit ${status} ${error ?? ''}: ${stderr.slice(0, 2000)}`)
  return { stdout, stderr }
}

function segmentsOf(directory) {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => {
      const stem = join(directory, name.slice(0, -'.log'.length))
      return { log: `${stem}.log`, index: `${stem}.index`, timeIndex: `${stem}.timeindex` }
    })
}

function directoryBytes(directory) {
  return segmentsOf(directory).reduce((sum, { log }) => sum + statSync(log).size, 0)
}

function recordsOfLines(bytes, timestamp) {
  return linesOf(bytes).map((value) => ({ value, timestamp }))
}

function linesOf(bytes) {
  const lines = bytes.toString().split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The lines of KafkaSegments.java hold bytes as base64 throughout. */
function canonicalOfKafka({ offset, timestamp, timestampType, key, value, headers }) {
  return JSON.stringify({ offset, timestamp, timestampType, key, value, headers })
}

function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
