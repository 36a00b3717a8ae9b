/** logq over segments that Kafka's own LogSegment wrote, each codec: control batches, gaps in the offsets, preallocated tails. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkSame } from './checks.mjs'
import { catJson, codecs, linesOf } from './logq.mjs'

export async function logqReadsSegments({ judge, work }) {
  const directory = join(work, 'segments')
  await judge.ask('write', { directory, count: 4000 })
  for (const codec of codecs) {
    const topic = `kafka-${codec}`
    const expected = linesOf(readFileSync(join(directory, `${topic}.expected.jsonl`)))
    checkSame(`${topic}: logq reads ${expected.length} records that Kafka wrote`, catJson(directory, topic, 0), expected)
    const far = expected.at(-100)
    const found = catJson(directory, topic, 0, ['-n', '1', '-o', String(JSON.parse(far).offset)])
    checkSame(`${topic}: an offset is found by Kafka's index`, found, [far])
    const since = expected.find((line) => JSON.parse(line).timestamp >= 1_700_000_900_000)
    const first = catJson(directory, topic, 0, ['-n', '1', '-o', '@1700000900000'])
    checkSame(`${topic}: a time is found by Kafka's index`, first, [since])
  }
}
