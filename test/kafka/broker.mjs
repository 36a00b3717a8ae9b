/**
 * A one-node Kafka (broker and controller in one process) on loopback ports that are free when it starts. It is halted when this program
 * ends, however that happens: java/Broker.java watches its standard input.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { until } from './checks.mjs'
import { startJava } from './judge.mjs'

const graceMs = 30_000

export class Broker {
  #child
  #ended
  #errorsPath

  /** `directory` is made anew; `logDir` in it holds the partitions. */
  constructor(judge, directory, settings = {}) {
    this.judge = judge
    this.directory = directory
    this.logDir = join(directory, 'log')
    this.settings = settings
    this.#errorsPath = join(directory, 'errors.txt')
    rmSync(directory, { recursive: true, force: true })
    mkdirSync(directory, { recursive: true })
  }

  /** Starts it, the first time in a directory that is formatted for it, and connects the judge's clients to it. */
  async start() {
    const [port, controllerPort] = await freePorts(2)
    const file = join(this.directory, 'server.properties')
    writeFileSync(file, properties({ ...defaults(this.directory, port, controllerPort), ...this.settings }))
    if (!existsSync(join(this.logDir, 'meta.properties'))) {
      await this.judge.ask('format', { arguments: ['format', '--cluster-id', 'bG9ncS1raWVua2EtdGVzdA', '--config', file] })
    }
    this.#child = startJava(['-Xmx384m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'], 'Broker', [file], this.#errorsPath)
    this.#child.stdout.resume()
    this.#ended = new Promise((resolve) => {
      this.#child.on('exit', resolve)
    })
    await until('the broker listens', () => {
      if (this.#child.exitCode !== null)
        throw new Error(`the broker ended with status ${this.#child.exitCode}: ${this.#lastErrors()}`)
      return listens(port)
    })
    await this.judge.ask('connect', { bootstrap: `127.0.0.1:${port}` })
  }

  /** Stops it as an administrator does; the log.dir says so to the next start, in .kafka_cleanshutdown. */
  async stop() {
    if (this.#child === undefined) return
    this.#child.kill('SIGTERM')
    const late = setTimeout(() => this.#child.kill('SIGKILL'), graceMs)
    await this.#ended
    clearTimeout(late)
    this.#child = undefined
  }

  /** Kills it, as a crash does. */
  async kill() {
    this.killNow()
    await this.#ended
    this.#child = undefined
  }

  killNow() {
    this.#child?.kill('SIGKILL')
  }

  #lastErrors() {
    return readFileSync(this.#errorsPath, 'utf8').split('\n').slice(-20).join('\n')
  }
}

function defaults(directory, port, controllerPort) {
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(directory, 'log'),
    'metadata.log.dir': join(directory, 'metadata'),
    // One node holds every replica of the internal topics.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // What happens in the background, happens soon.
    'log.cleaner.backoff.ms': 200,
    'log.retention.check.interval.ms': 1000,
    'log.initial.task.delay.ms': 200,
    'log.flush.start.offset.checkpoint.interval.ms': 300,
    'log.flush.offset.checkpoint.interval.ms': 300,
    'log.cleaner.dedupe.buffer.size': 4 << 20,
  }
}

function properties(values) {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** Ports that nobody listens on, all open at once so that they differ. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
