/** Talks to java/Judge.java, one process for a whole run. */
import { spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './logq.mjs'

const classPath = ['classes', 'jars/*'].map((part) => join(root, 'dist/kafka', part)).join(':')

/** What makes a JVM start sooner, and stay small. */
const jvmOptions = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

/** Starts a class of Kafka's or of java/. What it says on standard error goes to the file `errorsPath`. */
export function startJava(options, mainClass, args, errorsPath) {
  const child = spawn('java', [...jvmOptions, ...options, '-cp', classPath, mainClass, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stderr.pipe(createWriteStream(errorsPath, { flags: 'a' }))
  child.stdin.on('error', () => undefined)
  return child
}

export class Judge {
  #child
  #waiting = []
  #end

  constructor(errorsPath) {
    const options = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
    this.#child = startJava(options, 'Judge', [], errorsPath)
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#waiting.shift()?.(JSON.parse(line)))
    this.#child.on('exit', (status, signal) => {
      this.#end = `the judge ended (${signal ?? status}); see ${errorsPath}`
      for (const answer of this.#waiting.splice(0)) answer({ error: this.#end })
    })
  }

  /** Asks for `wanted`, one of the requests of Judge.java and Client.java. */
  async ask(wanted, request = {}) {
    if (this.#end !== undefined) throw new Error(this.#end)
    const reply = await new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#child.stdin.write(`${JSON.stringify({ do: wanted, ...request })}\n`)
    })
    if (reply.error !== undefined) throw new Error(`${wanted}: ${reply.error}`)
    return reply.answer
  }

  kill() {
    this.#child.kill('SIGKILL')
  }
}
