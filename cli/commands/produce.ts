/** logq produce: standard input or files into a topic. */
import { defineCommand } from '../command.js'
import { describeAcksCosts } from '../produce/acks-costs.js'
import { produceOperands, produceOptions } from '../produce/options.js'
import { produceToTopic } from '../produce/to-topic.js'

export const command = defineCommand({
  name: 'produce',
  summary: 'append records from standard input or files',
  operands: produceOperands,
  options: produceOptions,
  examples: [
    { command: 'logq produce access /var/log/nginx/access.log', meaning: 'Append every line of a file as a record.' },
    { command: 'tail -F access.log | logq produce access', meaning: 'Append lines as they come, each within a millisecond.' },
    {
      command: "printf 'u1:login\\nu2:logout\\n' | logq produce events -K: --partitions 4",
      meaning: 'Key and value, separated by a colon; the same key always goes to the same partition.',
    },
    {
      command: 'echo "$next" | logq produce state -k total --expect-key-offset total=41',
      meaning: 'Append the next state, unless somebody was quicker: then exit with 6, read again, and compute again.',
    },
    {
      command: 'logq produce orders orders.ndjson --key-from .customer.id --timestamp-from .createdAt',
      meaning: 'JSON lines as values, with key and timestamp out of them.',
    },
    { command: 'logq produce documents --whole *.pdf', meaning: 'Each file is one record.' },
    {
      command: 'logq produce orders -J --dedupe-by header:id orders.ndjson',
      meaning: 'Append what is not there yet: a run that was killed is simply started again.',
    },
    { command: 'logq cat a -J | logq produce b -J --keep partition', meaning: 'Copy a topic, losing nothing.' },
  ],
  exits: ['failed', 'corruption', 'conflict'],
  exitNotes: {
    failed:
      'Failed; or some items were bad, each named on standard error by file and line. The message says which records were not written',
    conflict: 'Conflict: an expectation does not hold, or the partition is sealed or a follower; nothing was appended',
  },
  man: {
    description: [
      'Appends one record for each line of standard input, or of the files. The bytes between delimiters are kept as they are: an empty line is an empty value, a carriage return stays, and a last line without a delimiter counts.',
      'Records are collected into batches while input is there, and appended when a batch is full or the input pauses: a fast pipe gets large batches, a slow one low latency. **--linger** and **--batch-bytes** move that balance.',
      'Exit status 0 means that every record is on the device. With **--print-offsets** each printed line means the same for one record. While input pauses, what was read is synced too.',
      'With **-J** each line is a JSON record as **logq cat -J** prints it: **value** is required (null is a tombstone), **key**, **headers** and **timestamp** are optional, topic and offset are ignored, and other fields are refused. A value that is not a string is stored as its source text. JSON lines that are plain values go in without **-J**.',
      'A template such as %k\\t%v\\n reads what the same template prints. Text after the last placeholder ends each record; each placeholder takes the bytes up to the text that follows it. %k, %v (or %s), %h, %T and %p may occur, each once, with text between them.',
      'With **--key-from** and **--timestamp-from** key and timestamp come out of the value, which has to be JSON; the value itself stays as it is. They replace what a JSON record says, so that **logq cat a -J | logq produce b -J --key-from .id** gives a topic other keys.',
      'With **--whole** a file is a record as it is. One that is larger than the **max.message.bytes** of the topic is named, and not read.',
      'Files whose names end in .gz, .br or .zst are decompressed while they are read, in any format; line numbers are those of the text. A file that is damaged or ends too early is named, and what came before is kept; up to some kilobytes before the damage may be missing as well. Standard input is never decompressed.',
      'With **--format batch** raw record batches, as **logq cat --format batch** writes them, are checked and appended to one partition; offsets, leader epoch and producer fields are set anew.',
      '**--expect-offset** and **--expect-key-offset** are for those who read a state, compute the next one and append it: when another producer was quicker, nothing is appended, and exit status 6 and a message say where the log ends, or the record is, now. All records are appended at once or none, so they must fit one batch (1,000,000 bytes, or one larger record) and belong to one partition: that of **-p**, of the expected key, or of the keys of the records. Nothing is appended either when an item is bad, whatever **--on-bad** says, or when a signal comes before the input ends. Without input the expectation is checked all the same.',
      'With **--dedupe-by** a record is left out when the partition to which it goes holds, or the input held before, a record with the same id whose timestamp is not older than its own less **--dedupe-window**. The id is the key, the value, or the last header of a name; a record in which that is null or missing is bad. Duplicates are found exactly: after restarts, after kills and power cuts, beside other producers whether they look for duplicates or not, and also when an old file is read again, with timestamps of its own (**-J**, %T). They are found within a partition. Where there is no key the id chooses the partition, so that duplicates meet; where one id comes with different keys, or **-p** or a partitioner that is an expression sends them to different partitions, they do not. At the end their number is said on standard error. They are no failure: the exit status is 0. With **--print-offsets** the line of a duplicate is the place of the record that is there, once that is on the device. The ids are kept in an index beside the log, a cache: it may be deleted at any time, and is built anew from the records of the window.',
      'What was acknowledged, by exit status 0 or a printed offset, can be lost in these ways and in no others:',
      ...describeAcksCosts(),
      'A record that was not acknowledged is there or not. None is there twice, but for one that was sent again without **--dedupe-by**. A log that lost records says so: after a failed fsync nothing is appended, and readers stop at the synced offset, until **logq fsck --repair**; a log that ends below what its recovery point says was synced is damaged, status 5.',
      'On INT, TERM and HUP reading stops, whole records already read are appended and synced (with **--rate**, those whose turn had come), and the command dies of the same signal. A second signal ends it at once.',
    ],
    assumptions: [
      'One machine writes to a store, over a local file system. Any number of processes may append to the same topic at once.',
    ],
    seeAlso: ['logq-cat(1)', 'logq-topic(1)'],
  },
  async run(args, io) {
    await produceToTopic(args, io)
  },
})
