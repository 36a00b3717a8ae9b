/** Memory of produce, cat and tail on streams that are far larger: at most 150 MiB and four times the largest record. */
import { readFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const limitKiB = 150 * 1024
const timeoutMs = 300_000
/** 300 MB of lines of 100 bytes, made on the fly. */
const stream = 'seq -f "%099.0f" 3000000'
/** The same with a key before a colon. */
const keyed = `seq 3000000 | awk '{ printf "%s:%090d\\n", $1, $1 }'`

/** Runs `{ …; exec logq …; }` pipelines that print `pid N` on standard error, and returns the peak of each logq in KiB. */
async function peaks(t: ExecutionContext, cli: Cli, script: string): Promise<number[]> {
  const running = cli.start(script, { timeoutMs })
  const peak = new Map<string, number>()
  const looking = setInterval(() => {
    for (const [, pid] of running.stderr().matchAll(/pid (\d+)/g)) {
      if (pid === undefined) continue
      try {
        const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
        if (found !== undefined) peak.set(pid, Number(found))
      } catch {
        // It has ended; what was seen last is its peak.
      }
    }
  }, 20)
  const done = await running.finished
  clearInterval(looking)
  t.is(done.status, 0, done.stderr)
  t.regex(done.stderr, /pid/)
  return [...peak.values()]
}

const pid = 'echo "pid $BASHPID" >&2; exec'

for (const [what, script] of [
  ['lines from a pipe', `${stream} | { ${pid} logq produce t; }`],
  ['lines from a file', `${stream} > in; { ${pid} logq produce t in; }`],
  ['zstd', `${stream} | { ${pid} logq produce t -z zstd; }`],
  [
    'keys over 16 partitions with printed offsets',
    `${keyed} | { ${pid} logq produce t -K : --partitions 16 --print-offsets; } > /dev/null`,
  ],
  ['a key for each of 1000 partitions', `${keyed} | head -n 1000000 | { ${pid} logq produce t -K : --partitions 1000; }`],
  ['JSON', `${stream} | head -n 1000000 | sed 's/.*/{"value":"&","key":"k"}/' | { ${pid} logq produce t -J; }`],
  ['one endless line', `head -c 300000000 /dev/zero | { ${pid} logq produce t; } ; [ $? = 1 ]`],
  ['one endless JSON line', `head -c 300000000 /dev/zero | tr '\\0' '"' | { ${pid} logq produce t -J; } ; [ $? = 1 ]`],
] as const) {
  test(`produce of ${what}: bounded memory`, async (t) => {
    const [peak = 0] = await peaks(t, makeCli(t), script)
    t.log(`${Math.round(peak / 1024)} MiB`)
    t.true(peak > 0)
    // What is too large counts as one record of the largest size, in JSON as the longest text of such a record.
    const largestKiB = what.includes('JSON line') ? 6 * 16 * 1024 : what.includes('endless') ? 16 * 1024 : 0
    t.true(peak < limitKiB + 4 * largestKiB, `${Math.round(peak / 1024)} MiB`)
  })
}

test('cat and tail of 300 MB in each format, into a fast and a slow reader: bounded memory', async (t) => {
  const cli = makeCli(t)
  await cli.shell(`${stream} | logq produce t`, { timeoutMs })
  for (const command of [
    'cat t | cat > /dev/null',
    'cat t > /dev/null',
    'cat t -J | cat > /dev/null',
    "cat t -F '%o %k %v\\n' | cat > /dev/null",
    'cat t --format batch | cat > /dev/null',
    'tail -n 1000000 t | cat > /dev/null',
    'tail -f -o start t | { head -c 200000000 > /dev/null; sleep 1; head -c 1000000 > /dev/null; }',
    'cat t | { sleep 3; head -c 1000000 > /dev/null; }',
  ]) {
    const [reader, ...rest] = command.split(' | ')
    const tail = rest.length === 0 ? '' : ` | ${rest.join(' | ')}`
    const [peak = 0] = await peaks(t, cli, `{ ${pid} logq ${reader ?? ''}; }${tail}`)
    t.log(`${command}: ${Math.round(peak / 1024)} MiB`)
    t.true(peak > 0 && peak < limitKiB, `${command}: ${Math.round(peak / 1024)} MiB`)
  }
})

test('records of 15 MiB, in and out: at most 150 MiB and four times the record, or its text and its bytes as JSON', async (t) => {
  const cli = makeCli(t)
  const record = 15 << 20
  const inward = await peaks(
    t,
    cli,
    `for n in 1 2 3 4; do head -c ${record} /dev/zero | tr '\\0' a; echo; done | { ${pid} logq produce t; }`,
  )
  const outward = await peaks(t, cli, `{ ${pid} logq cat t; } | cat > /dev/null`)
  const json = await peaks(t, cli, `{ ${pid} logq cat t -J; } | { ${pid} logq produce u -J; }`)
  // As JSON the record is there as bytes, as text and as quoted text.
  const cases = [...[...inward, ...outward].map((peak) => ({ peak, times: 4 })), ...json.map((peak) => ({ peak, times: 8 }))]
  for (const { peak, times } of cases) {
    t.log(`${Math.round(peak / 1024)} MiB`)
    t.true(peak < limitKiB + times * (record >> 10), `${Math.round(peak / 1024)} MiB`)
  }
})
