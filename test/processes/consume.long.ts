/** A member of a group whose reader is slow: memory stays bounded, its heartbeats go on, and only what the pipe took is committed. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'
import { pause, until } from '../helpers/until.js'

const LIMIT_KIB = 150 * 1024
const RECORDS = 2_000_000
const LONG = { timeoutMs: 240_000 }
const RECORD_BYTES = 100
const PIPE_BYTES = 65_536
const SESSION_MS = 2_000
const CONSUME = `logq consume t -g g --session-timeout ${SESSION_MS}ms`

interface Group {
  readonly generation: number
  readonly state: string
  readonly owners: Readonly<Record<string, readonly string[]>>
}

function group(cli: Cli): Group | undefined {
  const path = join(cli.store, 'groups/g/group.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Group) : undefined
}

function peakKiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

test('200 MB into readers that are slow, and then stop: bounded memory, and the partitions stay with their members', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t --partitions 2')
  // Each reads 100 KB now and then, then nothing at all until it may go on.
  const reader = (n: number) =>
    `{ for i in $(seq 30); do head -c 100000; sleep 0.05; done; touch stands${n}; until [ -e go ]; do sleep 0.2; done; cat; } > got${n}`
  const members = [1, 2].map((n) => cli.start(`{ echo $BASHPID > pid${n}; exec ${CONSUME}; } | ${reader(n)}`, LONG))
  await until('two members', () => group(cli)?.state === 'Stable' && new Set(group(cli)?.owners['t']).size === 2)
  const before = group(cli)
  await cli.shell(`seq -f '%099.0f' ${RECORDS} | logq produce t`, LONG)
  await until('the readers stand', () => [1, 2].every((n) => existsSync(join(cli.directory, `stands${n}`))), 120_000)
  await pause(4 * SESSION_MS)
  // Nobody was put out, and nobody had to come back.
  t.deepEqual(group(cli), before)
  const gotBytes = [1, 2].reduce((sum, n) => sum + statSync(join(cli.directory, `got${n}`)).size, 0)
  const committed = Number((await cli.shell("logq lag -g g -J | jq -s 'map(.currentOffset) | add'")).stdout.toString())
  t.true(committed > 0)
  t.true(committed * RECORD_BYTES <= gotBytes + 2 * PIPE_BYTES, `${committed} committed, ${gotBytes} bytes read`)
  await cli.shell('touch go')
  await until('all is read', async () => (await cli.shell('logq lag -g g --crit 1')).status === 0, 180_000)
  const peaks = [1, 2].map((n) => peakKiB(Number(readFileSync(join(cli.directory, `pid${n}`), 'utf8'))))
  t.log(`${peaks.map((peak) => Math.round(peak / 1024)).join(' and ')} MiB`)
  for (const peak of peaks) t.true(peak > 0 && peak < LIMIT_KIB, `${Math.round(peak / 1024)} MiB`)
  for (const member of members) member.signal('SIGTERM', { group: true })
  for (const member of members) t.notRegex((await member.finished).stderr, /taken out/)
  const counted = await cli.shell('cat got1 got2 | wc -l; cat got1 got2 | sort -u | wc -l')
  t.is(counted.stdout.toString(), `${RECORDS}\n${RECORDS}\n`)
})
