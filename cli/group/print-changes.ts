/** What a change of committed offsets comes to: a line for each partition, before → after. */
import type { ChangedOffsets } from '../../lib/consume/group/change-offsets.js'
import type { Io } from '../io.js'
import { table } from '../table.js'

export async function printChanges(
  group: string,
  changed: ChangedOffsets,
  json: boolean,
  dryRun: boolean,
  io: Io,
): Promise<void> {
  const { changes, damagedCopy, removedMembers } = changed
  if (json) {
    for (const { topic, partition, from, to } of changes) {
      const line = { group, topic, partition, fromOffset: from, toOffset: to, isDryRun: dryRun }
      await io.output().writeLine(JSON.stringify(line))
    }
  } else {
    const rows = changes.map(({ topic, partition, from, to }) => [
      topic,
      String(partition),
      from === null ? '-' : String(from),
      '→',
      to === null ? '-' : String(to),
    ])
    for (const line of table(['TOPIC', 'PARTITION', 'BEFORE', '', 'AFTER'], rows)) await io.output().writeLine(line)
  }
  if (damagedCopy !== undefined) await io.warn(`the damaged offsets file was kept as '${damagedCopy}'`)
  if (removedMembers > 0) await io.say(`${removedMembers} member${removedMembers === 1 ? ' was' : 's were'} put out`)
  if (dryRun) await io.say('nothing was changed (--dry-run)')
}
