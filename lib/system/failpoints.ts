/**
 * Named points at which tests make the built program die, stop, wait or fail: LOGQ_FAILPOINT is a comma list of
 * `name=action[@N]`, where N says at which passing it happens (1, the first, when left out). Each happens once.
 *
 *     kill         SIGKILL to this process: a crash between two steps
 *     stop         SIGSTOP to this process: a writer paused at the worst moment
 *     sleep:MS     blocks the whole thread: opens a race window
 *     throw:CODE   a system error with that code: a failing disk
 */
import { LogqError } from '../errors.js'
import { systemError } from './system-error.js'

/** Returns the function behind `System.failpoint`. Throws LOGQ_USAGE when the list cannot be understood. */
export function createFailpoints(list: string | undefined): (name: string) => void {
  if (list === undefined || list === '') return doNothing
  const points = list.split(',').map(parsePoint)
  return (name) => {
    for (const point of points) {
      if (point.name !== name) continue
      point.passed += 1
      if (point.passed === point.nth) point.act()
    }
  }
}

interface Point {
  readonly name: string
  readonly nth: number
  readonly act: () => void
  passed: number
}

function doNothing(): void {}

function parsePoint(text: string): Point {
  const match = /^([^=@]+)=([a-z]+)(?::([^@]+))?(?:@([1-9]\d*))?$/.exec(text.trim())
  if (match === null) throw unknownPoint(text)
  const [, name = '', action = '', argument, nth = '1'] = match
  return { name, nth: Number(nth), passed: 0, act: parseAction(name, action, argument, text) }
}

function parseAction(name: string, action: string, argument: string | undefined, text: string): () => void {
  if (action === 'kill' && argument === undefined) return () => void process.kill(process.pid, 'SIGKILL')
  if (action === 'stop' && argument === undefined) return () => void process.kill(process.pid, 'SIGSTOP')
  if (action === 'sleep' && argument !== undefined && /^\d+$/.test(argument)) {
    return () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(argument))
  }
  if (action === 'throw' && argument !== undefined && /^E[A-Z0-9]+$/.test(argument)) {
    return () => {
      throw systemError(argument, `failpoint '${name}'`)
    }
  }
  throw unknownPoint(text)
}

function unknownPoint(text: string): LogqError {
  return new LogqError('LOGQ_USAGE', `failpoint '${text}' is not understood`, {
    hint: 'LOGQ_FAILPOINT takes name=action[@N] with kill, stop, sleep:MS or throw:CODE, separated by commas',
  })
}
