/** Bad input, each case with its documented exit status, a message that names the thing and the next step, and nothing half-created. */
import test, { type ExecutionContext } from 'ava'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'

interface Case {
  readonly script: string
  readonly status: number
  readonly stderr: RegExp
  /** Bytes on standard output; none when left out. */
  readonly stdout?: string
}

/** Runs the cases one after the other in one store with topic `t` (3 records) that none of them may change. */
function table(title: string, cases: readonly Case[], before = 'seq 3 | logq produce t'): void {
  test(title, async (t) => {
    const cli = makeCli(t)
    await cli.shell(before)
    const listing = await contents(cli)
    for (let from = 0; from < cases.length; from += atOnce) {
      const chunk = cases.slice(from, from + atOnce)
      await Promise.all(chunk.map((one) => check(t, cli, one)))
      t.is(await contents(cli), listing, chunk.map(({ script }) => script).join('\n'))
    }
  })
}

/** None changes anything, so several may run together. */
const atOnce = 8

async function check(t: ExecutionContext, cli: Cli, { script, status, stderr, stdout = '' }: Case): Promise<void> {
  const done = await cli.shell(script)
  t.is(done.status, status, `${script}: ${done.stderr}`)
  t.regex(done.stderr, stderr, script)
  t.is(done.stdout.toString(), stdout, script)
  t.notRegex(done.stderr, /unexpected error|node:internal| at .*\.js:\d/, script)
  for (const line of done.stderr.trimEnd().split('\n')) t.regex(line, /^(logq[a-z -]*: | {2}hint: )[^A-Z]?.*[^.]$/, script)
}

/** Every file of the store with its content. */
async function contents(cli: Cli): Promise<string> {
  return (
    await cli.shell('find . -path ./.bin -prune -o -type f -print0 | sort -z | xargs -0 cksum 2>/dev/null')
  ).stdout.toString()
}

const hostileNames = [
  '..',
  '.',
  '',
  'a'.repeat(250),
  'a/b',
  '../x',
  'a\nb',
  '-rf',
  '--',
  '$(id)',
  'a;b',
  'tоpic',
  'café',
  'a b',
  '__consumer_offsets',
  '__x',
  '\x1b[31m',
  'a\\b',
  'a:b',
  '*',
  '~',
]

test('hostile topic names are refused by every command with the rule, and nothing is made anywhere', async (t) => {
  const cli = makeCli(t)
  for (const name of hostileNames) {
    const done = await Promise.all(
      ['produce', 'topic create'].map((command) => cli.shell(`echo x | logq ${command} -- ${shellQuote(name)}`)),
    )
    for (const { status, stderr } of done) {
      t.is(status, 2, `'${name}': ${stderr}`)
      t.regex(stderr, /cannot be a topic name\n {2}hint: a name has 1 to 249 of the characters/, name)
    }
  }
  t.is((await cli.shell('ls -A')).stdout.toString(), '.bin\n.home\n.tmp\n')
  await cli.shell('seq 3 | logq produce t')
  const before = await contents(cli)
  for (const name of hostileNames.slice(0, 5)) {
    for (const command of ['cat', 'tail', 'topic show', 'topic rm -y', 'topic set', 'topic add-partitions', 'digest']) {
      const operand = command === 'topic set' ? ' retention.ms=1d' : command === 'topic add-partitions' ? ' 3' : ''
      const done = await cli.shell(`logq ${command} -- ${shellQuote(name)}${operand}`)
      t.true(done.status === 2 || done.status === 1, `${command} '${name}': ${String(done.status)} ${done.stderr}`)
      t.notRegex(done.stderr, /unexpected error/)
    }
  }
  t.is(await contents(cli), before)
})

test('names at the edge of the rule work, twins are refused', async (t) => {
  const cli = makeCli(t)
  for (const name of [
    'a',
    'x-0',
    'x-0-1',
    'a.b',
    'CON',
    '_',
    '_a',
    'a-',
    '1e3',
    '007',
    'a'.repeat(200),
    'constructor',
    '__proto__x'.slice(2),
  ]) {
    const done = await cli.shell(
      `echo "of ${name.slice(0, 20)}" | logq produce ${name} && logq cat ${name} && logq topic ls | grep -qx -- ${name}`,
    )
    t.is(done.stderr, '', name)
    t.is(done.stdout.toString(), `of ${name.slice(0, 20)}\n`)
  }
  for (const [twin, existing] of [
    ['A', 'a'],
    ['a_b', 'a.b'],
    ['con', 'CON'],
  ] as const) {
    const done = await cli.shell(`echo x | logq produce ${twin}`)
    t.is(done.status, 1, done.stderr)
    t.regex(done.stderr, new RegExp(`'${twin}' is too like the existing topic '${existing}'`))
    t.is((await cli.shell(`logq topic create ${twin}`)).status, 1)
  }
})

table('unknown topics and partitions are status 1 and name what is there', [
  { script: 'logq cat u', status: 1, stderr: /topic 'u' does not exist in store '.*\/store'\n {2}hint: / },
  { script: 'logq cat T', status: 1, stderr: /hint: did you mean 't'\?/ },
  { script: 'logq tail u', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq cat t u', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'echo x | logq produce u --no-create', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq topic show u', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq topic rm -y u', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq topic rm -y t u', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq topic set u retention.ms=1d', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq topic add-partitions u 4', status: 1, stderr: /topic 'u' does not exist/ },
  { script: 'logq cat t -p 1', status: 1, stderr: /topic 't' has no partition 1\n {2}hint: it has only partition 0/ },
  { script: 'logq tail t -p 0,5-7', status: 1, stderr: /has no partition 7/ },
  { script: 'echo x | logq produce t -p 1', status: 1, stderr: /topic 't' has no partition 1/ },
  {
    script: 'echo x | logq produce new -p 3',
    status: 1,
    stderr: /topic 'new' would have no partition 3\n {2}hint: .*--partitions/,
  },
  { script: 'echo x | logq produce new -p 3 -s other; test ! -e other && exit 1', status: 1, stderr: /have no partition 3/ },
  { script: 'logq produce new --partitions 2 --format batch < /dev/null', status: 2, stderr: /batch needs a partition/ },
  { script: 'logq topic create t', status: 1, stderr: /topic 't' exists already\n {2}hint: / },
])

table('wrong values of options are status 2 and name the option and what it takes', [
  ...['NaN', '-1', '1e3', '99999999999999999999', ''].flatMap((value) => [
    { script: `logq cat t -n ${shellQuote(value)}`, status: 2, stderr: /option '-n': / },
    { script: `logq tail t -n${value === '' ? " ''" : shellQuote(value)}`, status: 2, stderr: /option '-n': / },
    { script: `logq produce t --partitions ${shellQuote(value)} < /dev/null`, status: 2, stderr: /option '--partitions': / },
    { script: `logq produce t --batch-bytes=${shellQuote(value)} < /dev/null`, status: 2, stderr: /option '--batch-bytes': / },
    { script: `logq produce t --linger ${shellQuote(value)} < /dev/null`, status: 2, stderr: /option '--linger': / },
    { script: `logq produce t -p ${shellQuote(value)} < /dev/null`, status: 2, stderr: /option '-p': / },
    { script: `logq cat t -p ${shellQuote(value)}`, status: 2, stderr: /option '-p': / },
    { script: `logq topic create n --partitions ${shellQuote(value)}`, status: 2, stderr: /option '--partitions': / },
    { script: `logq topic add-partitions -- t ${shellQuote(value)}`, status: 2, stderr: /number|too large/ },
    { script: `logq topic set -- t segment.bytes=${shellQuote(value)}`, status: 2, stderr: /segment\.bytes/ },
  ]),
  ...['NaN', '1e3', '', '1.5', 'x', '99999999999999999999', '@', '@x', '5:4x', '--'].map((value) => ({
    script: `logq cat t -o ${shellQuote(value)}`,
    status: 2,
    stderr: /option '-o': /,
  })),
  { script: 'logq produce t --partitions 0 < /dev/null', status: 2, stderr: /option '--partitions': '0' is too small/ },
  { script: 'logq produce t --partitions 100001 < /dev/null', status: 2, stderr: /too large/ },
  { script: 'logq produce t --partitions 2 < /dev/null', status: 2, stderr: /topic 't' has 1 partitions, not 2\n {2}hint: / },
  {
    script: 'logq produce t --partitioner random < /dev/null',
    status: 2,
    stderr: /has the partitioner 'murmur2', not 'random'/,
  },
  {
    script: 'logq produce t --partitioner x < /dev/null',
    status: 2,
    stderr: /the expression 'x' cannot be used: Unknown variable: x/,
  },
  { script: 'logq produce t --batch-bytes 2MB < /dev/null', status: 2, stderr: /too large/ },
  { script: 'logq produce t -z brotli < /dev/null', status: 2, stderr: /option '-z': 'brotli' is not one of 'none', 'gzip'/ },
  { script: 'logq produce t --acks 2 < /dev/null', status: 2, stderr: /option '--acks'/ },
  { script: 'logq produce t --on-bad x < /dev/null', status: 2, stderr: /option '--on-bad'/ },
  { script: 'logq produce t --keep x < /dev/null', status: 2, stderr: /option '--keep'/ },
  { script: 'logq produce t --timestamp tomorrow < /dev/null', status: 2, stderr: /option '--timestamp'/ },
  { script: 'logq produce n --mode 999 < /dev/null', status: 2, stderr: /mode/ },
  { script: "logq produce t -D '' < /dev/null", status: 2, stderr: /option '-D'/ },
  { script: "logq produce t -D '\\q' < /dev/null", status: 2, stderr: /option '-D': invalid escape/ },
  { script: "logq produce t -K '' < /dev/null", status: 2, stderr: /option '-K'/ },
  { script: "logq cat t -F '%q'", status: 2, stderr: /option '-F'/ },
  { script: "logq cat t -F 'jsno'", status: 2, stderr: /option '-F'.*'jsno'/ },
  { script: "logq produce t -F '%o' < /dev/null", status: 2, stderr: /option '-F'/ },
  { script: 'logq topic set t nosuch=1', status: 2, stderr: /'nosuch' is not a setting of a topic/ },
  { script: 'logq topic set t retention.ms', status: 2, stderr: /not NAME=VALUE/ },
  { script: 'logq topic set t', status: 2, stderr: /NAME=VALUE is missing|no setting is given/ },
  { script: 'logq topic set t retention.ms=1d retention.ms=2d', status: 2, stderr: /given twice/ },
  { script: 'logq topic set t cleanup.policy=x', status: 2, stderr: /cleanup\.policy/ },
  { script: 'logq topic create n segment.bytes=1', status: 2, stderr: /segment\.bytes/ },
  { script: 'logq topic create n __proto__=1', status: 2, stderr: /not a setting/ },
  { script: 'logq topic add-partitions t 1', status: 2, stderr: /can only grow/ },
  { script: "logq -s '' cat t", status: 2, stderr: /options come after the command/ },
  { script: "logq cat t -s ''", status: 2, stderr: /--store is empty/ },
])

table('usage errors of every command are status 2 with a hint, and nothing is read', [
  ...[
    'produce',
    'cat',
    'tail',
    'topic create',
    'topic show',
    'topic set',
    'topic rm',
    'topic add-partitions',
    'fsck',
    'digest',
    'topic ls',
  ].flatMap((command) => [
    {
      script: `logq ${command} t --no-such-option < /dev/null`,
      status: 2,
      stderr: /unknown option '--no-such-option'\n {2}hint: /,
    },
    { script: `logq ${command} t -Q < /dev/null`, status: 2, stderr: /unknown option '-Q'\n {2}hint: / },
    { script: `logq ${command} t --store < /dev/null`, status: 2, stderr: /option '--store' needs a value/ },
    { script: `logq ${command} t -s a -s b < /dev/null`, status: 2, stderr: /option '-s' is given twice/ },
    { script: `logq ${command} t -q=x < /dev/null`, status: 2, stderr: /unknown option '-='|takes no value/ },
  ]),
  ...['produce', 'cat', 'tail', 'topic create', 'topic show', 'topic set', 'topic rm', 'topic add-partitions'].map(
    (command) => ({
      script: `logq ${command} < /dev/null`,
      status: 2,
      stderr: /TOPIC is missing\n {2}hint: usage: logq /,
    }),
  ),
  { script: 'logq topic ls t', status: 2, stderr: /unexpected operand 't'/ },
  { script: 'logq topic show t t', status: 2, stderr: /unexpected operand 't'/ },
  { script: 'logq nosuch', status: 2, stderr: /nosuch/ },
  { script: 'logq topic nosuch', status: 2, stderr: /nosuch/ },
  { script: 'logq prodcue t', status: 2, stderr: /produce/ },
  { script: 'logq cat t -K : -J', status: 2, stderr: /-K goes with the value format only/ },
  { script: 'logq cat t -n 1 --format batch', status: 2, stderr: /-n does not go with --format batch/ },
  { script: 'logq cat t t --format batch', status: 2, stderr: /exactly one partition/ },
  { script: 'logq cat t -o 1:2 --format batch', status: 2, stderr: /cuts through the batch/ },
  { script: 'logq tail t --format batch', status: 2, stderr: /cannot begin within a batch/ },
  { script: 'logq tail t -o 1 -n 2', status: 2, stderr: /-o and -n exclude each other/ },
  { script: 'logq tail -f t -o 1:2', status: 2, stderr: /range with an end cannot be followed/ },
  { script: 'logq cat t -J -F json', status: 2, stderr: /-J.*-F|exclude each other/ },
  { script: 'logq cat t -0 -D x', status: 2, stderr: /exclude each other/ },
  { script: 'logq produce t -k a -K : < /dev/null', status: 2, stderr: /-k and -K exclude each other/ },
  { script: 'logq produce t -J -K : < /dev/null', status: 2, stderr: /-K goes with the value format only/ },
  { script: 'logq produce t --keep partition < /dev/null', status: 2, stderr: /--keep partition goes with/ },
  { script: 'logq produce t --keep partition -J -p 0 < /dev/null', status: 2, stderr: /exclude each other/ },
  { script: 'logq produce t --format batch -k x < /dev/null', status: 2, stderr: /do not go with --format batch/ },
  { script: 'logq topic rm t < /dev/null', status: 2, stderr: /hint: give '-y'/ },
])

table('inputs that cannot be read are status 1, before anything is made', [
  { script: 'logq produce new missing', status: 1, stderr: /cannot .*'missing': no such file or directory/ },
  { script: 'logq produce new /etc/hostname missing --on-bad stop', status: 1, stderr: /'missing'/ },
  { script: 'mkdir d; logq produce new d', status: 1, stderr: /'d' is a directory/ },
  { script: 'ln -s /etc l; logq produce new l', status: 1, stderr: /'l' is a directory/ },
  { script: 'logq produce new /etc/hostname/x', status: 1, stderr: /hostname\/x'/ },
  { script: 'logq produce new /nonexistent/x', status: 1, stderr: /nonexistent/ },
  { script: "logq produce new ''", status: 1, stderr: /no such file/ },
])
