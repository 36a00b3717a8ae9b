/** cat --archive: the partitions of an archive as ranges to print, as those of a store are. */
import { manifestsAt, refuseMissing } from '../../lib/archive/inspect-archive.js'
import type { Manifest } from '../../lib/store/archive/manifest.js'
import { archiveContext } from '../../lib/store/archive/reading-context.js'
import { openLocation } from '../../lib/system/location/open-location.js'
import { LogqError } from '../../lib/errors.js'
import type { OffsetSpec } from '../../lib/consume/offset-spec.js'
import type { Io } from '../io.js'
import { rangeIn, type RangeOptions, type ResolvedRange } from '../reading/reading.js'
import { parseLocation } from '../values/location.js'
import { isListed, selectPartitions, type PartitionList } from '../values/partition-list.js'
import { topicChoice } from './inspect.js'

/** A partition of an archive, and where that is. */
export interface FoundInArchive {
  readonly location: string
  readonly manifest: Manifest
}

/** The partitions by topic. Throws LOGQ_UNKNOWN_TOPIC when the archive has nothing of that name. */
export async function topicsInArchive(text: string, given: readonly string[], io: Io): Promise<Map<string, FoundInArchive[]>> {
  const name = parseLocation(text, io.cwd)
  const location = openLocation(io.system, name)
  const found = new Map<string, FoundInArchive[]>()
  try {
    for await (const manifest of manifestsAt(location, { topics: topicChoice(given), signal: io.signal })) {
      const { topic } = manifest.partition
      const partitions = found.get(topic) ?? []
      partitions.push({ location: location.name, manifest })
      found.set(topic, partitions)
    }
  } finally {
    location.close()
  }
  const missing = given.find((one) => ![...found.keys()].some(topicChoice([one]) ?? (() => true)))
  if (missing === undefined) return found
  throw new LogqError('LOGQ_UNKNOWN_TOPIC', `nothing of '${missing}' is archived at '${name}'`, {
    hint: `see 'logq archive --list ${name}'`,
  })
}

export async function resolveArchived(
  partitions: readonly FoundInArchive[],
  list: PartitionList | undefined,
  spec: OffsetSpec,
  io: Io,
  how: RangeOptions,
): Promise<ResolvedRange[]> {
  const ranges: ResolvedRange[] = []
  const nowMs = io.system.clock.nowMs()
  const isWanted = (partition: number) => isListed(list, partition)
  for (const id of new Set(partitions.map(({ manifest }) => manifest.partition.topicId))) {
    const own = partitions.filter(({ manifest }) => manifest.partition.topicId === id)
    const manifests = own.map(({ manifest }) => manifest)
    refuseMissing(own[0]?.location ?? '', manifests, isWanted)
  }
  for (const { location, manifest } of partitions) {
    const { topic, partition, partitions: count } = manifest.partition
    if (list !== undefined && !selectPartitions(list, topic, count).includes(partition)) continue
    ranges.push(await rangeIn(await archiveContext(io.system, location, manifest, how), spec, nowMs, io, how))
  }
  return ranges
}
