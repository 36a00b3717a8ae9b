/**
 * Processes that are killed, stopped or slow at a named point between two steps, most of them inside the append lock
 * (lib/system/failpoints.ts). One that stopped itself goes on, or is killed, after a while.
 */
import { readFileSync } from 'node:fs'
import { pause, type Nemesis } from './nemesis.js'

const points = [
  'append.before-write',
  'append.after-write',
  'append.after-index',
  'sync.before',
  'sync.after',
  'roll.after-invalidate',
  'roll.after-time-index',
  'roll.after-sync',
  'roll.after-create',
  'segment.before-create',
  'segment.after-create',
  'recovery.before-cut',
  'recovery.before-indexes',
  'dedupe.after-buckets',
  'replace.before-rename',
  'create.after-directory',
  'topic-create.after-intent',
  'topic-create.before-commit',
  'topic-add-partitions.before-commit',
  'topic-rm.after-intent',
  'topic-rm.after-mark',
  'topic-rm.after-rename',
  'topic-rm.before-end',
  'repair.after-invalidate',
  'repair.after-indexes',
] as const

const lifecyclePoints = [
  'archive.after-object',
  'archive.after-manifest',
  'archive.after-drop',
  'compact.before-swap',
  'compact.after-note',
  'compact.after-count',
  'compact.after-unlink-indexes',
  'compact.after-rename',
  'compact.after-rename-index',
  'compact.after-swap',
  'log-start.after-write',
  'log-start.after-unlink',
] as const

const groupPoints = [
  'group-join.after-lock',
  'group-join.after-lease',
  'group-join.before-state',
  'group-join.after-state',
  'group-rebalance.before-state',
  'group-rebalance.after-state',
  'group-hand-over.before-state',
  'group-leave.before-state',
  'group-leave.after-state',
  'offsets.before-rewrite',
  'replace.before-rename',
] as const

const lifecycleCommands = ['archive', 'compact', 'retain']

export const critical: Nemesis = {
  name: 'critical',
  missing: () => undefined,
  async act(world, dice, over, tell) {
    const armed = new Set<string>()
    const influence = (own: typeof dice, name: string, args: readonly string[]): Record<string, string> => {
      const isWriter = ['produce', 'topic', 'fsck', 'consume', ...lifecycleCommands].includes(args[0] ?? '')
      if (!isWriter || !own.chance(0.5)) return {}
      const point = own.pick(pointsOf(args[0] ?? ''))
      const action = own.pick(['kill', 'kill', 'stop', 'stop', `sleep:${own.between(20, 1500)}`])
      armed.add(name)
      const failpoint = `${point}=${action}@${own.between(1, point.startsWith('append') ? 8 : 2)}`
      tell(`${name}: ${failpoint}`)
      return { LOGQ_FAILPOINT: failpoint }
    }
    world.influences.add(influence)
    while (!over.aborted) {
      await pause(dice.between(300, dice.chance(0.2) ? 7000 : 1500), over)
      for (const one of world.prey) {
        if (!armed.has(one.name) || !isStopped(one.pid)) continue
        const signal = dice.chance(0.4) ? 'SIGKILL' : 'SIGCONT'
        one.signal(signal)
        tell(`${signal === 'SIGKILL' ? 'killed' : 'continued'} ${one.name}`)
      }
    }
    world.influences.delete(influence)
    // What is armed still would disturb the phases that follow.
    for (const one of world.prey) if (armed.has(one.name)) one.signal('SIGKILL')
  },
}

/** Most points are met by appends; the others by one command each. */
function pointsOf(command: string): readonly string[] {
  if (command === 'consume') return groupPoints
  if (lifecycleCommands.includes(command))
    return lifecyclePoints.filter((point) => point.startsWith(command === 'retain' ? 'log-start' : command))
  return command === 'produce' ? points.filter((one) => !/^(topic-[ar]|repair)/.test(one)) : points
}

function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
