/** archive --list and --verify: the work is done in lib/archive/inspect-archive.ts; here is what is printed of it. */
import { listArchive, verifyArchive, type ArchivedPartitionSummary } from '../../lib/archive/inspect-archive.js'
import { compileTopicPattern, isTopicPattern } from '../../lib/store/topic-pattern.js'
import type { Io } from '../io.js'
import { timestampText } from '../print/timestamp.js'
import { table } from '../table.js'

const HEAD = ['TOPIC', 'PARTITION', 'SEGMENTS', 'FROM', 'TO', 'FIRST-TIME', 'LAST-TIME', 'BYTES', 'STORED']

export async function listInArchive(location: string, topics: readonly string[], json: boolean, io: Io): Promise<void> {
  await print(listArchive(io.system, location, choice(topics, io)), topics, json, io)
}

export async function verifyInArchive(location: string, topics: readonly string[], json: boolean, io: Io): Promise<void> {
  const rows = (async function* () {
    for await (const { strayFiles, ...summary } of verifyArchive(io.system, location, choice(topics, io))) {
      for (const file of strayFiles)
        await io.explain(`'${location}/${file}' belongs to no manifest: it is left of a run that was cut off`)
      yield json ? { ...summary, strayFiles } : summary
    }
  })()
  await print(rows, topics, json, io)
}

async function print(
  summaries: AsyncIterable<ArchivedPartitionSummary>,
  topics: readonly string[],
  json: boolean,
  io: Io,
): Promise<void> {
  const found = new Set<string>()
  const rows: string[][] = []
  for await (const summary of summaries) {
    found.add(summary.topic)
    for (const { fromOffset, toOffset } of summary.gaps) {
      const name = `${summary.topic}-${summary.partition}`
      await io.warn(
        `offsets ${fromOffset} to ${toOffset - 1} of '${name}' are in no segment: they were never archived, or are lost`,
      )
    }
    if (json) await io.output().writeLine(JSON.stringify(summary))
    else rows.push(cellsOf(summary, io))
  }
  if (rows.length > 0) for (const line of table(HEAD, rows)) await io.output().writeLine(line)
  for (const topic of topics) {
    const matches = testOf(topic)
    if (![...found].some(matches) && !io.signal.aborted) await io.failItem(`nothing of '${topic}' is archived there`)
  }
}

function cellsOf(summary: ArchivedPartitionSummary, io: Io): string[] {
  const { topic, partition, segmentCount, startOffset, endOffset, sizeBytes, storedBytes } = summary
  const time = (ms: number | null) => (ms === null ? '-' : timestampText(ms, 'iso', () => io.system.clock.nowMs()))
  const times = [time(summary.firstTimestampMs), time(summary.largestTimestampMs)]
  return [
    topic,
    ...[partition, segmentCount, startOffset, endOffset].map(String),
    ...times,
    String(sizeBytes),
    String(storedBytes),
  ]
}

function choice(given: readonly string[], io: Io) {
  const onFailure = (error: unknown) => io.failWith(error)
  return { topics: topicChoice(given), signal: io.signal, onFailure }
}

/** The test that names and patterns stand for; undefined for all topics. */
export function topicChoice(given: readonly string[]): ((topic: string) => boolean) | undefined {
  const wanted = given.map(testOf)
  return given.length === 0 ? undefined : (topic) => wanted.some((matches) => matches(topic))
}

function testOf(one: string): (topic: string) => boolean {
  return isTopicPattern(one) ? compileTopicPattern(one) : (name) => name === one
}
