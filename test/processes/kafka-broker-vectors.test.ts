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

for (const isolation of ['read_uncommitted', 'read_committed']) {
  test(`cat prints what Kafka's consumer got, ${isolation}, forwards and backwards`, async (t) => {
    const cli = makeCli(t)
    for (const direction of ['', '--reverse']) {
      const done = await cli.shell(`logq cat -q -J ${direction} --isolation ${isolation} -s ${logDir} ${topics.join(' ')}`)
      t.is(done.status, 0, done.stderr)
      const printed = recordsOf(done.stdout)
      for (const topic of topics) {
        const lines = expected(topic, isolation)
        t.deepEqual(
          printed.filter((record) => record.topic === topic).map(line),
          direction === '' ? lines : lines.reverse(),
          topic,
        )
      }
    }
  })
}

test('without --isolation only what is committed is shown, and where an open transaction begins is said', async (t) => {
  const cli = makeCli(t)
  const { transactions } = JSON.parse(fixture('kafka/offsets.json').toString()) as { transactions: { lastStable: number } }
  const committed = expected('transactions', 'read_committed')
  const cat = await cli.shell(`logq cat -J -s ${logDir} transactions`)
  t.deepEqual(recordsOf(cat.stdout).map(line), committed)
  t.regex(cat.stderr, new RegExp(`a transaction that began at offset ${transactions.lastStable} is open`))
  const tail = await cli.shell(`logq tail -q -J -n 5 -s ${logDir} transactions`)
  t.deepEqual(recordsOf(tail.stdout).map(line), committed.slice(-5))
})

test('fsck, stat and du find nothing odd', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `export LOGQ_STORE=${logDir}; logq fsck ${topics.join(' ')} && logq stat ${topics.join(' ')} && logq du`,
  )
  t.is(done.status, 0, `${done.stdout.toString()}${done.stderr}`)
})

function recordsOf(output: Buffer): JsonRecord[] {
  const lines = output.toString().split('\n').slice(0, -1)
  return lines.map((text) => JSON.parse(text) as JsonRecord)
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
