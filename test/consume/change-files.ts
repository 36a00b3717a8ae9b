/** What other commands and people do to the files of a partition while somebody reads them. */
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from '../../lib/log/file-names.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { appendContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { TopicConfig } from '../../lib/store/topic-config.js'
import { partitionDirectory } from '../../lib/store/topics.js'
import type { System } from '../../lib/system/system.js'
import { overwrite, readFile } from '../log/tiny-log.js'

/** Base offsets of the segments of partition 0. */
export function segmentsOf(store: Store, topic = 't'): number[] {
  return segmentBaseOffsets(store.system.fs.list(partitionDirectory(store, topic, 0)))
}

export function logPath(store: Store, base: number, topic = 't'): string {
  return `${partitionDirectory(store, topic, 0)}/${segmentFileName(base, LOG_SUFFIX)}`
}

/** As retention will: the log start offset first, then the segments that lie below it, oldest first. Returns the log start offset. */
export function retain(store: Store, keptSegments: number): number {
  const { fs } = store.system
  const directory = partitionDirectory(store, 't', 0)
  const start = segmentsOf(store).at(-keptSegments) ?? 0
  writeLogStartOffset(
    appendContext(store, 't', 0, () => new TopicConfig({})),
    start,
  )
  for (const name of fs.list(directory).sort()) {
    if (/^\d{20}\./.test(name) && Number(name.slice(0, 20)) < start) fs.unlink(`${directory}/${name}`)
  }
  return start
}

/** As compaction will: a smaller file without some of its batches is renamed over a closed segment. */
export function compact(store: Store, base: number, keep: (baseOffset: number, lastOffset: number) => boolean): void {
  const { system } = store
  const path = logPath(store, base)
  const bytes = readFile(system, path)
  const fd = system.fs.open(path, 'read')
  const parts = [...new BatchPlaces(system.fs, fd).from(0)]
    .filter(({ baseOffset, lastOffset }) => keep(baseOffset, lastOffset))
    .map(({ position, sizeBytes }) => bytes.subarray(position, position + sizeBytes))
  system.fs.close(fd)
  const compacted = `${partitionDirectory(store, 't', 0)}/.tmp-compacted`
  overwrite(system, compacted, Buffer.concat(parts))
  system.fs.rename(compacted, path)
}

/** What `cp -a` makes: the same names and bytes in other files. */
export function copyDirectory(system: System, from: string, to: string): void {
  system.fs.makeDirectory(to, 0o700)
  for (const name of system.fs.list(from)) {
    if (system.fs.pathStatus(`${from}/${name}`)?.kind === 'directory') copyDirectory(system, `${from}/${name}`, `${to}/${name}`)
    else overwrite(system, `${to}/${name}`, readFile(system, `${from}/${name}`))
  }
}
