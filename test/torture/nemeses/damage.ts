/** One byte of a batch in a closed segment is changed, once in a run, in the topic that is there for it. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { list, type World } from '../world.js'
import { pause, type Nemesis } from './nemesis.js'

const damaged = new WeakSet<World>()

export const damage: Nemesis = {
  name: 'damage',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    const { name: topic } = world.setting.plan.topics.damaged
    while (!over.aborted && !damaged.has(world)) {
      await pause(300, over)
      const directory = join(world.store, `${topic}-0`)
      // The last two may be active still, or just have been.
      const closed = list(directory)
        .filter((name) => name.endsWith('.log'))
        .sort()
        .slice(0, -2)
      if (closed.length === 0) continue
      const file = join(directory, dice.pick(closed))
      const bytes = readFileSync(file)
      const batch = dice.pick(batchesOf(bytes))
      const position = batch.position + dice.below(batch.sizeBytes)
      const { from, to } = batch
      tell(`byte ${position} of ${file}`)
      world.history.add({ process: 'damage', operation: 'damage', type: 'ok', topic, partition: 0, file, from, to })
      damaged.add(world)
      const fd = openSync(file, 'r+')
      writeSync(fd, Uint8Array.of((bytes[position] ?? 0) ^ dice.between(1, 255)), 0, 1, position)
      closeSync(fd)
    }
  },
}

/** Where the batches of a whole segment are, by their headers: base offset, length, last offset delta. */
function batchesOf(bytes: Buffer): { position: number; sizeBytes: number; from: number; to: number }[] {
  const batches = []
  for (let position = 0; position + 27 <= bytes.length;) {
    const from = Number(bytes.readBigInt64BE(position))
    const sizeBytes = 12 + bytes.readInt32BE(position + 8)
    batches.push({ position, sizeBytes, from, to: from + bytes.readInt32BE(position + 23) + 1 })
    position += sizeBytes
  }
  return batches
}
