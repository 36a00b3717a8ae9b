/** import --kafka: the work is done in lib/kafka/import-topic.ts; here is what is said of it. */
import { importFromKafka } from '../../lib/kafka/import-topic.js'
import { openOrCreateStore } from '../../lib/store/store.js'
import { usageError } from '../errors.js'
import { refuseOthers } from '../given-options.js'
import type { Io } from '../io.js'
import { storePath } from '../store-path.js'
import { parseMode } from '../values/mode.js'
import { importOptions, type ImportArguments } from './options.js'

const TAKEN = ['kafka', 'fromTopic', 'store', 'mode', 'allowNetworkFileSystem', 'quiet', 'verbose']

export async function importTopicFromKafka({ operands, options: given }: ImportArguments, io: Io): Promise<void> {
  refuseOthers(importOptions, given, TAKEN, '--kafka')
  const { topic } = operands
  const [directory, ...others] = operands.files
  if (directory === undefined || others.length > 0)
    throw usageError('--kafka takes a topic and a directory', 'logq import --kafka TOPIC DIR')
  const { mode, allowNetworkFileSystem, fromTopic } = given
  const store = await openOrCreateStore(io.system, storePath(given.store, io), {
    allowNetworkFileSystem,
    signal: io.signal,
    ...(mode === undefined ? {} : { mode: parseMode(mode) }),
  })
  const options = { signal: io.signal, ...(fromTopic === undefined ? {} : { fromTopic }) }
  const { isNew, isCompacted, partitions } = await importFromKafka(store, topic, directory, options)
  for (const { partition, fromOffset, logEndOffset, batchCount, sizeBytes } of partitions) {
    await io.explain(
      `'${topic}-${partition}': offsets ${fromOffset} to ${logEndOffset}, end excluded, ${batchCount} batches, ${sizeBytes} bytes`,
    )
  }
  if (isCompacted) await io.warn(`'${topic}' has many missing offsets, and was created with cleanup.policy=compact`)
  const batchCount = partitions.reduce((sum, one) => sum + one.batchCount, 0)
  const what = `${batchCount} batches in ${partitions.length} partitions`
  await io.say(isNew ? `topic '${topic}' was created with ${what}` : `${what} were appended to topic '${topic}'`)
}
