/** logq beside a broker that is writing: every reading command, again and again, and `tail -f` from the beginning to the end. */
import { spawn } from 'node:child_process'
import { byPartition, consume } from './consumed.mjs'
import { check, checkSame, until } from './checks.mjs'
import { linesOf } from './logq.mjs'

const topic = 'live'
const partitions = 3
const leastRecords = 3000

const commands = [
  ['cat', '-J', topic],
  ['fsck', '-J', topic],
  ['dump', '-J', topic],
  ['digest', '-J', topic],
  ['du', '-J', topic],
  ['stat', '-J', topic],
  ['tail', '-J', '-n', '20', topic],
  ['get', '-J', `${topic}:0@3`],
]

/** `run` runs a command of logq's on the log.dir to its end; `commandLine` gives the words of one. */
export async function checkLive({ judge, work, run, commandLine }) {
  const config = { 'internal.segment.bytes': 30_000, 'index.interval.bytes': 300 }
  await judge.ask('createTopic', { topic, partitions, config })
  await judge.ask('open', { producer: 'flood', settings: { 'compression.type': 'zstd' } })
  const records = [0, 1, 2].map((partition) => ({ partition, value: null }))
  await judge.ask('produce', { producer: 'flood', topic, records: [...records, ...records, ...records, ...records] })

  const followers = [
    ['-n', '0'],
    ['-o', 'start'],
  ].map((options) => follow(commandLine(['tail', '-f', '-J', ...options, topic])))
  await until('tail -f prints what is there', () => byPartition(followers[1].output()).size === partitions)
  await judge.ask('startFlood', { producer: 'flood', topic, partitions })
  const results = []
  const seen = () => linesOf(results.at(-commands.length)?.stdout ?? '').length
  do for (const args of commands) results.push({ args, ...run(args) })
  while (seen() < leastRecords)
  const sent = await judge.ask('stopFlood')
  await judge.ask('close', { producer: 'flood' })

  const bad = results.filter(({ status, stderr }) => status !== 0 || stderr.includes('damage'))
  const rounds = results.length / commands.length
  check(
    `beside a broker that writes: ${results.length} commands, ${rounds} of each, found nothing wrong`,
    bad.length === 0 && rounds >= 2,
    bad.map(({ args, status, stderr }) => `${args.join(' ')}: exit ${status}: ${stderr}`).join('\n'),
  )
  const consumed = await consume(judge, work, { [topic]: partitions })
  const total = [...consumed.values()].reduce((sum, { read_committed: lines }) => sum + lines.length, 0)
  check(`the broker wrote ${sent} records meanwhile`, total === sent + 12, String(total))
  for (const [n, { stdout }] of results.filter(({ args }) => args[0] === 'cat').entries())
    checkPrefixes(`cat ${n + 1}`, stdout, consumed)
  await checkFollowers(followers, consumed, total)
}

/** What was printed of each partition is a prefix of what there is in the end. */
function checkPrefixes(title, output, consumed) {
  const printed = byPartition(output)
  const got = [...consumed.keys()].flatMap((name) => printed.get(name) ?? [])
  const wanted = [...consumed].flatMap(([name, { read_committed: lines }]) => lines.slice(0, printed.get(name)?.length ?? 0))
  checkSame(`${title}, while the broker wrote: ${got.length} records, none left out`, got, wanted)
}

async function checkFollowers([fromNow, fromStart], consumed, total) {
  await until('tail -f prints the last record', () => linesOf(fromStart.output()).length >= total)
  await until('tail -f -n 0 prints the last record', () => linesOf(fromNow.output()).length >= total - 12)
  const outputs = await Promise.all([fromNow, fromStart].map((follower) => follower.stop()))
  for (const [n, output] of outputs.entries()) {
    const printed = byPartition(output)
    for (const [name, { read_committed: lines }] of consumed) {
      const title = `tail -f of ${name} ${n === 0 ? 'shows the new records' : 'from the start shows all records'}, each once, in order`
      checkSame(title, printed.get(name), n === 0 ? lines.slice(4) : lines)
    }
  }
}

/** A command that goes on until it is stopped. Its process group is its own, so that what runs it (strace) ends with it. */
function follow([program, ...args]) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  const ended = new Promise((resolve) => {
    child.on('exit', resolve)
  })
  const kill = () => process.kill(-child.pid, 'SIGKILL')
  process.on('exit', kill)
  return {
    output: () => Buffer.concat(chunks),
    async stop() {
      process.off('exit', kill)
      process.kill(-child.pid, 'SIGTERM')
      await ended
      return Buffer.concat(chunks)
    },
  }
}
