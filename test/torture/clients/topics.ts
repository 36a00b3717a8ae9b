/** Topics that are made, changed and removed while they are used. */
import type { Dice } from '../dice.js'
import type { ProcessEnd } from '../logq-process.js'
import type { TopicPlan } from '../plan.js'
import type { World } from '../world.js'
import type { Client } from './client.js'

const MAX_PARTITIONS = 6

export const topicChanges: Client = {
  name: 'topics',
  count: 1,
  pauseMs: 2500,
  async work(world, actor, dice) {
    const { volatile, keys, roll } = world.setting.plan.topics
    const topic = dice.pick([keys, roll])
    const name = world.nameFor(actor)
    switch (dice.pick(['anew', 'anew', 'add', 'set'] as const)) {
      case 'anew':
        await change(world, name, dice, 'rm', volatile.name, ['topic', 'rm', '-y', volatile.name])
        await world.sleep(dice.between(0, 500))
        await createTopic(world, world.nameFor(actor), dice, volatile)
        return
      case 'add': {
        const count = world.partitionsOf(keys.name).length + 1
        if (count > MAX_PARTITIONS) return
        await change(world, name, dice, 'add-partitions', keys.name, ['topic', 'add-partitions', keys.name, String(count)])
        return
      }
      case 'set': {
        const setting = `segment.bytes=${dice.pick([2048, 8192, 30_000])}`
        await change(world, name, dice, 'set', topic.name, ['topic', 'set', topic.name, setting])
      }
    }
  },
}

export async function createTopic(world: World, name: string, dice: Dice, plan: TopicPlan): Promise<ProcessEnd> {
  const settings = plan.settings.map((setting) => setting.replace('DIRECTORY', world.setting.directory))
  const args = ['topic', 'create', plan.name, '--partitions', String(plan.partitions), ...settings]
  return await change(world, name, dice, 'create', plan.name, args, plan.isCompacted)
}

async function change(
  world: World,
  name: string,
  dice: Dice,
  operation: 'create' | 'rm' | 'add-partitions' | 'set',
  topic: string,
  args: readonly string[],
  isCompacted?: true,
): Promise<ProcessEnd> {
  const event = { process: name, operation, topic } as const
  world.history.add({ ...event, type: 'invoke', ...(isCompacted === undefined ? {} : { isCompacted }) })
  const end = await (await world.start(name, args, dice)).ended
  // A removal that was cut off is gone on with by the next topic command: nobody knows when it is over.
  const type = end.status === 0 ? 'ok' : end.stderr.includes('does not exist') ? 'fail' : 'info'
  world.history.add({ ...event, type })
  return end
}
