/** Writes test/fixtures/kafka: what Kafka wrote, and what it says is in it, for the tests that run without Java. */
import { copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Broker } from './broker.mjs'
import { writeAppendTime, writeCompactedTopics, writeTransactions } from './broker-topics.mjs'
import { consume, isolations } from './consumed.mjs'
import { keyVectors } from './keys.mjs'
import { codecs, root } from './logq.mjs'

export async function writeVectors({ judge, work, brokers }) {
  const target = join(work, 'fixtures')
  mkdirSync(target)
  await writeCodecs(judge, join(work, 'vectors'), target)
  writeFileSync(join(target, 'keys.json'), await keyVectors(judge))
  const broker = new Broker(judge, join(work, 'broker'))
  brokers.add(broker)
  await broker.start()
  await writeBrokers(judge, work, target, broker)
  const fixtures = join(root, 'test/fixtures/kafka')
  rmSync(fixtures, { recursive: true, force: true })
  cpSync(target, fixtures, { recursive: true })
}

/** The fixed records of Segments.java. */
async function writeCodecs(judge, directory, target) {
  await judge.ask('write', { directory, count: 0 })
  for (const codec of codecs) {
    const topic = `kafka-${codec}`
    keep(directory, target, `${topic}-0`)
    writeFileSync(join(target, `${topic}.expected.jsonl.gz`), zip(readFileSync(join(directory, `${topic}.expected.jsonl`))))
  }
}

/** What a broker wrote, as it leaves it when it is stopped, and what its own consumer got from it. */
async function writeBrokers(judge, work, target, broker) {
  await writeTransactions(judge, 'transactions', 3)
  await writeAppendTime(judge, 20)
  await writeCompactedTopics(judge, broker, 160)
  const topics = { transactions: 1, 'append-time': 1, compacted: 1, expired: 1, 'compacted-transactions': 1 }
  const consumed = await consume(judge, work, topics)
  await broker.stop()
  const offsets = {}
  for (const { topic, offsets: ofTopic, ...records } of consumed.values()) {
    offsets[topic] = ofTopic
    keep(broker.logDir, target, `${topic}-0`)
    for (const isolation of isolations) {
      writeFileSync(join(target, `${topic}.${isolation}.jsonl.gz`), zip(records[isolation].map((line) => `${line}\n`).join('')))
    }
  }
  writeFileSync(join(target, 'offsets.json'), `${JSON.stringify(offsets, undefined, 2)}\n`)
}

function keep(directory, target, name) {
  mkdirSync(join(target, name), { recursive: true })
  const files = readdirSync(join(directory, name)).filter((file) => !file.endsWith('.deleted'))
  for (const file of files) copyFileSync(join(directory, name, file), join(target, name, file))
}

function zip(data) {
  return gzipSync(data, { level: 9 })
}
