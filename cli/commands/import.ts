/** logq import: CSV, NDJSON and what kcat and rpk print, into a topic; or a topic out of Kafka's files. */
import { defineCommand } from '../command.js'
import { kafkaDescription } from '../import/kafka-description.js'
import { importOperands, importOptions } from '../import/options.js'
import { asProduceArguments } from '../import/to-produce.js'
import { produceToTopic } from '../produce/to-topic.js'

export const command = defineCommand({
  name: 'import',
  summary: 'append records from other formats, or take over from Kafka',
  operands: importOperands,
  options: importOptions,
  examples: [
    {
      command: 'logq import quakes earthquakes.csv --key-column EventID --timestamp-column DateTime',
      meaning: 'Each row as a JSON object, with key and timestamp from its cells.',
    },
    {
      command: 'kcat -b host -t orders -C -e -J | logq import orders --from kcat --partitions 6 --keep partition',
      meaning: 'Copy a topic out of Kafka, with partitions, keys, headers and timestamps.',
    },
    {
      command: "psql -c 'copy users to stdout csv header' | logq import users --from csv --key-column id --types infer",
      meaning: 'The rows of a table, numbers as numbers.',
    },
    { command: 'logq import --kafka orders /var/lib/kafka/data', meaning: 'A topic of a Kafka broker, with its offsets.' },
  ],
  exits: ['failed', 'corruption', 'conflict'],
  exitNotes: {
    failed:
      'Failed; or some rows, lines or objects were bad, each named on standard error by file and line. The message says which records were not written',
  },
  man: {
    description: [
      'Appends the records that files or standard input hold. Batches, compression, acknowledgement and signals are as in **logq-produce**(1), and exit status 0 means the same: every record is on the device. An item that cannot become a record is named with its file and the line on which it begins, and the others go in.',
      '**csv** and **tsv** are read as RFC 4180 says: a cell with delimiters, quotes or line ends is quoted, and quotes in it are doubled. Lines end with LF or CRLF, a byte order mark is passed over, and an empty line is no row. The first row names the columns. Each further row becomes a JSON object with a string for each cell, in the order of the columns; **--value-column** takes one cell as it is instead. A row with another number of cells than there are columns is bad. So is one whose quotes do not add up: it is taken to be the line on which it begins, and reading goes on with the next. A file whose columns are not known, or which lacks one that was named, is bad as a whole.',
      '**ndjson** is one JSON value a line, which becomes the value as it was written. Empty lines are passed over.',
      '**kcat** is what **kcat -J** prints, with or without line ends between. Key, payload and headers keep their bytes, also those that are not UTF-8; null is null. An object with an offset and without **ts** has no timestamp. Objects in which kcat could not decode a key or payload are bad. **rpk** is what **rpk topic consume** prints, on one line or several. rpk leaves out a key that is null or empty and a value that is null: such a key or value is null here. In both, objects may also stand in an array, an object that was cut off does not take the next one with it, and a field that is not known is named once and ignored. Topic and offset are not kept.',
      'JSON records as **logq cat -J** prints them are read by **logq produce -J**, which loses nothing.',
      ...kafkaDescription,
    ],
    seeAlso: ['logq-produce(1)', 'logq-cat(1)'],
  },
  async run(args, io) {
    if (args.options.kafka) await (await import('../import/from-kafka.js')).importTopicFromKafka(args, io)
    else await produceToTopic(asProduceArguments(args), io)
  },
})
