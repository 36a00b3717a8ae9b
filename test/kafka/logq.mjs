/** Runs the built logq, and looks at the files it makes. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { canonical } from './records.mjs'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

const program = join(root, 'cli/logq.cjs')
const maxBytes = 256 << 20

/** Runs a command of logq's to its end: its status, and what it printed. */
export function runLogq(store, args, input = '') {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [program, ...withStore(store, args)], {
    input,
    maxBuffer: maxBytes,
  })
  return { status: status ?? signal, stdout, stderr: stderr.toString() }
}

/** What it prints, of a command that must succeed. */
export function logq(store, args, input = '') {
  const { status, stdout, stderr } = runLogq(store, args, input)
  if (status !== 0) throw new Error(`logq ${args.join(' ')}: exit ${status}: ${stderr}`)
  return stdout
}

/** Starts a command that goes on. */
export function startLogq(store, args, stdin = 'ignore') {
  return spawn(process.execPath, [program, ...withStore(store, args)], { stdio: [stdin, 'pipe', 'pipe'] })
}

/** The command line of logq, for whoever runs it by another program. */
export function commandLine(store, args) {
  return [process.execPath, program, ...withStore(store, args)]
}

function withStore(store, [command, ...rest]) {
  const words = command === 'topic' || command === 'group' ? [command, rest.shift()] : [command]
  return [...words, '-s', store, ...rest]
}

export function produceJson(store, topic, records, options = []) {
  logq(store, ['produce', topic, '-J', ...options], records.map((record) => `${JSON.stringify(record)}\n`).join(''))
}

/** The records of one partition, in the form of `canonical`. */
export function catJson(store, topic, partition, options = []) {
  return linesOf(logq(store, ['cat', '-J', topic, '-p', String(partition), ...options])).map((line) =>
    canonical(JSON.parse(line)),
  )
}

/** Topic and partition of the name of a partition directory. */
export function placeOf(directoryName) {
  const [, topic, partition] = /^(.*)-(\d+)$/.exec(directoryName)
  return { topic, partition: Number(partition) }
}

/** The names of the partition directories of a store, or of a log.dir. */
export function partitionNames(store) {
  return readdirSync(store, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /-\d+$/.test(entry.name))
    .map((entry) => entry.name)
    .sort()
}

export function segmentsOf(directory) {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => {
      const stem = join(directory, name.slice(0, -'.log'.length))
      return { log: `${stem}.log`, index: `${stem}.index`, timeIndex: `${stem}.timeindex` }
    })
}

export function directoryBytes(directory) {
  return segmentsOf(directory).reduce((sum, { log }) => sum + statSync(log).size, 0)
}

export function linesOf(bytes) {
  const lines = bytes.toString().split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}
