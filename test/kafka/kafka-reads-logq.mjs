/** Kafka's dump tool, its readers and its indexes, over everything that logq writes. No broker is needed. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { check, checkSame } from './checks.mjs'
import { byPartition } from './consumed.mjs'
import { checkDump, checkSanity } from './dump.mjs'
import { linesOf, logq } from './logq.mjs'
import { canonical } from './records.mjs'
import { indexIntervalBytes, otherIndexes, partitionsOf, writeTopics } from './written-topics.mjs'

export async function kafkaReadsLogq({ judge, work }) {
  const store = join(work, 'store')
  const inputs = await writeTopics(store)
  const partitions = partitionsOf(store)
  const segments = partitions.flatMap((partition) => partition.segments)
  const rolls = segments.length - partitions.length
  check(`the topics hold ${segments.length} segments, of ${rolls} rolls`, rolls > 100)

  const printed = byPartition(logq(store, ['cat', '-J', ...new Set(partitions.map(({ topic }) => topic))]))
  for (const [topic, records] of inputs) {
    const given = records.map((record, offset) => canonical({ ...record, offset }))
    checkSame(`${topic}: what went in comes out of cat`, printed.get(`${topic}-0`), given)
  }

  const output = join(work, 'read.jsonl')
  const findings = await judge.ask('read', { output, logs: segments.map(({ log }) => log) })
  check('Kafka finds whole, valid batches only', findings === '', findings)
  const read = byDirectory(linesOf(readFileSync(output)))
  for (const { name } of partitions) {
    const records = read.get(name) ?? []
    checkSame(`${name}: Kafka reads the ${records.length} records that cat prints`, records, printed.get(name))
  }
  await checkDumps(judge, partitions, printed)
  await checkIndexes(judge, join(work, 'reindexed'), partitions)
}

async function checkDumps(judge, partitions, printed) {
  const segments = partitions.flatMap((partition) => partition.segments)
  const files = segments.flatMap(({ log, index, timeIndex }) => [log, index, timeIndex])
  const dump = await judge.ask('dump', {
    arguments: ['--deep-iteration', '--print-data-log', '--max-message-size', '2000000000', '--files', files.join(',')],
  })
  const { findings, whole, begun } = checkDump(dump, partitions, printed, isKnownGap)
  check(`DumpLogSegments finds nothing wrong in ${files.length} files`, findings.length === 0, findings.slice(0, 20).join('\n'))
  check(
    `and prints what cat prints: ${whole} records with key and value; of ${begun} others, bytes or several lines, what precedes these`,
    whole > 20_000 && begun > 0,
  )
  const indexes = segments.flatMap(({ index, timeIndex }) => [index, timeIndex])
  const sanity = await judge.ask('dump', { arguments: ['--index-sanity-check', '--files', indexes.join(',')] })
  const insane = checkSanity(sanity, indexes)
  check(`${indexes.length} indexes pass the check that a broker makes at its start`, insane.length === 0, insane.join('\n'))
}

/** Whether `known-gaps`, which fsck --repair writes beside the segments, has the offsets between these two, or compaction was there. */
function isKnownGap(log, from, to) {
  const cleaner = join(dirname(log), 'cleaner-offset')
  if (existsSync(cleaner) && to <= Number(readFileSync(cleaner, 'utf8').split(' ')[2])) return true
  const file = join(dirname(log), 'known-gaps')
  return existsSync(file) && linesOf(readFileSync(file)).includes(`${from + 1} ${to}`)
}

/** The active segment has no last entry in its time index yet. */
async function checkIndexes(judge, work, partitions) {
  const logs = partitions
    .filter(({ topic }) => !otherIndexes.test(topic))
    .flatMap(({ segments }) => segments.map(({ log }, n) => (n === segments.length - 1 ? `${log}!` : log)))
  const differences = await judge.ask('reindex', { work, indexIntervalBytes, logs })
  check(`Kafka writes the same bytes into the indexes of ${logs.length} segments`, differences === '', differences)
}

/** The lines of Segments.java, without the file that they begin with, by the name of its directory. */
function byDirectory(lines) {
  const groups = new Map()
  for (const line of lines) {
    const [, file, rest] = /^\{"file":"([^"]*)",(.*)$/.exec(line)
    const name = basename(dirname(file))
    if (!groups.has(name)) groups.set(name, [])
    groups.get(name).push(`{${rest}`)
  }
  return groups
}
