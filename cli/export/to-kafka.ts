/** export --kafka: the work is done in lib/kafka/export-topic.ts; here is what is said of it. */
import type { ExportedPartition } from '../../lib/kafka/export-partition.js'
import { KAFKA_MAX_MESSAGE_BYTES } from '../../lib/kafka/export-partition.js'
import { exportToKafka } from '../../lib/kafka/export-topic.js'
import { usageError } from '../errors.js'
import { refuseOthers } from '../given-options.js'
import type { Io } from '../io.js'
import { openForReading } from '../reading/reading.js'
import { exportOptions, type ExportArguments } from './options.js'

export async function exportTopicToKafka({ operands, options: given }: ExportArguments, io: Io): Promise<void> {
  refuseOthers(exportOptions, given, ['kafka', 'store', 'quiet', 'verbose'], '--kafka')
  const [topic, directory, ...others] = operands.topics
  if (topic === undefined || directory === undefined || others.length > 0)
    throw usageError('--kafka takes a topic and a directory', 'logq export --kafka TOPIC DIR')
  if (directory === '') throw usageError('the name of the directory is empty')
  const done = await exportToKafka(openForReading(given.store, io), topic, directory, { signal: io.signal })
  for (const partition of done.partitions) {
    await warnOf(topic, partition, io)
    const { directory: path, startOffset, logEndOffset, segmentCount, sizeBytes } = partition
    await io.explain(
      `'${path}': offsets ${startOffset} to ${logEndOffset}, end excluded, ${segmentCount} segments, ${sizeBytes} bytes`,
    )
  }
  await io.say(
    `${done.partitions.length} partitions are in '${directory}'; make the topic in Kafka with this, then see logq-export(1):`,
  )
  await io.say(createCommand(topic, done.partitions))
}

async function warnOf(topic: string, partition: ExportedPartition, io: Io): Promise<void> {
  const { startOffset, logStartOffset, largeBatchCount, largestBatch } = partition
  const name = `'${topic}-${partition.partition}'`
  if (startOffset < logStartOffset) {
    await io.warn(
      `${name} starts at offset ${logStartOffset}, within a batch: the deleted records from offset ${startOffset} on are readable in Kafka`,
      `when the broker runs, delete them with kafka-delete-records.sh, up to offset ${logStartOffset}`,
    )
  }
  if (largeBatchCount > 0 && largestBatch !== undefined) {
    await io.warn(
      `${name} has ${largeBatchCount} batches above ${KAFKA_MAX_MESSAGE_BYTES} bytes, the largest of ${largestBatch.sizeBytes} bytes at offset ${largestBatch.baseOffset}`,
      `set max.message.bytes=${largestBatch.sizeBytes} on the topic in Kafka, or followers and the cleaner stop there`,
    )
  }
}

function createCommand(topic: string, partitions: readonly ExportedPartition[]): string {
  const largest = Math.max(...partitions.map(({ largestBatch }) => largestBatch?.sizeBytes ?? 0))
  const config = ['retention.ms=-1', ...(largest > KAFKA_MAX_MESSAGE_BYTES ? [`max.message.bytes=${largest}`] : [])]
  const counts = `--partitions ${partitions.length} --replication-factor 1`
  return `kafka-topics.sh --create --topic ${topic} ${counts} ${config.map((one) => `--config ${one}`).join(' ')}`
}
