/** Processes that are killed beside, or as, a producer whose printed offsets are its acknowledgements. None of those may be lost. */
import type { ExecutionContext } from 'ava'
import { judge, wholeLines } from '../helpers/judge-store.js'
import { numberedLines } from '../helpers/kill-rounds.js'
import { makeCli, type Cli, type Running } from '../helpers/run-cli.js'

const lines = numberedLines(4000)
const FED_AT_ONCE = 40

/** A producer that is fed while it lives. */
interface FedProducer {
  readonly running: Running
  /** Ends the input. */
  readonly stop: () => void
}

async function startProducer(t: ExecutionContext, cli: Cli, topic: string, acks: number): Promise<FedProducer> {
  const running = cli.start(`exec logq produce ${topic} --acks ${acks} --print-offsets --batch-bytes 700`, {
    stdin: 'open',
    timeoutMs: 60_000,
  })
  let fed = 0
  const timer = setInterval(() => {
    const part = lines.slice(fed, fed + FED_AT_ONCE)
    fed += part.length
    if (part.length > 0) running.write(`${part.join('\n')}\n`)
  }, 3)
  const stop = () => {
    clearInterval(timer)
    running.end()
  }
  t.teardown(stop)
  await running.waitForOutput('@', { timeoutMs: 30_000 })
  return { running, stop }
}

const someMs = () => new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 150))

async function requireAll(t: ExecutionContext, cli: Cli, topic: string, output: Buffer): Promise<void> {
  const acknowledged = wholeLines(output)
  t.true(acknowledged.length > 0)
  t.is(await judge(cli, topic, acknowledged, lines), undefined, `${acknowledged.length} acknowledged`)
}

export async function checkKilledProducer(t: ExecutionContext, acks: number, cost: string): Promise<void> {
  t.is(cost, 'nothing')
  const cli = makeCli(t)
  for (const topic of ['a', 'b']) {
    const { running, stop } = await startProducer(t, cli, topic, acks)
    await someMs()
    running.signal('SIGKILL')
    const done = await running.finished
    stop()
    await requireAll(t, cli, topic, done.stdout)
  }
}

export async function checkKilledBeside(t: ExecutionContext, acks: number, cost: string): Promise<void> {
  t.is(cost, 'nothing')
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=20000')
  const { running, stop } = await startProducer(t, cli, 't', acks)
  for (const failpoint of ['append.before-write', 'append.after-write', 'append.after-index']) {
    const killed = await cli.shell(`seq 900 | LOGQ_FAILPOINT=${failpoint}=kill logq produce t --batch-bytes 700`)
    t.is(killed.status, 137, failpoint)
  }
  await cli.shell('{ sleep 0.2; kill -9 $$; } & exec logq tail -f t > /dev/null')
  stop()
  const done = await running.finished
  t.is(done.status, 0, done.stderr)
  // Records of the others stand between; what was printed has to be where it was said to be.
  const acknowledged = wholeLines(done.stdout)
  const all = await cli.shell("logq cat t -F 't:%p@%o %v\\n'; logq fsck -q")
  t.is(all.status, 0, all.stderr)
  const present = new Set(all.stdout.toString().split('\n'))
  t.deepEqual(
    acknowledged.map((place, n) => `${place} ${lines[n] ?? ''}`).filter((record) => !present.has(record)),
    [],
  )
}

/** The kernel ends processes with the same signal, whatever they are doing: here every one of the store at once. */
export async function checkKilledTogether(t: ExecutionContext, acks: number, cost: string): Promise<void> {
  t.is(cost, 'nothing')
  const cli = makeCli(t)
  const producers = await Promise.all(['a', 'b'].map((topic) => startProducer(t, cli, topic, acks)))
  const others = [cli.start('exec logq tail -f a b'), cli.start('while logq fsck -q; do :; done')]
  await someMs()
  for (const { running } of producers) running.signal('SIGKILL', { group: true })
  for (const other of others) other.signal('SIGKILL', { group: true })
  const outputs = await Promise.all(producers.map(async ({ running }) => (await running.finished).stdout))
  for (const { stop } of producers) stop()
  await Promise.all(others.map((other) => other.finished))
  for (const [n, topic] of ['a', 'b'].entries()) await requireAll(t, cli, topic, outputs[n] ?? Buffer.of())
}
