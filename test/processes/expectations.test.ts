/** `produce --expect-offset` and `--expect-key-offset`: each case with its status and what it says, then counters that lose nothing. */
import { existsSync } from 'node:fs'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

/**
 * Topic t, one partition: offset 0 key a, 1 key k, 2 without a key. Topic p, four partitions: key k at offset 0 of its partition.
 * Each case runs in a copy of that store.
 */
const before = `printf 'a:1\\nk:2\\n' | logq produce t -K: && echo 3 | logq produce t
  echo 1 | logq produce p -k k --partitions 4`

interface Case {
  readonly script: string
  readonly status: number
  readonly stderr?: RegExp
  readonly stdout?: string
}

const cases: readonly Case[] = [
  { script: 'seq 4 5 | logq produce t --expect-offset 3 --print-offsets', status: 0, stdout: 't:0@3\nt:0@4\n' },
  {
    script: 'echo x | logq produce t --expect-offset 2',
    status: 6,
    stderr:
      /^logq produce: 't-0' ends at offset 3, not at 2\n {2}hint: nothing was appended; see what came with 'logq cat t -p 0 -o 2:', then expect 3\n$/,
  },
  {
    script: 'echo x | logq produce t --expect-offset 7',
    status: 6,
    stderr: /ends at offset 3, not at 7\n {2}hint: nothing was appended; the next record gets offset 3\n$/,
  },
  { script: 'logq produce t --expect-offset 3 < /dev/null', status: 0 },
  { script: 'logq produce t --expect-offset 2 < /dev/null', status: 6, stderr: /ends at offset 3, not at 2/ },
  { script: 'echo x | logq produce new --expect-offset 0 --print-offsets', status: 0, stdout: 'new:0@0\n' },
  { script: 'echo x | logq produce new --expect-offset 1', status: 6, stderr: /'new-0' ends at offset 0, not at 1/ },
  {
    script: 'echo x | logq produce new -k k --partitions 3 --expect-key-offset k=none --print-offsets',
    status: 0,
    stdout: 'new:2@0\n',
  },
  {
    script: 'echo x | logq produce t -k k --expect-key-offset k=1 --print-offsets',
    status: 0,
    stdout: 't:0@3\n',
  },
  {
    script: 'echo x | logq produce t -k k --expect-key-offset k=0',
    status: 6,
    stderr:
      /^logq produce: the latest record of key 'k' in 't-0' is at offset 1, not at 0\n {2}hint: nothing was appended; see it with 'logq cat t -p 0 -o 1:2', then expect 1\n$/,
  },
  {
    script: 'echo x | logq produce t -k k --expect-key-offset k=none',
    status: 6,
    stderr: /the latest record of key 'k' in 't-0' is at offset 1, none was expected/,
  },
  {
    script: 'echo x | logq produce t -k z --expect-key-offset z=1',
    status: 6,
    stderr: /there is no record of key 'z' in 't-0', one at offset 1 was expected\n {2}hint: nothing was appended; expect none/,
  },
  { script: 'logq produce t --expect-key-offset k=1 < /dev/null', status: 0 },
  { script: 'logq produce t --expect-key-offset k=2 < /dev/null', status: 6, stderr: /is at offset 1, not at 2/ },
  {
    script: `echo '{"key":"k","value":null}' | logq produce t -J && echo back | logq produce t -k k --expect-key-offset k=3 --print-offsets`,
    status: 0,
    stdout: 't:0@4\n',
  },
  {
    script:
      'echo x | logq produce t -k a=b --expect-key-offset a=b=none && echo y | logq produce t -k a=b --expect-key-offset a=b=3 --print-offsets',
    status: 0,
    stdout: 't:0@4\n',
  },
  { script: 'echo x | logq produce t --expect-key-offset ==none --print-offsets -k =', status: 0, stdout: 't:0@3\n' },
  { script: 'echo x | logq produce p -k k --expect-key-offset k=0 --print-offsets', status: 0, stdout: 'p:0@1\n' },
  { script: 'echo x | logq produce p --expect-key-offset k=0 --print-offsets', status: 0, stdout: 'p:0@1\n' },
  { script: 'echo x | logq produce p -k k --expect-key-offset k=none -p 3 --print-offsets', status: 0, stdout: 'p:3@0\n' },
  { script: 'echo x | logq produce p -p 2 --expect-offset 0 --print-offsets', status: 0, stdout: 'p:2@0\n' },
  { script: 'echo x | logq produce p -k k --expect-offset 1 --print-offsets', status: 0, stdout: 'p:0@1\n' },
  {
    script: 'echo x | logq produce p --expect-offset 1',
    status: 2,
    stderr: /topic 'p' has 4 partitions, and without a key nothing says which one is meant\n {2}hint: name it with -p/,
  },
  {
    script: "printf 'k:1\\nz:2\\n' | logq produce p -K: --expect-offset 1",
    status: 2,
    stderr: /a record belongs to partition \d, not to 0: an expectation is of one partition\n {2}hint: .* -p/,
  },
  {
    script: "printf 'k:1\\nz:2\\n' | logq produce p -K: --expect-key-offset k=0",
    status: 2,
    stderr: /a record belongs to partition/,
  },
  {
    script: 'echo x | logq produce r -k k --partitions 2 --partitioner random --expect-key-offset k=none',
    status: 2,
    stderr: /the key alone does not say which of the 2 partitions of 'r'\n {2}hint: name it with -p/,
  },
  {
    script: 'seq 200000 | logq produce t --expect-offset 3',
    status: 2,
    stderr:
      /the records do not fit one batch of 1000000 bytes: nothing was appended\n {2}hint: with an expectation all records/,
  },
  {
    script: 'head -c 1500000 /dev/zero | logq produce t --expect-offset 3 --print-offsets',
    status: 0,
    stdout: 't:0@3\n',
  },
  {
    script: '(head -c 1500000 /dev/zero; echo; echo y) | logq produce t --expect-offset 3',
    status: 2,
    stderr: /do not fit one batch/,
  },
  {
    script: 'logq cat t --format batch -o 2: | logq produce t --format batch --expect-offset 3 --print-offsets',
    status: 0,
    stdout: 't:0@3\n',
  },
  {
    script: 'logq cat t --format batch | logq produce t --format batch --expect-offset 3',
    status: 2,
    stderr: /do not fit one batch/,
  },
  {
    script: "printf 'k:1\\nbad\\nk:2\\n' | logq produce t -K: --expect-offset 3",
    status: 1,
    stderr:
      /^logq produce: stdin: line 2: no key separator ':' is in it\nlogq produce: nothing was appended: with an expectation that takes the whole input, each item of it good\n$/,
  },
  {
    script: "printf 'k:1\\nbad\\n' | logq produce t -K: --expect-offset 3 --on-bad stop",
    status: 1,
    stderr: /line 2: .*\nlogq produce: nothing was appended/,
  },
  {
    script: 'echo x | logq produce t --expect-offset 3 --expect-key-offset k=1',
    status: 2,
    stderr: /--expect-offset and --expect-key-offset exclude each other/,
  },
  { script: 'echo x | logq produce t --expect-offset -1', status: 2, stderr: /option '--expect-offset': invalid number '-1'/ },
  { script: 'echo x | logq produce t --expect-offset none', status: 2, stderr: /option '--expect-offset': invalid number/ },
  ...['k', 'k=', 'k=x', 'k=-1', 'k=1.5', '', 'k=None'].map((value) => ({
    script: `echo x | logq produce t --expect-key-offset '${value}'`,
    status: 2,
    stderr: /option '--expect-key-offset': '.*' is not KEY=N\n {2}hint: it is the key and the offset of its latest record/,
  })),
  { script: 'echo x | logq produce t --expect-key-offset k=01', status: 2, stderr: /invalid number '01'/ },
]

test('expectations: each case with its status, what it says, and what is in the topic', async (t) => {
  const cli = makeCli(t)
  await cli.shell(before)
  const contents = 'logq cat t -J; logq cat p -J'
  const untouched = (await cli.shell(contents)).stdout.toString()
  t.is(untouched.split('\n').length, 5)
  const run = async ({ script, status, stderr = /^$/, stdout = '' }: Case, n: number) => {
    const env = { LOGQ_STORE: `${cli.directory}/s${n}` }
    await cli.shell(`cp -r store s${n}`)
    const done = await cli.shell(script, { env })
    t.is(done.status, status, `${script}: ${done.stderr}`)
    t.is(done.stdout.toString(), stdout, script)
    t.regex(done.stderr, stderr, script)
    if (status !== 0) t.is((await cli.shell(contents, { env })).stdout.toString(), untouched, script)
  }
  for (let from = 0; from < cases.length; from += 6) {
    await Promise.all(cases.slice(from, from + 6).map((one, n) => run(one, from + n)))
  }
})

test('a signal before the input ended: nothing of it is appended', async (t) => {
  const cli = makeCli(t)
  const running = cli.start('exec logq produce new --expect-offset 0', { stdin: 'open' })
  running.write('half of it\n')
  while (!existsSync(`${cli.store}/new-0`)) await new Promise((resolve) => setTimeout(resolve, 20))
  running.signal('SIGTERM')
  const { signal, stderr } = await running.finished
  t.is(signal, 'SIGTERM')
  t.is(stderr, 'logq produce: stopped before the end of the input: nothing was appended\n')
  t.is((await cli.shell('logq cat new | wc -l')).stdout.toString().trim(), '0')
})

const counters = {
  '--expect-offset': `end=$(logq topic show c -J | grep -o '"logEndOffset":[0-9]*' | head -n 1 | cut -d: -f2)
    n=$(logq tail c -n 1); echo $((n + 1)) | logq produce c --expect-offset $end`,
  '--expect-key-offset': `read -r at n <<< "$(logq tail c -n 1 -F '%o %v\\n')"; echo $((n + 1)) | logq produce c -k n --expect-key-offset n=\${at:-none}`,
}

for (const [option, step] of Object.entries(counters)) {
  test(`four processes that count with ${option} lose no update`, async (t) => {
    const cli = makeCli(t)
    await cli.shell('logq topic create c')
    const loop = `for i in 1 2 3; do while true; do ${step} 2>> errors; s=$?; [ $s = 0 ] && break; [ $s = 6 ] || exit $s; done; done`
    const done = await cli.shell(
      `for p in 1 2 3 4; do (${loop}) & pids="$pids $!"; done; for p in $pids; do wait $p; echo $?; done; logq cat c | tr '\\n' ' '`,
      { timeoutMs: 110_000 },
    )
    const counted = Array.from({ length: 12 }, (_, n) => `${n + 1} `).join('')
    t.is(done.stdout.toString(), `0\n0\n0\n0\n${counted}`, (await cli.shell('cat errors')).stdout.toString())
  })
}
