/** Every name in an archive, built in one place from checked parts (format-spec/archive.md). */
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import type { ArchiveCodec, ArchivedPartition, ArchivedSegment } from './manifest.js'

export const MANIFEST_FILE = 'manifest'

const CODEC_SUFFIXES: Readonly<Record<ArchiveCodec, string>> = { none: '', zstd: '.zst', gzip: '.gz' }

export function archiveFolder({
  topic,
  topicId,
  partition,
}: Pick<ArchivedPartition, 'topic' | 'topicId' | 'partition'>): string {
  return `${topic}/${topicId}/${partition}`
}

export function manifestPath(partition: Pick<ArchivedPartition, 'topic' | 'topicId' | 'partition'>): string {
  return `${archiveFolder(partition)}/${MANIFEST_FILE}`
}

export function objectPath(
  partition: Pick<ArchivedPartition, 'topic' | 'topicId' | 'partition'>,
  { baseOffset, codec }: Pick<ArchivedSegment, 'baseOffset' | 'codec'>,
): string {
  return `${archiveFolder(partition)}/${segmentFileName(baseOffset, LOG_SUFFIX)}${CODEC_SUFFIXES[codec]}`
}
