/** logq compact: keeps the last value of each key. */
import { MIN_TABLE_BYTES } from '../../lib/maintain/compact/last-records.js'
import { compactTopic, isCompacted, MAX_KEEP_COUNT } from '../../lib/maintain/compact/compact-topic.js'
import type { PartitionCompaction } from '../../lib/maintain/compact/compact-partition.js'
import { explainKey } from '../../lib/maintain/compact/explain-key.js'
import { requireWritable, type Store } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { forEachTopic } from '../maintain/for-each-topic.js'
import { noWait } from '../maintain/options.js'
import { options } from '../options.js'
import { progressOf } from '../progress.js'
import { openForReading, partitionsOf } from '../reading/reading.js'
import { roundSize } from '../values/units.js'

export const command = defineCommand({
  name: 'compact',
  summary: 'keep only the last record of each key',
  operands: {
    topics: { label: 'TOPIC', meaning: 'The topics; by default all whose cleanup.policy says compact.', repeated: true },
  },
  options: {
    store: options.store,
    partition: options.partitions,
    minDirty: {
      kind: 'parsed',
      valueName: 'RATIO',
      parse: parseRatio,
      meaning: 'In place of min.cleanable.dirty.ratio: the part of a log that must be new, 0 to 1. 0 goes over it in any case.',
    },
    includeActive: { kind: 'flag', meaning: 'Close the active segment first, and compact it too.' },
    keep: {
      kind: 'integer',
      valueName: 'N',
      minimum: 1,
      maximum: MAX_KEEP_COUNT,
      default: 1,
      meaning: 'Keep the last N records of each key.',
    },
    memory: {
      kind: 'size',
      valueName: 'SIZE',
      minimum: MIN_TABLE_BYTES,
      maximum: 2 ** 34,
      default: 128 << 20,
      meaning:
        'For a table of keys, 16 bytes each (with --keep N 16 + 4 N), and notes of a bit for each record. When it is full, more passes over the log are made.',
    },
    explain: {
      kind: 'string',
      valueName: 'KEY',
      meaning: 'Say what becomes of each record with this key, and why; change nothing.',
    },
    noWait,
    dryRun: options.dryRun,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq compact', meaning: 'All compacted topics of which enough is new; for cron.' },
    { command: 'logq compact users --min-dirty 0 --include-active', meaning: 'Everything, now.' },
    { command: 'logq compact users --dry-run', meaning: 'What that would save.' },
    { command: 'logq compact users --explain u42', meaning: 'Why there are so many records of a key.' },
  ],
  exits: ['failed', 'corruption', 'conflict', 'tryAgain'],
  exitNotes: {
    conflict:
      'A topic that was named is not compacted (its cleanup.policy), or ceased to be meanwhile; or its segments were removed or repaired again and again while they were gone over',
    tryAgain: 'With **--no-wait**: another process is compacting it, or holds the append lock',
  },
  man: {
    description: [
      'Goes over the closed segments of each partition, and keeps of each key the last record, at its offset. Nothing is done where less than min.cleanable.dirty.ratio of the log is new since the last pass, unless something new is older than max.compaction.lag.ms. Records younger than min.compaction.lag.ms, and the active segment, are left alone; an active segment older than segment.ms or max.compaction.lag.ms is closed first.',
      'A record with a null value is a tombstone: it deletes its key. It is kept for delete.retention.ms after the first pass that saw it, so that consumers learn of it, and goes in a later one. Records without a key go too; **logq produce** refuses them for a compacted topic.',
      'Segments are written anew one at a time, and each takes the place of the old one by one rename. Producers, readers and followers run on. Killed at any moment, each segment is as it was or as it is to be, and the next run goes on. When **logq retain** removes segments meanwhile, the partition is gone over again from its new start. One segment at a time needs its space on the disk twice. Keys are told apart by a 128-bit keyed hash.',
      'What was done is said on standard output, a line for each partition of which something was done; nothing when there was nothing to do. On a terminal a bar shows how far it is.',
    ],
    seeAlso: ['logq-retain(1)', 'logq-topic(1)', 'logq-format(5)'],
  },
  async run(args, io) {
    const { options: given, operands } = args
    const store = openForReading(given.store, io)
    if (given.explain !== undefined) {
      if (operands.topics.length === 0) throw usageError('--explain needs a topic', 'logq compact TOPIC --explain KEY')
      for (const topic of operands.topics) await explain(store, topic, given, given.explain, io)
      return
    }
    requireWritable(store)
    await forEachTopic(store, operands.topics, isCompacted, io, async (file) => {
      const { minDirty, includeActive, keep: keepCount, memory: memoryBytes, dryRun } = given
      const bars = progressOf(file.topic, io)
      try {
        await compactTopic(store, file.topic, partitionsOf(store, file, given.partition), {
          ...lockWait(io),
          ...(given.noWait ? { wait: 'no' } : {}),
          ...(minDirty === undefined ? {} : { minDirtyRatio: minDirty }),
          includeActive,
          keepCount,
          memoryBytes,
          dryRun,
          onProgress: bars.update,
          onPartition: async (done) => {
            await bars.clear()
            await report(done, given, io)
          },
        })
      } finally {
        await bars.clear()
      }
    })
  },
})

function parseRatio(text: string): number {
  if (/^(0(\.\d+)?|1(\.0+)?)$/.test(text)) return Number(text)
  throw usageError(`invalid ratio '${text}'`, 'a ratio is written as 0, 0.5 or 1')
}

async function report(
  done: PartitionCompaction,
  { json, dryRun }: { readonly json: boolean; readonly dryRun: boolean },
  io: Io,
): Promise<void> {
  const {
    topic,
    partition,
    isDone,
    bytesBefore,
    bytesAfter,
    recordsBefore,
    recordsAfter,
    keyCount,
    unkeyedCount,
    dirtyBytes,
    cleanBytes,
  } = done
  const name = `'${topic}-${partition}'`
  if (!isDone) {
    await io.explain(`${name} was left alone: ${roundSize(dirtyBytes)} of ${roundSize(dirtyBytes + cleanBytes)} are new`)
    return
  }
  if (unkeyedCount > 0) await io.warn(`${unkeyedCount} records of ${name} without a key ${dryRun ? 'would go' : 'are gone'}`)
  if (json) {
    await io.output().writeLine(JSON.stringify(done))
    return
  }
  const dropped = recordsBefore - recordsAfter
  if (dropped === 0 && bytesAfter === bytesBefore) {
    await io.explain(`${name} has nothing to drop: ${recordsAfter} records of ${keyCount} keys`)
    return
  }
  const what = dryRun ? 'would drop' : 'dropped'
  const saved = roundSize(Math.max(0, bytesBefore - bytesAfter))
  await io
    .output()
    .writeLine(
      `${topic}-${partition}: ${what} ${dropped} of ${recordsBefore} records, ${saved} of ${roundSize(bytesBefore)}; ${keyCount} keys`,
    )
}

async function explain(
  store: Store,
  topic: string,
  given: { readonly partition: Parameters<typeof partitionsOf>[2]; readonly keep: number; readonly json: boolean },
  key: string,
  io: Io,
): Promise<void> {
  for (const partition of partitionsOf(store, getTopic(store, topic), given.partition)) {
    for (const record of await explainKey(store, topic, partition, Buffer.from(key), given.keep, io.signal)) {
      const { offset, timestampMs, isTombstone, fate, reason } = record
      const line = given.json
        ? JSON.stringify({ ...record, timestampMs: Number(timestampMs) })
        : `${topic}:${partition}@${offset} ${isTombstone ? 'tombstone' : 'value'}: ${fate}: ${reason}`
      await io.output().writeLine(line)
    }
  }
}
