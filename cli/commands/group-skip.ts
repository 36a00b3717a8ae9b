/** logq group skip: past one bad record. */
import { LogqError } from '../../lib/errors.js'
import { changeOffsets } from '../../lib/consume/group/change-offsets.js'
import { GroupFiles } from '../../lib/store/group/group-files.js'
import { partitionOffsets, viewContext } from '../../lib/store/partition.js'
import { getTopic } from '../../lib/store/topics.js'
import { defineCommand } from '../command.js'
import { usageError } from '../errors.js'
import { changeOptions, openToChange } from '../group/change-options.js'
import { chosenPartitions, parsePartitionChoice } from '../group/partition-choice.js'
import { printChanges } from '../group/print-changes.js'
import { lockWait } from '../lock-wait.js'
import { options } from '../options.js'
import { formatPlace, parsePlace } from '../values/place.js'

export const command = defineCommand({
  name: 'group skip',
  summary: 'let a consumer group pass over one record',
  operands: {
    group: { label: 'GROUP', meaning: 'The group.', required: true },
    place: { label: 'TOPIC:P@OFFSET', meaning: 'The record: the one that the group would read next.', required: true },
  },
  options: {
    store: options.store,
    reason: { kind: 'string', valueName: 'TEXT', meaning: 'Why, for the history of the group. It must be given.' },
    ...changeOptions('behind the record'),
  },
  examples: [
    {
      command: 'logq group skip billing orders:3@1042 --reason "no customer number"',
      meaning: 'Go on behind a record that cannot be dealt with.',
    },
  ],
  exits: ['failed', 'corruption', 'conflict'],
  exitNotes: { conflict: 'Members of the group are there, and **--force** was not given; or the group is at another record' },
  man: {
    description: [
      'Sets the committed offset of a partition from the record to the one behind it, and writes the reason into the history of the group. The record must be the one that the group would read next. **logq group undo** takes it back.',
    ],
    seeAlso: ['logq-consume(1)'],
  },
  async run(args, io) {
    const {
      options: given,
      operands: { group, place: text },
    } = args
    const place = parsePlace(text)
    if (place === undefined)
      throw usageError(`'${text}' is not the place of a record`, 'a place is written as TOPIC:PARTITION@OFFSET')
    if (given.reason === undefined || given.reason.trim() === '')
      throw usageError('--reason is missing', 'the history of the group is to say why a record was passed over')
    const store = openToChange(given.store, io)
    const { topic, partition, offset } = place
    chosenPartitions(store, parsePartitionChoice(`${topic}:${partition}`))
    const { logStartOffset, logEndOffset } = partitionOffsets(viewContext(store, topic, partition))
    if (offset >= logEndOffset) {
      throw new LogqError('LOGQ_CONFLICT', `'${formatPlace(place)}' is not written yet: the log ends at offset ${logEndOffset}`)
    }
    const files = GroupFiles.open(store, group)
    const committed = files.read().offsets.get(topic, getTopic(store, topic).topicId, partition)?.offset ?? logStartOffset
    files.close()
    if (Math.max(committed, logStartOffset) !== offset) {
      throw new LogqError(
        'LOGQ_CONFLICT',
        `group '${group}' would read offset ${Math.max(committed, logStartOffset)} of '${topic}:${partition}' next, not ${offset}`,
        {
          hint: `to set any offset: 'logq group seek ${group} -o ${offset + 1} --topic ${topic}:${partition}'`,
        },
      )
    }
    const what = { command: 'skip', reason: given.reason }
    const changed = await changeOffsets(store, group, what, [{ topic, partition, offset: offset + 1 }], {
      force: given.force,
      dryRun: given.dryRun,
      wait: lockWait(io),
    })
    await printChanges(group, changed, given.json, given.dryRun, io)
  },
})
