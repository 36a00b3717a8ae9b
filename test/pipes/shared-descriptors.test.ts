/**
 * Whoever shares a pipe, a file or a terminal with logq finds it as it was: no mode of an open file description is ever changed, while
 * logq runs, after it has ended, and after it was killed. O_NONBLOCK on a shared pipe makes others lose what they write.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { atMost } from '../helpers/at-most.js'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'

const timeoutMs = 120_000
const twice = atMost(2)

/** Each prints something, and then has something to wait for: more input, a reader, more records. */
const commands = {
  produce: 'logq produce t --print-offsets',
  cat: 'logq cat t',
  'tail -f': 'logq tail -f t -o start',
  consume: 'logq consume t -g g',
  'consume -- CMD': 'logq consume t -g g -- cat',
} as const

/** How descriptors 0, 1 and 2 of a script are given to it; `got` receives its output. Lines come in, and no end. */
const kinds = {
  pipes:
    'bash probe < <(seq 5; exec sleep 100) > >(read -r line; echo "$line" > got; sleep 0.3; exec cat > /dev/null) 2> >(exec sleep 100)',
  files: 'seq 5 > in; bash probe < in > got 2> errors',
  'a terminal': `{ seq 5; exec sleep 100; } | script -qec 'bash probe' /dev/null > got`,
} as const

/** Starts a command in the background with the script's own descriptors, and looks at them: running, killed, and after one that ended. */
const probe = (command: string): string => `
look() {
  for process in $$ $pid; do for descriptor in 0 1 2; do
    flags=$(sed -n 's/^flags:[[:space:]]*//p' /proc/$process/fdinfo/$descriptor 2> /dev/null)
    [ $(( 0$flags & 04000 )) = 0 ] || echo "$1: descriptor $descriptor is non-blocking" >> changed
  done; done
  echo "$1" >> looked
}
exec 3<&0
{ exec ${command} <&3 3<&-; } & pid=$!
while [ ! -s got ] && kill -0 $pid; do sleep 0.02; done
look running; kill -9 $pid; wait $pid; look killed
logq tail -n 1 t <&3; look ended
kill $(jobs -p) 2> /dev/null; exit 0`

/** What was found changed, in words. */
async function changedBy(cli: Cli, command: string, kind: keyof typeof kinds): Promise<string> {
  writeFileSync(join(cli.directory, 'probe'), probe(command))
  // The feeders and readers would wait on: they are killed with the group.
  const running = cli.start(`rm -f got looked; : > changed; ( ${kinds[kind]} ) > /dev/null 2>&1 & wait $!; echo over`, {
    timeoutMs,
  })
  const done = async (): Promise<void> => {
    for (;;) {
      const looked = await cli.shell('grep -c . looked')
      if (looked.stdout.toString() === '3\n') return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  await done()
  running.signal('SIGKILL', { group: true })
  await running.finished
  return readFileSync(join(cli.directory, 'changed'), 'utf8')
}

function onLinux(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  test(title, async (t) => {
    if (process.platform === 'linux') await twice(() => run(t))
    else {
      t.log('left out: /proc/PID/fdinfo is there on Linux only')
      t.pass()
    }
  })
}

const hasScript = spawnSync('script', ['--version']).error === undefined

for (const [name, command] of Object.entries(commands)) {
  onLinux(`${name} leaves its pipes, files and terminal as they were, also when it is killed`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('seq -f "%0200.0f" 5000 | logq produce t')
    for (const kind of ['pipes', 'files', 'a terminal'] as const) {
      if (kind === 'a terminal' && !hasScript) t.log('left out: a terminal, since script(1) is not installed')
      else t.is(await changedBy(cli, command, kind), '', kind)
    }
  })
}

onLinux('a program that touches process.stdout is found out', async (t) => {
  const cli = makeCli(t)
  const touching = `node -e ${shellQuote('process.stdout.write("x\\n"); setInterval(() => {}, 1000)')}`
  t.regex(await changedBy(cli, touching, 'pipes'), /^running: descriptor 1 is non-blocking\n/)
})

onLinux('a process substitution is read as it is', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `exec 5< <(seq 3; exec sleep 100); feeder=$!; logq produce t /dev/fd/5 --print-offsets > got & pid=$!
     while [ $(wc -l < got) -lt 3 ]; do sleep 0.02; done
     flags() { echo $(( 0$(sed -n 's/^flags:[[:space:]]*//p' /proc/$$/fdinfo/5) & 04000 )); }
     flags; kill -9 $pid; wait $pid; flags; logq cat t; logq produce u <(seq 2) && logq cat u; kill $feeder`,
    { timeoutMs },
  )
  t.regex(done.stdout.toString(), /^0\n0\n1\n2\n3\n1\n2\n/)
})

onLinux(
  'a sibling on the same pipe loses nothing, though its reader is slow and logq is killed in the middle of a write',
  async (t) => {
    const cli = makeCli(t)
    await cli.shell(
      `head -c 3000000 /dev/urandom | base64 > big; head -c 100000 /dev/zero | tr '\\0' '~' | fold -w 1000 | logq produce t
     for n in 1 2 3; do logq topic create t$n; done`,
    )
    for (const command of ['cat t', 'tail -f t -o start', 'consume t -g g', 'consume t -g h -- cat']) {
      const done = await cli.shell(
        `{ cat big & sibling=$!; logq ${command} & pid=$!; sleep 1; kill -9 $pid; wait $sibling; cat big; } 2> /dev/null |
         { sleep 2; cat; } | tr -d '~\\n' | cksum; cat big big | tr -d '\\n' | cksum`,
        { timeoutMs },
      )
      const [got, wanted] = done.stdout.toString().trim().split('\n')
      t.is(got, wanted, command)
    }
  },
)
