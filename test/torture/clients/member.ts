/**
 * Members of consumer groups: they come, read for a while, and go, in an orderly way when no nemesis is quicker. What they print is in
 * the history; what they commit, the driver reads from the store (group-watch.ts).
 */
import type { Dice } from '../dice.js'
import { groupPlans, type GroupPlan } from '../group-plans.js'
import type { LogqProcess } from '../logq-process.js'
import { idOf } from '../values.js'
import type { World } from '../world.js'
import type { Client } from './client.js'

/** Those that read now, by the name of their group. */
const memberships = new WeakMap<World, Map<LogqProcess, string>>()

export function membersOf(world: World, group: string): LogqProcess[] {
  return [...(memberships.get(world) ?? [])].filter(([, name]) => name === group).map(([started]) => started)
}

const [ledger, alerts, mirror] = groupPlans

export const member: Client = {
  name: 'member',
  count: 4,
  pauseMs: 500,
  async work(world, actor, dice) {
    // Groups of one member show little: most are in one.
    const group = dice.pick([ledger, ledger, ledger, alerts, mirror])
    if (group === undefined) return
    const name = world.nameFor(actor)
    const started = await startMember(world, name, dice, group, optionsFor(group, actor, dice))
    await Promise.race([started.ended, world.sleep(dice.between(1000, 12_000))])
    // Those that are there when everything is healed stay until the last look.
    if (!world.isStopping) started.signal(dice.pick(['SIGTERM', 'SIGINT'] as const))
    await started.ended
  },
}

/** At the end: everything that the group has not read yet, by one that nothing disturbs. */
export async function startMember(
  world: World,
  name: string,
  dice: Dice,
  group: GroupPlan,
  options: readonly string[],
  more: { readonly isUndisturbed?: true } = {},
): Promise<LogqProcess> {
  const event = { process: name, operation: 'deliver', group: group.name } as const
  world.history.add({ ...event, type: 'invoke' })
  const [own, command] = split(options)
  const args = [
    ...['consume', ...group.subscription, '-g', group.name, '-F', '%t %p %o %v\\n'],
    ...(group.isAtMostOnce ? ['--deliver', 'at-most-once'] : []),
    ...own,
    ...command,
  ]
  const started = await world.start(name, args, dice, {
    onLines: (lines) => world.history.add({ ...event, type: 'info', records: lines.flatMap(parse) }),
    ...more,
    isEndless: true,
  })
  const known = memberships.get(world) ?? new Map<LogqProcess, string>()
  memberships.set(world, known.set(started, group.name))
  void started.ended.then(() => known.delete(started))
  return started
}

function optionsFor(group: GroupPlan, actor: string, dice: Dice): string[] {
  const options = ['--session-timeout', '2s']
  if (dice.chance(0.3)) options.push('--member', dice.pick([actor, actor, 'twin']), '--grace', '3s')
  if (dice.chance(0.3)) options.push('--commit-every', dice.pick(['1', '20', '200ms']))
  if (dice.chance(0.15)) options.push('-n', String(dice.between(1, 200)))
  if (!group.isAtMostOnce && dice.chance(0.2)) options.push('--every', '200ms', '--', 'cat')
  return options
}

function split(options: readonly string[]): [string[], string[]] {
  const dashes = options.indexOf('--')
  return dashes === -1 ? [[...options], []] : [options.slice(0, dashes), options.slice(dashes)]
}

/** A line that is no record of the driver's becomes one that nobody sent. */
function parse(line: string): (number | string)[] {
  const match = /^(\S+) (\d+) (\d+) (.*)$/.exec(line)
  if (match === null) return ['', -1, -1, `damaged: ${line}`]
  const [, topic = '', partition, offset, value = ''] = match
  return [topic, Number(partition), Number(offset), idOf(value) ?? `damaged: ${value}`]
}
