/** cat and tail: filters, patterns, order, speed and limits, each with what it prints, says and exits with. */
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

type Row = readonly [command: string, stdout: string, stderr?: RegExp | undefined, status?: number]

async function check(t: ExecutionContext, cli: Cli, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 8) {
    await Promise.all(
      rows.slice(from, from + 8).map(async ([command, stdout, stderr, status = 0]) => {
        const done = await cli.shell(`logq ${command}`)
        t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
        if (stderr === undefined) t.is(done.stderr, '', command)
        else t.regex(done.stderr, stderr, command)
        t.is(done.status, status, command)
      }),
    )
  }
}

const words = (text: string) =>
  text
    .split(' ')
    .map((word) => `${word}\n`)
    .join('')

const NOTHING = 3

/**
 * Topic t: r0 to r8 a second apart over three partitions, counting down from the last; topic u: u1 and u4, half a second after r1 and
 * r4; topic v: JSON, headers, and a value that is neither.
 */
async function fillTopics(cli: Cli): Promise<void> {
  await cli.shell(
    `for n in 0 1 2 3 4 5 6 7 8; do echo "{\\"key\\":\\"k$((n % 2))\\",\\"value\\":\\"r$n\\",\\"timestamp\\":170000000\${n}000,\\"partition\\":$((2 - n % 3))}"; done | logq produce t -J --keep partition --partitions 3 --batch-bytes 60
     for n in 1 4; do echo "{\\"value\\":\\"u$n\\",\\"timestamp\\":170000000\${n}500}"; done | logq produce u -J
     logq produce v -J <<'END'
{"key":"a","value":{"total":50,"tags":["x"]},"timestamp":1700000000000,"headers":{"level":"info"}}
{"key":"b","value":{"total":150.5},"timestamp":1700000001000,"headers":{"level":"error"}}
{"key":null,"value":"plain","timestamp":1700000002000}
{"key":"b","value":null,"timestamp":1700000003000}
END`,
  )
}

test('-w prints what matches, in every expression that logq(1) shows; -n counts what is printed', async (t) => {
  const cli = makeCli(t)
  await fillTopics(cli)
  const failed = (count: string, first: string) =>
    new RegExp(`^logq (cat|tail): -w failed on ${count} not match; the first was ${first}`)
  await check(t, cli, [
    [`cat t -w 'key == "k1"'`, words('r5 r1 r7 r3')],
    [`cat t -w 'key == "k1"' -n 2`, words('r5 r1')],
    [`cat t -w 'key == "k1"' -n 0`, ''],
    [`cat t -w 'partition == 2 && offset > 0'`, words('r3 r6')],
    [`cat t -w 'timestamp > timestamp("2023-11-14T22:13:26Z")'`, words('r8 r7')],
    [`cat t -w 'text.endsWith("5") || text.matches("^r[67]$")'`, words('r5 r7 r6')],
    [`cat t u -w 'topic == "u"'`, words('u1 u4')],
    [`cat v -w 'text.contains("total") && value.total * 2 > 100'`, '{"total":150.5}\n'],
    [`cat v -w 'has(value.total) && value.total > 100'`, '{"total":150.5}\n', failed('a record, which does', 'v:0@2: ')],
    [`cat v -w 'value == null'`, '\n', failed('a record, which does', 'v:0@2: ')],
    [`cat v -w 'text.contains("tags") && "x" in value.tags' -F '%k\\n'`, 'a\n'],
    [`cat v -w '"level" in headers && headers.level == "error"' -F '%o\\n'`, '1\n'],
    [`cat v -w 'headers.level == "error"' -F '%o\\n'`, '1\n', failed('2 records, which do', 'v:0@2: ')],
    [`cat t -w 'key == "no"'`, '', undefined, NOTHING],
    [`cat t -o end -w 'key == "k1"'`, '', undefined, NOTHING],
    [`cat v -w 'value.total > 1000'`, '', failed('2 records, which do', 'v:0@2: '), NOTHING],
    [`tail t -w 'key == "no"'`, '', undefined, NOTHING],
    [`tail t -n 0 -w 'key == "k1"'`, ''],
    [`tail t -n 2 -w 'key == "k1"'`, words('r5 r7')],
    [`tail t -n 1 -w 'key == "k1"' -p 0`, words('r5')],
    [`tail t -n 99 -w 'key == "k1"'`, words('r1 r3 r5 r7')],
    [`tail t -o 1 -w 'key == "k1"'`, words('r5 r7 r3')],
    [`tail v -n 1 -w 'value.total > 10' -F '%o\\n'`, '1\n', failed('2 records, which do', 'v:0@3: ')],
    // Refused before anything is read, whether the store and topic exist or not.
    [`cat nowhere -s nowhere -w 'nope'`, '', /^logq cat: the expression 'nope' cannot be used: .*\n  hint: variables are /, 2],
    [
      `tail t -w '1 + 1'`,
      '',
      /^logq tail: the expression '1 \+ 1' cannot be used: it gives (an? )?int, not true or false\n/,
      2,
    ],
  ])
})

test('patterns: topics in the order of their names, each once, beside those that are named', async (t) => {
  const cli = makeCli(t)
  await cli.shell('for t in access.b access.a b-1 a-1 c; do echo $t | logq produce $t; done')
  await check(t, cli, [
    [`cat 'access.*'`, words('access.a access.b')],
    [`cat '{b,a}-?'`, words('a-1 b-1')],
    [`cat '[bc]*'`, words('b-1 c')],
    [`cat '[!a]*'`, words('b-1 c')],
    [`cat c '*.a' c`, words('c access.a c')],
    [`cat '*' c`, words('a-1 access.a access.b b-1 c')],
    [`cat '*.b' 'access.*'`, words('access.b access.a')],
    [`tail -n 1 'access.*'`, words('access.a access.b')],
    [`cat 'x*' c`, '', /^logq cat: no topic in store '.*' matches 'x\*'\n  hint: see 'logq topic ls'\n$/, 1],
    [`cat c 'x?'`, '', /matches 'x\?'\n/, 1],
    [`tail 'x*'`, '', /matches 'x\*'\n/, 1],
    [`tail nope`, '', /^logq tail: topic 'nope' does not exist /, 1],
  ])
})

test('--merge goes by timestamp over partitions and topics, --reverse by offset or timestamp, newest first', async (t) => {
  const cli = makeCli(t)
  await fillTopics(cli)
  await check(t, cli, [
    ['cat t --merge', words('r0 r1 r2 r3 r4 r5 r6 r7 r8')],
    ['cat t u --merge', words('r0 r1 u1 r2 r3 r4 u4 r5 r6 r7 r8')],
    ['cat t u --merge -n 3', words('r0 r1 u1')],
    [`cat t u --merge -w 'text.endsWith("4")'`, words('r4 u4')],
    [`cat t --merge -w 'key == "no"'`, '', undefined, NOTHING],
    ['cat t --merge -o -1 -p 0,2', words('r6 r8')],
    ['cat t t --merge -o -1', words('r6 r6 r7 r7 r8 r8')],
    ['cat t v --merge -p 0 -o 0:1 -J -F json', '', /exclude each other/, 2],
    ['tail t u', words('r0 r1 r2 r3 r4 r5 r6 r7 r8 u1 u4')],
    ['tail t u -n 2', words('r7 r8 u1 u4')],
    ['tail t u -n 6 --merge', words('r4 u4 r5 r6 r7 r8')],
    [`tail t u -n 3 --merge -w 'text.endsWith("4") || text.endsWith("1")'`, words('u1 r4 u4')],
    ['tail t u -o -1 --merge', words('u4 r6 r7 r8')],
    ['cat t --reverse', words('r6 r3 r0 r7 r4 r1 r8 r5 r2')],
    ['cat t u --reverse', words('u4 u1 r6 r3 r0 r7 r4 r1 r8 r5 r2')],
    ['cat t --reverse -n 2', words('r6 r3')],
    ['cat t --reverse -o 1:', words('r6 r3 r7 r4 r8 r5')],
    [`cat t --reverse -w 'key == "k1"' -n 2`, words('r3 r7')],
    ['cat t --reverse -K: -n 1', words('k0:r6')],
    ['cat t u --reverse --merge', words('r8 r7 r6 r5 u4 r4 r3 r2 u1 r1 r0')],
    ['cat t u --reverse --merge -n 4', words('r8 r7 r6 r5')],
    ['tail t u --reverse -n 2', words('u4 u1 r8 r7')],
    ['tail t u --reverse --merge -n 5', words('r8 r7 r6 r5 u4')],
    ['tail t -o -1 --reverse', words('r6 r7 r8')],
  ])
})

test('options that make no sense together are refused, and both are named', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo x | logq produce t')
  const pair = (first: string, second: string) => new RegExp(`^logq \\w+: ${first} and ${second} exclude each other\\n`)
  await check(t, cli, [
    [`cat t --format batch -w 'key == ""'`, '', pair('--format batch', '-w'), 2],
    ['cat t --format batch --merge', '', pair('--format batch', '--merge'), 2],
    ['cat t --format batch --reverse', '', pair('--format batch', '--reverse'), 2],
    ['cat t --format batch --speed 1x', '', pair('--format batch', '--speed'), 2],
    ['cat t --reverse --speed max', '', pair('--reverse', '--speed'), 2],
    ['tail t --reverse -f', '', pair('--reverse', '-f'), 2],
    ['tail t -o 0 -n 1', '', pair('-o', '-n'), 2],
    ['tail t -f -o 0:1', '', /a range with an end cannot be followed/, 2],
    [`tail -f 't*' --format batch -n 0`, '', /--format batch cannot follow a pattern/, 2],
    ['cat t --speed 0x', '', /invalid speed '0x'/, 2],
    ['cat t --speed 2', '', /invalid speed '2'\n  hint: a speed is written as 1x/, 2],
    ['cat t --speed -1x', '', /invalid speed '-1x'/, 2],
    ['cat t --idle 0', '', /'0' is too small/, 2],
    ['cat t --for soon', '', /invalid duration 'soon'/, 2],
  ])
})

test('--speed keeps the rhythm, divided; --for ends it', async (t) => {
  const cli = makeCli(t)
  await fillTopics(cli)
  await check(t, cli, [
    ['cat t u --speed max -n 4', words('r0 r1 u1 r2')],
    ['cat t --speed 1000000x', words('r0 r1 r2 r3 r4 r5 r6 r7 r8')],
    ['cat t --speed 0.001x --for 3s', words('r0')],
    ['tail t -n 2 --speed 0.001x --for 3s', words('r7')],
    ['cat t --for 1h -n 1', words('r2')],
    ['cat t --idle 1ms -n 1', words('r2')],
    ['tail t -f -n 1 --for 3s', words('r8')],
    ['tail t -f -n 0 --for 0', ''],
  ])
  const startMs = Date.now()
  t.is((await cli.shell('logq cat t --speed 4x')).stdout.toString(), words('r0 r1 r2 r3 r4 r5 r6 r7 r8'))
  t.true(Date.now() - startMs >= 2000)
})

test('--on-corrupt skip names what is damaged, goes on with the rest, and exits with 5', async (t) => {
  const cli = makeCli(t)
  // Batches of one record each; the one of r3 is damaged, and so is its neighbour's in another segment.
  await cli.shell(
    `logq topic create t --partitions 2 segment.bytes=300; seq -f r%g 0 9 | logq produce t -p 0 --batch-bytes 60 --timestamp 2026-01-01; echo last | logq produce t -p 1 --timestamp 2026-01-02
     printf X | dd of=store/t-0/00000000000000000000.log bs=1 seek=$((3 * $(stat -c %s store/t-0/00000000000000000000.log) / 4 + 68)) conv=notrunc 2>/dev/null`,
  )
  const stopped =
    /^logq (cat|tail): 't-0' is damaged: the CRC of a batch does not match, in '.*0000.log' at position \d+ \(offset 3\)\n {2}hint: /
  const skipped = /^logq (cat|tail): 't-0' is damaged: .* \(offset 3\); offset 3 is passed over\n$/
  await check(t, cli, [
    ['cat t', words('r0 r1 r2'), stopped, 5],
    ['cat t --on-corrupt stop', words('r0 r1 r2'), stopped, 5],
    ['cat t --on-corrupt skip', words('r0 r1 r2 r4 r5 r6 r7 r8 r9 last'), skipped, 5],
    ['cat t --on-corrupt skip -n 5', words('r0 r1 r2 r4 r5'), skipped, 5],
    ['cat t --on-corrupt skip -o 4:', words('r4 r5 r6 r7 r8 r9')],
    ['cat t --on-corrupt skip -o 3:5 -p 0', words('r4'), skipped, 5],
    ['cat t --on-corrupt skip --reverse', words('last r9 r8 r7 r6 r5 r4 r2 r1 r0'), skipped, 5],
    ['cat t --on-corrupt skip --merge -J -p 0 -n 4 -F json', '', /exclude each other/, 2],
    [`cat t --on-corrupt skip --merge -F '%o %v\\n' -o 2:5`, '2 r2\n4 r4\n', skipped, 5],
    [`cat t --on-corrupt skip -w 'key == "no"'`, '', skipped, 5],
    [`cat t --on-corrupt skip -w 'text > "r7"'`, words('r8 r9'), skipped, 5],
    ['tail t --on-corrupt skip -n 8', words('r2 r4 r5 r6 r7 r8 r9 last'), skipped, 5],
    ['tail t -n 8', '', stopped, 5],
    ['tail t -n 3', words('r8 r9 last')],
    ['tail t -f -o 0 --on-corrupt skip --for 3s', words('r0 r1 r2 r4 r5 r6 r7 r8 r9 last'), skipped, 5],
    ['cat t --on-corrupt repair', '', /--on-corrupt/, 2],
  ])
})

test('a wait of --speed is flushed before, and ended at once by INT', async (t) => {
  const cli = makeCli(t)
  await fillTopics(cli)
  const running = cli.start('exec logq cat t --speed 0.0001x')
  await running.waitForOutput('r0\n')
  running.signal('SIGINT')
  const done = await running.finished
  t.is(done.signal ?? done.status, 'SIGINT')
  t.is(done.stdout.toString(), 'r0\n')
})

test('--idle ends following with status 4 when nothing that matches comes', async (t) => {
  const cli = makeCli(t)
  await fillTopics(cli)
  await check(t, cli, [
    ['tail -f -n 1 t --idle 3s', words('r8'), /^logq tail: no record of 't' was printed for 3s\n$/, 4],
    ['tail -f -n 0 t u --idle 200ms', '', /^logq tail: no record of 't', 'u' was printed for 200ms\n$/, 4],
    [`tail -f -n 0 'u*' --idle 200ms`, '', /^logq tail: no record of 'u\*' was printed/, 4],
    ['tail -f -n 0 t --idle 200ms --for 1h', '', /no record of 't'/, 4],
    ['tail -f -n 0 t --idle 1h --for 200ms', ''],
    ['tail -n 1 t --idle 1ms', words('r8')],
  ])
  const running = cli.start(`exec logq tail -f -n 0 u -w 'text == "yes"' --idle 3s`)
  for (let round = 0; running.stdout().length === 0 && round < 100; round += 1) await cli.shell('echo yes | logq produce u')
  await cli.shell('echo no | logq produce u')
  const done = await running.finished
  t.is(done.status, 4)
  t.regex(done.stdout.toString(), /^(yes\n)+$/)
})

test('tail -f waits for topics that do not exist yet, by name and by pattern, and follows them from their start', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo old | logq produce access.old; logq topic create other')
  const named = cli.start('exec logq tail -f acces.new --for 60s')
  const pattern = cli.start(`exec logq tail -f 'access.*' --for 60s`)
  const later = cli.start(`exec logq tail -f 'later-?' other -n 0 --for 60s`)
  await named.waitForOutput("topic 'acces.new' does not exist in store", { stream: 'stderr' })
  await later.waitForOutput("matches 'later-?': waiting", { stream: 'stderr' })
  await pattern.waitForOutput('old\n')
  await cli.shell(
    `seq 3 | logq produce access.new; seq 3 | logq produce acces.new || seq 3 | logq produce acces.new; seq 4 6 | logq produce later-1; echo o | logq produce other`,
  )
  await named.waitForOutput('1\n2\n3\n')
  await pattern.waitForOutput('old\n1\n2\n3\n')
  await later.waitForOutput((text) => text.includes('4\n5\n6\n') && text.includes('o\n'))
  for (const running of [named, pattern, later]) running.signal('SIGTERM')
  t.is((await pattern.finished).stderr, '')
  await Promise.all([named.finished, later.finished])
})

test('a closed pipe ends following of all topics', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create a; logq topic create b')
  const running = cli.start('logq tail -f -n 0 a b --for 60s | head -n 1')
  for (let round = 0; running.stdout().length === 0 && round < 100; round += 1) await cli.shell('echo x | logq produce a')
  await cli.shell('echo y | logq produce a; echo z | logq produce a')
  t.is((await running.finished).status, 0)
})
