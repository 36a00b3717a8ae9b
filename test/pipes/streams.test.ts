/** Standard streams as the shell gives them: closed pipes, full devices, slow readers, siblings on the same pipe, terminals. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

test('a reader that closes the pipe early is success, silently, for every command that prints data', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 200000 | logq produce t; for n in 1 2 3; do logq topic create u$n; done')
  for (const command of [
    'cat t',
    'cat t -J',
    "cat t -F '%k %v\\n'",
    'cat t --format batch',
    'tail -n 100000 t',
    'tail -f t -o start',
    'tail -f -n 100000 t',
    'topic ls',
    'topic ls -J',
    'topic show t',
    'digest t',
  ]) {
    const done = await cli.shell(`logq ${command} | head -n 1 > /dev/null; echo "\${PIPESTATUS[0]}"`)
    t.is(done.stdout.toString(), '0\n', command)
    t.is(done.stderr, '', command)
  }
})

test('a reader that is gone before anything is printed is success too', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 10 | logq produce t')
  for (const command of ['cat t', 'tail t', 'topic ls', 'topic show t', '--help', 'cat --help', '--version']) {
    const done = await cli.shell(`{ sleep 0.2; logq ${command}; echo "status $?" >&2; } | true`)
    t.is(done.stderr, 'status 0\n', command)
  }
})

test('tail -f ends within a moment after its reader has gone, at the next record', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 3 | logq produce t')
  const tail = cli.start('logq tail -f t | head -n 3; echo "status ${PIPESTATUS[0]}"')
  await tail.waitForOutput('3\n')
  await cli.shell('echo 4 | logq produce t')
  await tail.waitForOutput('status 0')
  t.is((await tail.finished).stderr, '')
})

test('produce --print-offsets goes on appending when nobody reads its offsets, and is success', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    'seq 50000 | logq produce t --print-offsets | head -n 1; echo "${PIPESTATUS[1]}"; logq cat t | wc -l',
  )
  t.is(done.stdout.toString(), 't:0@0\n0\n50000\n')
  t.is(done.stderr, '')
})

test('/dev/full as standard output is status 1 and named, for every command', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 10 | logq produce t')
  for (const command of [
    'cat t',
    'cat t -J',
    'tail t',
    'topic ls',
    'topic show t',
    'digest t',
    '--help',
    'cat --help',
    '--version',
  ]) {
    const done = await cli.shell(`logq ${command} > /dev/full`)
    t.is(done.status, 1, command)
    t.regex(done.stderr, /^logq[a-z ]*: cannot write standard output: no space left on device\n/, command)
  }
  const tail = await cli.shell('timeout 10 logq tail -f t > /dev/full')
  t.is(tail.status, 1)
  const produced = await cli.shell('seq 10 | logq produce t --print-offsets > /dev/full')
  t.is(produced.status, 1)
  t.regex(produced.stderr, /standard output/)
  // The records are there; only their offsets could not be printed.
  t.is((await cli.shell('logq cat t | wc -l')).stdout.toString().trim(), '20')
})

test('a standard error that is full or closed changes no exit status', async (t) => {
  const cli = makeCli(t)
  t.is((await cli.shell('logq cat nope 2> /dev/full')).status, 1)
  t.is((await cli.shell('logq cat nope 2>&-')).status, 1)
  t.is((await cli.shell('logq cat -n x t 2>&-')).status, 2)
  t.is((await cli.shell('echo x | logq produce t -v 2> /dev/full && logq cat t')).stdout.toString(), 'x\n')
})

test('closed standard input and output end by themselves', async (t) => {
  const cli = makeCli(t)
  t.is((await cli.shell('logq produce t <&-')).status, 0)
  const done = await cli.shell('seq 10 | logq produce t >&-; logq cat t >&-; logq tail -n 1 t <&-')
  t.is(done.stdout.toString(), '10\n')
})

test('a slow reader slows cat and tail, and their memory stays bounded', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq -f "%0200.0f" 200000 | logq produce t', { timeoutMs: 60_000 })
  for (const command of ['cat t', 'cat t -J', 'tail -f t -o start', 'tail -n 200000 t']) {
    const reader = cli.start(
      `{ echo "pid $BASHPID" >&2; exec logq ${command}; } | { sleep 2.5; head -c 1000 > /dev/null; echo done; }`,
    )
    await reader.waitForOutput(/pid \d+/, { stream: 'stderr' })
    await new Promise((resolve) => setTimeout(resolve, 2000))
    const pid = /pid (\d+)/.exec(reader.stderr())?.[1] ?? ''
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    t.true(peak < 150 * 1024, `${command}: ${peak} kB`)
    await reader.finished
  }
})

test('sibling processes on the same pipe lose nothing, and each goes on where the one before stopped', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 100000 | logq produce t; seq 3 > three; head -c 3000000 /dev/urandom | base64 > big')
  const output = await cli.shell(
    '{ cat big & logq cat t -n 3; wait; cat big; logq topic ls; cat big; } | { sleep 0.5; cat; } | wc -c; cat big big big | wc -c',
  )
  const [got, bigs] = output.stdout.toString().trim().split('\n').map(Number)
  t.is(got, (bigs ?? 0) + '1\n2\n3\nt\n'.length)
  const error = await cli.shell(
    '{ logq cat nope; cat big; logq cat t -n 1; cat big; } 2>&1 | { sleep 0.5; cat; } | grep -vc "^logq\\|^  hint"; cat big big | wc -l',
  )
  const [lines, bigLines] = error.stdout.toString().trim().split('\n').map(Number)
  t.is(lines, (bigLines ?? 0) + 1)
  const input = await cli.shell(
    'seq 100000 > in; { head -c 0; logq produce u --on-bad stop; cat; } < in | wc -l; { read first; logq produce v; } < in; logq cat v -n 1',
  )
  t.is(input.stdout.toString(), '0\n2\n')
  t.is(output.stderr + input.stderr, '')
})

test('a terminal as input: produce says what it expects, and takes lines until ^D', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `{ sleep 1; printf 'one\\ntwo\\n'; sleep 0.5; printf '\\004'; sleep 0.5; } | script -qec 'logq produce t; echo "status $?"' /dev/null; logq cat t`,
  )
  const text = done.stdout.toString().replaceAll('\r', '')
  t.regex(text, /logq produce: reading records from the terminal, one a line; end with \^D\n/)
  t.regex(text, /status 0\n/)
  t.true(text.endsWith('one\ntwo\n'))
  const quiet = await cli.shell(`{ sleep 1; printf '\\004'; sleep 0.5; } | script -qec 'logq produce -q t' /dev/null`)
  t.notRegex(quiet.stdout.toString(), /reading records/)
})

test('control characters are escaped on a terminal, and bytes in a pipe or with --raw', async (t) => {
  const cli = makeCli(t)
  const hostile = '\\033]52;c;aGk=\\007\\033[31mred\\r\\302\\233x\\342\\200\\256 ok\\n'
  await cli.shell(`printf '${hostile}' | logq produce t`)
  const bytes = (await cli.shell(`printf '${hostile}'`)).stdout
  t.deepEqual((await cli.shell('logq cat t')).stdout, bytes)
  t.deepEqual((await cli.shell('logq cat t > file; cat file')).stdout, bytes)
  for (const command of ['cat t', 'tail t', "cat t -F '%v\\n'", 'cat t -J']) {
    const shown = (await cli.shell(`script -qec ${JSON.stringify(`logq ${command}`)} /dev/null < /dev/null`)).stdout
    t.false(shown.includes(0x1b), command)
    t.false(shown.includes(0x07), command)
    t.false(shown.includes(Buffer.from([0xc2, 0x9b])), command)
    t.false(shown.includes(Buffer.from('\u202e')), command)
    t.true(shown.includes('red'), command)
  }
  const raw = (await cli.shell(`script -qec 'logq cat --raw t' /dev/null < /dev/null`)).stdout
  t.true(raw.includes(Buffer.from('\x1b]52;c;aGk=\x07')))
  const error = (await cli.shell(`script -qec "logq cat $(printf '"\\033[31mx"')" /dev/null < /dev/null`)).stdout
  t.false(error.includes(0x1b))
})

test('a prompt is asked on a terminal, and its answer is heard', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo a | logq produce t')
  const no = await cli.shell(
    `{ sleep 1; echo n; sleep 0.3; } | script -qec 'logq topic rm t; echo "status $?"' /dev/null; logq topic ls`,
  )
  t.regex(no.stdout.toString(), /remove 't' with all records\? \[y\/N\]/)
  t.true(no.stdout.toString().endsWith('t\n'))
  const yes = await cli.shell(
    `{ sleep 1; echo y; sleep 0.3; } | script -qec 'logq topic rm t; echo "status $?"' /dev/null; logq topic ls`,
  )
  t.regex(yes.stdout.toString(), /status 0/)
  t.false(yes.stdout.toString().endsWith('t\n'))
})

test('records come out of tail -f while nothing more is appended, and out of cat in order with other commands', async (t) => {
  const cli = makeCli(t)
  const producer = cli.start('exec logq produce t', { stdin: 'open' })
  producer.write('first\n')
  await cli.shell('for i in $(seq 100); do logq topic ls 2>/dev/null | grep -q t && exit; sleep 0.05; done')
  const tail = cli.start('exec logq tail -f -o start t')
  await tail.waitForOutput('first\n')
  producer.write('second\n')
  await tail.waitForOutput('second\n')
  producer.end()
  t.is((await producer.finished).status, 0)
  t.is((await cli.shell('echo before; logq cat t; echo after')).stdout.toString(), 'before\nfirst\nsecond\nafter\n')
  t.is((await cli.shell('seq 9999 -1 1 | logq produce u; logq cat u | sort -n | head -n 2')).stdout.toString(), '1\n2\n')
})
