/** The options of logq consume, and what of them does not go together. */
import type { OffsetReset } from '../../lib/consume/group/start-offset.js'
import { usageError } from '../errors.js'
import { options } from '../options.js'
import { recordOptions, talkOptions } from '../reading/reading.js'
import { parseDuration, parseWholeNumber } from '../values/units.js'

/** --commit-every: a number of records, or a time. */
export type CommitEvery = { readonly kind: 'records'; readonly count: number } | { readonly kind: 'time'; readonly ms: number }

export function parseCommitEvery(text: string): CommitEvery {
  if (/^\d+$/.test(text)) return { kind: 'records', count: parseWholeNumber(text, { minimum: 1 }) }
  return { kind: 'time', ms: parseDuration(text) }
}

function parseOffsetReset(text: string): OffsetReset {
  if (text === 'earliest' || text === 'latest' || text === 'none') return text
  throw usageError(
    `'${text}' is not one of 'earliest', 'latest', 'none'`,
    "it is where a group begins that has committed nothing; to go elsewhere: 'logq group seek'",
  )
}

export const consumeOptions = {
  store: options.store,
  group: { kind: 'string', letter: 'g', valueName: 'GROUP', meaning: 'The consumer group. It is made when there is none.' },
  deliver: {
    kind: 'choice',
    valueName: 'HOW',
    choices: ['at-least-once', 'at-most-once'],
    default: 'at-least-once',
    meaning:
      'at-least-once commits a record after standard output took it: after a crash it may come again. at-most-once commits it before: after a crash it may be missing.',
  },
  offset: {
    kind: 'parsed',
    letter: 'o',
    valueName: 'WHERE',
    parse: parseOffsetReset,
    default: 'earliest',
    meaning:
      'Where to begin in partitions of which the group has committed nothing: earliest, latest, or none, which is an error.',
  },
  count: {
    ...options.count,
    meaning: 'Stop after this many records; those that follow are not committed.',
  },
  toEnd: { kind: 'flag', meaning: 'End when the group has committed everything that was there when this command started.' },
  idle: {
    kind: 'duration',
    valueName: 'DURATION',
    minimum: 1,
    meaning: 'Stop when no record was printed for so long, with exit status 4.',
  },
  for: { kind: 'duration', valueName: 'DURATION', minimum: 1, meaning: 'Stop after so long, with exit status 0.' },
  where: {
    ...options.where,
    meaning: `${options.where.meaning} The others count as consumed.`,
  },
  isolation: options.isolation,
  commitEvery: {
    kind: 'parsed',
    valueName: 'N|DURATION',
    parse: parseCommitEvery,
    default: '1s',
    meaning: 'Commit after so many records, or after so long; and always when nothing more is there, and at the end.',
  },
  noCommit: {
    kind: 'flag',
    meaning: 'Look, and leave no trace: print what the group has before it, of all partitions, without joining or committing.',
  },
  assignor: {
    kind: 'choice',
    valueName: 'NAME',
    choices: ['range', 'roundrobin', 'cooperative-sticky'],
    defaultText: 'that of the group, else cooperative-sticky',
    meaning: 'How partitions are divided among the members. All members of a group have the same.',
  },
  member: {
    kind: 'string',
    valueName: 'NAME',
    meaning: 'A name that this member keeps: when it is gone, its partitions wait for it for **--grace**.',
  },
  grace: {
    kind: 'duration',
    valueName: 'DURATION',
    defaultText: '1m',
    meaning: 'How long the partitions of **--member** wait.',
  },
  sessionTimeout: {
    kind: 'duration',
    valueName: 'DURATION',
    minimum: 2000,
    default: 10_000,
    meaning:
      'A member that is stopped for so long loses its partitions to others. Being slow, or waiting for a pipe, is not being stopped.',
  },
  every: {
    kind: 'duration',
    valueName: 'DURATION',
    minimum: 1,
    defaultText: '1s',
    meaning: 'How often CMD is run at most.',
  },
  format: options.outputFormat,
  json: options.json,
  ...recordOptions,
  ...talkOptions,
} as const

interface Given {
  readonly group: string | undefined
  readonly deliver: string
  readonly format: { readonly kind: string }
  readonly noCommit: boolean
  readonly toEnd: boolean
  readonly count: number | undefined
  readonly idle: number | undefined
  readonly for: number | undefined
  readonly member: string | undefined
  readonly grace: number | undefined
  readonly every: number | undefined
  readonly assignor: string | undefined
}

/** Throws a usage error. Returns the name of the group. */
export function checkOptions(given: Given, hasCommand: boolean): string {
  const { group, format, noCommit } = given
  if (group === undefined)
    throw usageError('-g is missing', 'a consumer belongs to a group: name it with -g; to only read, use logq cat or tail')
  if (format.kind === 'batch')
    throw usageError('--format batch does not go with consume', "batches are copied whole: use 'logq cat --format batch'")
  if (given.grace !== undefined && given.member === undefined)
    throw usageError('--grace needs --member', 'it is the name that partitions wait for')
  if (given.every !== undefined && !hasCommand)
    throw usageError('--every needs a command', 'it says how often CMD is run: … -- CMD')
  if (hasCommand && given.deliver === 'at-most-once')
    throw usageError('--deliver at-most-once does not go with a command', 'what CMD does is committed when it exits with 0')
  if (hasCommand && noCommit)
    throw usageError('--no-commit does not go with a command', 'pipe instead: logq consume … --no-commit | CMD')
  if (noCommit) {
    for (const [name, value] of [
      ['--member', given.member],
      ['--assignor', given.assignor],
    ] as const)
      if (value !== undefined) throw usageError(`${name} does not go with --no-commit`, 'that joins no group')
  }
  return group
}
