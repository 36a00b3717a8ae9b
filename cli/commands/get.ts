/** logq get: single records, by their place or by their key. */
import { latestRecord } from '../../lib/consume/get-record.js'
import type { Isolation } from '../../lib/log/log-view.js'
import type { Store } from '../../lib/store/store.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand, type CommandArguments } from '../command.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { formatPlace, parsePlace, type Place } from '../values/place.js'
import type { BatchPrinter } from '../print/batch-printer.js'
import { timestampText } from '../print/timestamp.js'
import { failMiss, printPlace } from '../reading/print-place.js'
import { batchPrinter, openForReading, partitionsOf, printingOptions } from '../reading/reading.js'

const declaredOptions = {
  store: options.store,
  key: { ...options.key, meaning: 'Print the latest record of this key in TOPIC.' },
  partition: { ...options.partitions, meaning: 'With --key: look only in these partitions, such as 0 or 0,2-5.' },
  isolation: options.isolation,
  format: {
    ...options.outputFormat,
    meaning: 'How records are printed: value, json, tsv, or a template such as "%k\\t%v\\n". See FORMATS in **logq**(1).',
  },
  json: options.json,
  keySeparator: printingOptions.keySeparator,
  delimiter: printingOptions.delimiter,
  zeroTerminated: printingOptions.zeroTerminated,
  null: printingOptions.null,
  time: printingOptions.time,
  noValue: printingOptions.noValue,
  raw: printingOptions.raw,
  quiet: options.quiet,
  verbose: options.verbose,
} as const

const operands = {
  places: {
    label: 'TOPIC:PARTITION@OFFSET',
    meaning: 'Places of records, as **produce --print-offsets** prints them; with **--key** one TOPIC instead.',
    required: true,
    repeated: true,
  },
} as const

type Arguments = CommandArguments<typeof declaredOptions, typeof operands>

export const command = defineCommand({
  name: 'get',
  summary: 'print single records, by place or by key',
  operands,
  options: declaredOptions,
  examples: [
    { command: 'logq get events:0@42', meaning: 'The value of the record at offset 42 of partition 0.' },
    { command: 'logq get events:0@42 events:1@7 -J', meaning: 'Two records, as JSON.' },
    { command: 'logq get users --key u1', meaning: 'The latest value of a key.' },
    {
      command: "echo hello | logq produce events --print-offsets | xargs logq get -F '%t:%p@%o %T{iso} %v\\n'",
      meaning: 'What was just written, with its place and time.',
    },
  ],
  exits: ['failed', 'noMatch', 'corruption', 'gone'],
  exitNotes: {
    noMatch:
      'No record is there: beyond the log end, compacted away, of a transaction that was aborted or is open, no record of the key, or the key was deleted',
    gone: 'The record no longer exists: it lies below the log start offset',
  },
  man: {
    description: [
      'Prints the records at the given places, in the order given and in the formats of **logq-cat**(1). Every place is tried: one that has no record is named on standard error, and the others are printed.',
      'With **--key** it prints the latest record of a key. It looks in the partition where the topic keeps the key, and when that has none, or the partitioner is not murmur2, in all partitions: then the record with the greatest timestamp counts. It reads from the end backwards, so that a key that does not exist costs reading the topic. A key whose latest record has a null value was deleted: nothing is printed but a line on standard error with the place and time, and the status is 3. A record with a null value that is asked for by its place is printed.',
    ],
    seeAlso: ['logq-cat(1)', 'logq-wait(1)', 'logq-partition-of(1)'],
  },
  async run(args, io) {
    const { key, partition, format, isolation, store: path } = args.options
    if (format.kind === 'batch')
      throw usageError('--format batch copies whole batches, and get prints single records', 'use -J')
    const printer = batchPrinter(args.options, undefined, io)
    if (key !== undefined) {
      const topic = topicOf(args)
      await printLatest(openForReading(path, io), topic, key, args, printer, io)
      return
    }
    if (partition !== undefined) throw usageError('-p goes with --key only', 'a place names its partition: events:0@42')
    const places = args.operands.places.map(placeOf)
    const store = openForReading(path, io)
    for (const place of places) if (!isOver(printer, io)) await tryPlace(store, place, isolation, printer, io)
  },
})

function placeOf(text: string): Place {
  const place = parsePlace(text)
  if (place === undefined)
    throw usageError(
      `'${text}' names no record`,
      `write ${text}:PARTITION@OFFSET, or give --key for the latest record of a key`,
    )
  return place
}

function topicOf({ operands: { places } }: Arguments): string {
  const [topic = '', ...others] = places
  if (others.length > 0 || parsePlace(topic) !== undefined)
    throw usageError('--key goes with exactly one TOPIC', 'such as: logq get users --key u1')
  return topic
}

/** One that fails is named, and the others go on. */
async function tryPlace(store: Store, place: Place, isolation: Isolation, printer: BatchPrinter, io: Io): Promise<void> {
  try {
    const miss = await printPlace(store, place, isolation, printer, io)
    // A lookup that a signal cut short has found nothing either.
    if (miss !== undefined && !isOver(printer, io)) await failMiss(place, miss, io)
  } catch (error) {
    await io.failWith(error)
  }
}

function isOver(printer: BatchPrinter, io: Io): boolean {
  return io.signal.aborted || printer.isDone
}

async function printLatest(
  store: Store,
  topic: string,
  key: string,
  { options: { partition: list, isolation } }: Arguments,
  printer: BatchPrinter,
  io: Io,
): Promise<void> {
  const partitions = list === undefined ? {} : { partitions: partitionsOf(store, getTopic(store, topic), list) }
  const record = await latestRecord(store, topic, Buffer.from(key, 'utf8'), { ...partitions, isolation, signal: io.signal })
  if (io.signal.aborted) return
  if (record === undefined) {
    await io.failItem(`topic '${topic}' has no record of key '${key}'`, undefined, 'noMatch')
  } else if (record.value === null) {
    const place = formatPlace({ topic, partition: record.partition, offset: record.offset })
    const time = timestampText(record.timestampMs, 'iso', () => io.system.clock.nowMs())
    await io.failItem(`key '${key}' was deleted: '${place}' at ${time}`, `logq get ${place} -J prints the record`, 'noMatch')
  } else {
    await printer.printRecord(topic, record.partition, record)
  }
}
