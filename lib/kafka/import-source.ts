/** The topic that is imported: its partitions in a log directory of Kafka, each with its end pinned. */
import { LogqError } from '../errors.js'
import { partitionName } from '../log/log-context.js'
import type { ViewContext } from '../log/log-view.js'
import { partitionOffsets, selectPartitions, viewContext } from '../store/partition.js'
import { openStore } from '../store/store.js'
import { getTopic } from '../store/topics.js'
import type { System } from '../system/system.js'
import type { OpenTransactions } from './open-transactions.js'

export interface SourcePartition {
  readonly context: ViewContext
  readonly startOffset: number
  readonly endOffset: number
}

export interface ImportedPartition {
  readonly partition: number
  /** Where the import begins: all below was there already. */
  readonly fromOffset: number
  readonly logEndOffset: number
  readonly batchCount: number
  readonly sizeBytes: number
}

/** All partitions, ascending. Throws LOGQ_USAGE for a store of logq's, LOGQ_UNKNOWN_STORE, LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION. */
export function openSource(system: System, directory: string, topic: string): SourcePartition[] {
  const store = openStore(system, directory)
  if (store.kind === 'logq') {
    throw new LogqError('LOGQ_USAGE', `'${directory}' is a store of logq, not a log directory of Kafka`, {
      hint: `copy the records: logq cat ${topic} -s ${directory} -J | logq produce ${topic} -J --keep partition`,
    })
  }
  const file = getTopic(store, topic)
  const all = Array.from({ length: file.partitions }, (_, partition) => partition)
  return selectPartitions(store, file, all).map((partition) => {
    const context = viewContext(store, topic, partition)
    const { logStartOffset: startOffset, logEndOffset: endOffset } = partitionOffsets(context)
    return { context, startOffset, endOffset: Math.max(startOffset, endOffset) }
  })
}

/** Nobody could end the transaction in logq, and readers of committed records would stop before it for ever. */
export function refuseOpen(context: ViewContext, transactions: OpenTransactions): void {
  const open = transactions.first
  if (open === undefined) return
  throw new LogqError(
    'LOGQ_CONFLICT',
    `'${partitionName(context)}' ends in an open transaction, of producer id ${open.producerId}, from offset ${open.firstOffset} on`,
    { hint: 'end it in Kafka (kafka-transactions.sh abort), or wait for its timeout there, and run the command again' },
  )
}
