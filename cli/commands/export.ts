/** logq export: records as CSV, NDJSON, or the JSON of kcat and rpk, to standard output or into files; or a topic for Kafka. */
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { RecordExport } from '../export/export-records.js'
import { kafkaDescription } from '../export/kafka-description.js'
import { exportOperands, exportOptions, formatOf } from '../export/options.js'
import { standardOutput } from '../export/outputs.js'
import { SplitFiles } from '../export/split-files.js'
import { heldBackReport } from '../reading/held-back.js'
import { openForReading, resolveRanges, type ResolvedRange } from '../reading/reading.js'
import { compileWhere } from '../reading/where.js'

export const command = defineCommand({
  name: 'export',
  summary: 'write records in other formats, or hand over to Kafka',
  operands: exportOperands,
  options: exportOptions,
  examples: [
    { command: 'logq export quakes --to csv --flatten > quakes.csv', meaning: 'The values as the table that they were.' },
    {
      command: 'logq export orders --to csv --columns offset,key,total=value.total --time iso -o @-1d',
      meaning: 'What a spreadsheet is to have of the last day.',
    },
    { command: "logq export orders --to ndjson | jq -s 'map(.total) | add'", meaning: 'Plain JSON values for jq.' },
    { command: 'logq export users --to ndjson --split-by key --dir users', meaning: 'One file for each user.' },
    {
      command: 'logq export orders --to kcat | logq import copy --from kcat',
      meaning: 'A copy through the format of kcat: keys, values, headers and timestamps are the same.',
    },
    { command: 'logq export --kafka orders /tmp/orders', meaning: 'The partition directories for a Kafka broker.' },
  ],
  exits: ['failed', 'noMatch', 'corruption'],
  exitNotes: {
    failed:
      'Failed; or some records could not be written as they are, or belong into files that exist, each named on standard error; or the directory for **--kafka** is not empty',
    noMatch: 'No record matches **-w**',
  },
  man: {
    description: [
      'Writes the records of topics, up to the end offsets as they are when the command starts, in a format that other programs read. A record that the format cannot hold as it is, is named on standard error, and the exit status is 1. **logq cat -J** loses nothing.',
      '**csv** and **tsv** have a header row and then a row for each record, each row ending with LF. A cell with delimiters, quotes or line ends is quoted, and quotes in it are doubled. An empty cell is null; a cell that is empty text is two quotes; of one column alone, null is an empty line. Bytes that are not UTF-8 stay as they are. **headers** is a JSON array as **logq cat -J** prints it. Cells of **value.NAME** are the text of a JSON string, or other JSON as it was written, and null where a value has no such member or is no JSON object. A cell that begins with =, +, - or @ goes out as it is, and a spreadsheet may take it for a formula: do not open what strangers have written.',
      '**ndjson** is the value of each record, and nothing else. JSON stays as it was written, but for line ends between its parts, which are left out; other text becomes a JSON string, and a tombstone null. A value that is not UTF-8 is left out and named.',
      '**kcat** writes strings with the bytes of keys, values and headers as they are, like kcat itself: nothing is lost, and where they are not UTF-8 most readers of JSON refuse them. **broker** is -1, and a record without timestamp has no **ts**. **rpk** writes each object on one line, where rpk itself takes several unless told otherwise. It leaves out an empty key like one that is null, writes a null header as an empty one, and turns bytes that are not UTF-8 into U+FFFD; records to which that happens are written, and named.',
      'With **--dir** the files are written under temporary names and renamed when all are whole; when the command fails, or a signal ends it, there are none. In names from keys every byte but letters, digits, dots within, hyphens within and underscores is %XX; long names end with a digest, and the files of records without key and with an empty one are **~null** and **~empty**.',
      ...kafkaDescription,
    ],
    seeAlso: ['logq-import(1)', 'logq-cat(1)'],
  },
  async run(args, io) {
    if (args.options.kafka) {
      await (await import('../export/to-kafka.js')).exportTopicToKafka(args, io)
      return undefined
    }
    const { store: path, partition, offset, count, isolation, raw, dir, splitBy = 'topic', force } = args.options
    const format = formatOf(args)
    const where = await compileWhere(args.options.where, io)
    const store = openForReading(path, io)
    const topics = await expandTopics(store, args.operands.topics)
    if (splitBy === 'key' && topics.length > 1) throw usageError('--split-by key takes one topic', 'export one after the other')
    const ranges: ResolvedRange[] = []
    const held = heldBackReport(io)
    const how = { isolation, onHeldBack: held.onHeldBack }
    const spec = offset ?? { kind: 'point', point: { kind: 'start' } }
    for (const topic of topics) ranges.push(...(await resolveRanges(store, topic, partition, spec, io, how)))
    const outputs =
      dir === undefined
        ? standardOutput(io.output(), raw)
        : new SplitFiles({ directory: dir, by: splitBy, extension: format.extension, force }, io)
    const run = new RecordExport({ format, outputs, matches: where?.matches, limit: count }, io)
    try {
      await run.run(ranges)
    } finally {
      await held.settle()
      await where?.report()
    }
    await io.explain(`${run.exportedCount} records exported`)
    if (where !== undefined && run.matchedCount === 0 && count !== 0 && !outputs.isClosed && !io.signal.aborted)
      return 'noMatch'
    return undefined
  },
})
