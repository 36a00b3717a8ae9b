/** Reads where a log ends and appends there or not at all; two of them at once, so that one is often too late. */
import type { Client } from './client.js'
import { once } from './one-shot.js'
import { Send } from './send.js'

export const conditional: Client = {
  name: 'conditional',
  count: 2,
  pauseMs: 400,
  async work(world, actor, dice) {
    const { name: topic } = world.setting.plan.topics.state
    let expectOffset: number | undefined
    const show = await world.start(world.nameFor(actor), ['topic', 'show', topic, '-J'], dice, {
      onLines: ([line = '']) => {
        const { partitions } = JSON.parse(line) as { partitions: { logEndOffset: number }[] }
        expectOffset = partitions[0]?.logEndOffset
      },
    })
    await show.ended
    if (expectOffset === undefined) return
    const name = world.nameFor(actor)
    const values = Array.from({ length: dice.between(1, 8) }, (_, n) => `${name}-${n}`)
    const plan = { topic, acks: 1, printsOffsets: dice.chance(0.5), form: 'value', expectOffset } as const
    await Send.run(world, name, dice, { ...plan, options: ['--expect-offset', String(expectOffset)] }, once(values))
  },
}
