/** Names of topics, and the names at the top of a store (format-spec/store.md). */
import { LogqError } from '../errors.js'
import { parsePartitionDirectoryName } from '../log/file-names.js'
import { isTemporaryName } from '../system/durable.js'

export const STORE_FILE = 'logq.json'
export const STORE_LOCK_FILE = 'lock'
export const LAST_RETAIN_FILE = 'last-retain'
export const TOPICS_DIRECTORY = 'topics'
export const TOPIC_SUFFIX = '.json'
/**
 * A topic whose creation, or removal, is under way; the next topic command finishes or undoes it. Not longer than '.json': a name
 * of 249 characters must fit in the 255 of a file name.
 */
export const CREATING_SUFFIX = '.new'
export const REMOVING_SUFFIX = '.rm'
/** The same for a topic whose partitions came with records: undoing removes them. */
export const IMPORTING_SUFFIX = '.imp'
/** Followed by 12 hexadecimal digits: partitions that are being copied into the store. No partition directory can have such a name. */
export const IMPORT_DIRECTORY_PREFIX = '.import-'

export const NAME_RULE = {
  hint: "a name has 1 to 249 of the characters a-z A-Z 0-9 . _ -, is not '.' or '..', and begins with neither '-' nor '__'",
}

/** Of a topic, or of a group. Kafka's rule, and two reserved beginnings. */
export function isLegalName(name: string): boolean {
  return /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..' && !/^(-|__)/.test(name)
}

/** Throws LOGQ_USAGE with the rule for a name that a topic cannot have. */
export function checkTopicName(name: string): void {
  if (!isLegalName(name)) throw new LogqError('LOGQ_USAGE', `'${name}' cannot be a topic name`, NAME_RULE)
}

/** An existing name that differs from `name` only in case, or only by '.' for '_'; such twins are refused. */
export function twinOf(name: string, existing: readonly string[]): string | undefined {
  const folded = fold(name)
  return existing.find((other) => other !== name && fold(other) === folded)
}

/** Topic names in a listing of the topics directory. */
export function topicsInListing(names: readonly string[], suffix: string): string[] {
  return names.filter((name) => name.endsWith(suffix) && !isTemporaryName(name)).map((name) => name.slice(0, -suffix.length))
}

/** Partition directories in a listing, of one topic or of all; Kafka's `-delete`, `-future`, `-stray` and metadata are not ones. */
export function partitionsInListing(names: readonly string[]): { topic: string; partition: number }[] {
  return names.flatMap((name) => {
    const parsed = parsePartitionDirectoryName(name)
    return parsed === undefined || parsed.topic.startsWith('__cluster_metadata') ? [] : [parsed]
  })
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll('.', '_')
}
