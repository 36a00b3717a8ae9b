/** What a figure depends on: the machine, the versions, and the day. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { projectRoot } from './workspace.mjs'

export function describeMachine(directory) {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cpuCount: cpus().length,
      memoryMiB: Math.round(totalmem() / (1 << 20)),
      system: `${platform()} ${release()} ${arch()}`,
      fileSystem: lastLine('df', ['--output=fstype', directory]),
    },
    versions: {
      logq: `${version} (${firstLine('git', ['-C', projectRoot, 'describe', '--always', '--dirty'])})`,
      node: process.version,
      dd: firstLine('dd', ['--version']),
      tail: firstLine('tail', ['--version']),
    },
  }
}

export function describeMachineLine({ date, machine, versions }) {
  const { cpu, cpuCount, memoryMiB, system, fileSystem } = machine
  return (
    `${date}  ${cpuCount} x ${cpu}, ${memoryMiB} MiB, ${system}, ${fileSystem}\n` +
    `logq ${versions.logq}, node ${versions.node}, ${versions.dd}, ${versions.tail}`
  )
}

function firstLine(command, args) {
  return linesOf(command, args).at(0) ?? 'unknown'
}

function lastLine(command, args) {
  return linesOf(command, args).at(-1) ?? 'unknown'
}

function linesOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('\n') : []
}
