/**
 * Rounds of a producer that is killed at a random moment, each judged (judge-store.ts): few in the quick suite, many in the long
 * one.
 */
import type { ExecutionContext } from 'ava'
import { judge, wholeLines } from './judge-store.js'
import { makeCli } from './run-cli.js'

/** Titles, and the topic's settings. */
export const killedWhile = [
  ['in one segment', ''],
  ['while it rolls', 'segment.bytes=9000 index.interval.bytes=200'],
] as const

export function numberedLines(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `line ${n} ${'y'.repeat(n % 150)}`)
}

export async function killRounds(t: ExecutionContext, settings: string, rounds: number): Promise<void> {
  const lines = numberedLines(20_000)
  const cli = makeCli(t)
  let acknowledgedInAll = 0
  for (let round = 0; round < rounds; round += 1) {
    const topic = `t${round}`
    await cli.shell(`logq topic create ${topic} ${settings}`)
    const producer = cli.start(`exec logq produce ${topic} --print-offsets --batch-bytes 700`, { stdin: 'open' })
    let fed = 0
    const feeding = setInterval(() => {
      const part = lines.slice(fed, fed + 25)
      fed += part.length
      if (part.length > 0) producer.write(`${part.join('\n')}\n`)
    }, 3)
    await producer.waitForOutput('@', { timeoutMs: 60_000 })
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 250))
    producer.signal('SIGKILL')
    const done = await producer.finished
    clearInterval(feeding)
    const acknowledged = wholeLines(done.stdout)
    acknowledgedInAll += acknowledged.length
    t.is(await judge(cli, topic, acknowledged, lines), undefined, `round ${round}, ${acknowledged.length} acknowledged`)
  }
  t.true(acknowledgedInAll > rounds)
}
