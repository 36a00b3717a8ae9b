/** logq consume: records as a member of a consumer group, committed when they were delivered. */
import { joinGroup } from '../../lib/consume/group/join-group.js'
import type { JoinGroupOptions } from '../../lib/consume/group/join-options.js'
import { LogqError } from '../../lib/errors.js'
import { requireWritable } from '../../lib/store/store.js'
import { checkOptions, consumeOptions } from '../consume/options.js'
import { peek } from '../consume/peek.js'
import { printRecords } from '../consume/print-records.js'
import { runCommands } from '../consume/run-command.js'
import { MembershipTalk } from '../consume/say-events.js'
import { ToEnd } from '../consume/to-end.js'
import { defineCommand } from '../command.js'
import { lockWait } from '../lock-wait.js'
import type { OutputWriter } from '../output.js'
import { batchPrinter, openForReading } from '../reading/reading.js'
import { TimeLimits } from '../reading/time-limits.js'
import { compileWhere } from '../reading/where.js'

export const command = defineCommand({
  name: 'consume',
  summary: 'read topics as a member of a consumer group, and commit',
  operands: {
    topics: {
      label: 'TOPIC',
      meaning: 'The topics, or patterns of topics, also such as are created later. See TOPICS in **logq**(1).',
      required: true,
      repeated: true,
    },
    command: {
      label: 'CMD',
      meaning: 'A command and its arguments, to which the records go. There is no shell between.',
      repeated: true,
      isAfterDashes: true,
    },
  },
  options: consumeOptions,
  examples: [
    {
      command: 'logq consume -g billing orders | while read -r order; do charge "$order"; done',
      meaning: 'Read on where the group is.',
    },
    { command: 'logq consume -g billing orders -- ./charge', meaning: 'Commit only what ./charge finished with status 0.' },
    { command: 'logq consume -g nightly orders --to-end > orders.txt', meaning: 'From cron: what came since the last time.' },
    { command: 'logq consume -g billing orders --no-commit -n 10', meaning: 'Look at the next ten records of a group.' },
  ],
  exits: ['failed', 'timeout', 'corruption', 'conflict', 'gone', 'commandNotExecutable', 'commandNotFound'],
  exitNotes: {
    failed: 'Failed; or CMD did not exit with 0, and nothing of that run was committed',
    timeout: 'No record was printed for **--idle**',
    conflict: 'The group assigns partitions otherwise than **--assignor**, or **--member** is in it already',
    gone: 'With **-o none**: what the group committed lies below the log start offset',
  },
  man: {
    description: [
      'Joins a consumer group, reads the partitions that the group gives to this member, prints their records, and commits how far they were delivered. Each partition is read by one member of the group at a time; members that come, go, or are killed change who reads what, and those that stay read on meanwhile. Groups do not know of each other. It goes on until it is interrupted, unless **-n**, **--to-end**, **--idle** or **--for** says otherwise.',
      'A record is delivered when standard output took its last byte: a pipe is acknowledged when the pipe took the bytes, be they read at its other end or not. What must not be lost behind a pipe goes to CMD instead.',
      'With CMD, what is there of one partition goes to the standard input of one run of CMD, at most every **--every**, and is committed when CMD exits with 0. Otherwise consume ends, and the next one begins with the same records. In its environment are **LOGQ_TOPIC**, **LOGQ_PARTITION**, **LOGQ_GROUP**, and the offsets of the first and the last record, **LOGQ_FIRST** and **LOGQ_LAST**. While CMD runs, its partition stays with this member, however long that takes.',
      'Commits are made at once and are durable within a second; a power cut takes back that second, and its records come again. Committed offsets never expire.',
    ],
    seeAlso: ['logq-group(1)', 'logq-lag(1)', 'logq-tail(1)', 'logq-produce(1)'],
  },
  async run(args, io) {
    const { options: given, operands } = args
    const words = operands.command
    const group = checkOptions(given, words.length > 0)
    const { deliver, offset: offsetReset, count, commitEvery } = given
    const where = await compileWhere(given.where, io)
    const onTooLarge = (error: LogqError) => Promise.reject(tooLarge(error, group))
    const printer = batchPrinter(given, count, io, where?.matches, { onTooLarge })
    const store = openForReading(given.store, io)
    const limits = new TimeLimits(given, io)
    try {
      if (given.noCommit) {
        limits.beginIdle()
        await peek(
          {
            store,
            group,
            topics: operands.topics,
            reset: offsetReset,
            printer,
            where,
            toEnd: given.toEnd,
            isolation: given.isolation,
            limits,
          },
          io,
        )
        limits.refuseIdle(listOf(operands.topics))
        return undefined
      }
      requireWritable(store, { allowNetworkFileSystem: true })
      const toEnd = given.toEnd ? await ToEnd.pin(store, operands.topics) : undefined
      const consumer = await joinGroup(store, group, operands.topics, {
        offsetReset,
        isolation: given.isolation,
        sessionTimeoutMs: given.sessionTimeout,
        signal: limits.signal,
        command: ['logq', 'consume', ...operands.topics, '-g', group, ...(words.length === 0 ? [] : ['--', ...words])].join(
          ' ',
        ),
        lockWait: lockWait(io),
        ...optional('assignor', given.assignor),
        ...optional('instanceId', given.member),
        ...optional('graceMs', given.grace),
      })
      const talk = new MembershipTalk(consumer, io)
      const release = stopOutsideOfSteps()
      try {
        limits.beginIdle()
        if (words.length === 0) {
          const isAtMostOnce = deliver === 'at-most-once'
          await printRecords({ consumer, printer, where, limit: count, isAtMostOnce, commitEvery, toEnd, limits, talk }, io)
        } else {
          const everyMs = given.every ?? 1_000
          const printerOn = (output: OutputWriter) => batchPrinter(given, undefined, io, where?.matches, { onTooLarge, output })
          const status = await runCommands(
            {
              consumer,
              isolation: given.isolation,
              command: words,
              where,
              limit: count,
              everyMs,
              toEnd,
              limits,
              talk,
              printerOn,
            },
            io,
          )
          if (status !== undefined) return status
        }
      } finally {
        release()
        await consumer.close()
      }
      limits.refuseIdle(listOf(operands.topics))
      return undefined
    } finally {
      limits.end()
      await where?.report()
    }
  },
})

/** A record that cannot be printed is not passed over: the group would lose it. */
function tooLarge(error: LogqError, group: string): LogqError {
  return new LogqError(error.code, error.message, {
    hint: `read it in the value format, or pass over it with 'logq group skip ${group} TOPIC:PARTITION@OFFSET --reason TEXT'`,
    cause: error,
  })
}

/** ^Z stops this process between two steps, not within a change of the group, which others would wait for. Returns what undoes it. */
function stopOutsideOfSteps(): () => void {
  const stop = () => process.kill(process.pid, 'SIGSTOP')
  process.on('SIGTSTP', stop)
  return () => process.off('SIGTSTP', stop)
}

function optional<Key extends keyof JoinGroupOptions>(
  key: Key,
  value: JoinGroupOptions[Key] | undefined,
): Pick<JoinGroupOptions, Key> | object {
  return value === undefined ? {} : { [key]: value }
}

function listOf(topics: readonly string[]): string {
  return topics.map((topic) => `'${topic}'`).join(', ')
}
