/**
 * A topic goes from logq to Kafka by the steps that logq-export(1) gives, Kafka serves it and appends to it, and it comes back. Once the
 * broker was stopped properly before, and once it was killed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Broker } from './broker.mjs'
import { check, checkSame } from './checks.mjs'
import { byPartition, consume } from './consumed.mjs'
import { codecs, linesOf, logq, produceJson, root, runLogq } from './logq.mjs'
import { fingerprint } from './never-writes.mjs'
import { asKafka, randomRecords } from './records.mjs'
import { addDamagedBatches } from './written-topics.mjs'

const partitions = 3
/** Far below any retention. */
const oldMs = 1_234_567_890_000

export async function handover({ judge, work, brokers }) {
  const store = join(work, 'handed')
  const topics = { clean: partitions, unclean: partitions }
  for (const topic of Object.keys(topics)) writeTopic(store, topic)
  const printed = byPartition(logq(store, ['cat', '-J', ...Object.keys(topics)]))
  const broker = new Broker(judge, join(work, 'handed-to'))
  brokers.add(broker)
  await broker.start()
  for (const topic of Object.keys(topics)) await exportTopic(judge, store, topic, join(work, topic))

  await broker.stop()
  const marker = join(broker.logDir, '.kafka_cleanshutdown')
  check('the stopped broker left its mark', existsSync(marker))
  replace('clean', join(work, 'clean'), broker.logDir)
  await broker.start()
  await checkServed(judge, work, 'clean', printed)
  const appended = await append(judge, 'clean')
  const afterAppend = await consume(judge, work, { clean: partitions })
  const lengths = [...afterAppend.values()].map(({ read_committed: lines }) => lines.length)
  const handed = [...afterAppend.keys()].map((name) => printed.get(name).length)
  check(
    `clean: Kafka's producer has appended ${appended} records to each partition`,
    lengths.every((length, n) => length === handed[n] + appended),
  )

  await broker.kill()
  check('the killed broker left no mark', !existsSync(marker))
  checkReadBack('clean', broker.logDir, afterAppend)
  replace('unclean', join(work, 'unclean'), broker.logDir)
  await broker.start()
  await checkServed(judge, work, 'unclean', printed)
  await append(judge, 'unclean')
  const all = await consume(judge, work, topics)
  for (const [name, { offsets }] of all) {
    check(
      `${name}: old records are still there, from offset ${offsets.start}`,
      offsets.start === firstOffset(printed.get(name)),
    )
  }
  await broker.stop()
  checkReadBack('unclean', broker.logDir, all)
  const before = fingerprint(broker.logDir)
  for (const topic of Object.keys(topics)) {
    takeBack('the store that it came from', topic, broker.logDir, store, all)
    takeBack('a new store', topic, broker.logDir, join(work, 'taken'), all)
  }
  checkSame('every file of the log.dir is as it was', fingerprint(broker.logDir), before)
}

/** logq import --kafka: the same records under the same offsets, in a partition that goes on like any other. */
function takeBack(title, topic, logDir, store, consumed) {
  const digest = (of) => logq(of, ['digest', topic]).toString()
  const { status, stderr } = runLogq(store, ['import', '--kafka', topic, logDir])
  check(`${topic}: logq import --kafka into ${title}`, status === 0, `exit ${status}: ${stderr}`)
  check(
    `${topic}: the digest in ${title} is that of the log.dir`,
    digest(store) === digest(logDir),
    `${digest(store)}${digest(logDir)}`,
  )
  const read = byPartition(logq(store, ['cat', '-J', topic]))
  for (const [name, { topic: of, read_committed: lines }] of consumed) {
    if (of === topic) checkSame(`${name}: what Kafka has is in ${title}, with its offsets`, read.get(name), lines)
  }
  const again = runLogq(store, ['import', '--kafka', topic, logDir])
  const isSame = again.status === 0 && digest(store) === digest(logDir)
  check(`${topic}: a second import into ${title} adds nothing`, isSame, `exit ${again.status}: ${again.stderr}`)
  const places = logq(store, ['produce', topic, '-p', '1', '--print-offsets'], 'one more\n').toString()
  const end = read.get(`${topic}-1`).length
  check(`${topic}: and ${title} goes on at the end`, places === `${topic}:1@${end}\n`, places)
  const fsck = runLogq(store, ['fsck', topic])
  check(`${topic}: fsck finds nothing wrong in ${title}`, fsck.status === 0, String(fsck.stdout))
}

/** Partitions of several segments, with batches of every codec and leader epochs above Kafka's. */
function writeTopic(store, topic) {
  logq(store, ['topic', 'create', topic, '--partitions', String(partitions), 'segment.bytes=20000', 'index.interval.bytes=300'])
  for (const [n, codec] of codecs.entries()) {
    const records = randomRecords({ seed: 80 + n, count: 600 }).map((record) => ({
      ...record,
      timestamp: oldMs + Math.max(0, record.timestamp - 1_700_000_000_000),
    }))
    produceJson(store, topic, records, ['-z', codec, '--batch-bytes', '2000'])
    // What is damaged above the synced end goes into quarantine, and a new leader epoch begins.
    addDamagedBatches(join(store, `${topic}-0`))
    const { status } = runLogq(store, ['produce', topic, '-p', '0'], 'not appended\n')
    if (status !== 5) throw new Error(`${topic}: no recovery took place, exit ${status}`)
  }
  const epochs = linesOf(readFileSync(join(store, `${topic}-0`, 'leader-epoch-checkpoint'))).slice(2)
  check(`${topic}-0: ${epochs.length} leader epochs`, epochs.length >= 4)
}

/** logq export --kafka, and the topic in Kafka, by the command that it prints. */
async function exportTopic(judge, store, topic, directory) {
  const { status, stderr } = runLogq(store, ['export', '--kafka', topic, directory])
  check(`${topic}: logq export --kafka`, status === 0, `exit ${status}: ${stderr}`)
  const command = stderr.split('\n').find((line) => line.includes('kafka-topics.sh')) ?? ''
  const count = Number(/--partitions (\d+)/.exec(command)?.[1])
  const config = Object.fromEntries([...command.matchAll(/--config ([^= ]+)=(\S+)/g)].map(([, name, value]) => [name, value]))
  check(
    `${topic}: the command that makes the topic keeps old records`,
    config['retention.ms'] === '-1' && count === partitions,
    command,
  )
  await judge.ask('createTopic', { topic, partitions: count, config })
}

/** The commands of the manual, as they stand there, with these directories. */
function replace(topic, directory, logDir) {
  const [, block] =
    /\n\.nf\n((?:(?!\n\.fi).)*partition\\?\.metadata.*?)\n\.fi/s.exec(readFileSync(join(root, 'man/logq-export.1'), 'utf8')) ??
    []
  const text = (block ?? '').replaceAll('\\-', '-').replaceAll('\\e', '\\').replaceAll('\\(aq', "'").replaceAll('\\(ti', '~')
  const script = text
    .slice(text.indexOf('for '), text.indexOf('sync') + 4)
    .replaceAll('/tmp/orders', directory)
    .replaceAll('/var/lib/kafka/data', logDir)
  const { status, stdout, stderr } = spawnSync('sh', ['-eu', '-c', script])
  const isWhole = script.includes(logDir) && script.includes(directory)
  check(
    `${topic}: the commands of logq-export(1) put the files in place`,
    status === 0 && isWhole,
    `${status}: ${script}\n${stdout}${stderr}`,
  )
}

async function checkServed(judge, work, topic, printed) {
  for (const [name, { read_committed: lines }] of await consume(judge, work, { [topic]: partitions })) {
    checkSame(`${name}: Kafka's consumer gets the ${lines.length} records that logq cat printed`, lines, printed.get(name))
  }
}

/** Returns how many records each partition got. */
async function append(judge, topic) {
  const count = 60
  for (const codec of codecs) {
    await judge.ask('open', { producer: codec, settings: { 'compression.type': codec } })
    const records = randomRecords({ seed: 90, count: (count * partitions) / codecs.length }).map((record, n) =>
      asKafka(record, n % partitions),
    )
    await judge.ask('produce', { producer: codec, topic, records, perBatch: 9 })
    await judge.ask('close', { producer: codec })
  }
  return count
}

function checkReadBack(topic, logDir, consumed) {
  const names = [...consumed.values()].map((one) => one.topic)
  const read = byPartition(logq(logDir, ['cat', '-J', ...new Set(names)]))
  for (const [name, { read_committed: lines }] of consumed) {
    checkSame(
      `${topic}: ${name}: logq reads what was there and what Kafka has appended, ${lines.length} records`,
      read.get(name),
      lines,
    )
  }
  const { status, stdout } = runLogq(logDir, ['fsck', ...new Set(names)])
  check(`${topic}: fsck finds nothing wrong in the log.dir`, status === 0, String(stdout))
}

function firstOffset(lines) {
  return JSON.parse(lines[0]).offset
}
