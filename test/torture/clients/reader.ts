/** Readers that end: whole topics, ranges, the newest records, single ones. */
import type { Dice } from '../dice.js'
import type { World } from '../world.js'
import type { Client } from './client.js'
import { noteEnd, startReading, type Form, type ReadPlan } from './read.js'

/** Compacted, retained, or damaged. */
const GAPPED = ['latest', 'aged', 'damaged'] as const

export const reader: Client = {
  name: 'reader',
  count: 2,
  pauseMs: 500,
  async work(world, actor, dice) {
    const plan = readPlan(world, dice)
    const name = world.nameFor(actor)
    const started = await startReading(world, name, dice, plan)
    noteEnd(world, name, plan.topic, (await started.ended).status)
  },
}

function readPlan(world: World, dice: Dice): ReadPlan {
  const { plan } = world.setting
  const topic = dice.pick(Object.values(plan.topics)).name
  const form = dice.pick<Form>(['template', 'json'])
  // Offsets of a while ago: those that clients chose by looking at the end have their place in other tests.
  const from = dice.chance(0.4) ? 0 : dice.below(600)
  const partition = dice.pick([0, ...world.partitionsOf(topic)])
  const skip = topic === plan.topics.damaged.name ? ['--on-corrupt', 'skip'] : []
  switch (dice.pick(['all', 'range', 'range', 'value', 'end', 'tail', 'get'] as const)) {
    case 'all':
      return { topic, kind: 'all', form, args: ['cat', topic, ...skip] }
    case 'end':
      return { topic, kind: 'newest', form, args: ['cat', topic, '-o', `-${dice.between(1, 200)}:`, ...skip] }
    case 'tail':
      return { topic, kind: 'newest', form, args: ['tail', topic, '-n', String(dice.between(1, 50)), ...skip] }
    case 'get':
      return {
        topic,
        kind: 'range',
        form: 'json',
        partition,
        from,
        to: from + 1,
        args: ['get', `${topic}:${partition}@${from}`],
      }
    case 'value':
      // The offsets are counted: nothing may be missing in between.
      if (!GAPPED.some((role) => plan.topics[role].name === topic))
        return { ...rangeOf('value', from + dice.between(1, 300)), form: 'value' }
      return rangeOf(form, from + 10)
    case 'range':
      return rangeOf(form, from + dice.between(1, 300))
  }

  function rangeOf(asForm: Form, to: number): ReadPlan {
    const args = ['cat', topic, '-p', String(partition), '-o', `${from}:${to}`, ...skip]
    return { topic, kind: 'range', form: asForm, partition, from, to, args }
  }
}
