/**
 * After everything was healed: one more record in each partition, which followers and groups must come to see; every topic read to its
 * end; fsck; the same questions with and without indexes; and what is left lying about.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fsck } from './clients/checking.js'
import { followingsOf, type Following } from './clients/follower.js'
import { once } from './clients/one-shot.js'
import { startReading } from './clients/read.js'
import { Send } from './clients/send.js'
import { createTopic } from './clients/topics.js'
import { endGroups } from './end-groups.js'
import type { Dice } from './dice.js'
import type { Retained } from './history.js'
import type { TopicPlan } from './plan.js'
import { list, type World } from './world.js'

const CATCH_UP_MS = 30_000
const QUESTIONS = 6

export async function lastLook(world: World): Promise<void> {
  const dice = world.dice('last look')
  const topics = Object.values(world.setting.plan.topics)
  const { damaged, keys, volatile } = world.setting.plan.topics
  if (world.topicId(volatile.name) === undefined) await createTopic(world, world.nameFor('driver'), dice, volatile)
  // Any topic command finishes what one that was killed left behind.
  await run(world, dice, ['topic', 'set', volatile.name, 'retention.ms=8d'])
  // And what was cut off of a partition, whoever makes that partition.
  await run(world, dice, ['topic', 'add-partitions', keys.name, String(world.partitionsOf(keys.name).length + 1)])
  await lastLifecycle(world, dice)
  const ends = new Map<string, number>()
  for (const topic of topics) {
    for (const partition of world.partitionsOf(topic.name))
      ends.set(`${topic.name}-${partition}`, await appendLast(world, dice, topic, partition))
  }
  await endFollowers(world, ends)
  await endGroups(world, dice)
  for (const { name } of topics) await readLast(world, dice, name)

  await fsck(world, world.nameFor('driver'), dice, { repair: false })
  const whole = topics.map(({ name }) => name).filter((name) => name !== damaged.name)
  const digest = await run(world, dice, ['digest', ...whole])
  for (const topic of whole) await fsck(world, world.nameFor('driver'), dice, { topic, repair: true })
  await fsckLast(world, dice, whole)

  const questions = Array.from({ length: QUESTIONS }, () => question(dice, dice.pick(whole), ends))
  const before: string[] = []
  for (const args of questions) before.push(await run(world, dice, args))
  deleteIndexes(world)
  for (const [n, args] of questions.entries()) {
    const after = await run(world, dice, args)
    compare(world, 'without indexes', args.join(' '), before[n] ?? '', after)
  }
  compare(world, 'digest after a repair and without indexes', 'digest', digest, await run(world, dice, ['digest', ...whole]))
  noteHygiene(world)
}

/** Nothing is left that could be archived, removed or compacted; what was cut off of it is finished. */
async function lastLifecycle(world: World, dice: Dice): Promise<void> {
  const { aged, latest } = world.setting.plan.topics
  for (const args of [
    ['archive', aged.name],
    ['retain', aged.name],
    ['compact', latest.name, '--include-active', '--min-dirty', '0'],
  ])
    await run(world, dice, args)
}

/** Gives the offset that the record got, or -1. */
async function appendLast(
  world: World,
  dice: Dice,
  { name: topic, isCompacted }: TopicPlan,
  partition: number,
): Promise<number> {
  const name = world.nameFor('last')
  const options = ['-p', String(partition)]
  const plan = { topic, options, acks: 1, printsOffsets: true, form: isCompacted === true ? 'keyed' : 'value' } as const
  let reached = -1
  await Send.run(world, name, dice, plan, once([`${name}-0`]), (_, offset) => (reached = offset))
  return reached
}

/** Waits until each follower has come to the end of its topic, as long as that may take; then ends them. */
async function endFollowers(world: World, ends: ReadonlyMap<string, number>): Promise<void> {
  const untilMs = performance.now() + CATCH_UP_MS
  for (;;) {
    const followings = [...followingsOf(world)]
    if (followings.every((following) => isThere(world, following, ends)) || performance.now() > untilMs) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  for (const { started, topic } of followingsOf(world)) {
    started.signal('SIGINT')
    await started.ended
    const topicId = world.topicId(topic)
    world.history.add({ process: started.name, operation: 'read', type: 'ok', topic, topicId })
  }
}

function isThere(world: World, { topic, reached }: Following, ends: ReadonlyMap<string, number>): boolean {
  return world
    .partitionsOf(topic)
    .every((partition) => (reached.get(partition) ?? -1) >= (ends.get(`${topic}-${partition}`) ?? 0))
}

async function readLast(world: World, dice: Dice, topic: string): Promise<void> {
  const name = world.nameFor('last')
  const args = ['cat', topic, ...(topic === world.setting.plan.topics.damaged.name ? ['--on-corrupt', 'skip'] : [])]
  const started = await startReading(world, name, dice, { topic, args, kind: 'all', form: 'template', final: true })
  const { status } = await started.ended
  const type = status === 0 ? 'ok' : 'fail'
  world.history.add({ process: name, operation: 'read', type, topic, topicId: world.topicId(topic) })
}

/** Caches have been rebuilt: nothing is left to be found. */
async function fsckLast(world: World, dice: Dice, topics: readonly string[]): Promise<void> {
  for (const topic of topics) await fsck(world, world.nameFor('driver'), dice, { topic, repair: false, final: true })
}

function question(dice: Dice, topic: string, ends: ReadonlyMap<string, number>): string[] {
  const partition = dice.pick([...ends.keys()].filter((name) => name.startsWith(`${topic}-`))).slice(topic.length + 1)
  const end = ends.get(`${topic}-${partition}`) ?? 0
  const from = dice.below(end + 1)
  switch (dice.pick(['range', 'time', 'get', 'newest'] as const)) {
    case 'range':
      return ['cat', topic, '-p', partition, '-o', `${from}:${from + dice.below(50)}`, '-J']
    case 'time':
      // Clocks jumped by ten years in some runs, and by an hour in others.
      return ['cat', topic, '-p', partition, '-o', `@${new Date(Date.now() - dice.below(120_000)).toISOString()}`, '-J']
    case 'get':
      return ['get', `${topic}:${partition}@${from}`, '-J']
    case 'newest':
      return ['cat', topic, '-p', partition, '-o', `-${dice.between(1, 100)}:`, '-J']
  }
}

/** Runs a command that cannot be disturbed any more, and gives its exit status, its last line and a digest of all of its output. */
async function run(world: World, dice: Dice, args: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  let last = ''
  const started = await world.start(world.nameFor('driver'), args, dice, {
    onLines(lines) {
      for (const line of lines) hash.update(`${line}\n`)
      last = lines.at(-1) ?? last
    },
  })
  const { status } = await started.ended
  return `${String(status)} ${hash.digest('hex').slice(0, 16)} … ${last}`
}

function compare(world: World, what: string, asked: string, before: string, after: string): void {
  world.history.add({ process: 'driver', operation: 'compare', type: 'ok', what, question: asked, before, after })
}

function deleteIndexes(world: World): void {
  for (const directory of list(world.store)) {
    for (const name of list(join(world.store, directory))) {
      if (/\.(time)?index$/.test(name)) rmSync(join(world.store, directory, name))
    }
  }
}

function noteHygiene(world: World): void {
  let [storeBytes, segmentCount] = [0, 0]
  const litter: string[] = []
  const visit = (directory: string, shown: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const name = shown === '' ? entry.name : `${shown}/${entry.name}`
      if (/^\.tmp-|^\.removed-|\.(tmp|new|rm)$/.test(entry.name)) litter.push(name)
      if (entry.isDirectory()) visit(join(directory, entry.name), name)
      else {
        storeBytes += statSync(join(directory, entry.name)).blocks * 512
        if (entry.name.endsWith('.log')) segmentCount += 1
      }
    }
  }
  visit(world.store, '')
  const recordCount = world.history.eventCount
  world.history.add({
    process: 'driver',
    operation: 'hygiene',
    type: 'ok',
    litter,
    storeBytes,
    segmentCount,
    recordCount,
    leftProcesses: processesOf(world),
    retained: retainedOf(world),
  })
}

function retainedOf(world: World): Retained[] {
  const { aged } = world.setting.plan.topics
  const limit = aged.settings.find((setting) => setting.startsWith('retention.bytes='))
  return world.partitionsOf(aged.name).map((partition) => {
    const directory = join(world.store, `${aged.name}-${partition}`)
    const names = list(directory)
      .filter((name) => name.endsWith('.log'))
      .sort()
    return {
      partition: `${aged.name}-${partition}`,
      limitBytes: Number(limit?.split('=')[1]),
      segmentBytes: names.map((name) => statSync(join(directory, name)).size),
      isCut: Number.parseInt(names[0] ?? '', 10) > 0,
    }
  })
}

/** Programs that use the store and should have ended. */
function processesOf(world: World): string[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
        return environment.split('\0').includes(`LOGQ_STORE=${world.store}`)
          ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')]
          : []
      } catch {
        return []
      }
    })
}
