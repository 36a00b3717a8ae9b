/** A run of `produce`, and what is known afterwards of each value that it was given. */
import type { Dice } from '../dice.js'
import type { ProcessEnd } from '../logq-process.js'
import { keyOf, valueOf } from '../values.js'
import type { World } from '../world.js'

export interface SendPlan {
  readonly topic: string
  readonly options: readonly string[]
  readonly acks: 0 | 1
  readonly printsOffsets: boolean
  /** How the program reads its input: lines, `key:value`, or JSON records. */
  readonly form: 'value' | 'keyed' | 'json'
  readonly dedupe?: true
  readonly expectOffset?: number
}

export class Send {
  /** In the order in which they were handed over. */
  readonly #given: string[] = []
  #acknowledged = 0

  private constructor(
    private readonly world: World,
    readonly name: string,
    private readonly plan: SendPlan,
    private readonly topicId: string | undefined,
    private readonly onPlace: ((partition: number, offset: number) => void) | undefined,
  ) {}

  /** Hands values to one process, in the pieces in which `pieces` gives them, and waits for its end. */
  static async run(
    world: World,
    name: string,
    dice: Dice,
    plan: SendPlan,
    pieces: AsyncIterable<readonly string[] | NodeJS.Signals>,
    onPlace?: (partition: number, offset: number) => void,
  ): Promise<ProcessEnd> {
    const send = new Send(world, name, plan, world.topicId(plan.topic), onPlace)
    const args = ['produce', plan.topic, '--acks', String(plan.acks), ...plan.options]
    if (plan.printsOffsets) args.push('--print-offsets')
    if (plan.form === 'keyed') args.push('-K:')
    if (plan.form === 'json') args.push('-J')
    const started = await world.start(name, args, dice, {
      stdin: 'open',
      onLines: (lines) => {
        send.#acknowledge(lines)
      },
    })
    let signal: NodeJS.Signals | undefined
    for await (const piece of pieces) {
      if (!started.isRunning) break
      if (typeof piece === 'string') {
        signal = piece
        break
      }
      send.#invoke(piece)
      started.write(piece.map((id) => lineOf(id, plan.form)).join(''))
    }
    if (signal === undefined) started.end()
    else started.signal(signal)
    const end = await started.ended
    send.#conclude(end)
    return end
  }

  #invoke(values: readonly string[]): void {
    const { topic, acks, dedupe, expectOffset } = this.plan
    this.world.history.add({
      process: this.name,
      operation: 'send',
      type: 'invoke',
      topic,
      topicId: this.topicId,
      acks,
      values,
      ...(dedupe === true ? { dedupe } : {}),
      expectOffset: this.#given.length === 0 ? expectOffset : undefined,
    })
    this.#given.push(...values)
  }

  #acknowledge(lines: readonly string[]): void {
    const { topic } = this.plan
    const values = this.#given.slice(this.#acknowledged, this.#acknowledged + lines.length)
    this.#acknowledged += lines.length
    const places = lines.flatMap((line) => {
      const match = new RegExp(`^${topic}:(\\d+)@(\\d+)$`).exec(line)
      // A line that is none makes a place that no reader confirms.
      return match === null ? [-1, -1] : [Number(match[1]), Number(match[2])]
    })
    this.world.history.add({ process: this.name, operation: 'send', type: 'ok', topic, values, places })
    for (let n = 0; n + 1 < places.length; n += 2) this.onPlace?.(places[n] ?? -1, places[n + 1] ?? -1)
  }

  #conclude(end: ProcessEnd): void {
    const rest = this.#given.slice(this.#acknowledged)
    for (const { type, values } of outcomesOf(end, this.#given.length - rest.length, rest)) {
      this.world.history.add({ process: this.name, operation: 'send', type, topic: this.plan.topic, values })
    }
  }
}

interface Outcome {
  readonly type: 'ok' | 'fail' | 'info'
  readonly values: readonly string[]
}

/**
 * What became of the values `rest` of a producer that has ended, of which `before` were acknowledged one by one. Only what the
 * program says of them counts: `fail` is "were not written", with the line from which on that holds; anything else is not known.
 */
export function outcomesOf({ status, signal, stderr }: ProcessEnd, before: number, rest: readonly string[]): Outcome[] {
  if (rest.length === 0) return []
  if (status === 0) return [{ type: 'ok', values: rest }]
  if (signal !== null) return [{ type: 'info', values: rest }]
  // An expectation that does not hold: nothing was appended.
  if (status === 6) return [{ type: 'fail', values: rest }]
  const line = firstUnwritten(stderr)
  if (line === undefined) return [{ type: 'info', values: rest }]
  const from = Math.max(0, line - 1 - before)
  return (
    [
      { type: 'info', values: rest.slice(0, from) },
      { type: 'fail', values: rest.slice(from) },
    ] as const
  ).filter(({ values }) => values.length > 0)
}

/** From which line on nothing was written; undefined when that is not said, or only "may not" or "may be lost". */
function firstUnwritten(stderr: string): number | undefined {
  if (/may be lost|may not have been written|may have been appended/.test(stderr)) return undefined
  const scattered =
    /\d+ records from (?:line|record) \d+ of '[^']*' on were not written, nor what follows (?:line|record) (\d+)/
  const after = scattered.exec(stderr)?.[1]
  if (after !== undefined) return Number(after) + 1
  const from = /records from (?:line|record) (\d+) of '[^']*' on were not written;/.exec(stderr)?.[1]
  return from === undefined ? undefined : Number(from)
}

function lineOf(id: string, form: SendPlan['form']): string {
  const value = valueOf(id)
  if (form === 'keyed') return `${keyOf(id)}:${value}\n`
  return form === 'json' ? `${JSON.stringify({ key: keyOf(id), value })}\n` : `${value}\n`
}
