/** logq retain: removes old segments, by age or by size. */
import { LOG_SUFFIX, segmentFileName } from '../../lib/log/file-names.js'
import { isRetained, retainTopic, type PartitionRetention, type RetainOptions } from '../../lib/maintain/retain/retain-topic.js'
import { noteRetain } from '../../lib/store/last-retain.js'
import { requireWritable } from '../../lib/store/store.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { forEachTopic } from '../maintain/for-each-topic.js'
import { keptText } from '../maintain/kept-text.js'
import { noWait, retentionOptions, retentionWishes } from '../maintain/options.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'
import { roundDuration, roundSize } from '../values/units.js'

export const command = defineCommand({
  name: 'retain',
  summary: 'remove records that are older, or more, than a topic keeps',
  operands: {
    topics: { label: 'TOPIC', meaning: 'The topics; by default all whose cleanup.policy says delete.', repeated: true },
  },
  options: {
    store: options.store,
    ...retentionOptions,
    force: { kind: 'flag', meaning: 'Also when the clock seems to be wrong.' },
    noWait,
    dryRun: options.dryRun,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq retain', meaning: 'All topics, by their own settings; for cron.' },
    { command: 'logq retain access --older 7d --dry-run', meaning: 'What a shorter time would remove.' },
    {
      command: "logq retain --keep-until-acked-by '*' --hard-limit 50GiB",
      meaning: 'Keep what some group has not read, up to a limit.',
    },
  ],
  exits: ['failed', 'corruption', 'conflict', 'tryAgain'],
  exitNotes: {
    conflict: 'A topic that was named is compacted only; or the clock seems to be wrong, and nothing of that topic was removed',
    tryAgain: 'With **--no-wait**: another process holds the append lock of a partition',
  },
  man: {
    description: [
      'Removes whole segments, the oldest first: those whose newest record is older than retention.ms, and those without which the partition is still larger than retention.bytes allows. The age of a segment is that of its newest timestamp, or of the last write to its file when that is earlier; so a timestamp in the future keeps nothing. Of a segment that is damaged the later of the two counts, since nobody knows what follows the damage, and it is named on standard error. An active segment whose oldest record is older than segment.ms or retention.ms, or which is larger than half of retention.bytes, is closed first; so the oldest record is never older than twice retention.ms, or retention.ms and segment.ms, by more than the time between two runs. The newest records stay, whatever the size.',
      'With **-v** it is said on standard error why the segments that stay are still there, run by run, as **logq-doctor**(1) does; **-J** has that in kept, of each run the reason (active, not-due, newest, held, not-archived or behind), the base offsets of its segments, and when the first and the last of them are due.',
      'The log start offset moves first, durably, then files are unlinked. A line on standard output says for each partition of which something was removed how much that was, and how old the oldest of what is left is; there is none when there was nothing to do. A group that had not read all of what was removed is warned of on standard error.',
      'When the clock went back, or is further than retention.ms past the last run on a topic, and more than 90 % of the topic would go, nothing is removed: exit status 6. **--force** does it. With archive.required=true only what is in an archive is removed.',
    ],
    seeAlso: ['logq-doctor(1)', 'logq-trim(1)', 'logq-compact(1)', 'logq-archive(1)', 'logq-topic(1)', 'logq-format(5)'],
  },
  async run(args, io) {
    const { options: given, operands } = args
    const { force, dryRun } = given
    const wishes = retentionWishes(given)
    const store = requireWritable(openForReading(given.store, io))
    const how: RetainOptions = {
      ...lockWait(io),
      ...(given.noWait ? { wait: 'no' } : {}),
      ...wishes,
      force,
      dryRun,
    }
    const done: string[] = []
    await forEachTopic(store, operands.topics, isRetained, io, async ({ topic, topicId }) => {
      await retainTopic(store, topic, { ...how, onPartition: (partition) => report(partition, given, io) })
      done.push(topicId)
    })
    if (!dryRun && done.length > 0) await noteRetain(store, done, io.system.clock.nowMs(), how)
  },
})

async function report(
  done: PartitionRetention,
  { json, dryRun }: { readonly json: boolean; readonly dryRun: boolean },
  io: Io,
): Promise<void> {
  const { topic, partition, removedSegments, removedBytes, fromOffset, logStartOffset, oldestAgeMs, lostBy } = done
  const name = `${topic}-${partition}`
  for (const { group, offsetCount } of lostBy)
    await io.warn(
      `group '${group}' ${dryRun ? 'would lose' : 'has lost'} ${offsetCount} offsets of '${name}' that it had not read`,
    )
  for (const base of done.damagedSegments)
    await io.warn(
      `segment ${segmentFileName(base, LOG_SUFFIX)} of '${name}' is damaged, and counts as written when its file was; see 'logq fsck ${topic}'`,
    )
  const oldest = oldestAgeMs === undefined ? 'nothing is left' : `the oldest is now ${roundDuration(oldestAgeMs)} old`
  for (const kept of done.kept) await io.explain(`'${name}': ${keptText(kept, topic, io.system.clock.nowMs())}`)
  if (json) {
    if (removedSegments > 0 || io.verbose) await io.output().writeLine(JSON.stringify(done))
    return
  }
  if (removedSegments === 0) {
    await io.explain(`'${name}' has nothing to remove; ${oldest}`)
    return
  }
  const what = `${dryRun ? 'would remove' : 'removed'} ${removedSegments} ${removedSegments === 1 ? 'segment' : 'segments'}`
  await io
    .output()
    .writeLine(`${name}: ${what}, ${roundSize(removedBytes)}, offsets ${fromOffset} to ${logStartOffset - 1}; ${oldest}`)
}
