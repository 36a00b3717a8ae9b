/**
 * What stands in place of a file or directory of a store, for each command: nothing hangs, nothing is written through to what a link
 * points at, and a failure has a documented status and names the path. `LOGQ_ODD=all` runs every command at every place.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

/** Words that put a thing at "$P"; the original was moved to foreign/. */
const THINGS: Readonly<Record<string, string>> = {
  'a link': 'ln -s "$PWD/foreign/it" "$P"',
  'a dangling link': 'ln -s "$PWD/foreign/nothing" "$P"',
  'a loop of links': 'ln -s "$PWD/$P" "$P"',
  'a FIFO': 'mkfifo "$P"',
  'a socket':
    'node -e "require(\'net\').createServer().listen(process.argv[1], () => process.kill(process.pid, 9))" "$P" 2> /dev/null',
  'a device': 'mknod "$P" c 1 5',
  'a directory': 'mkdir "$P"',
  'a file': 'echo garbage > "$P"',
}

const READING = [
  'logq cat t',
  'logq tail t',
  'logq get t:0@1',
  'logq stat t',
  'logq digest t',
  'logq export t --to ndjson',
  'logq dump t',
]
const CHECKING = ['logq fsck', 'logq fsck --repair', 'logq du', 'logq topic ls', 'logq topic show t']
const WRITING = [
  'echo x | logq produce t',
  'logq topic set t retention.ms=1d',
  'logq topic add-partitions t 2',
  'logq topic rm -y t',
]
const GROUPS = [
  'logq consume t -g g --to-end',
  'logq lag',
  'logq group show g',
  'logq group seek g -o 0 --topic t',
  'logq group rm -y g',
]
const ALL = [...READING, ...CHECKING, ...WRITING, ...GROUPS]

/** The places, and the commands that look there. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  'logq.json': ['logq cat t', 'logq fsck', 'echo x | logq produce t'],
  'topics/t.json': ['logq cat t', 'logq topic ls', 'logq fsck', 'echo x | logq produce t', 'logq topic set t retention.ms=1d'],
  't-0': ['logq cat t', 'logq du', 'logq fsck', 'echo x | logq produce t', 'logq topic rm -y t'],
  't-0/00000000000000000000.log': ['logq cat t', 'logq du', 'logq fsck', 'echo x | logq produce t'],
  't-0/00000000000000000000.index': ['logq cat t', 'logq fsck', 'echo x | logq produce t'],
  't-0/00000000000000000000.timeindex': ['logq cat t -o @2020-01-01', 'logq fsck', 'echo x | logq produce t'],
  't-0/leader-epoch-checkpoint': ['logq cat t', 'logq fsck', 'echo x | logq produce t'],
  't-0/recovery-point': ['logq cat t', 'logq fsck', 'echo x | logq produce t'],
  't-0/lock': ['logq cat t', 'logq fsck', 'echo x | logq produce t', 'logq topic rm -y t'],
  lock: ['logq topic rm -y t', 'logq cat t'],
  'groups/g': ['logq consume t -g g --to-end', 'logq lag', 'logq group show g'],
  'groups/g/group.json': ['logq consume t -g g --to-end', 'logq group show g'],
  'groups/g/offsets': ['logq consume t -g g --to-end', 'logq lag', 'logq group seek g -o 0 --topic t'],
  'groups/g/lock': ['logq consume t -g g --to-end', 'logq group seek g -o 0 --topic t'],
}

/** Directories that may be behind a link: these files of theirs stay, also when the topic or the group is removed. */
const KEPT: Readonly<Record<string, string>> = { 't-0': '00000000000000000000.log', 'groups/g': 'group.json' }

const isAll = process.env['LOGQ_ODD'] === 'all'
const isRoot = process.getuid?.() === 0

for (const [thing, put] of Object.entries(THINGS)) {
  test(`${thing} in place of each file and directory`, async (t) => {
    if (thing === 'a device' && !isRoot) {
      t.log('left out: only root makes devices')
      t.pass()
      return
    }
    const cli = makeCli(t)
    const made = await cli.shell('seq 9 | logq produce t && logq consume t -g g -n 4 && cp -a store base')
    t.is(made.status, 0, made.stderr)
    const problems: string[] = []
    for (const [place, some] of Object.entries(PLACES)) {
      const commands = isAll ? ALL : some
      const script = commands.map(
        (command, n) => `rm -rf store foreign; mkdir foreign; cp -a base store; mv "$P" foreign/it; ${put}
          before=$(find foreign -type f | sort | xargs cksum)
          timeout 20 bash -c ${JSON.stringify(command)} < /dev/null > out-${n} 2> err-${n}; echo "$?" > status-${n}
          ${KEPT[place] === undefined ? '[ "$before" = "$(find foreign -type f | sort | xargs cksum)" ]' : `[ -s foreign/it/${KEPT[place]} ]`} || echo "written through" > status-${n}`,
      )
      await cli.shell(`P=store/${place}; ${script.join('\n')}`, { timeoutMs: 300_000 })
      for (const [n, command] of commands.entries()) {
        const read = (name: string) => readFileSync(join(cli.directory, `${name}-${n}`), 'utf8')
        const [status, said] = [read('status').trim(), `${read('err')}${/fsck|dump/.test(command) ? read('out') : ''}`]
        const isNamed = said.includes(place.split('/').at(-1) ?? '') || (place === 't-0' && said.includes('t.json'))
        const isFine =
          ['0', '1', '3', '5', '6'].includes(status) && (status === '0' || isNamed) && !/unexpected|node:|at .*js:/.test(said)
        if (!isFine) problems.push(`${place}: ${command}: ${status}: ${said.slice(0, 300)}`)
      }
    }
    t.deepEqual(problems, [])
  })
}

test('the tools that make them are here', (t) => {
  t.is(spawnSync('mkfifo', ['--version']).status, 0)
})
