/**
 * A copy of a store that was made of hard links: whatever a command does with the store, every file of the copy stays as it was, and
 * the other way round. Both are whole afterwards.
 */
import { appendFileSync, closeSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

const COUNT = 300

/** Every file but the locks, which two names of one file share. */
function contentOf(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/^(lock|.*\.lock)$/.test(entry.name),
  )
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort()
  return new Map(paths.map((path) => [relative(directory, path), readFileSync(path).toString('base64')]))
}

function overwrite(path: string, position: number, text: string): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, text, position)
  closeSync(fd)
}

const logs = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => join(directory, name))

/** What is done in the store, the status of it, and what is done to the files before. */
const cases: readonly (readonly [command: string, status: number, before?: (directory: string) => void])[] = [
  ['produce t < in', 0],
  ['produce t --batch-bytes 400 < many', 0],
  [
    'produce t < in',
    0,
    (directory) => {
      appendFileSync(logs(directory).at(-1) ?? '', 'half a batch')
    },
  ],
  [
    'produce t < in',
    5,
    (directory) => {
      appendFileSync(logs(directory).at(-1) ?? '', Buffer.alloc(500, 1))
    },
  ],
  [
    'fsck --repair t',
    5,
    (directory) => {
      overwrite(logs(directory)[1] ?? '', 300, 'damage')
    },
  ],
  [
    'fsck --repair t',
    5,
    (directory) => {
      overwrite(logs(directory).at(-1) ?? '', 100, 'damage')
    },
  ],
  ['trim t -o 200 -y', 0],
  ['retain t --older 0s', 0],
  ['topic set t cleanup.policy=compact && logq compact t --include-active --min-dirty 0', 0],
  ['consume t -g g -n 20 > /dev/null', 0],
  ['group seek g --all-topics -o start', 0],
  ['topic set t retention.ms=5000', 0],
  ['topic add-partitions t 3', 0],
  [
    'fsck --repair t',
    0,
    (directory) => {
      for (const log of logs(directory)) overwrite(log.replace(/log$/, 'index'), 0, 'wrong')
    },
  ],
]

for (const whose of ['store', 'copy'] as const) {
  test(`hard links: what is done in the ${whose} leaves the other as it was`, async (t) => {
    const cli = makeCli(t)
    const made = await cli.shell(`seq ${COUNT} > many; echo one more > in
      logq topic create t segment.bytes=2000 index.interval.bytes=200
      seq ${COUNT} | sed 's/.*/k:&/' | logq produce t -K : --batch-bytes 300 && logq consume t -g g -n 10 > /dev/null`)
    t.is(made.status, 0, made.stderr)
    for (const [command, status, before] of cases) {
      await cli.shell('rm -rf work copy; cp -a store work; cp -al work copy; rm copy/*/lock')
      const [used, other] = whose === 'store' ? ['work', 'copy'] : ['copy', 'work']
      before?.(join(cli.directory, used, 't-0'))
      const was = contentOf(join(cli.directory, other))
      t.true(was.size > 10)
      const done = await cli.shell(`export LOGQ_STORE=$PWD/${used}; logq ${command}`)
      t.is(done.status, status, `${command}: ${done.stderr}`)
      t.deepEqual(contentOf(join(cli.directory, other)), was, command)
      if (before !== undefined) continue
      const checked = await cli.shell(
        `for store in work copy; do logq fsck --repair -s $store || exit; done; logq cat t -s ${other} | wc -l`,
      )
      t.is(checked.status, 0, `${command}: ${checked.stderr} ${checked.stdout.toString()}`)
      t.regex(checked.stdout.toString(), new RegExp(`(^|\\n)${COUNT}\\n$`), command)
    }
  })
}
