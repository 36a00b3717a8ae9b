/** logq fsck: finds damage, and with --repair mends what can be mended. */
import { isLogqError } from '../../lib/errors.js'
import { checkPartition, checkTopicFiles, repairPartition } from '../../lib/maintain/check-store.js'
import type { Finding } from '../../lib/maintain/finding.js'
import type { PartitionCheck } from '../../lib/maintain/inspect-partition.js'
import type { RepairReport } from '../../lib/maintain/repair-partition.js'
import { requireWritable, type Store } from '../../lib/store/store.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { getTopic, listTopics, topicPath } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { findingText } from '../finding-text.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { openForReading, partitionsOf } from '../reading/reading.js'

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
      'Reads every batch and every record, and checks CRC, offsets, leader epochs, indexes, recovery point, state and topic files. Each finding is one line on standard output: its kind (**damage**, **cache**, **note**), the file, the position, the offset, and what is wrong. Damage is lost or unreadable records; a cache is a file that is rebuilt from the log; a note is what the next append deals with, or nobody needs to.',
      'With **--repair** every batch that can be read is kept at its offset. A damaged segment is copied whole to quarantine/ in its partition directory, and replaced in one atomic step by its good batches; what was dropped is named, and not named again by later checks. Segments under wrong names get their own. Wrong and missing indexes and other caches are rebuilt. After a failed fsync the log is written anew and takes records again. Damaged logq.json and topic files are left to you.',
      'Checking takes no lock for longer than a moment, and producers may run. Repairing holds the append lock of a partition that is not clean; a clean one is not touched.',
    ],
    seeAlso: ['logq-format(5)'],
  },
  async run(args, io) {
    const { partition: list, repair, json } = args.options
    const store = openForReading(args.options.store, io)
    if (repair) requireWritable(store)
    const print = new Printer(json, io)
    const named = args.operands.topics
    const broken = await checkFiles(store, named, print)
    for (const topic of named.length > 0 ? named : listTopics(store)) {
      const file = broken.has(topicPath(store, topic)) ? undefined : await readTopic(store, topic, io)
      if (file === undefined) continue
      for (const partition of partitionsOf(store, file, list)) {
        if (io.signal.aborted) return
        await (repair ? repairOne(store, topic, partition, print, io) : checkOne(store, topic, partition, print, io))
      }
    }
  },
})

/** Topic files of the topics that are named, or everything above the partitions. Returns the files that are damaged. */
async function checkFiles(store: Store, named: readonly string[], print: Printer): Promise<Set<string>> {
  const wanted = new Set(named.map((topic) => topicPath(store, topic)))
  const findings = (await checkTopicFiles(store)).filter(({ file }) => named.length === 0 || wanted.has(file))
  await print.findings(findings)
  return new Set(findings.filter(({ kind }) => kind === 'damage').map(({ file }) => file))
}

/** A topic that is not there is no reason to leave the others unchecked. */
async function readTopic(store: Store, topic: string, io: Io): Promise<TopicFile | undefined> {
  try {
    return getTopic(store, topic)
  } catch (error) {
    if (!isLogqError(error)) throw error
    await io.failWith(error)
    return undefined
  }
}

async function checkOne(store: Store, topic: string, partition: number, print: Printer, io: Io): Promise<void> {
  const check = await checkPartition(store, topic, partition, { signal: io.signal })
  await print.findings(check.findings, { topic, partition })
  await print.summary(check, { damage: 'damaged', cache: 'needs caches rebuilt' })
}

async function repairOne(store: Store, topic: string, partition: number, print: Printer, io: Io): Promise<void> {
  const report = await repairPartition(store, topic, partition, lockWait(io))
  await print.repair(report)
}

/** Says what was found and done, as text or as JSON lines, and what the command ends with. */
class Printer {
  constructor(
    private readonly json: boolean,
    private readonly io: Io,
  ) {}

  /** What nobody repaired makes the command end with corruption, caches too. */
  async findings(findings: readonly Finding[], where: object = {}): Promise<void> {
    if (findings.some(({ kind }) => kind !== 'note')) this.io.merge('corruption')
    for (const finding of findings) await this.line({ ...where, ...finding }, findingText(finding))
  }

  async repair({ check, rewritten, moved, rebuilt, cut }: RepairReport): Promise<void> {
    const { topic, partition, findings } = check
    const where = { topic, partition }
    if (findings.some(({ kind }) => kind === 'damage') || rewritten.length > 0 || cut !== undefined) this.io.merge('corruption')
    for (const finding of findings) await this.line({ ...where, ...finding }, findingText(finding))
    for (const { file, to } of moved) await this.line({ ...where, kind: 'moved', file, to }, `moved ${file} to ${to}`)
    for (const segment of rewritten) {
      await this.line({ ...where, kind: 'repaired', ...segment }, `repaired ${segment.file}: ${whatWasDone(segment)}`)
    }
    for (const file of rebuilt) await this.line({ ...where, kind: 'rebuilt', file }, `rebuilt ${file}`)
    if (cut !== undefined) {
      const { path, bytes, fromOffset } = cut
      const text = `cut ${bytes} bytes from offset ${fromOffset} on, which were never synced; they are in ${path}`
      await this.line({ ...where, kind: 'cut', quarantine: path, droppedBytes: bytes, fromOffset }, text)
    }
    await this.summary(check, { damage: 'was damaged', cache: 'had caches rebuilt' })
  }

  /** Clean is what nothing was found in but notes: the words for the worst finding otherwise. */
  async summary(check: PartitionCheck, words: { readonly damage: string; readonly cache: string }): Promise<void> {
    const { topic, partition, segmentCount, batchCount, recordCount, sizeBytes, findings } = check
    const countOf = (wanted: Finding['kind']) => findings.filter(({ kind }) => kind === wanted).length
    const [damageCount, cacheCount] = [countOf('damage'), countOf('cache')]
    if (this.json) {
      const counts = { segmentCount, batchCount, recordCount, sizeBytes, damageCount, cacheCount }
      await this.line({ topic, partition, kind: 'summary', ...counts }, '')
      return
    }
    const state = damageCount > 0 ? words.damage : cacheCount > 0 ? words.cache : 'clean'
    const counts = `${recordCount} records in ${batchCount} batches, ${segmentCount} segments, ${sizeBytes} bytes`
    await this.io.say(`'${topic}-${partition}' ${state}: ${counts}`)
  }

  private async line(object: object, text: string): Promise<void> {
    await this.io.output().writeLine(this.json ? JSON.stringify(object) : text)
  }
}

function whatWasDone({ droppedBytes, droppedOffsets, restoredBatches, quarantine }: RepairReport['rewritten'][number]): string {
  const offsets = droppedOffsets.map(({ fromOffset, toOffset }) => `${fromOffset} to ${toOffset - 1}`).join(', ')
  const dropped = droppedBytes === 0 && offsets === '' ? 'dropped nothing' : `dropped ${droppedBytes} bytes`
  const which = offsets === '' ? '' : `, offsets ${offsets}`
  const restored = restoredBatches === 0 ? '' : `, restored the headers of ${restoredBatches} batches`
  return `${dropped}${which}${restored}; the segment as it was is in ${quarantine}`
}
