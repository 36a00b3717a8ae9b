/** One byte of a batch in a closed segment is changed, once in a run, in the topic that is there for it. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { once } from '../clients/one-shot.js'
import { Send } from '../clients/send.js'
import type { Dice } from '../dice.js'
import { list, type World } from '../world.js'
import { pause, type Nemesis, type Tell } from './nemesis.js'

const damaged = new WeakSet<World>()

export const damage: Nemesis = {
  name: 'damage',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    while (!over.aborted && !damaged.has(world)) {
      await pause(300, over)
      // The last two may be active still, or just have been.
      harm(world, dice, logsOf(world).slice(0, -2), tell)
    }
  },
  async finish(world, dice, tell) {
    const topic = world.setting.plan.topics.damaged.name
    const plan = { topic, options: [], acks: 1, printsOffsets: true, form: 'value' } as const
    // A slow machine may not have come to a second segment.
    while (!damaged.has(world)) {
      harm(world, dice, logsOf(world).slice(0, -1), tell)
      const name = world.nameFor('damage')
      const values = Array.from({ length: 200 }, (_, n) => `${name}-${n}`)
      if (!damaged.has(world)) await Send.run(world, name, dice, plan, once(values))
    }
  },
}

function logsOf(world: World): string[] {
  const directory = join(world.store, `${world.setting.plan.topics.damaged.name}-0`)
  const names = list(directory).filter((name) => name.endsWith('.log'))
  return names.sort().map((name) => join(directory, name))
}

/** One byte in one of the files, if there are any, and it has not been done. */
function harm(world: World, dice: Dice, files: readonly string[], tell: Tell): void {
  if (files.length === 0 || damaged.has(world)) return
  const topic = world.setting.plan.topics.damaged.name
  const file = dice.pick(files)
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
