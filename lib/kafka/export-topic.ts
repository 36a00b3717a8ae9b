/**
 * Hands a topic over to Kafka: makes a directory with one `<topic>-<partition>/` for each partition, whose files take the place of those
 * that a stopped broker has (format-spec/kafka.md).
 *
 * 1. DIRECTORY, when there is none, and `.partial` in it.
 * 2. Each partition is copied to `.partial/<topic>-<partition>/`, and is on the device.
 * 3. They are renamed into DIRECTORY, which is synced.
 * 4. `.partial` is removed, and that is durable.
 *
 * What fails, or is aborted, is undone. Killed in steps 1 to 4, there is a `.partial`: the directory is not whole, and the next
 * export refuses it.
 */
import { LogqError } from '../errors.js'
import { removePartitionDirectory } from '../log/create-partition.js'
import { partitionDirectoryName } from '../log/file-names.js'
import { viewContext } from '../store/partition.js'
import type { Store } from '../store/store.js'
import { TopicConfig } from '../store/topic-config.js'
import { getTopic } from '../store/topics.js'
import { createDirectory, ownershipOf, parentDirectory, type Ownership } from '../system/durable.js'
import { exportPartition, type ExportedPartition } from './export-partition.js'

export interface KafkaExport {
  readonly topic: string
  readonly directory: string
  /** Ascending; as many as the topic had when the export began. */
  readonly partitions: readonly ExportedPartition[]
}

export interface KafkaExportOptions {
  readonly signal?: AbortSignal
}

const PARTIAL_DIRECTORY = '.partial'

/**
 * Copies each partition of a topic up to its end as it is when the copy of that partition begins; others may append meanwhile. The
 * directory must be empty, or not be there. All is on the device on return. Throws LOGQ_UNKNOWN_TOPIC, LOGQ_USAGE for a Kafka log.dir,
 * LOGQ_IO for a directory that is not empty, LOGQ_CORRUPT (CorruptionError), LOGQ_SYNC_FAILED, LOGQ_TOPIC_REMOVED, LOGQ_ABORTED, or a
 * system error; then nothing is left behind.
 */
export async function exportToKafka(
  store: Store,
  topic: string,
  directory: string,
  options: KafkaExportOptions = {},
): Promise<KafkaExport> {
  if (store.kind === 'kafka') {
    throw new LogqError('LOGQ_USAGE', `'${store.path}' is a Kafka log directory already`, {
      hint: 'copy its partition directories as they are',
    })
  }
  const file = getTopic(store, topic)
  const indexIntervalBytes = new TopicConfig(file.config).number('index.interval.bytes')
  const target = new Target(store, withoutTrailingSlashes(directory))
  try {
    const partitions: ExportedPartition[] = []
    for (let partition = 0; partition < file.partitions; partition += 1) {
      const place = target.begin(partitionDirectoryName(topic, partition))
      const context = viewContext(store, topic, partition)
      partitions.push(await exportPartition(context, { ...place, indexIntervalBytes }, options.signal)) // 2
      store.system.failpoint('kafka-export.after-partition')
    }
    target.finish() // 3, 4
    return {
      topic,
      directory,
      partitions: partitions.map((one) => ({
        ...one,
        directory: `${directory}/${partitionDirectoryName(topic, one.partition)}`,
      })),
    }
  } catch (error) {
    target.undo()
    throw error
  }
}

/** The directory, and what of it has been made. */
class Target {
  readonly #ownership: Ownership
  readonly #isNew: boolean
  readonly #partial: string
  readonly #names: string[] = []

  constructor(
    private readonly store: Store,
    private readonly directory: string,
  ) {
    const { fs, self } = store.system
    this.#isNew = fs.pathStatus(`${directory}/.`) === undefined
    if (this.#isNew) {
      fs.makeDirectory(directory, 0o777)
      fs.syncDirectory(parentDirectory(directory))
    } else refuseNonEmpty(directory, fs.list(directory))
    this.#partial = `${directory}/${PARTIAL_DIRECTORY}`
    const status = fs.pathStatus(`${directory}/.`)
    if (status === undefined) throw new LogqError('LOGQ_IO', `'${directory}' vanished while it was written to`)
    // Only root can give files to the owner of the directory; others own what they make.
    const ownership = ownershipOf(status)
    this.#ownership = self.userId === 0 ? ownership : { ...ownership, userId: self.userId, groupId: self.groupId }
    createDirectory(store.system, this.#partial, this.#ownership)
  }

  begin(name: string): { readonly directory: string; readonly ownership: Ownership } {
    const directory = `${this.#partial}/${name}`
    createDirectory(this.store.system, directory, this.#ownership)
    this.#names.push(name)
    return { directory, ownership: this.#ownership }
  }

  finish(): void {
    const { fs, failpoint } = this.store.system
    fs.syncDirectory(this.#partial)
    for (const name of this.#names) {
      failpoint('kafka-export.before-rename')
      fs.rename(`${this.#partial}/${name}`, `${this.directory}/${name}`)
    }
    fs.syncDirectory(this.directory)
    failpoint('kafka-export.before-end')
    fs.removeDirectory(this.#partial)
    fs.syncDirectory(this.directory)
  }

  undo(): void {
    const { system } = this.store
    try {
      for (const name of this.#names) {
        removePartitionDirectory(system, `${this.directory}/${name}`)
        removePartitionDirectory(system, `${this.#partial}/${name}`)
      }
      removePartitionDirectory(system, this.#partial)
      if (this.#isNew) system.fs.removeDirectory(this.directory)
    } catch {
      // What failed before is what the caller has to hear about.
    }
  }
}

function withoutTrailingSlashes(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}

function refuseNonEmpty(directory: string, names: readonly string[]): void {
  if (names.length === 0) return
  const isCutOff = names.includes(PARTIAL_DIRECTORY)
  throw new LogqError('LOGQ_IO', `'${directory}' is not empty${isCutOff ? ': an export into it was cut off' : ''}`, {
    hint: isCutOff ? `remove it (rm -r), or name another directory` : 'name a new directory, or an empty one',
  })
}
