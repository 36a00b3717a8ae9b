/** logq doctor: explains in sentences what is on disk and why, and what needs a hand. */
import { isDamage, type DoctorFinding, type Severity } from '../../lib/inspect/doctor/doctor-finding.js'
import { examineStore } from '../../lib/inspect/doctor/examine-store.js'
import { isLogqError } from '../../lib/errors.js'
import type { Store } from '../../lib/store/store.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import type { Io } from '../io.js'
import { doctorText } from '../maintain/doctor-text.js'
import { countOf } from '../maintain/kept-text.js'
import { retentionOptions, retentionWishes } from '../maintain/options.js'
import { options } from '../options.js'
import { escapeText } from '../print/escape.js'
import { openForReading } from '../reading/reading.js'
import { wrap } from '../text.js'

export const command = defineCommand({
  name: 'doctor',
  summary: 'explain why things are on disk, and what needs a hand',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics; the whole store by default. See TOPICS in **logq**(1).',
      repeated: true,
    },
  },
  options: {
    store: options.store,
    ...retentionOptions,
    json: options.jsonLines,
    quiet: { kind: 'flag', letter: 'q', meaning: 'Print only what needs a hand.' },
    verbose: { kind: 'flag', letter: 'v', meaning: 'Print also a line for each segment.' },
  },
  examples: [
    { command: 'logq doctor access', meaning: 'Why the segments of a topic are still there, and until when.' },
    { command: 'logq doctor -q', meaning: 'For cron: a line, and so a mail, for what needs a hand.' },
    {
      command: "logq doctor --keep-until-acked-by '*' --hard-limit 90d",
      meaning: 'The same for a retain that waits for groups.',
    },
    { command: 'logq doctor -J | jq -r \'select(.kind == "lock").path\'', meaning: 'Which locks are held.' },
  ],
  exits: ['failed', 'corruption'],
  exitNotes: {
    done: 'Nothing needs a hand',
    failed: 'Something needs a hand, as the lines with WARNING and CRITICAL say; or a topic or group is not known',
    corruption: 'Something is damaged, or missing, as the lines with CRITICAL say',
  },
  man: {
    description: [
      'Looks at topics, consumer groups and the store, and says in sentences: why each run of segments is still on disk (it is the active one, not expired yet, within retention.bytes, held by a group or because it is not archived, waiting for older ones, compacted), and when it goes; what the next **logq retain** removes, when something else is due, and whether retain seems to be in no crontab; which process holds which lock, and whether it is stopped; which groups are behind, how far, and when retention overtakes them; timestamps that are ahead or late; partitions whose last fsync failed or that were not left clean; small files that are damaged; what was left over, and what snapshots hold.',
      'What is said of retention comes from the plan that **logq retain** goes by. Options of a retain in a crontab are not in the store: give them here too.',
      'It changes nothing, works on a read-only file system, and takes no lock that anybody has to wait for. Who holds a lock is told by the kernel, on Linux; of processes of other users only that there is one. What cannot be read is named, and the rest goes on. Records are not read: that is for **logq fsck**.',
      'A line begins with what it is about. Those with WARNING or CRITICAL need a hand. On a terminal, lines are broken at its width.',
      'With **-J** each finding is an object with **kind**, **severity** (ok, notice, warning, critical), **text** (the sentence), the fields topic, partition and group as far as they apply, and those of its kind. Offsets in ranges exclude the end; times are in ms since 1970; null stands for never or unknown. **kept**: reason (active, not-due, newest, held, not-archived, behind), segments (base offsets), sizeBytes, fromOffset, toOffset, dueMs, lastDueMs, dueAfterBytes, heldBy. **removable**: reasons (expired, excess, hard-limit), segments, sizeBytes, fromOffset, toOffset, sharedBytes. **segment** (with **-v**): baseOffset, toOffset, sizeBytes, maxTimestampMs, modifiedMs, reason, dueMs, dueAfterBytes. **below-log-start**: segmentCount, logStartOffset. **retention**: retentionMs, retentionBytes, lastRunMs, removableSegments, removableBytes, nextDueMs, dueSinceMs. **clock**: lastRunMs, leavingBytes, totalBytes. **future-timestamps**, **late-timestamps**: segments, sizeBytes, maxTimestampMs, modifiedMs. **compaction**: dirtyBytes, cleanBytes, activeBytes, youngBytes, minDirtyRatio, isDue, dueMs. **sync-failed**: syncedOffset. **unclean**: unverifiedBytes. **lost-end**: recoveryPointOffset. **damaged-segments**: segments. **status**: status. **missing-directory**: path. **damaged-file**: path, problem. **unreadable**: code, problem, hint. **left-over**: what (quarantine, unfinished, index-without-log, kafka-deleted, damaged-offsets, unknown), paths (the first ones), count, sizeBytes, isInUse. **lock**: lock (append, compaction, archive, group, store, import, snapshot), path, host, holders (pid, command, isStopped, startedMs), waiterCount. **member**: member, presence (alive, away, still, stopped, dead), host, pid, command, joinedMs, partitions. **group-behind**: committedOffset, lagRecords, lagBytes, lagMs, member, isWaitedFor, nextRunRecords, overtakenMs, overtakenAfterBytes. **group-lost**: committedOffset, lostOffsets. **group-damaged**: problem. **snapshot**: snapshot, takenMs, sizeBytes, unsharedBytes. **disk**: freeBytes, totalBytes. **kafka-directory**: path.',
    ],
    seeAlso: [
      'logq-retain(1)',
      'logq-compact(1)',
      'logq-archive(1)',
      'logq-fsck(1)',
      'logq-du(1)',
      'logq-group(1)',
      'logq-check(1)',
      'logq-cron(7)',
    ],
  },
  async run({ options: given, operands }, io) {
    const wishes = retentionWishes(given)
    const store = openForReading(given.store, io)
    const topics = operands.topics.length === 0 ? undefined : await topicsOf(store, operands.topics, io)
    if (topics?.length === 0) return
    const printer = new Printer(given.json, io)
    const perSegment = given.verbose
    for await (const finding of examineStore(store, { ...wishes, ...(topics && { topics }), perSegment, signal: io.signal })) {
      if (!given.quiet || needsHand(finding)) await printer.print(finding)
    }
    await printer.end()
  },
})

const NEEDS_HAND: ReadonlySet<Severity> = new Set(['warning', 'critical'])

function needsHand({ severity }: DoctorFinding): boolean {
  return NEEDS_HAND.has(severity)
}

/** Those that are there; the others are named. */
async function topicsOf(store: Store, given: readonly string[], io: Io): Promise<string[]> {
  const topics: string[] = []
  for (const topic of await expandTopics(store, given, (error) => io.failWith(error))) {
    try {
      getTopic(store, topic)
      topics.push(topic)
    } catch (error) {
      if (!isLogqError(error)) throw error
      await io.failWith(error)
    }
  }
  return topics
}

const USUAL_COLUMNS = 80
const FEWEST_COLUMNS = 40

class Printer {
  #count = 0

  constructor(
    private readonly json: boolean,
    private readonly io: Io,
  ) {}

  async print(finding: DoctorFinding): Promise<void> {
    const output = this.io.output()
    if (needsHand(finding)) {
      this.#count += 1
      this.io.merge(isDamage(finding) ? 'corruption' : 'failed')
    }
    const text = doctorText(finding, this.io.system.clock.nowMs())
    if (this.json) {
      await output.writeLine(JSON.stringify({ ...finding, text }))
      return
    }
    if (!output.isTerminal) {
      await output.writeLine(text)
      return
    }
    const columns = this.io.streams.stdout.columns ?? USUAL_COLUMNS
    const width = columns < FEWEST_COLUMNS ? USUAL_COLUMNS : columns
    const [first = '', ...rest] = wrap(escapeText(text, 'line'), width - INDENT.length)
    for (const line of [first, ...rest.map((one) => INDENT + one)]) await output.writeLine(line)
  }

  async end(): Promise<void> {
    const what =
      this.#count === 0
        ? 'nothing needs a hand'
        : `${countOf(this.#count, 'finding')} ${this.#count === 1 ? 'needs' : 'need'} a hand`
    await this.io.say(what)
  }
}

const INDENT = '  '
