/** logq snapshot ls */
import { listSnapshots } from '../../lib/maintain/snapshot/snapshots.js'
import { defineCommand } from '../command.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'
import { table } from '../table.js'
import { roundSize } from '../values/units.js'

export const command = defineCommand({
  name: 'snapshot ls',
  summary: 'list the snapshots of a store',
  operands: {},
  options: { store: options.store, json: options.jsonLines, quiet: options.quiet, verbose: options.verbose },
  examples: [{ command: 'logq snapshot ls', meaning: 'Names, when they were taken, and what they take on disk.' }],
  exits: ['failed', 'corruption'],
  man: {
    description: [
      'Prints the snapshots, by name: when each was taken, its topics and partitions, the bytes in its files, and of these what no other directory shares, which is about what its removal frees. Prints nothing when there are none. With **-J** an object for each: name, path, takenMs (null where that is not known), topics, partitionCount, sizeBytes, unsharedBytes.',
    ],
  },
  async run(args, io) {
    const snapshots = listSnapshots(openForReading(args.options.store, io))
    if (args.options.json) {
      for (const { takenMs = null, ...rest } of snapshots) {
        const { name, path, ...figures } = rest
        await io.output().writeLine(JSON.stringify({ name, path, takenMs, ...figures }))
      }
      return
    }
    if (snapshots.length === 0) return
    const rows = snapshots.map(({ name, takenMs, topics, partitionCount, sizeBytes, unsharedBytes }) => [
      takenMs === undefined ? '-' : new Date(takenMs).toISOString().replace('.000Z', 'Z'),
      String(topics.length),
      String(partitionCount),
      roundSize(sizeBytes),
      roundSize(unsharedBytes),
      name,
    ])
    for (const line of table(['TAKEN', 'TOPICS', 'PARTITIONS', 'SIZE', 'UNSHARED', 'NAME'], rows, { lastIsText: true }))
      await io.output().writeLine(line)
  },
})
