/** Producers that are fed through a pipe for some seconds, with every mix of options; some are interrupted. */
import type { Dice } from '../dice.js'
import type { TopicPlan } from '../plan.js'
import type { World } from '../world.js'
import type { Client } from './client.js'
import { Send, type SendPlan } from './send.js'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

export const producer: Client = {
  name: 'producer',
  count: 3,
  pauseMs: 300,
  async work(world, actor, dice) {
    const name = world.nameFor(actor)
    await Send.run(world, name, dice, sendPlan(world, dice), feed(world, name, dice))
  },
}

export function sendPlan(world: World, dice: Dice): SendPlan {
  const { topics } = world.setting.plan
  const topic = dice.pick([
    topics.roll,
    topics.roll,
    topics.keys,
    topics.keys,
    topics.volatile,
    topics.damaged,
    topics.aged,
    topics.aged,
    topics.latest,
    topics.latest,
  ])
  const form = formOf(topic, dice)
  const options = ['--batch-bytes', dice.pick(['100', '1000', '10000', '256KiB']), '-z', dice.pick(codecs)]
  if (dice.chance(0.2)) options.push('--linger', dice.pick(['1ms', '20ms', '200ms']))
  if (dice.chance(0.3)) options.push('-p', String(dice.below(topic.partitions)))
  // As it is made at the start: whoever is first after a removal makes it anew.
  else if (topic === topics.volatile && dice.chance(0.5)) options.push('--no-create')
  if (dice.chance(0.2)) options.push('--on-full', 'block')
  return { topic: topic.name, options, acks: dice.chance(0.25) ? 0 : 1, printsOffsets: dice.chance(0.6), form }
}

function formOf(topic: TopicPlan, dice: Dice): SendPlan['form'] {
  // Without a key nothing goes into a compacted topic.
  if (topic.isCompacted === true) return dice.pick(['keyed', 'json'] as const)
  return topic.name === 'keys' ? dice.pick(['keyed', 'json', 'value'] as const) : dice.pick(['value', 'value', 'json'] as const)
}

/** Pieces of a few records or many, for some seconds; at the end perhaps a signal instead of the end of the input. */
async function* feed(world: World, sequence: string, dice: Dice): AsyncGenerator<readonly string[] | NodeJS.Signals> {
  const pieces = dice.between(3, 25)
  let n = 0
  for (let piece = 0; piece < pieces && !world.isStopping; piece += 1) {
    const count = dice.chance(0.1) ? dice.between(50, 120) : dice.between(1, 12)
    yield Array.from({ length: count }, (_, k) => `${sequence}-${n + k}`)
    n += count
    await world.sleep(dice.between(5, dice.chance(0.3) ? 800 : 200))
  }
  if (dice.chance(0.15)) yield dice.pick(['SIGINT', 'SIGTERM'] as const)
}
