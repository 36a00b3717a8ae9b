/** The most memory that produce, cat and tail take; the goal is 150 MiB and four times the largest record. */
import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { summary } from '../measure.mjs'
import { projectRoot, quote, sleep } from '../workspace.mjs'

const RUNS = 2
const BASE_MIB = 150
const LARGE_RECORD_MIB = 15
const SETTLE_MS = 1500

export async function memory(workspace, { lines }) {
  const peak = new Peak(workspace)
  const store = workspace.path('store')
  const large = workspace.path('large')
  writeLarge(large)
  const s = ['-s', store]
  const rows = []
  const measure = async (name, limitMiB, run) => {
    const figures = []
    for (let n = 0; n < RUNS; n += 1) figures.push(await run())
    rows.push({ name: `memory of ${name}`, unit: 'MiB', goal: `<= ${limitMiB}`, logq: summary(figures) })
  }
  const large4 = BASE_MIB + 4 * LARGE_RECORD_MIB
  const input = quote(workspace.input)
  await measure(`produce, ${lines} lines`, BASE_MIB, () => peak.of(['produce', ...s, 't', workspace.input]))
  await measure('produce from a pipe', BASE_MIB, () => peak.of(['produce', ...s, 't'], `cat ${input} |`))
  await measure('produce -z zstd', BASE_MIB, () => peak.of(['produce', ...s, '-z', 'zstd', 'z', workspace.input]))
  await measure('cat', BASE_MIB, () => peak.of(['cat', ...s, 't'], '', '| cat > /dev/null'))
  await measure('cat -J', BASE_MIB, () => peak.of(['cat', ...s, '-J', '-n', '500000', 't'], '', '| cat > /dev/null'))
  await measure('cat of zstd', BASE_MIB, () => peak.of(['cat', ...s, 'z'], '', '| cat > /dev/null'))
  await measure('tail', BASE_MIB, () => peak.of(['tail', ...s, 't'], '', '| cat > /dev/null'))
  await measure('tail -f while the input is produced', BASE_MIB, async () => {
    const follower = peak.start(['tail', '-f', '-n', '0', ...s, 't'], '| cat > /dev/null')
    await sleep(SETTLE_MS)
    workspace.shell(workspace.logq('produce', ...s, 't', workspace.input))
    await sleep(SETTLE_MS)
    return follower.stop()
  })
  const many = `${LARGE_RECORD_MIB} MiB records`
  await measure(`produce, ${many}`, large4, () => peak.of(['produce', ...s, 'large', large]))
  await measure(`cat, ${many}`, large4, () => peak.of(['cat', ...s, 'large'], '', '| cat > /dev/null'))
  await measure(`tail -n 3, ${many}`, large4, () => peak.of(['tail', ...s, '-n', '3', 'large'], '', '| cat > /dev/null'))
  workspace.delete(store, large)
  return rows
}

/** Six lines as long as a record may be. */
function writeLarge(path) {
  const fd = openSync(path, 'w')
  const line = Buffer.alloc(LARGE_RECORD_MIB << 20, 'x')
  for (let n = 0; n < 6; n += 1) {
    writeSync(fd, line)
    writeSync(fd, '\n')
  }
  closeSync(fd)
}

class Peak {
  constructor(workspace) {
    this.workspace = workspace
  }

  /** MiB of one command that ends by itself. */
  of(args, before = '', after = '') {
    const { script, read } = this.#command(args, before, after)
    this.workspace.shell(script)
    return read()
  }

  /** A command that does not end by itself. */
  start(args, after) {
    const { script, read } = this.#command(args, '', after)
    // A job of its own, so that all of the pipeline can be ended.
    const child = this.workspace.start(`setsid bash -c ${quote(script)}`)
    return {
      stop: () => {
        const peak = read()
        process.kill(-child.pid, 'SIGTERM')
        return peak
      },
    }
  }

  #command(args, before, after) {
    const file = this.workspace.path('peak')
    const [node, ...rest] = this.workspace.logqCommand(...args)
    const words = [node, '--require', join(projectRoot, 'test/bench/peak-memory.cjs'), ...rest].map(quote).join(' ')
    return {
      script: `${before} BENCH_PEAK=${quote(file)} ${words} ${after}`,
      read: () => {
        if (!existsSync(file)) throw new Error(`'${args.join(' ')}' left no figure`)
        return Number(readFileSync(file, 'utf8')) / 1024
      },
    }
  }
}
