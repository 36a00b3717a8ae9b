/** Options of the commands that care for topics, as cron runs them. */
import type { RetentionWishes } from '../../lib/maintain/retain/retention-look.js'
import { usageError } from '../errors.js'
import { parseHardLimit, type HardLimit } from '../values/hard-limit.js'

export const noWait = {
  kind: 'flag',
  meaning: 'Do not wait for a lock that another process holds: exit with status 75, try again.',
} as const

/** What retention goes by, in place of and beside what a topic says. */
export const retentionOptions = {
  older: { kind: 'duration', valueName: 'DURATION', meaning: 'In place of retention.ms: remove what is older.' },
  maxSize: {
    kind: 'size',
    valueName: 'SIZE',
    meaning: 'In place of retention.bytes: remove the oldest segments of a partition that is larger.',
  },
  keepUntilAckedBy: {
    kind: 'list',
    valueName: 'GROUP',
    meaning: "Keep what this consumer group has not committed; '*' for every group that reads the topic. May be repeated.",
  },
  hardLimit: {
    kind: 'parsed',
    valueName: 'LIMIT',
    parse: parseHardLimit,
    meaning:
      'With --keep-until-acked-by: remove it all the same above this size of a partition, such as 10GiB, or age, such as 90d.',
  },
} as const

interface RetentionArguments {
  readonly older: number | undefined
  readonly maxSize: number | undefined
  readonly keepUntilAckedBy: readonly string[]
  readonly hardLimit: HardLimit | undefined
}

/** Throws a usage error for options that do not go together. */
export function retentionWishes({ older, maxSize, keepUntilAckedBy, hardLimit }: RetentionArguments): RetentionWishes {
  if (hardLimit !== undefined && keepUntilAckedBy.length === 0)
    throw usageError('--hard-limit needs --keep-until-acked-by', 'it limits what is kept for groups')
  return {
    ...(older === undefined ? {} : { olderMs: older }),
    ...(maxSize === undefined ? {} : { maxBytes: maxSize }),
    ...(hardLimit?.kind === 'age' ? { hardMs: hardLimit.ms } : {}),
    ...(hardLimit?.kind === 'size' ? { hardBytes: hardLimit.bytes } : {}),
    keepUntilAckedBy,
  }
}
