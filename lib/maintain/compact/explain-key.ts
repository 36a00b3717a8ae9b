/** Why compaction keeps or drops each record of one key, in the order of their offsets (format-spec/compaction.md). */
import { readCleanerOffsets } from '../../log/cleaner-file.js'
import { listSegments, logEndOffset, logStartOffset } from '../../log/log-view.js'
import { readBatchesWhole } from '../../log/read-batches.js'
import { isCodecReady, loadCodec } from '../../record/compression.js'
import { viewContext } from '../../store/partition.js'
import type { Store } from '../../store/store.js'
import { TopicConfig } from '../../store/topic-config.js'
import { getTopic } from '../../store/topics.js'

export interface ExplainedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number | bigint
  readonly isTombstone: boolean
  /** What the next pass does with it, were it due. */
  readonly fate: 'kept' | 'dropped' | 'not looked at'
  readonly reason: string
}

/** Of a partition; a record at a time would be many, so that only those of the key are held. Throws as readBatchesWhole. */
export async function explainKey(
  store: Store,
  topic: string,
  partition: number,
  key: Uint8Array,
  keepCount: number,
  signal?: AbortSignal,
): Promise<ExplainedRecord[]> {
  const view = viewContext(store, topic, partition)
  const config = new TopicConfig(getTopic(store, topic).config)
  const segments = listSegments(view)
  const activeBase = segments.at(-1) ?? 0
  const nowMs = store.system.clock.nowMs()
  const found: (Omit<ExplainedRecord, 'fate' | 'reason'> & { readonly horizonMs: number | bigint | undefined })[] = []
  const start = logStartOffset(view, segments)
  for await (const { batch } of readBatchesWhole(view, start, logEndOffset(view, segments), signal)) {
    if (batch.isControl) continue
    if (!isCodecReady(batch.codec)) await loadCodec(batch.codec)
    const horizonMs = batch.hasDeleteHorizon ? batch.baseTimestampMs : undefined
    const cursor = batch.cursor()
    while (cursor.next()) {
      if (cursor.offset < start || cursor.keyEnd - cursor.keyStart !== key.length || cursor.keyStart < 0) continue
      if (Buffer.compare(key, cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd)) !== 0) continue
      const { offset, timestampMs, valueStart } = cursor
      found.push({ topic, partition, offset, timestampMs, isTombstone: valueStart < 0, horizonMs })
    }
  }
  const { cleanedOffset } = readCleanerOffsets(view)
  const closed = found.filter(({ offset }) => offset < activeBase)
  const lastTombstone = closed.findLastIndex(({ isTombstone }) => isTombstone)
  return found.map(({ horizonMs, ...record }, n) => {
    const { offset, isTombstone } = record
    if (offset >= activeBase) {
      return { ...record, fate: 'not looked at', reason: 'it is in the active segment (see --include-active)' }
    }
    const newer = closed[n + 1]
    const isBeforeTombstone = n < lastTombstone
    if (isBeforeTombstone || closed.length - n > keepCount) {
      const by = isBeforeTombstone ? closed[lastTombstone]?.offset : (closed[n + keepCount]?.offset ?? newer?.offset)
      const what = isBeforeTombstone ? 'the tombstone at offset' : 'the record at offset'
      return { ...record, fate: 'dropped', reason: `${what} ${String(by)} is newer` }
    }
    if (!isTombstone) {
      const reason = newer === undefined ? 'it is the last one of the key' : `it is one of the last ${keepCount} of the key`
      return { ...record, fate: 'kept', reason }
    }
    if (horizonMs === undefined) {
      const wait = `${config.number('delete.retention.ms')} ms (delete.retention.ms)`
      const isSeen = offset < cleanedOffset ? 'the next' : 'a'
      return { ...record, fate: 'kept', reason: `it is a tombstone: it goes ${wait} after ${isSeen} pass has seen it` }
    }
    const until = new Date(Number(horizonMs)).toISOString()
    return nowMs >= horizonMs
      ? { ...record, fate: 'dropped', reason: `it is a tombstone, and was kept until ${until}` }
      : { ...record, fate: 'kept', reason: `it is a tombstone, and is kept until ${until}` }
  })
}
