/** logq dump: shows what is on disk, and names everything that is wrong with it. */
import { isAbsolute, normalize, resolve } from 'node:path'
import { resolveOffsets, type OffsetSpec, type Point } from '../../lib/consume/offset-spec.js'
import { isLogqError, systemErrorCode } from '../../lib/errors.js'
import { dumpFile, dumpPartition, type DumpOptions } from '../../lib/inspect/dump.js'
import type { DumpItem, ProblemItem } from '../../lib/inspect/dump-item.js'
import type { ViewContext } from '../../lib/log/log-view.js'
import { viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { findingText } from '../finding-text.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { parsePartitionList, type PartitionList } from '../values/partition-list.js'
import { appendDumpJson } from '../print/dump-json.js'
import { dumpText } from '../print/dump-text.js'
import { gateFor } from '../print/escape.js'
import type { Gate, RecordPrinter } from '../print/printer.js'
import { recordPrinter } from '../print/record-printer.js'
import { openForReading, partitionsOf } from '../reading/reading.js'

export const command = defineCommand({
  name: 'dump',
  summary: 'show batches, index entries and state as they are on disk',
  operands: {
    what: {
      label: 'FILE|TOPIC[:P]',
      meaning:
        'Files of a partition, a store or a Kafka log directory, wherever they lie; or a topic (or a pattern of topics) of the store, or partitions of it, such as events:0 or events:0,2-5. An operand with a / is a file, and so is the name of a file in the current directory; everything else is a topic.',
      required: true,
      repeated: true,
    },
  },
  options: {
    store: options.store,
    partition: { ...options.partitions, meaning: 'Of topics, only these partitions, such as 0 or 0,2-5.' },
    records: { kind: 'flag', meaning: 'Show the records of each batch too: keys, values and headers, long ones cut short.' },
    offset: {
      ...options.offset,
      meaning:
        'Show only batches and index entries of these offsets: 42, -10 (before the end), 10:20, @-1h … as for **logq-cat**(1).',
    },
    position: {
      kind: 'integer',
      valueName: 'BYTES',
      meaning: 'Show only what ends behind this byte of each log, and the entries of offset indexes that point there.',
    },
    count: {
      ...options.count,
      meaning: 'Show at most this many batches of each log, and this many entries of each index.',
    },
    json: options.jsonLines,
    raw: options.raw,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq dump events:0', meaning: 'All files of one partition.' },
    { command: 'logq dump --records -n 1 events', meaning: 'The first batch of each segment, with its records.' },
    {
      command: 'logq dump /var/lib/kafka/events-0/*.log -J | jq -s \'map(select(.type == "batch").recordCount) | add\'',
      meaning: 'Count the records in segments of a Kafka broker.',
    },
    { command: 'logq dump store/events-0/lock', meaning: 'What the last writer left for the next one.' },
    {
      command: 'logq dump suspect.log > suspect.txt || echo "status $?"',
      meaning: 'Look at a segment that was sent by somebody; status 5 when anything is wrong with it.',
    },
  ],
  exits: ['failed', 'corruption'],
  exitNotes: { corruption: 'Something is wrong with what was shown; each problem is named on standard error too' },
  man: {
    description: [
      'Shows what files hold, one item a line, in the order of the file: **file** (what follows is in it), **batch** (position, size, offsets, leader epoch, CRC as stored and whether it holds, codec, timestamps, producer, flags, number of records; **control** with the kind of its marker), **record** with **--records**, **offset-index-entry** and **time-index-entry** (matches says whether the log beside it has such a batch), **transaction-index-entry** (a transaction that was aborted) and **producer-state** (of a producer snapshot) as Kafka writes them, **preallocated** (zero bytes that Kafka reserved at the end of an index), **state-block** (of the lock file; matchesLog says whether the next append will believe it), **recovery-point** (each of the two slots), **log-start-offset**, **leader-epoch**, **leader-epoch-id**, **known-gap**, **cleaner-offset**, **dedupe-index** (its header), **topic** and **store**, and **line** for other small text files. Files are told by their names; any other file that begins with a record batch is taken for a log.',
      'Of a topic all files are shown, of each partition the segments in order, each with its indexes, then the small files; not what lies in quarantine/, which is dumped by name.',
      "Every file is checked as a whole before it is shown, whatever **-o**, **--position** and **-n** leave of it: CRC, offsets, leader epochs, every record (decompressed), and indexes against their log. A file of a store, logq's or Kafka's, is judged exactly as **logq-fsck**(1) judges it, and problems are given in its words: **damage** and **cache** end with exit status 5, a **note** does not. Gaps between offsets are normal in compacted topics and in directories of Kafka. Transaction indexes are checked against the markers of the log, producer snapshots by their CRC; both are caches. The end of a log to which somebody may be appending may be torn, which is a note. A file that lies anywhere else is at rest: there a torn end is damage. To judge a small file of a partition the whole partition is read, for a segment also the one before it.",
      'Damage does not end the dump. After a bad place it goes on with the next whole batch, and **passed-over** gives the bytes between; a header that can be read there is shown, marked BAD. Messages of the formats before Kafka 0.11 are shown as **old-message** and not read. What is no regular file is refused.',
      'With **-J** each line is an object: "type" as above, "file", "position" where there is one, and the same names as in the text; null for what is not known, and a decimal string for an integer beyond 2^53-1. A batch has baseOffset, lastOffset, crc and computedCrc (numbers), lastSequence, isTransactional, isControl, controlType, coordinatorEpoch, hasDeleteHorizon, deleteHorizonMs and isGood. A **record** has batchPosition, sequence, keyBytes, valueBytes and, as "record", the whole JSON record of **logq**(1), with topic "" and partition -1 where the directory does not tell them. A **problem** has kind, message and, where known, position and offset.',
    ],
    seeAlso: ['logq-fsck(1)', 'logq-cat(1)', 'logq-format(5)'],
  },
  async run(args, io) {
    const { store, partition, records, offset, position, count, json, raw } = args.options
    const shown: DumpOptions = {
      ...(position === undefined ? {} : { fromPosition: position }),
      ...(count === undefined ? {} : { limit: count }),
      withRecords: records,
      signal: io.signal,
    }
    const printer = new Printer(json, gateFor(io.output(), raw), io)
    for (const operand of args.operands.what) {
      if (io.signal.aborted || io.output().readerClosed) break
      try {
        if (isFile(operand, io)) await dumpOneFile(pathOf(operand, io), offset, shown, printer, io)
        else await dumpTopic(openForReading(store, io), operand, partition, offset, shown, printer, io)
      } catch (error) {
        // One operand that fails leaves the others.
        const isOfAll = isLogqError(error, 'LOGQ_USAGE') || isLogqError(error, 'LOGQ_ABORTED')
        if (isOfAll || (!isLogqError(error) && systemErrorCode(error) === undefined)) throw error
        await io.failWith(error)
      }
    }
    await printer.summary()
  },
})

/** A name that is there, other than a directory, or a path. */
function isFile(operand: string, io: Io): boolean {
  if (operand.includes('/')) return true
  const kind = operand === '' ? undefined : io.system.fs.pathStatus(resolve(io.cwd, operand))?.kind
  return kind !== undefined && kind !== 'directory'
}

/** As it was typed where that names the directory and the one above it, which tell what a file is part of; absolute otherwise. */
function pathOf(operand: string, io: Io): string {
  const path = normalize(operand)
  return isAbsolute(path) || (path.includes('/') && !path.startsWith('..')) ? path : resolve(io.cwd, path)
}

async function dumpOneFile(path: string, spec: OffsetSpec | undefined, shown: DumpOptions, to: Printer, io: Io): Promise<void> {
  const context: ViewContext = {
    system: io.system,
    directory: path.slice(0, path.lastIndexOf('/')) || '/',
    topic: '',
    partition: 0,
  }
  await to.items(dumpFile(io.system, path, { ...shown, ...(await rangeOf(context, spec, io)) }))
}

async function dumpTopic(
  store: Store,
  operand: string,
  list: PartitionList | undefined,
  spec: OffsetSpec | undefined,
  shown: DumpOptions,
  to: Printer,
  io: Io,
): Promise<void> {
  const colon = operand.lastIndexOf(':')
  if (colon >= 0 && list !== undefined)
    throw usageError(
      `-p does not go with '${operand}', which names its partitions`,
      `leave out -p, or write '${operand.slice(0, colon)}'`,
    )
  const wanted = colon < 0 ? list : parsePartitionList(operand.slice(colon + 1))
  for (const topic of await expandTopics(store, [colon < 0 ? operand : operand.slice(0, colon)])) {
    for (const partition of partitionsOf(store, getTopic(store, topic), wanted)) {
      if (io.signal.aborted || io.output().readerClosed) return
      const range = await rangeOf(viewContext(store, topic, partition, { isolation: 'read_uncommitted' }), spec, io)
      await to.items(dumpPartition(store, topic, partition, { ...shown, ...range }))
    }
  }
}

type OffsetBounds = Pick<DumpOptions, 'fromOffset' | 'toOffset'>

/** Plain offsets are taken as they are, below the log start and behind the end too; other forms need to be looked up. */
async function rangeOf(context: ViewContext, spec: OffsetSpec | undefined, io: Io): Promise<OffsetBounds> {
  if (spec === undefined) return {}
  const plain = plainBounds(spec)
  if (plain !== undefined) return plain
  const { fromOffset, toOffset, hasEnd } = await resolveOffsets(context, spec, io.system.clock.nowMs())
  return { fromOffset, ...(hasEnd ? { toOffset } : {}) }
}

function plainBounds(spec: OffsetSpec): OffsetBounds | undefined {
  if (spec.kind === 'point') return spec.point.kind === 'offset' ? { fromOffset: spec.point.offset } : undefined
  if (spec.kind !== 'range') return undefined
  const isPlain = (point: Point | undefined) => point === undefined || point.kind === 'offset'
  if (!isPlain(spec.from) || !isPlain(spec.to)) return undefined
  return {
    ...(spec.from?.kind === 'offset' ? { fromOffset: spec.from.offset } : {}),
    ...(spec.to?.kind === 'offset' ? { toOffset: spec.to.offset } : {}),
  }
}

/** Prints items, says problems on standard error too, and counts them. */
class Printer {
  readonly #files = new Set<string>()
  readonly #records: RecordPrinter
  #problemCount = 0

  constructor(
    private readonly json: boolean,
    private readonly gate: Gate,
    private readonly io: Io,
  ) {
    const nothing = new Uint8Array(0)
    const nowMs = () => io.system.clock.nowMs()
    const format = {
      delimiter: nothing,
      keySeparator: undefined,
      nullText: undefined,
      time: 'ms' as const,
      withoutValue: false,
    }
    this.#records = recordPrinter({ kind: 'json' }, { ...format, gate, nowMs })
  }

  async items(items: AsyncIterable<DumpItem>): Promise<void> {
    const output = this.io.output()
    for await (const item of items) {
      if (output.readerClosed) return
      if (item.type === 'problem') await this.#count(item)
      await this.#print(item)
      const wait = output.settle()
      if (wait !== undefined) await wait
    }
  }

  async summary(): Promise<void> {
    if (this.#problemCount === 0) return
    const problems = this.#problemCount === 1 ? '1 problem' : `${this.#problemCount} problems`
    const files = this.#files.size === 1 ? '1 file' : `${this.#files.size} files`
    await this.io.warn(
      `${problems} in ${files}`,
      "'logq fsck --repair TOPIC' repairs what can be repaired in a store, and keeps a copy",
    )
  }

  async #count(item: ProblemItem): Promise<void> {
    if (item.kind === 'note') return
    this.#problemCount += 1
    this.#files.add(item.file)
    await this.io.failItem(findingText(item), undefined, 'corruption')
  }

  async #print(item: DumpItem): Promise<void> {
    const { buffer } = this.io.output()
    if (!this.json) {
      buffer.append(this.gate(Buffer.from(`${dumpText(item)}\n`)))
      return
    }
    try {
      appendDumpJson(item, this.#records, this.gate, buffer)
    } catch (error) {
      if (!isLogqError(error, 'LOGQ_RECORD_TOO_LARGE')) throw error
      await this.io.failWith(error)
    }
  }
}
