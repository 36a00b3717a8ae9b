/** logq archive: closed segments to a directory or to S3; what is there, and whether it is whole. */
import type { PartitionArchived } from '../../lib/archive/archive-run.js'
import { archiveTopic } from '../../lib/archive/archive-topic.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { expandTopics } from '../../lib/store/topic-pattern.js'
import { listInArchive, verifyInArchive } from '../archive/inspect.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { lockWait } from '../lock-wait.js'
import { forEachTopic } from '../maintain/for-each-topic.js'
import { options } from '../options.js'
import { progressOf } from '../progress.js'
import { openForReading, partitionsOf } from '../reading/reading.js'
import { parseLocation } from '../values/location.js'

export const command = defineCommand({
  name: 'archive',
  summary: 'copy closed segments to another place, and prove them',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning:
        'The topics, or patterns of topics. With **--list** and **--verify**: of the archive, all of it by default. See TOPICS in **logq**(1).',
      repeated: true,
    },
  },
  options: {
    store: options.store,
    partition: options.partitions,
    to: {
      kind: 'string',
      valueName: 'LOCATION',
      defaultText: 'archive.location of the topic',
      meaning: 'Where to: a directory, which is made when the one above it exists, or s3://BUCKET/PREFIX.',
    },
    older: {
      kind: 'duration',
      valueName: 'DURATION',
      meaning: 'Only segments of which every record is older, such as 30d.',
    },
    compression: {
      kind: 'choice',
      letter: 'z',
      valueName: 'CODEC',
      choices: ['none', 'zstd', 'gzip'],
      default: 'none',
      meaning: 'How what is newly archived is compressed: none, zstd or gzip.',
    },
    takeOver: {
      kind: 'flag',
      meaning: 'Go on with an archive that another store has begun, which must not archive there any more.',
    },
    noWait: { kind: 'flag', meaning: 'End with status 75 when another run archives the same partition.' },
    list: { kind: 'string', valueName: 'LOCATION', meaning: 'Print what is archived there, a line for each partition.' },
    verify: {
      kind: 'string',
      valueName: 'LOCATION',
      meaning: 'Read everything that is archived there and compare it with the digests.',
    },
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  },
  examples: [
    { command: 'logq archive access --to /backup/logq -z zstd', meaning: 'What is closed and not there yet.' },
    {
      command: "logq archive '*' --to s3://backups/logq --older 30d",
      meaning: 'All topics, to S3, once they are a month old.',
    },
    { command: 'logq archive --list /backup/logq', meaning: 'What is there.' },
    { command: 'logq archive --verify /backup/logq access', meaning: 'Whether one topic can be read from there.' },
  ],
  exits: ['failed', 'corruption', 'conflict', 'tryAgain'],
  exitNotes: {
    corruption:
      'A segment is damaged, here or in the archive, or a manifest is. Nothing that is damaged was archived, and nothing was deleted',
    conflict:
      'The archive is that of another store, or is not what was there before, or holds other records than the log, or a manifest is of another topic than its path',
  },
  man: {
    description: [
      'Copies the closed segments of topics to another place, the oldest first, and leaves out what is there. The active segment, which records are appended to, is not archived; it is closed when it is full or old (segment.bytes, segment.ms). Each segment is checked while it is copied, made durable, and read back and compared before it counts. A run that was cut off is simply started again. What another run of a copy of the store archived is compared with the log before it counts. With nothing to do it says nothing. On a terminal a bar shows how far it is.',
      'With **archive.required=true** on a topic **logq retain** removes only what is archived; with **archive.location** readers find there what is no longer here.',
      'Of a topic that is compacted the archive has the records as they were when they were archived. When compaction has merged archived segments with others, the merged segment takes their place.',
      "In the archive each topic has a folder, with one for its id in it, and one for each partition; in that, a file for each segment and one named **manifest**. Segments are files of Kafka's form, and compressed ones can be decompressed by **zstd** and **gzip**. **logq-format**(5) says more.",
      '**--list** prints topic, partition, number of segments, first offset, offset behind the last one, times, bytes of the segments and bytes in the archive; **--verify** the same when everything was read. What is damaged is named, and the rest goes on. With **-J** each line is an object with topic, topicId, partition, storeId, segmentCount, startOffset, endOffset, firstTimestampMs, largestTimestampMs, sizeBytes, storedBytes and gaps (objects with fromOffset and toOffset, the end excluded: offsets that no segment has, of which there is a warning), and for **--verify** strayFiles: files that no manifest names, left by runs that were killed.',
      'S3 needs the npm package @aws-sdk/client-s3. An upload of a large segment that is cut off leaves parts that cost money until a life cycle rule of the bucket removes incomplete uploads.',
    ],
    environment: [
      '**AWS_REGION**, **AWS_PROFILE**, **AWS_ACCESS_KEY_ID**, **AWS_SECRET_ACCESS_KEY**, **AWS_ENDPOINT_URL**, **AWS_ENDPOINT_URL_S3**, and the files in ~/.aws, as the AWS tools take them. With an endpoint in the environment the bucket is part of the path of a request.',
    ],
    seeAlso: ['logq-topic(1)', 'logq-format(5)'],
  },
  async run(args, io) {
    const { store: path, partition: list, to, older, compression, takeOver, noWait, json } = args.options
    const { list: listed, verify } = args.options
    const { topics: given } = args.operands
    if ([to, listed, verify].filter((one) => one !== undefined).length > 1)
      throw usageError('--to, --list and --verify exclude each other', 'logq archive TOPIC --to LOCATION, or --list LOCATION')
    if (listed !== undefined) {
      await listInArchive(parseLocation(listed, io.cwd), given, json, io)
      return
    }
    if (verify !== undefined) {
      await verifyInArchive(parseLocation(verify, io.cwd), given, json, io)
      return
    }
    if (given.length === 0) throw usageError('no topic is given', "logq archive TOPIC --to LOCATION, or '*' for all")
    const store = openForReading(path, io)
    await forEachTopic(
      store,
      await expandTopics(store, given),
      () => true,
      io,
      async (file) => {
        const { topic } = file
        const configured = new TopicConfig(file.config).text('archive.location')
        if (to === undefined && configured === '')
          throw usageError(
            `it is not said where '${topic}' is to be archived`,
            'give --to LOCATION, or set archive.location on the topic',
          )
        const bars = progressOf(topic, io)
        try {
          await archiveTopic(store, topic, to === undefined ? configured : parseLocation(to, io.cwd), {
            ...lockWait(io),
            ...(noWait ? { wait: 'no' } : {}),
            olderMs: older,
            codec: compression,
            takeOver,
            partitions: partitionsOf(store, file, list),
            onProgress: bars.update,
            onPartition: async (done) => {
              await bars.clear()
              await report(done, json, io)
            },
            onFailure: (error) => io.failWith(error),
          })
        } finally {
          await bars.clear()
        }
      },
    )
  },
})

async function report(done: PartitionArchived, json: boolean, io: Io): Promise<void> {
  const { topic, partition, segmentCount, sizeBytes, storedBytes, archivedUpTo } = done
  if (json) {
    await io.output().writeLine(JSON.stringify(done))
    return
  }
  const upTo = `offsets below ${archivedUpTo} are archived`
  if (segmentCount === 0) await io.explain(`'${topic}-${partition}': nothing to do, ${upTo}`)
  else await io.say(`'${topic}-${partition}': ${segmentCount} segments, ${sizeBytes} bytes as ${storedBytes}; ${upTo}`)
}
