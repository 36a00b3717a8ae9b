/** logq produce: standard input or files into a topic. */
import { LogqError, isLogqError } from '../../lib/errors.js'
import { DEFAULT_BATCH_BYTES, MAX_BATCH_BYTES, Producer, type ProducerOptions } from '../../lib/produce/producer.js'
import type { Codec } from '../../lib/record/codec.js'
import { checkTopicName } from '../../lib/store/names.js'
import { openOrCreateStore, openStore, requireWritable, type Store } from '../../lib/store/store.js'
import type { TopicFile } from '../../lib/store/topic-file.js'
import { checkPartitioner, createTopic, findTopic, getTopic } from '../../lib/store/topics.js'
import type { InputStream } from '../../lib/system/streams.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { describeError, usageError } from '../errors.js'
import { Acknowledgements } from '../input/acknowledgements.js'
import { InputFailure } from '../input/chunked-input.js'
import { StopAtBadItem, ingest } from '../input/ingest.js'
import type { IngestOptions } from '../input/ingest-options.js'
import { InputProgress } from '../input/input-progress.js'
import { Pace } from '../input/pace.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { parseTime } from '../offset-spec.js'
import { parseMode } from '../mode.js'
import { options } from '../options.js'
import { storePath } from '../store-path.js'

const declaredOptions = {
  store: options.store,
  format: options.inputFormat,
  json: options.json,
  partition: options.partition,
  key: options.key,
  keySeparator: options.keySeparator,
  delimiter: options.delimiter,
  zeroTerminated: options.zeroTerminated,
  header: options.header,
  null: options.null,
  compression: options.compression,
  acks: {
    kind: 'choice',
    choices: ['0', '1'],
    default: '1',
    meaning:
      'When a record counts as written: 1 when it is on the device (exit 0 and printed offsets come after fsync), 0 when it is in the page cache.',
  },
  linger: {
    kind: 'duration',
    default: 0,
    maximum: 3_600_000,
    meaning: 'How long to wait for more input before a batch that is not full is appended.',
  },
  batchBytes: {
    kind: 'size',
    minimum: 1,
    maximum: MAX_BATCH_BYTES,
    default: DEFAULT_BATCH_BYTES,
    meaning: 'Size at which a batch is appended, before compression. A larger record gets a batch of its own.',
  },
  timestamp: {
    kind: 'parsed',
    valueName: 'TIME',
    parse: parseTime,
    defaultText: 'now',
    meaning:
      'The timestamp of records that bring none: ms or s since 1970, a date, RFC 3339, or a duration from now such as -1h.',
  },
  keep: {
    kind: 'choice',
    choices: ['partition'],
    meaning: 'Append each record to the partition that its input names (-J, or %p in a template).',
  },
  onBad: {
    kind: 'choice',
    choices: ['skip', 'stop'],
    default: 'skip',
    meaning:
      'What to do at an item that cannot become a record: name it and go on (exit 1 at the end), or stop there and keep what preceded.',
  },
  partitions: {
    kind: 'integer',
    minimum: 1,
    maximum: 100_000,
    defaultText: '1',
    meaning: 'Partitions of the topic, if it is created now. A topic that exists with another number is an error.',
  },
  partitioner: {
    kind: 'string',
    valueName: 'NAME|EXPR',
    defaultText: 'murmur2',
    meaning:
      'How the topic chooses a partition, if it is created now: murmur2, random, roundrobin, or a CEL expression that gives a number. A topic that exists with another one is an error.',
  },
  noCreate: { kind: 'flag', meaning: 'Fail when the topic does not exist.' },
  printOffsets: {
    kind: 'flag',
    meaning: 'Print TOPIC:PARTITION@OFFSET for each record, in the order of the input, once it is on the device.',
  },
  mode: {
    kind: 'string',
    valueName: 'MODE',
    defaultText: '0700',
    meaning: 'Permissions of the store, if it is created now, in octal. Files get them without the execute bits.',
  },
  allowNetworkFileSystem: {
    kind: 'flag',
    meaning:
      'Write to a store on NFS, SMB, 9p or FUSE, at the risk of lost and doubled records: locks and syncs cannot be relied on there.',
  },
  quiet: options.quiet,
  verbose: options.verbose,
} as const

const operands = {
  topic: {
    label: 'TOPIC',
    meaning: 'The topic to append to. It is created, with one partition, when it does not exist.',
    required: true,
  },
  files: {
    label: 'FILE',
    meaning: "Files to read, one after the other; '-' is standard input, which is also the default.",
    repeated: true,
  },
} as const

/** After a signal, how long an append lock that another process holds is waited for. */
const LOCK_GRACE_MS = 1_000

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'produce',
  summary: 'append records from standard input or files',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq produce access /var/log/nginx/access.log', meaning: 'Append every line of a file as a record.' },
    { command: 'tail -F access.log | logq produce access', meaning: 'Append lines as they come, each within a millisecond.' },
    {
      command: "printf 'u1:login\\nu2:logout\\n' | logq produce events -K: --partitions 4",
      meaning: 'Key and value, separated by a colon; the same key always goes to the same partition.',
    },
    { command: 'logq cat a -J | logq produce b -J --keep partition', meaning: 'Copy a topic, losing nothing.' },
  ],
  exits: ['failed', 'corruption', 'conflict'],
  exitNotes: {
    failed:
      'Failed; or some items were bad, each named on standard error by file and line. The message says which records were not written',
  },
  man: {
    description: [
      'Appends one record for each line of standard input, or of the files. The bytes between delimiters are kept as they are: an empty line is an empty value, a carriage return stays, and a last line without a delimiter counts.',
      'Records are collected into batches while input is there, and appended when a batch is full or the input pauses: a fast pipe gets large batches, a slow one low latency. **--linger** and **--batch-bytes** move that balance.',
      'Exit status 0 means that every record is on the device. With **--print-offsets** each printed line means the same for one record. While input pauses, what was read is synced too.',
      'With **-J** each line is a JSON record as **logq cat -J** prints it: **value** is required (null is a tombstone), **key**, **headers** and **timestamp** are optional, topic and offset are ignored, and other fields are refused. A value that is not a string is stored as its source text. JSON lines that are plain values go in without **-J**.',
      'A template such as %k\\t%v\\n reads what the same template prints. Text after the last placeholder ends each record; each placeholder takes the bytes up to the text that follows it. %k, %v (or %s), %h, %T and %p may occur, each once, with text between them.',
      'With **--format batch** raw record batches, as **logq cat --format batch** writes them, are checked and appended to one partition; offsets, leader epoch and producer fields are set anew.',
      'On INT, TERM and HUP reading stops, whole records already read are appended and synced, and the command dies of the same signal. A second signal ends it at once.',
    ],
    assumptions: [
      'One machine writes to a store, over a local file system. Any number of processes may append to the same topic at once.',
    ],
    seeAlso: ['logq-cat(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    const topic = args.operands.topic
    checkTopicName(topic)
    if (args.options.partitioner !== undefined) await checkPartitioner(args.options.partitioner)
    checkCombinations(args)
    const timestampMs = resolveTimestamp(args, io)
    const inputs = await openInputs(args.operands.files, io)
    checkNewTopic(args, io)
    const store = await openForWriting(args, io)
    const file = await topicFor(store, topic, args, io)
    checkTopic(file, args)
    await produce(store, file, inputs, timestampMs, args, io)
  },
})

async function produce(
  store: Store,
  file: TopicFile,
  inputs: readonly InputStream[],
  timestampMs: number | undefined,
  args: Arguments,
  io: Io,
): Promise<void> {
  const { topic } = file
  const acknowledgements = args.options.printOffsets ? new Acknowledgements(topic, io.output()) : undefined
  const producer = await Producer.open(store, topic, producerOptions(args, io, acknowledgements, topic))
  const progress = new InputProgress(args.options.format.kind === 'batch' ? 'batch' : 'line')
  const pace = new Pace(producer, io.system.clock, args.options.linger, acknowledgements)
  const recordLimitBytes = () => producer.maxRecordBytes
  const ingestOptions = { ...ingestOptionsOf(args), timestampMs, recordLimitBytes, acknowledgements, pace, progress }
  try {
    await readAll(inputs, producer, ingestOptions, io)
    await producer.sync()
  } catch (error) {
    await nameUnwritten(producer, progress, error, io)
    await acknowledgeAppended(producer, acknowledgements, error)
    await producer.close(true)
    throw error
  }
  await acknowledgements?.print()
  await producer.close()
  await io.explain(`${producer.appendedCount} records appended to '${topic}' from ${progress.itemCount} items`)
}

/** What was appended before something failed is synced, and its offsets printed. The failure itself is what the user hears of. */
async function acknowledgeAppended(
  producer: Producer,
  acknowledgements: Acknowledgements | undefined,
  failure: unknown,
): Promise<void> {
  if (isLogqError(failure, 'LOGQ_SYNC_FAILED') || isLogqError(failure, 'LOGQ_TOPIC_REMOVED')) return
  try {
    await producer.syncAppended()
    await acknowledgements?.print()
  } catch {
    // No offset is printed that was not synced, and exit status and message tell of the failure.
  }
}

/** One input after the other. One that cannot be read is named, and the others are unaffected. */
async function readAll(inputs: readonly InputStream[], producer: Producer, options: IngestOptions, io: Io): Promise<void> {
  for (const input of inputs) {
    if (io.signal.aborted) return
    try {
      await ingest(input, producer, options, io)
    } catch (error) {
      if (error instanceof StopAtBadItem) return
      if (!(error instanceof InputFailure)) throw error
      const { message, hint } = describeError(error.cause)
      await io.failItem(`'${error.inputName}': ${message}`, hint)
      if (options.onBad === 'stop') return
    } finally {
      input.close()
    }
  }
}

function producerOptions(
  args: Arguments,
  io: Io,
  acknowledgements: Acknowledgements | undefined,
  topic: string,
): ProducerOptions {
  const { partition, compression, batchBytes, acks, allowNetworkFileSystem } = args.options
  return {
    ...(partition === undefined ? {} : { partition }),
    ...(compression === undefined ? {} : { codec: compression satisfies Codec }),
    batchBytes,
    acks: acks === '0' ? 0 : 1,
    allowNetworkFileSystem,
    signal: afterGrace(io),
    onLongWait: (waitingFor, holderPid) => {
      void io.warn(`waiting for the append lock of '${topic}-${waitingFor}', held by process ${holderPid}`)
    },
    ...(acknowledgements === undefined
      ? {}
      : {
          onAppended: (range) => {
            acknowledgements.append(range)
          },
        }),
  }
}

/** Aborts a while after the signal: what was read should still be appended, but a lock may be held by a process that is stopped. */
function afterGrace(io: Io): AbortSignal {
  const impatient = new AbortController()
  const wait = async () => {
    await io.system.clock.sleep(LOCK_GRACE_MS)
    impatient.abort()
  }
  if (io.signal.aborted) void wait()
  else io.signal.addEventListener('abort', () => void wait(), { once: true })
  return impatient.signal
}

function ingestOptionsOf(
  args: Arguments,
): Omit<IngestOptions, 'timestampMs' | 'recordLimitBytes' | 'acknowledgements' | 'pace' | 'progress'> {
  const { format, delimiter, keySeparator, header, key, keep, onBad, partition } = args.options
  return {
    format,
    delimiter,
    keySeparator,
    nullText: args.options.null,
    key: key === undefined ? undefined : Buffer.from(key),
    headers: header,
    keepPartition: keep === 'partition',
    onBad,
    partition,
  }
}

/** What was taken and is not in the log has to be named: nobody else knows. */
async function nameUnwritten(producer: Producer, progress: InputProgress, error: unknown, io: Io): Promise<void> {
  const unwritten = producer.unwritten()
  const { itemCount, badCount } = progress
  // The item that was being taken when it failed is the last one read, and may be in no batch yet.
  const first = unwritten[0]?.firstTag ?? itemCount
  if (itemCount === 0 || (unwritten.length === 0 && producer.appendedCount + badCount >= itemCount)) return
  const appended = `${producer.appendedCount} records were appended before`
  if (isLogqError(error, 'LOGQ_SYNC_FAILED')) {
    await io.warn(`records from ${progress.place(first)} on were not written, others may be lost; ${appended}`)
  } else if (unwritten.some(({ mayBeWritten }) => mayBeWritten === true)) {
    await io.warn(`records from ${progress.place(first)} on may not have been written; ${appended}`)
  } else if (progress.unit === 'batch' || producer.appendedCount + badCount === first - 1) {
    await io.warn(`records from ${progress.place(first)} on were not written; ${appended}`)
  } else {
    const count = itemCount - badCount - producer.appendedCount
    await io.warn(
      `${count} records from ${progress.place(first)} on were not written, nor what follows ${progress.place(itemCount)}; ${appended}`,
    )
  }
}

function checkCombinations(args: Arguments): void {
  const { format, delimiter, keySeparator, key, partition, keep, header } = args.options
  if (delimiter.length === 0)
    throw usageError("option '-D': an empty delimiter ends no record", "'-0' ends records with a NUL byte")
  const kind = format.kind
  if (keySeparator !== undefined && kind !== 'value') throw usageError('-K goes with the value format only')
  if (keySeparator !== undefined && key !== undefined)
    throw usageError('-k and -K exclude each other', 'the key comes from the line, or from the option')
  if (keep !== undefined && partition !== undefined) throw usageError('--keep partition and -p exclude each other')
  if (keep !== undefined && kind !== 'json' && kind !== 'template')
    throw usageError('--keep partition goes with -J or a template with %p')
  if (kind === 'batch' && (key !== undefined || header.length > 0))
    throw usageError('-k and -H do not go with --format batch', 'its records are copied as they are')
}

function resolveTimestamp(args: Arguments, io: Io): number | undefined {
  const { timestamp } = args.options
  if (timestamp === undefined) return undefined
  return timestamp.kind === 'absolute' ? timestamp.timestampMs : io.system.clock.nowMs() + timestamp.ms
}

/** All of them before anything is created: a mistyped name costs nothing. */
async function openInputs(files: readonly string[], io: Io): Promise<InputStream[]> {
  const inputs: InputStream[] = []
  for (const operand of files.length === 0 ? ['-'] : files) {
    const input = await io.openInput(operand)
    if (operand !== '-' && isDirectory(operand, io)) throw new LogqError('LOGQ_IO', `'${operand}' is a directory`)
    inputs.push(input)
  }
  if (inputs.some((input) => input.name === 'stdin' && input.isTerminal)) {
    await io.say('reading records from the terminal, one a line; end with ^D')
  }
  return inputs
}

function isDirectory(path: string, io: Io): boolean {
  const { fs } = io.system
  const kind = fs.pathStatus(path)?.kind
  if (kind !== 'symlink') return kind === 'directory'
  try {
    return fs.pathStatus(`${path}/.`) !== undefined
  } catch {
    return false
  }
}

/** What would refuse the topic after it was created is said before anything is. */
function checkNewTopic(args: Arguments, io: Io): void {
  const { topic } = args.operands
  const { noCreate, partitions = 1, partition, format } = args.options
  if (noCreate || topicExists(storePath(args.options.store, io), topic, io)) return
  if (partition !== undefined && partition >= partitions) {
    throw new LogqError('LOGQ_UNKNOWN_PARTITION', `the new topic '${topic}' would have no partition ${partition}`, {
      hint: `give it more than ${partitions} with --partitions`,
    })
  }
  if (format.kind === 'batch' && partition === undefined && partitions > 1) throw batchNeedsPartition(topic, partitions)
}

/** Also true when that cannot be told, or no topic can be created: opening it for writing says why. */
function topicExists(path: string, topic: string, io: Io): boolean {
  try {
    const store = openStore(io.system, path)
    return store.kind === 'kafka' || findTopic(store, topic) !== undefined
  } catch (error) {
    return !isLogqError(error, 'LOGQ_UNKNOWN_STORE')
  }
}

async function openForWriting(args: Arguments, io: Io): Promise<Store> {
  const path = storePath(args.options.store, io)
  const { allowNetworkFileSystem, mode, noCreate } = args.options
  if (noCreate) return requireWritable(openStore(io.system, path), { allowNetworkFileSystem })
  return openOrCreateStore(io.system, path, {
    ...lockWait(io),
    allowNetworkFileSystem,
    ...(mode === undefined ? {} : { mode: parseMode(mode) }),
  })
}

async function topicFor(store: Store, topic: string, args: Arguments, io: Io): Promise<TopicFile> {
  const { noCreate, partitions, partitioner } = args.options
  const existing = findTopic(store, topic)
  if (existing !== undefined) return existing
  if (noCreate) return getTopic(store, topic)
  try {
    return await createTopic(store, topic, {
      ...lockWait(io),
      ...(partitions === undefined ? {} : { partitions }),
      ...(partitioner === undefined ? {} : { partitioner }),
    })
  } catch (error) {
    // Another producer was quicker: its topic is the one to append to.
    const now = isLogqError(error, 'LOGQ_TOPIC_EXISTS') ? findTopic(store, topic) : undefined
    if (now === undefined) throw error
    return now
  }
}

function checkTopic(file: TopicFile, args: Arguments): void {
  const { partitions, partitioner, format, partition } = args.options
  if (partitions !== undefined && partitions !== file.partitions) {
    throw usageError(
      `topic '${file.topic}' has ${file.partitions} partitions, not ${partitions}`,
      'see logq topic add-partitions',
    )
  }
  if (partitioner !== undefined && partitioner !== file.partitioner) {
    throw usageError(`topic '${file.topic}' has the partitioner '${file.partitioner}', not '${partitioner}'`)
  }
  if (format.kind === 'batch' && partition === undefined && file.partitions > 1) {
    throw batchNeedsPartition(file.topic, file.partitions)
  }
}

function batchNeedsPartition(topic: string, partitions: number): LogqError {
  return usageError(`--format batch needs a partition: topic '${topic}' has ${partitions}`, 'name it with -p')
}
