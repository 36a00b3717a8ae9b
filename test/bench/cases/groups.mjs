/**
 * Consumer groups: how long it takes until each partition has its one owner again when a member joins, and when one is killed; what an
 * idle group costs; how many commits there are in a second; and a group of a thousand partitions. There is no reference: each figure
 * stands beside its goal. Members are processes of their own, and what is timed is the group's file, which all of them go by.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { summary } from '../measure.mjs'
import { projectRoot, sleep } from '../workspace.mjs'

const MEMBERS = 8
const PARTITIONS = 64
const MANY_PARTITIONS = 1_000
const COMMITTERS = 4
const ROUNDS = 5
/** Records for each member to commit. */
const MOST_COMMITS = 250_000
const PATIENCE_MS = 120_000
const LOOK_MS = 2

export async function groupMoves(workspace, { pairs }) {
  const group = await Group.make(workspace, PARTITIONS)
  const joined = []
  const killed = []
  try {
    for (let n = 0; n < MEMBERS; n += 1) group.start()
    await group.settled(MEMBERS)
    for (let n = 0; n < pairs; n += 1) {
      const victim = group.members.shift()
      const killedMs = performance.now()
      victim.kill('SIGKILL')
      killed.push((await group.settled(MEMBERS - 1)) - killedMs)
      group.start()
      const namedMs = await group.until(({ members }) => Object.keys(members).length === MEMBERS)
      joined.push((await group.settled(MEMBERS)) - namedMs)
    }
  } finally {
    await group.end()
  }
  const of = `${MEMBERS} members, ${PARTITIONS} partitions`
  return [
    { name: `member joins until settled, ${of}`, unit: 'ms', goal: '<= 1000', logq: summary(joined) },
    { name: `kill -9 until its partitions moved, ${of}`, unit: 'ms', goal: '<= 1000', logq: summary(killed) },
  ]
}

export async function groupIdle(workspace, { idleMs }) {
  const rows = []
  for (const [count, partitions] of [
    [1, PARTITIONS],
    [MEMBERS, PARTITIONS],
    [1, MANY_PARTITIONS],
  ]) {
    const group = await Group.make(workspace, partitions)
    try {
      for (let n = 0; n < count; n += 1) group.start()
      await group.settled(count)
      // Compiling and the first looks are not what an idle group costs.
      await sleep(Math.min(idleMs, 5_000))
      const before = group.members.map(cpuMs)
      await sleep(idleMs)
      const percent = group.members.map((member, n) => ((cpuMs(member) - before[n]) / idleMs) * 100)
      const name = `idle member, ${count} of them on ${partitions} partitions`
      rows.push({ name, unit: '% of a CPU', goal: '<= 1', logq: summary(percent) })
    } finally {
      await group.end()
    }
  }
  return rows
}

export async function groupCommits(workspace, { commitMs }) {
  const rows = []
  const group = await Group.make(workspace, COMMITTERS)
  workspace.shell(`seq ${COMMITTERS * MOST_COMMITS} | ${workspace.logq('produce', '-s', group.store, 't')}`)
  try {
    for (const members of [1, COMMITTERS]) {
      const figures = []
      const costs = []
      for (let round = 0; round < ROUNDS; round += 1) {
        const name = `commits-${members}-${round}`
        const committers = Array.from({ length: members }, () => group.startCommitter(members, commitMs, name))
        const counts = await Promise.all(committers)
        figures.push(counts.reduce((sum, { perSecond }) => sum + perSecond, 0))
        costs.push(counts.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / members)
      }
      const of = `${members} member${members === 1 ? '' : 's together'}`
      rows.push({ name: `commits in a second, ${of}`, unit: '', goal: '>= 10000', logq: summary(figures) })
      // What is left of the figure above on a machine that does something else as well.
      rows.push({ name: `CPU of a commit, ${of}`, unit: 'us', goal: '<= 200', logq: summary(costs) })
    }
  } finally {
    await group.end()
  }
  return rows
}

export async function groupOfMany(workspace, { pairs }) {
  const group = await Group.make(workspace, MANY_PARTITIONS)
  const of = `${MANY_PARTITIONS} partitions`
  const figures = { join: [], commit: [], readAll: [], lag: [], show: [] }
  const { logq: library, store } = group
  try {
    const keyed = `seq ${10 * MANY_PARTITIONS} | sed 's/.*/k&:&/'`
    workspace.shell(`${keyed} | ${workspace.logq('produce', '-s', store, 't', '-K:')}`)
    const opened = library.openStore(library.createNodeSystem(), store)
    for (let n = 0; n < pairs; n += 1) {
      const name = `many-${n}`
      const startedMs = performance.now()
      const consumer = await library.joinGroup(opened, name, ['t'])
      await consumer.settle()
      figures.join.push(performance.now() - startedMs)
      for (const { topic, partition } of consumer.assignment) consumer.delivered(topic, partition, 1)
      const commitMs = performance.now()
      await consumer.commit()
      figures.commit.push(performance.now() - commitMs)
      await consumer.close()
      const time = (...args) => workspace.timeShell(`${workspace.logq(...args, '-s', store)} > /dev/null`)
      figures.lag.push(time('lag', '-g', name))
      figures.show.push(time('group', 'show', name))
      figures.readAll.push(time('consume', 't', '-g', name, '--to-end'))
    }
  } finally {
    await group.end()
  }
  const row = (name, goal, runs) => ({ name: `${name}, ${of}`, unit: 'ms', goal, logq: summary(runs) })
  return [
    row('join and take all', '<= 1000', figures.join),
    row('one commit of all', '<= 100', figures.commit),
    row('logq lag', '<= 1000', figures.lag),
    row('logq group show', '<= 1000', figures.show),
    row('consume --to-end of 10,000 records', '<= 2000', figures.readAll),
  ]
}

/** A store with one topic, and the members of one group that read it. */
class Group {
  members = []

  static async make(workspace, partitions) {
    const library = await import(pathToFileURL(join(projectRoot, 'dist/lib/index.js')).href)
    const store = workspace.path('store')
    const opened = await library.openOrCreateStore(library.createNodeSystem(), store)
    await library.createTopic(opened, 't', { partitions })
    return new Group(workspace, library, store)
  }

  constructor(workspace, library, store) {
    this.workspace = workspace
    this.logq = library
    this.store = store
    this.stateFile = join(store, 'groups/g/group.json')
  }

  start() {
    this.members.push(this.workspace.start(this.workspace.logq('consume', '-s', this.store, '-q', '-g', 'g', 't')))
  }

  /** Resolves with how many commits a member of its own process made in a second. */
  startCommitter(members, durationMs, group) {
    const path = fileURLToPath(new URL('group-committer.mjs', import.meta.url))
    const child = spawn(process.execPath, [path, this.store, group, members, COMMITTERS / members, durationMs].map(String), {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    return new Promise((resolve, reject) => {
      child.once('close', (status) => {
        if (status === 0) resolve(JSON.parse(text))
        else reject(new Error(`a committer ended with status ${status}`))
      })
    })
  }

  /** When so many members have taken note of the generation, and each partition is owned by whom it is assigned to. */
  settled(count) {
    return this.until(({ members, generation, owners, assignment }) => {
      const present = Object.values(members)
      if (present.length !== count || present.some((member) => member.generation !== generation)) return false
      return Object.entries(assignment).every(([topic, list]) =>
        list.every((member, partition) => member !== null && owners[topic]?.[partition] === member),
      )
    })
  }

  async until(holds) {
    const giveUpMs = performance.now() + PATIENCE_MS
    for (;;) {
      if (existsSync(this.stateFile) && holds(JSON.parse(readFileSync(this.stateFile, 'utf8')))) return performance.now()
      if (performance.now() > giveUpMs) throw new Error(`the group did not settle within ${PATIENCE_MS} ms`)
      await sleep(LOOK_MS)
    }
  }

  async end() {
    await Promise.all(
      this.members.map((member) => {
        const ended = new Promise((resolve) => {
          member.once('exit', resolve)
        })
        return member.kill('SIGTERM') ? ended : undefined
      }),
    )
    this.workspace.delete(this.store)
  }
}

/** User and system time of a process, from ticks of 10 ms. */
function cpuMs({ pid }) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [userTicks, systemTicks] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return (Number(userTicks) + Number(systemTicks)) * 10
}
