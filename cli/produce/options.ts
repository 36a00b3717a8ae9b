/** What `produce` can be told: its options and operands, and the type of its arguments, which the files beside this one share. */
import { DEFAULT_BATCH_BYTES, MAX_BATCH_BYTES } from '../../lib/produce/producer.js'
import type { CommandArguments } from '../command.js'
import { parseTime } from '../values/offset-spec.js'
import { parseRate } from '../input/rate-limit.js'
import { options } from '../options.js'
import { parseJsonPath } from '../print/json-path.js'
import { parseDedupeBy } from './dedupe.js'
import { parseKeyExpectation } from './expectation.js'

export const produceOptions = {
  store: options.store,
  format: options.inputFormat,
  json: options.json,
  partition: options.partition,
  key: options.key,
  keySeparator: options.keySeparator,
  /** Without a default: whether it was given matters beside --whole. */
  delimiter: {
    kind: 'parsed',
    letter: 'D',
    valueName: 'DELIM',
    defaultText: '\\n',
    parse: options.delimiter.parse,
    meaning: options.delimiter.meaning,
  },
  zeroTerminated: options.zeroTerminated,
  whole: {
    kind: 'flag',
    meaning: 'Each FILE, or standard input, is one record, its bytes untouched. An empty file is an empty value.',
  },
  noDecompress: {
    kind: 'flag',
    meaning: 'Take the bytes of a file as they are, whatever its name ends in.',
  },
  keyFrom: {
    kind: 'parsed',
    valueName: 'PATH',
    parse: parseJsonPath,
    meaning:
      'Take the key of each record from this place in its value, which is JSON: .id, .user.id, .items[0].id, ."odd name". A string is taken as its text, anything else as it is written. A record without it is bad.',
  },
  timestampFrom: {
    kind: 'parsed',
    valueName: 'PATH',
    parse: parseJsonPath,
    meaning:
      'Take the timestamp of each record from this place in its value: a number of 13 digits (ms) or 10 digits (s), RFC 3339, or a date. A record without it is bad.',
  },
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
  expectOffset: {
    kind: 'integer',
    valueName: 'N',
    meaning:
      'Append only if the log of the partition ends at offset N, all records in one batch or none; exit 6 when it ends elsewhere.',
  },
  expectKeyOffset: {
    kind: 'parsed',
    valueName: 'KEY=N',
    parse: parseKeyExpectation,
    meaning:
      'Append only if the latest record of KEY is at offset N, or with KEY=none if it has none; exit 6 when it is elsewhere. A tombstone counts as a record.',
  },
  rate: {
    kind: 'parsed',
    valueName: 'N/s',
    parse: parseRate,
    meaning:
      'Append no more than N records a second (N/m a minute, N/h an hour), evenly. A signal ends it at once: lines that were read and not yet appended are left.',
  },
  dedupeBy: {
    kind: 'parsed',
    valueName: 'key|header:NAME|value',
    parse: parseDedupeBy,
    meaning:
      'Leave out records whose like the partition holds already: those with the same key, with the same value in their last header NAME, or with the same value. A record that has none is bad.',
  },
  dedupeWindow: {
    kind: 'duration',
    defaultText: '24h',
    meaning: 'With --dedupe-by, how much older than a record its like may be, by their timestamps.',
  },
  onFull: {
    kind: 'choice',
    choices: ['fail', 'block', 'drop-oldest'],
    default: 'fail',
    meaning:
      'What to do when the disk is full: fail; block, which says so once, holds no lock, and tries again every second until there is space or a signal comes; or drop-oldest, which removes the oldest closed segment of the topic, says so, and goes on; what a snapshot has, too, stays, since nothing would be free.',
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
    meaning: 'Print TOPIC:PARTITION@OFFSET for each record, in the order of the input, once it counts as written (--acks).',
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

export const produceOperands = {
  topic: {
    label: 'TOPIC',
    meaning: 'The topic to append to. It is created, with one partition, when it does not exist.',
    required: true,
  },
  files: {
    label: 'FILE',
    meaning:
      "Files to read, one after the other; '-' is standard input, which is also the default. One that cannot be read is named, and the others are read. Those that end in .gz, .br or .zst are decompressed.",
    repeated: true,
  },
} as const

export type ProduceArguments = CommandArguments<typeof produceOptions, typeof produceOperands>

/** What a command that appends in the same way, and does not offer them, gives for the options of `produce` alone. */
export const withoutProduceOnly = {
  expectOffset: undefined,
  expectKeyOffset: undefined,
  whole: false,
  noDecompress: false,
} as const satisfies Partial<ProduceArguments['options']>
