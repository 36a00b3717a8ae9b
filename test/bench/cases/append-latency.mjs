/**
 * From an append to the line out of `tail -f`; against GNU tail -f on a file. Both write to a FIFO that this process reads. The appends are
 * made by the library in this process, so that no other process's start or pipe is measured.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { quantile, summary } from '../measure.mjs'
import { projectRoot, quote, sleep } from '../workspace.mjs'

const BLOCKS = 4
const PAUSE_MS = 15
const PATIENCE_MS = 20_000

export async function appendLatency(workspace, { samples }) {
  const library = await import(pathToFileURL(join(projectRoot, 'dist/lib/index.js')).href)
  const path = workspace.path('store')
  const store = await library.openOrCreateStore(library.createNodeSystem(), path)
  await library.createTopic(store, 't')
  const producer = await library.Producer.open(store, 't', { acks: 0 })
  const file = workspace.path('file')
  const fd = openSync(file, 'a')
  const logq = await Follower.start(workspace, workspace.logq('tail', '-f', '-n', '0', '-s', path, 't'))
  const gnu = await Follower.start(workspace, `tail -n 0 -f ${quote(file)}`)
  const append = async (text) => {
    producer.add({ value: Buffer.from(text) })
    await producer.flush()
  }
  const write = (text) => writeSync(fd, `${text}\n`)
  try {
    await logq.ready(append)
    await gnu.ready(write)
    const figures = { logq: [], reference: [] }
    for (let block = 0; block < BLOCKS; block += 1) {
      for (let n = 0; n < samples / BLOCKS; n += 1) figures.logq.push(await logq.measure(append))
      for (let n = 0; n < samples / BLOCKS; n += 1) figures.reference.push(await gnu.measure(write))
    }
    return [rowOf('p50', 0.5, '<= 5', figures), rowOf('p99', 0.99, '<= 5 ms', figures)]
  } finally {
    logq.stop()
    gnu.stop()
    closeSync(fd)
    await producer.close()
    workspace.delete(path, file)
  }
}

function rowOf(label, share, goal, { logq, reference }) {
  const logqUs = quantile(logq, share) * 1000
  const referenceUs = quantile(reference, share) * 1000
  const ratio = logqUs / referenceUs
  return {
    name: `append to line out of tail -f, ${label}`,
    reference: 'GNU tail -f',
    unit: 'us',
    goal,
    logq: { ...summary(logq.map((ms) => ms * 1000)), median: logqUs },
    against: { ...summary(reference.map((ms) => ms * 1000)), median: referenceUs },
    ratio: { median: ratio, min: ratio, max: ratio },
  }
}

/** A running tail, and the lines that come out of it. */
class Follower {
  #count = 0
  #text = ''
  #waiting = new Map()

  static async start(workspace, command) {
    const fifo = workspace.path('fifo')
    workspace.shell(`mkfifo ${quote(fifo)}`)
    const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK)
    return new Follower(workspace.start(`${command} > ${quote(fifo)}`), new Socket({ fd, readable: true, writable: false }))
  }

  constructor(child, socket) {
    this.child = child
    this.socket = socket
    socket.on('data', (bytes) => {
      const nowMs = performance.now()
      const lines = (this.#text + bytes.toString()).split('\n')
      this.#text = lines.pop() ?? ''
      for (const line of lines) this.#waiting.get(line)?.(nowMs)
    })
  }

  /** Appends until a line comes out, and lets things settle. */
  async ready(append) {
    const giveUpMs = performance.now() + PATIENCE_MS
    for (;;) {
      const wait = this.#line(`ready ${(this.#count += 1)}`, append)
      if ((await Promise.race([wait, sleep(300)])) !== undefined) break
      if (performance.now() > giveUpMs) throw new Error('nothing comes out of tail -f')
    }
    await sleep(300)
  }

  /** ms from just before the append to the line being read. */
  async measure(append) {
    // Not in step with anybody's timer.
    await sleep(PAUSE_MS * (0.5 + Math.random()))
    const startedMs = performance.now()
    const arrived = await Promise.race([this.#line(`line ${(this.#count += 1)}`, append), sleep(PATIENCE_MS)])
    if (arrived === undefined) throw new Error(`a line did not come out of tail -f within ${PATIENCE_MS} ms`)
    return arrived - startedMs
  }

  #line(text, append) {
    const arrived = new Promise((resolve) => {
      this.#waiting.set(text, resolve)
    })
    return Promise.resolve(append(text)).then(() => arrived)
  }

  stop() {
    this.child.kill('SIGKILL')
    this.socket.destroy()
  }
}
