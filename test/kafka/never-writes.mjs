/** Runs logq over a directory in ways that show that it writes nothing there. */
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { commandLine } from './logq.mjs'

/** System calls that change nothing; open is looked at more closely. */
const harmless =
  /^(stat|lstat|fstat|newfstatat|statx|access|faccessat2?|readlink|readlinkat|statfs|fstatfs|getxattr|inotify_add_watch|execve|getcwd)\(/
const opening = /^(open|openat|openat2)\(/
const writing = /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE/

/** All that a program could do to a file by its name, or by a descriptor that was opened for reading. */
const traced = '%file,fchmod,fchown,ftruncate,fallocate,fsetxattr,fremovexattr,flock,inotify_add_watch'

export const hasStrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0
export const hasReadOnlyMount =
  spawnSync('unshare', ['--mount', 'sh', '-c', 'mount --bind -o ro /usr /usr && ! touch /usr/.logq 2> /dev/null']).status === 0

/** The command under strace; what it does is in the file `trace`. */
export function underStrace(trace, store, args) {
  return ['strace', '-f', '-qq', '-y', '-s', '300', '-o', trace, '-e', `trace=${traced}`, ...commandLine(store, args)]
}

/** The command with `store` mounted read-only over itself. */
export function onReadOnlyMount(store, args) {
  const script = 'mount --bind -o ro "$1" "$1" && shift && exec "$@"'
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', store, ...commandLine(store, args)]
}

/** System calls that changed something below `directory`, or might have. */
export function changesIn(trace, directory) {
  const calls = readFileSync(trace, 'utf8')
    .split('\n')
    .filter((line) => line.includes(directory))
  const changes = calls.filter((line) => {
    const call = line.replace(/^\d+ +/, '').replace(/^<\.\.\. (\w+) resumed>/, '$1(')
    return opening.test(call) ? writing.test(call) : !harmless.test(call)
  })
  return { calls: calls.length, changes }
}

/** One line for each file: name, times, and a digest of its bytes. Reading times are left out. */
export function fingerprint(directory) {
  return readdirSync(directory, { recursive: true })
    .sort()
    .map((name) => {
      const status = lstatSync(join(directory, name), { bigint: true })
      const digest = status.isFile()
        ? createHash('sha256')
            .update(readFileSync(join(directory, name)))
            .digest('hex')
        : ''
      return `${name} ${status.ino} ${status.mode} ${status.size} ${status.mtimeNs} ${status.ctimeNs} ${digest}`
    })
}
