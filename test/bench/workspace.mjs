/** The directory that a run of the benchmarks works in: its input, its stores, and the commands that run there. */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const stub = join(projectRoot, 'cli', 'logq.cjs')

const LINE_BYTES = 100

export class Workspace {
  #names = 0
  #children = new Set()

  constructor(parent, size) {
    this.directory = realpathSync(mkdtempSync(join(parent ?? tmpdir(), 'logq-bench-')))
    this.size = size
    this.input = join(this.directory, 'input')
    this.env = { ...process.env, LOGQ_STORE: join(this.directory, 'unused'), LC_ALL: 'C' }
  }

  /** `lines` lines of 100 bytes, of hexadecimal text that does not repeat itself. */
  makeInput() {
    const { lines } = this.size
    const fd = openSync(this.input, 'w')
    let state = 12345
    for (let from = 0; from < lines; from += 1000) {
      const block = []
      for (let line = from; line < Math.min(lines, from + 1000); line += 1) {
        let text = `${line} `
        while (text.length < LINE_BYTES - 1) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          text += state.toString(16)
        }
        block.push(text.slice(0, LINE_BYTES - 1), '\n')
      }
      writeSync(fd, block.join(''))
    }
    closeSync(fd)
    this.inputBytes = statSync(this.input).size
  }

  /** A path below the directory that was not used before. */
  path(name) {
    this.#names += 1
    return join(this.directory, `${name}-${this.#names}`)
  }

  /** One logq command as words for a shell. */
  logq(...args) {
    return [process.execPath, stub, ...args].map(quote).join(' ')
  }

  /** The command line without a shell. */
  logqCommand(...args) {
    return [process.execPath, stub, ...args]
  }

  /** Runs a bash script to its end; its standard output is returned. Throws when it fails. */
  shell(script, options = {}) {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${script}`], {
      cwd: this.directory,
      env: { ...this.env, ...options.env },
      maxBuffer: 64 << 20,
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`'${script}' ended with status ${status}: ${stderr}`)
    return stdout
  }

  /** Wall time in ms of a bash script, with everything that was written before on the device first. */
  timeShell(script) {
    spawnSync('sync')
    const startedMs = performance.now()
    this.shell(script)
    return performance.now() - startedMs
  }

  /** Starts a bash script that is killed with the workspace. */
  start(script) {
    const child = spawn('bash', ['-c', `exec ${script}`], {
      cwd: this.directory,
      env: this.env,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  delete(...paths) {
    for (const path of paths) rmSync(path, { recursive: true, force: true })
  }

  remove() {
    for (const child of this.#children) child.kill('SIGKILL')
    this.delete(this.directory)
  }
}

export function quote(word) {
  return `'${String(word).replaceAll("'", "'\\''")}'`
}

export function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
