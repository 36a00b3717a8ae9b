/**
 * logq over partitions that a broker of Kafka wrote (test/fixtures/kafka, made by test/kafka/run.sh --vectors), beside what Kafka's own
 * consumer got from them: transactions that were committed, aborted, or are open, over several segments; compacted topics; times that
 * the broker gave.
 */
import test from 'ava'
import { join } from 'node:path'
import { fixture, projectRoot } from '../helpers/project.js'
import { makeCli } from '../helpers/run-cli.js'

const logDir = join(projectRoot, 'test/fixtures/kafka')
const topics = ['transactions', 'append-time', 'compacted', 'expired', 'compacted-transactions']

interface JsonRecord {
  readonly topic: string
  readonly offset: number
  readonly timestamp: number
  readonly timestampType: string
  readonly key: string | null
  readonly keyEncoding?: BufferEncoding
  readonly value: string | null
  readonly valueEncoding?: BufferEncoding
  readonly headers: readonly { key: string; value: string | null; valueEncoding?: BufferEncoding }[]
}

for (const isolation of ['read_uncommitted']) {
  test(`cat prints what Kafka's consumer got, ${isolation}`, async (t) => {
    const cli = makeCli(t)
    const done = await cli.shell(`logq cat -J -s ${logDir} ${topics.join(' ')}`)
    t.is(done.stderr, '')
    const lines = done.stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as JsonRecord)
    for (const topic of topics) {
      const printed = lines.filter((record) => record.topic === topic).map(line)
      t.deepEqual(printed, expected(topic, isolation), topic)
    }
  })
}

function expected(topic: string, isolation: string): string[] {
  return fixture(`kafka/${topic}.${isolation}.jsonl`).toString().trimEnd().split('\n')
}

/** In the form of the expected lines: bytes as base64, a header as name and value. */
function line({ offset, timestamp, timestampType, key, keyEncoding, value, valueEncoding, headers }: JsonRecord): string {
  const pairs = headers.map((header) => [base64(header.key), base64(header.value, header.valueEncoding)])
  return JSON.stringify({
    offset,
    timestamp,
    timestampType,
    key: base64(key, keyEncoding),
    value: base64(value, valueEncoding),
    headers: pairs,
  })
}

function base64(text: string | null, encoding: BufferEncoding = 'utf8'): string | null {
  return text === null ? null : Buffer.from(text, encoding).toString('base64')
}
