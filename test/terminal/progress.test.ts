/** Progress bars: on a terminal, while it takes long, and gone when it is done; nowhere else. */
import { spawnSync } from 'node:child_process'
import test from 'ava'
import { barOf } from '../../cli/progress.js'
import { makeCli } from '../helpers/run-cli.js'

test('barOf() shows the part that is done, and how long the rest takes', (t) => {
  t.is(barOf(0, 100, 5000), '[------------------------] 0 %')
  t.is(barOf(25, 100, 5000), '[======------------------] 25 %, 15s left')
  t.is(barOf(100, 100, 5000), '[========================] 100 %')
  t.is(barOf(7, 0, 5000), '[========================] 100 %')
})

const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { stdio: 'ignore' }).status === 0
const onTerminal = hasScript ? test : test.skip
if (!hasScript) process.stderr.write("not run: progress bars on a terminal (no 'script' of util-linux)\n")

onTerminal('archive and compact draw a bar on a terminal, take it away, and draw none with -q or into a pipe', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t segment.bytes=2000; seq 3000 | logq produce t --batch-bytes 1000
     logq topic create c segment.bytes=2000 cleanup.policy=compact; seq 3000 | sed 's/^/k:/' | logq produce c -K: --batch-bytes 1000`,
  )
  const slow = (point: string) => `export LOGQ_FAILPOINT=${point}=sleep:300@3`
  const terminal = async (command: string) =>
    (await cli.shell(`script -qec '${command}' /dev/null < /dev/null`)).stdout.toString()
  const archived = await terminal(`${slow('archive.after-object')}; logq archive t --to "$PWD/a"`)
  t.regex(archived, /\r\x1b\[Klogq archive: 't-0' \[=+-+\] \d+ %, \d+s left/)
  t.regex(archived, /left\r\x1b\[K(?:logq archive: 't-0' [^\r]*\r\x1b\[K)*logq archive: 't-0': \d+ segments/)
  const compacted = await terminal(`${slow('compact.after-swap')}; logq compact c --min-dirty 0`)
  t.regex(compacted, /\r\x1b\[Klogq compact: 'c-0' \[=*-*\] \d+ %/)
  t.regex(compacted, /\r\x1b\[K[^[]*$/)
  t.notRegex(await terminal(`${slow('archive.after-object')}; logq archive t -q --to "$PWD/b"`), /\[=/)
  const piped = await cli.shell(`${slow('archive.after-object')}; logq archive t --to "$PWD/c"`)
  t.regex(piped.stderr, /^logq archive: 't-0': \d+ segments[^[]*$/)
})
