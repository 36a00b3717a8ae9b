/**
 * Consumer groups after everything was healed: each comes to rest with the members that it has, these end, and one more that comes without
 * help reads what is left.
 */
import { startMember, membersOf } from './clients/member.js'
import type { Dice } from './dice.js'
import { groupPlans, type GroupPlan } from './group-plans.js'
import { unrest } from './group-watch.js'
import type { LogqProcess } from './logq-process.js'
import type { World } from './world.js'

/** Session timeouts and graces are a few seconds; the rest is for busy machines. */
const REST_MS = 60_000
const END_MS = 60_000

export async function endGroups(world: World, dice: Dice): Promise<void> {
  for (const group of groupPlans) {
    const wrong =
      (await rest(world, group)) ?? (await end(membersOf(world, group.name))) ?? (await readRest(world, dice, group))
    const { name, topics, isAtMostOnce } = group
    const event = { process: 'driver', operation: 'group', group: name, topics, isAtMostOnce } as const
    world.history.add({ ...event, type: wrong === undefined ? 'ok' : 'fail', ...(wrong === undefined ? {} : { what: wrong }) })
  }
}

async function rest(world: World, { name }: GroupPlan): Promise<string | undefined> {
  const untilMs = performance.now() + REST_MS
  for (;;) {
    const members = membersOf(world, name)
    for (const one of members) one.signal('SIGCONT')
    const reason = members.length === 0 ? undefined : unrest(world, name, members.length)
    if (reason === undefined) return undefined
    if (performance.now() > untilMs) return `not at rest after ${REST_MS} ms: ${reason}`
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function end(members: readonly LogqProcess[]): Promise<string | undefined> {
  for (const one of members) one.signal('SIGTERM')
  return await ended(members)
}

async function readRest(world: World, dice: Dice, group: GroupPlan): Promise<string | undefined> {
  const name = world.nameFor('last')
  const started = await startMember(world, name, dice, group, ['--to-end'], { isUndisturbed: true })
  return await ended([started])
}

/** Whoever does not end is named, and killed. */
async function ended(processes: readonly LogqProcess[]): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const isLate = new Promise<true>((resolve) => (timer = setTimeout(() => resolve(true), END_MS)))
  const left = new Set(processes)
  const all = Promise.all(processes.map((one) => one.ended.then(() => left.delete(one))))
  await Promise.race([all, isLate])
  clearTimeout(timer)
  for (const one of left) one.signal('SIGKILL')
  return left.size === 0 ? undefined : `not ended after ${END_MS} ms: ${[...left].map(({ name }) => name).join(', ')}`
}
