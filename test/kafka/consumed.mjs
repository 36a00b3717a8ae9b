/** What Kafka's consumer, and what logq, find in topics: by partition, one line a record. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { linesOf } from './logq.mjs'
import { canonical } from './records.mjs'

export const isolations = ['read_uncommitted', 'read_committed']

/**
 * Reads `topics` (their partitions by name) with Kafka's consumer to the end. Returns, by the name of the partition, the lines of both
 * isolation levels, and the offsets that the broker gives.
 */
export async function consume(judge, work, topics) {
  const consumed = new Map()
  for (const [topic, partitions] of Object.entries(topics)) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const offsets = await judge.ask('offsets', { topic, partition })
      consumed.set(`${topic}-${partition}`, { topic, partition, offsets, read_uncommitted: [], read_committed: [] })
    }
    for (const isolation of isolations) {
      const output = join(work, 'consumed.jsonl')
      await judge.ask('consume', { topic, partitions, isolation, output })
      for (const line of linesOf(readFileSync(output))) {
        const [, partition, rest] = /^\{"partition":(\d+),(.*)$/.exec(line)
        consumed.get(`${topic}-${partition}`)[isolation].push(`{${rest}`)
      }
    }
  }
  return consumed
}

/** The lines of `logq … -J` in the same form, by the name of the partition. */
export function byPartition(output) {
  const found = new Map()
  for (const line of linesOf(output)) {
    const record = JSON.parse(line)
    const name = `${record.topic}-${record.partition}`
    if (!found.has(name)) found.set(name, [])
    found.get(name).push(canonical(record))
  }
  return found
}
