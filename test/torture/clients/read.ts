/** A run of a reading command: what it printed, as records of the history. */
import type { Dice } from '../dice.js'
import type { ReadKind } from '../history.js'
import type { LogqProcess } from '../logq-process.js'
import { idOf } from '../values.js'
import type { World } from '../world.js'

/** How records are printed: with their places, or, of a range of one partition, without. */
export type Form = 'template' | 'json' | 'value'

export interface ReadPlan {
  readonly topic: string
  readonly args: readonly string[]
  readonly kind: ReadKind
  readonly form: Form
  readonly partition?: number
  readonly from?: number
  readonly to?: number
  readonly final?: true
}

/** Starts it. Every piece of output is noted when it comes; the end of the reading is not (`noteEnd`). */
export async function startReading(
  world: World,
  name: string,
  dice: Dice,
  plan: ReadPlan,
  options: {
    readonly isEndless?: true
    readonly isUndisturbed?: true
    readonly onPlace?: (partition: number, offset: number) => void
  } = {},
): Promise<LogqProcess> {
  const { topic, kind, form, partition, from, to, final } = plan
  const event = { process: name, operation: 'read', type: 'invoke', topic, topicId: world.topicId(topic), kind } as const
  const range = {
    ...(partition === undefined ? {} : { partition }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  }
  world.history.add({ ...event, ...range, ...(final === undefined ? {} : { final }) })
  let count = 0
  const { onPlace, ...startOptions } = options
  return await world.start(name, [...plan.args, ...formArgs(form)], dice, {
    ...startOptions,
    onLines(lines) {
      const records: (number | string)[] = []
      for (const line of lines) {
        const record = parse(line, form, partition ?? 0, (from ?? 0) + count)
        count += 1
        records.push(...record)
        onPlace?.(record[0], record[1])
      }
      world.history.add({ process: name, operation: 'read', type: 'info', topic, records })
    },
  })
}

/** Nothing is noted of one that a signal ended: what it printed may be a part. */
export function noteEnd(world: World, name: string, topic: string, status: number | null): void {
  if (status === null) return
  const type = status === 0 || status === 3 ? 'ok' : 'fail'
  world.history.add({ process: name, operation: 'read', type, topic, topicId: world.topicId(topic) })
}

function formArgs(form: Form): string[] {
  if (form === 'json') return ['-J']
  return form === 'template' ? ['-F', '%p %o %v\\n'] : []
}

/** A line that is no record of the driver's becomes one that nobody sent, so that the checker names it. */
function parse(line: string, form: Form, partition: number, offset: number): readonly [number, number, string] {
  if (form === 'value') return [partition, offset, idOf(line) ?? `damaged: ${line}`]
  if (form === 'json') {
    try {
      const record = JSON.parse(line) as { partition: number; offset: number; value: string }
      return [record.partition, record.offset, idOf(record.value) ?? `damaged: ${record.value}`]
    } catch {
      return [-1, -1, `damaged: ${line}`]
    }
  }
  const match = /^(\d+) (\d+) (.*)$/.exec(line)
  if (match === null) return [-1, -1, `damaged: ${line}`]
  return [Number(match[1]), Number(match[2]), idOf(match[3] ?? '') ?? `damaged: ${line}`]
}
