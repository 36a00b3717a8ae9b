/** fsck while others write, with and without --repair, and digest. */
import type { FsckFinding } from '../history.js'
import type { Dice } from '../dice.js'
import type { World } from '../world.js'
import type { Client } from './client.js'

export const checking: Client = {
  name: 'checking',
  count: 1,
  pauseMs: 1500,
  async work(world, actor, dice) {
    // One that is removed meanwhile cannot be judged.
    const { roll, keys, once, state, damaged, aged, latest } = world.setting.plan.topics
    const others = [roll, keys, once, state, aged, latest]
    if (dice.chance(0.25)) {
      const { name } = dice.pick(others)
      await (
        await world.start(world.nameFor(actor), ['digest', name], dice)
      ).ended
      return
    }
    // The damaged topic is not to be repaired before the end.
    const repair = dice.chance(0.4)
    const topic = dice.pick(repair ? others : [...others, damaged]).name
    await fsck(world, world.nameFor(actor), dice, { topic, repair })
  },
}

export async function fsck(
  world: World,
  name: string,
  dice: Dice,
  options: { readonly topic?: string; readonly repair: boolean; readonly final?: true; readonly isUndisturbed?: true },
): Promise<void> {
  const { topic, repair, final, isUndisturbed } = options
  const findings: FsckFinding[] = []
  const args = ['fsck', '-J', ...(repair ? ['--repair'] : []), ...(topic === undefined ? [] : [topic])]
  const started = await world.start(name, args, dice, {
    onLines(lines) {
      for (const line of lines) {
        const finding = JSON.parse(line) as FsckFinding
        if (finding.kind !== 'summary' && finding.kind !== 'rebuilt') findings.push({ ...finding, message: finding.message })
      }
    },
    ...(isUndisturbed === undefined ? {} : { isUndisturbed }),
  })
  const { status } = await started.ended
  if (status === null) return
  const event = { process: name, operation: 'fsck', type: 'ok', status, repair, findings } as const
  world.history.add({ ...event, ...(topic === undefined ? {} : { topic }), ...(final === undefined ? {} : { final }) })
}
