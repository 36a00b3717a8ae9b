/** logq fsck: finds damage, and with --repair mends what can be mended. */
import { isLogqError } from '../../lib/errors.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { checkPartition, type CheckOptions, type PartitionCheck } from '../../lib/maintain/check-partition.js'
import type { Finding } from '../../lib/maintain/finding.js'
import { repairPartition, type RepairReport } from '../../lib/maintain/repair-partition.js'
import { appendContext, viewContext } from '../../lib/store/partition.js'
import { requireWritable, type Store } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { getTopic, listTopics } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { openForReading, partitionsOf } from '../reading.js'

export const command = defineCommand({
  name: 'fsck',
  summary: 'check topics for damage, and repair them',
  operands: { topics: { label: 'TOPIC', meaning: 'The topics; all of the store by default.', repeated: true } },
  options: {
    store: options.store,
    partition: options.partitions,
    repair: {
      kind: 'flag',
      meaning: 'Repair what is damaged, keeping a copy of what was in quarantine/, and rebuild indexes.',
    },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq fsck', meaning: 'Check the whole store.' },
    { command: 'logq fsck --repair access', meaning: 'Repair one topic.' },
  ],
  exits: ['failed', 'corruption'],
  exitNotes: {
    corruption:
      'Damage was found, also when it was repaired. Exit status 0: clean, or only indexes and other caches were rebuilt',
  },
  man: {
    description: [
      'Reads every batch and every record, and checks CRC, offsets, leader epochs, indexes, recovery point and state. Each finding is one line on standard output: its kind (**damage**, **cache**, **note**), the file, the position, the offset, and what is wrong. Damage is lost or unreadable records; a cache is a file that is rebuilt from the log; a note is what the next append deals with.',
      'With **--repair** every batch that can be read is kept at its offset. A damaged segment is copied whole to quarantine/ in its partition directory, and replaced in one atomic step by its good batches; what was dropped is named. Wrong and missing indexes are rebuilt. After a failed fsync the log is written anew and takes records again.',
      'Checking takes no lock and disturbs nobody. Repairing holds the append lock of the partition.',
    ],
    seeAlso: ['logq-format(5)'],
  },
  async run(args, io) {
    const { partition: list, repair, json } = args.options
    const store = openForReading(args.options.store, io)
    if (repair) requireWritable(store)
    const topics = args.operands.topics.length > 0 ? args.operands.topics : listTopics(store)
    for (const topic of topics) {
      const file = await readTopic(store, topic, args.operands.topics.length > 0, io)
      if (file === undefined) continue
      for (const partition of partitionsOf(store, file, list)) {
        if (io.signal.aborted) return
        await (repair ? repairOne(store, file, partition, json, io) : checkOne(store, file, partition, json, io))
      }
    }
  },
})

/** A topic file that cannot be read is damage of its own, and no reason to leave the others unchecked. */
async function readTopic(store: Store, topic: string, isNamed: boolean, io: Io): Promise<TopicFile | undefined> {
  try {
    return getTopic(store, topic)
  } catch (error) {
    if (isNamed && !isLogqError(error, 'LOGQ_CORRUPT')) throw error
    await io.failWith(error)
    return undefined
  }
}

function checkOptions(store: Store, file: TopicFile, io: Io): CheckOptions {
  const isCompacted = new TopicConfig(file.config).choice('cleanup.policy').includes('compact')
  return { gapsAreNormal: isCompacted || store.kind === 'kafka', startsAtLogStart: store.kind === 'logq', signal: io.signal }
}

async function checkOne(store: Store, file: TopicFile, partition: number, json: boolean, io: Io): Promise<void> {
  const check = await checkPartition(viewContext(store, file.topic, partition), checkOptions(store, file, io))
  await printFindings(check, json, io)
  // A missing index is no fault; a wrong one that nobody rebuilt is.
  if (check.findings.some(({ kind }) => kind !== 'note')) io.merge('corruption')
  await printSummary(check, json, io)
}

async function repairOne(store: Store, file: TopicFile, partition: number, json: boolean, io: Io): Promise<void> {
  const name = `${file.topic}-${partition}`
  const context: LogContext = appendContext(store, file.topic, partition, () => new TopicConfig(file.config))
  const onLongWait = (holderPid: number) => {
    void io.warn(`waiting for the append lock of '${name}', held by process ${holderPid}`)
  }
  const report = await repairPartition(context, viewContext(store, file.topic, partition), checkOptions(store, file, io), {
    signal: io.signal,
    onLongWait,
  })
  await printFindings(report.check, json, io)
  if (report.check.findings.some(({ kind }) => kind === 'damage')) io.merge('corruption')
  await printRepair(report, json, io)
  await printSummary(report.check, json, io)
}

async function printFindings(check: PartitionCheck, json: boolean, io: Io): Promise<void> {
  const { topic, partition } = check
  for (const finding of check.findings) {
    await io.output().writeText(json ? `${JSON.stringify({ topic, partition, ...finding })}\n` : `${sentence(finding)}\n`)
  }
}

function sentence({ kind, file, position, offset, message }: Finding): string {
  const at = position === undefined ? '' : ` position ${position}`
  const from = offset === undefined ? '' : ` offset ${offset}`
  return `${kind} ${file}${at}${from}: ${message}`
}

async function printRepair({ check, rewritten, rebuiltIndexes }: RepairReport, json: boolean, io: Io): Promise<void> {
  const { topic, partition } = check
  for (const segment of rewritten) {
    const { file, quarantine, droppedBytes, droppedOffsets } = segment
    const offsets = droppedOffsets.map(({ fromOffset, toOffset }) => `${fromOffset} to ${toOffset - 1}`).join(', ')
    const dropped = `${droppedBytes} bytes${offsets === '' ? '' : `, offsets ${offsets}`}`
    const text = `repaired ${file}: dropped ${dropped}; the segment as it was is in ${quarantine}`
    await io.output().writeText(json ? `${JSON.stringify({ topic, partition, kind: 'repaired', ...segment })}\n` : `${text}\n`)
  }
  for (const file of rebuiltIndexes) {
    await io.output().writeText(json ? `${JSON.stringify({ topic, partition, kind: 'rebuilt', file })}\n` : `rebuilt ${file}\n`)
  }
}

async function printSummary(check: PartitionCheck, json: boolean, io: Io): Promise<void> {
  const { topic, partition, segmentCount, batchCount, recordCount, sizeBytes } = check
  if (json) {
    const damageCount = check.findings.filter(({ kind }) => kind === 'damage').length
    await io
      .output()
      .writeText(
        `${JSON.stringify({ topic, partition, kind: 'summary', segmentCount, batchCount, recordCount, sizeBytes, damageCount })}\n`,
      )
    return
  }
  const words = check.findings.some(({ kind }) => kind === 'damage') ? 'damaged' : 'clean'
  await io.say(
    `'${topic}-${partition}' ${words}: ${recordCount} records in ${batchCount} batches, ${segmentCount} segments, ${sizeBytes} bytes`,
  )
}
