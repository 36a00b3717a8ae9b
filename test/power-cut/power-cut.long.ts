/**
 * The built program on a real ext4 file system whose power is cut: while it writes, at every failpoint, and after it has exited. What was
 * acknowledged with --acks 1 is there after the next start, without any repair; what was acknowledged with --acks 0 is a beginning of
 * what was written.
 */
import test, { type ExecutionContext } from 'ava'
import { Ext4Image, ext4Missing, type CutKind } from '../helpers/ext4-image.js'
import { wholeLines } from '../helpers/judge-store.js'
import { numberedLines } from '../helpers/kill-rounds.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const lines = numberedLines(30_000)
const KINDS: readonly CutKind[] = ['data lost', 'names ahead of data']
/** Batches that a power cut has damaged go to quarantine, and the command that did that says so and exits 5, once. */
const GO_ON = 'echo afterwards | logq produce t -p 0 2> first || echo afterwards | logq produce t -p 0'

/** A store on a disk of its own. */
interface OnDisk {
  readonly cli: Cli
  readonly image: Ext4Image
}

function onDisk(title: string, run: (t: ExecutionContext, disk: OnDisk) => Promise<void>): void {
  for (const kind of KINDS) {
    test.serial(`${title} (${kind})`, async (t) => {
      const cli = makeCli(t)
      const missing = ext4Missing(t, cli.directory)
      if (missing !== undefined) {
        t.log(`left out: ${missing}`)
        t.pass()
        return
      }
      const image = new Ext4Image(t, cli.directory, kind)
      await run(t, { cli: withStore(cli, image), image })
    })
  }
}

/** The same, for a store on a disk of its own. */
function withStore(cli: Cli, { mountPoint }: Ext4Image): Cli {
  const env = { LOGQ_STORE: `${mountPoint}/store` }
  return {
    ...cli,
    shell: (script, options = {}) => cli.shell(script, { ...options, env }),
    start: (script, options = {}) => cli.start(script, { ...options, env }),
  }
}

/** After the machine has started again. Gives the values that are there, once the next command has gone on behind them. */
async function requireWhole(t: ExecutionContext, cli: Cli, what: string): Promise<string[]> {
  const done = await cli.shell(`${GO_ON} && logq cat t -p 0 -F '%p@%o %v\\n' && logq fsck -q > notes`)
  t.is(done.status, 0, `${what}: ${done.stderr}`)
  t.is(done.stderr, '', what)
  const first = await cli.shell('cat first')
  t.regex(first.stdout.toString(), /^$|quarantine/, what)
  const records = done.stdout.toString().trimEnd().split('\n')
  for (const [n, record] of records.entries()) t.true(record.startsWith(`0@${n} `), `${what}: ${record}`)
  const values = records.map((record) => record.slice(record.indexOf(' ') + 1))
  t.is(values.at(-1), 'afterwards', what)
  return values
}

/** What one round wrote has to be there up to some line, once, in order, behind what was there. Gives how many lines that is. */
function judgeRound(values: readonly string[], round: number): number {
  const own = values.filter((value) => value.startsWith(`${round} `))
  for (const [n, value] of own.entries()) {
    if (value !== `${round} ${lines[n] ?? ''}`) throw new Error(`line ${n} of round ${round} is '${value}'`)
  }
  return own.length
}

onDisk('the power is cut while producers write, again and again, on one topic', async (t, { cli, image }) => {
  await cli.shell('logq topic create t segment.bytes=30000 index.interval.bytes=500')
  let acknowledgedInAll = 0
  const kept: number[] = []
  for (let round = 0; round < 8; round += 1) {
    const acks = round % 3 === 2 ? 0 : 1
    const producer = cli.start(`exec logq produce t --acks ${acks} --print-offsets --batch-bytes 900`, { stdin: 'open' })
    let fed = 0
    const feeding = setInterval(() => {
      const part = lines.slice(fed, fed + 40)
      fed += part.length
      producer.write(part.map((line) => `${round} ${line}\n`).join(''))
    }, 3)
    try {
      await producer.waitForOutput('@', { timeoutMs: 30_000 })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 400))
      image.cutPower()
      producer.signal('SIGKILL')
    } finally {
      clearInterval(feeding)
    }
    const acknowledged = wholeLines((await producer.finished).stdout).length
    image.startAgain()
    const values = await requireWhole(t, cli, `round ${round}`)
    const left = judgeRound(values, round)
    t.true(acks === 0 || left >= acknowledged, `round ${round}: ${acknowledged} acknowledged, ${left} left`)
    // What survived one power cut is on the device, and survives the next.
    for (const [earlier, count] of kept.entries())
      t.is(judgeRound(values, earlier), count, `round ${earlier} after round ${round}`)
    kept.push(left)
    acknowledgedInAll += acknowledged
  }
  t.true(acknowledgedInAll > 100)
  const litter = await cli.shell(
    `cd "$LOGQ_STORE"; ls -A . topics; ls -A t-0 | grep -vE '^[0-9]{20}\\.(log|index|timeindex)$'; ls t-0/*.log | wc -l; ls t-0/*index | wc -l`,
  )
  const [logs, indexes] = litter.stdout.toString().trimEnd().split('\n').slice(-2).map(Number)
  t.is(indexes, 2 * (logs ?? 0))
  t.regex(
    litter.stdout.toString().replace(/quarantine\n/, ''),
    /^\.:\nlock\nlogq\.json\nt-0\ntopics\n\ntopics:\nt\.json\nleader-epoch-checkpoint\nleader-epoch-ids\nlock\nrecovery-point\n\d+\n\d+\n$/,
  )
})

onDisk('the power is cut right after a command has exited 0, and what it did is there', async (t, { cli, image }) => {
  const steps: readonly (readonly [command: string, look: string, expected: string])[] = [
    ['logq topic create t --partitions 2 segment.bytes=4000', 'logq topic ls', 't\n'],
    ['seq 500 | logq produce t -p 0 --batch-bytes 300', 'logq cat t | wc -l', '500\n'],
    ['echo one | logq produce t -p 1', 'logq cat t -p 1', 'one\n'],
    ['seq 501 700 | logq produce t -p 0 --dedupe-by value', 'logq cat t -p 0 | cmp - <(seq 700)', ''],
    ['seq 600 800 | logq produce t -p 0 -q --dedupe-by value', 'logq cat t -p 0 | cmp - <(seq 800)', ''],
    ['logq topic set t retention.ms=5d', 'logq topic show t | grep -c 432000000', '1\n'],
    ['logq topic add-partitions t 3', 'echo x | logq produce t -p 2 && logq cat t -p 2', 'x\n'],
    ['echo first | logq produce new', 'logq cat new', 'first\n'],
    ['logq topic rm -y t', 'logq topic ls; ls -A "$LOGQ_STORE"', 'new\nlock\nlogq.json\nnew-0\ntopics\n'],
    ['logq topic create t', 'logq topic ls', 'new\nt\n'],
  ]
  for (const [command, look, expected] of steps) {
    const done = await cli.shell(command)
    image.cutPower()
    t.is(done.status, 0, `${command}: ${done.stderr}`)
    image.startAgain()
    // The recovery point is never synced: what a cut leaves of it is anything, and is not believed.
    const looked = await cli.shell(`${look}; logq fsck -q > notes; grep -vE '^(note|cache) .*/recovery-point ' notes`)
    t.is(looked.stdout.toString(), expected, `${command}: ${looked.stderr}`)
    t.is(looked.stderr, '', command)
  }
})

/** Nothing half made or half removed is left, once the next change of a topic has been through. */
const NO_LITTER = `! ls -A "$LOGQ_STORE" "$LOGQ_STORE/topics" | grep '^[.][a-z]'`

/** Failpoints by the command that passes them; `after` exits 0 once the command that was cut off has been given again. */
const STOPS: readonly (readonly [prepare: string, command: string, failpoints: readonly string[], after?: string])[] = [
  [
    'seq 20 | logq produce t --batch-bytes 60',
    'seq 101 130 | logq produce t --batch-bytes 60',
    ['append.before-write', 'append.after-write', 'append.after-index', 'sync.before', 'sync.after'],
  ],
  [
    'logq topic create t segment.bytes=300; seq 20 | logq produce t --batch-bytes 60',
    'seq 101 130 | logq produce t --batch-bytes 60',
    [
      'roll.after-invalidate',
      'roll.after-time-index',
      'roll.after-sync',
      'segment.before-create',
      'segment.after-create',
      'roll.after-create',
    ],
  ],
  [
    'seq 20 | logq produce t --batch-bytes 60 --dedupe-by value',
    'seq 101 130 | logq produce t --batch-bytes 60 --dedupe-by value',
    ['append.after-write', 'dedupe.after-buckets'],
  ],
  [
    'seq 20 | logq produce t; seq 21 40 | logq produce t --acks 0 --batch-bytes 60; printf X | dd of="$(echo "$LOGQ_STORE"/t-0/*.log)" bs=1 seek=300 conv=notrunc status=none',
    'seq 101 130 | logq produce t',
    [
      'recovery.before-quarantine',
      'recovery.after-quarantine',
      'recovery.after-epoch',
      'recovery.before-cut',
      'recovery.before-indexes',
    ],
  ],
  ['seq 20 | logq produce t', 'logq topic set t retention.ms=1d', ['replace.before-rename']],
  [
    'seq 20 | logq produce t',
    'logq topic add-partitions t 2',
    ['create.after-directory', 'create.after-segment', 'topic-add-partitions.before-commit'],
    `{ logq topic add-partitions t 2 || logq produce t -p 1 < /dev/null; } 2> said && ${NO_LITTER}`,
  ],
  [
    'seq 20 | logq produce t',
    'logq topic create new --partitions 2',
    [
      'topic-create.after-intent',
      'create.after-directory',
      'create.after-recovery-point',
      'create.after-leader-epoch',
      'create.after-segment',
      'topic-create.before-commit',
    ],
    `{ logq topic create new --partitions 2 || logq topic show new; } > said 2>&1 &&
     seq 9 | logq produce new -p 1 && logq cat new | cmp - <(seq 9) && logq fsck -q new && ${NO_LITTER}`,
  ],
  [
    'seq 20 | logq produce t; seq 9 | logq produce new -p 1 --partitions 2',
    'logq topic rm -y new',
    ['topic-rm.after-intent', 'topic-rm.after-mark', 'topic-rm.after-rename', 'topic-rm.before-end'],
    `{ logq cat new | cmp - <(seq 9) || ! logq topic show new; } > said 2>&1
     { logq topic rm -y new || logq topic create other; } > said 2>&1 && ! ls -A "$LOGQ_STORE" "$LOGQ_STORE/topics" | grep new && ${NO_LITTER}`,
  ],
]

onDisk('the power is cut at every failpoint, and the next command goes on without help', async (t, { cli, image }) => {
  const start = Array.from({ length: 20 }, (_, n) => String(n + 1))
  for (const [prepare, command, failpoints, after = 'true'] of STOPS) {
    for (const failpoint of failpoints) {
      const prepared = await cli.shell(`rm -rf "$LOGQ_STORE"; ${prepare}`)
      t.is(prepared.status, 0, `${failpoint}: ${prepared.stderr}`)
      await cutAt({ cli, image }, failpoint, command)
      const done = await cli.shell(`{ ${after}; } || { cat said; exit 9; }`)
      t.is(done.status, 0, `${failpoint}: ${done.stdout.toString()}${done.stderr}`)
      const values = await requireWhole(t, cli, failpoint)
      t.deepEqual(values.slice(0, 20), start, failpoint)
      t.is(new Set(values).size, values.length, failpoint)
    }
  }
})

/** Runs a command up to a failpoint, cuts the power there, and starts again. */
async function cutAt({ cli, image }: OnDisk, failpoint: string, command: string): Promise<void> {
  const stopped = cli.start(`export LOGQ_FAILPOINT=${failpoint}=stop; ${command}`, { timeoutMs: 60_000 })
  await waitUntilStopped(cli, failpoint)
  image.cutPower()
  stopped.signal('SIGKILL', { group: true })
  await stopped.finished
  image.startAgain()
}

const RECOVERY_STEPS = [
  'recovery.before-quarantine',
  'recovery.after-quarantine',
  'recovery.after-epoch',
  'recovery.before-cut',
  'recovery.before-indexes',
]

onDisk('the power is cut in a recovery, and again in the next one', async (t, { cli, image }) => {
  for (const [n, first] of RECOVERY_STEPS.entries()) {
    // Damaged behind what was synced, and that is on the device; each step meets another one in the next recovery.
    const second = n < 2 ? RECOVERY_STEPS[n + 3] : RECOVERY_STEPS[n - 2]
    const what = `${first}, then ${second ?? ''}`
    const prepared = await cli.shell(
      `rm -rf "$LOGQ_STORE"; seq 20 | logq produce t; seq 21 40 | logq produce t --acks 0 --batch-bytes 60
       printf X | dd of="$(echo "$LOGQ_STORE"/t-0/*.log)" bs=1 seek=300 conv=notrunc status=none; sync -f "$LOGQ_STORE"`,
    )
    t.is(prepared.status, 0, `${what}: ${prepared.stderr}`)
    await cutAt({ cli, image }, first, 'seq 101 130 | logq produce t')
    // What the first one did up to the cut may be there or not; when it is all there, the second one has nothing to stop at.
    const going = cli.start(`export LOGQ_FAILPOINT=${second ?? ''}=stop; seq 201 230 | logq produce t`, { timeoutMs: 60_000 })
    await waitUntilStopped(cli, what, going.pid)
    image.cutPower()
    going.signal('SIGKILL', { group: true })
    await going.finished
    image.startAgain()
    const values = await requireWhole(t, cli, what)
    t.deepEqual(
      values.slice(0, 20),
      Array.from({ length: 20 }, (_, at) => String(at + 1)),
      what,
    )
    t.is(new Set(values).size, values.length, what)
    const copies = await cli.shell('ls "$LOGQ_STORE/t-0/quarantine" | wc -l')
    t.true(Number(copies.stdout.toString()) <= 2, what)
  }
})

onDisk('the power is cut in a repair, and the next repair does the rest', async (t, { cli, image }) => {
  for (const failpoint of [
    'repair.after-invalidate',
    'repair.after-place',
    'repair.after-gaps',
    'repair.after-rewrite',
    'repair.after-end',
    'repair.after-indexes',
    'repair.after-recovery-point',
  ]) {
    // One batch of the first segment is damaged: one record is lost, and no other.
    const prepared = await cli.shell(
      `rm -rf "$LOGQ_STORE"; logq topic create t segment.bytes=300; seq 20 | logq produce t --batch-bytes 60
       printf X | dd of="$LOGQ_STORE"/t-0/00000000000000000000.log bs=1 seek=100 conv=notrunc status=none; sync -f "$LOGQ_STORE"
       logq cat t --on-corrupt skip > before 2> said; wc -l < before`,
    )
    const left = Number(prepared.stdout.toString())
    t.true(left >= 15 && left < 20, `${failpoint}: ${left}`)
    await cutAt({ cli, image }, failpoint, 'logq fsck -q --repair')
    const done = await cli.shell(
      `logq fsck -q --repair > said 2>&1; logq fsck -q; echo $?; logq cat t | cmp - before && echo new | logq produce t --print-offsets
       logq fsck -q; echo $?; ls "$LOGQ_STORE/t-0/quarantine" | wc -l; find "$LOGQ_STORE" -name '.tmp-*'`,
    )
    t.regex(done.stdout.toString(), /^0\nt:0@20\n0\n[12]\n$/, `${failpoint}: ${done.stderr}`)
  }
})

/** Waits for the program that stops itself at a failpoint; or until the script that may not come to it has ended, when it is given. */
async function waitUntilStopped(cli: Cli, failpoint: string, script?: number): Promise<void> {
  const done = await cli.shell(
    `for i in $(seq 400); do for p in $(pgrep -f '/logq '); do
       grep -q 'T (stopped)' /proc/$p/status 2>/dev/null && tr '\\0' '\\n' < /proc/$p/environ | grep -qx "LOGQ_STORE=$LOGQ_STORE" && exit 0
     done; ${script === undefined ? '' : `kill -0 ${script} 2>/dev/null || exit 0;`} sleep 0.05; done; exit 1`,
    { timeoutMs: 90_000 },
  )
  if (done.status !== 0) throw new Error(`nothing stopped at ${failpoint}`)
}

onDisk(
  'a snapshot of the disk that is made while a producer is at work is what a power cut would leave',
  async (t, { cli, image }) => {
    await cli.shell('logq topic create t segment.bytes=30000 index.interval.bytes=500')
    for (let round = 0; round < 3; round += 1) {
      const producer = cli.start('exec logq produce t --print-offsets --batch-bytes 900', { stdin: 'open' })
      let fed = 0
      const feeding = setInterval(() => {
        const part = lines.slice(fed, fed + 40)
        fed += part.length
        producer.write(part.map((line) => `${round} ${line}\n`).join(''))
      }, 3)
      t.teardown(() => {
        clearInterval(feeding)
      })
      await producer.waitForOutput('@', { timeoutMs: 30_000 })
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300))
      const acknowledged = wholeLines(producer.stdout()).length
      const copyPath = `${cli.directory}/copy-${round}.img`
      producer.signal('SIGSTOP')
      image.snapshot(copyPath)
      producer.signal('SIGCONT')
      clearInterval(feeding)
      producer.end()
      t.is((await producer.finished).status, 0)
      const copy = new Ext4Image(t, cli.directory, 'data lost', `copy-${round}`, copyPath)
      const values = await requireWhole(t, withStore(cli, copy), `copy ${round}`)
      t.true(judgeRound(values, round) >= acknowledged, `copy ${round}: ${acknowledged} acknowledged`)
      copy.unmount()
    }
  },
)
