import test from 'ava'
import { defineCommand } from '../../cli/command.js'
import type { CommandGroup } from '../../cli/command-list.js'
import { exitStatuses, type ExitStatus } from '../../cli/exit-status.js'
import type { Io } from '../../cli/io.js'
import { options } from '../../cli/options.js'
import { runCommandLine } from '../../cli/run.js'
import { version } from '../../cli/version.js'
import { CorruptionError, LogqError } from '../../lib/errors.js'
import { fakeWorld, systemError, type FakeWorld, type FakeWorldOptions } from '../helpers/fake-world.js'

type Body = (io: Io) => Promise<ExitStatus | undefined>

/** A command list with `sample TOPIC`, whose work is the test's, and a nested pair. */
function commands(body: Body): CommandGroup[] {
  const declare = (name: string, summary: string) =>
    defineCommand({
      name,
      summary,
      operands: { topic: { label: 'TOPIC', meaning: 'The topic.', required: true } },
      options: { count: options.count, quiet: options.quiet, verbose: options.verbose, offset: options.offset },
      exits: ['failed'],
      examples: [{ command: `logq ${name} t`, meaning: 'An example.' }],
      man: { description: ['Prose.'] },
      run: async (_args, io) => await body(io),
    })
  const entry = (name: string, summary: string) => ({ name, load: () => Promise.resolve(declare(name, summary)) })
  return [
    { title: 'Records', commands: [entry('sample', 'do what the test says')] },
    { title: 'Topics', commands: [entry('topic create', 'make a topic'), entry('topic ls', 'list topics')] },
  ]
}

interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

async function run(
  words: string[],
  body: Body = () => Promise.resolve(undefined),
  given: FakeWorldOptions | FakeWorld = {},
): Promise<Ran> {
  const world = 'streams' in given ? given : fakeWorld(given)
  const status = await runCommandLine(words, commands(body), world)
  return { status: exitStatuses[status].number, stdout: world.streams.stdout.text(), stderr: world.streams.stderr.text() }
}

test('logq alone prints the help to stderr and exits 2', async (t) => {
  const { status, stdout, stderr } = await run([])
  t.is(status, 2)
  t.is(stdout, '')
  t.regex(stderr, /^Usage: logq COMMAND/)
})

test('logq --help, -h and help print the commands with their summaries, by group', async (t) => {
  for (const words of [['--help'], ['-h'], ['help']]) {
    const { status, stdout, stderr } = await run(words)
    t.is(status, 0)
    t.is(stderr, '')
    t.regex(
      stdout,
      /\nRecords:\n {2}sample {2}do what the test says\n\nTopics:\n {2}topic create {2}make a topic\n {2}topic ls {6}list topics\n/,
    )
  }
})

test('logq --version prints the version', async (t) => {
  t.deepEqual(await run(['--version']), { status: 0, stdout: `logq ${version}\n`, stderr: '' })
})

test('help of a command is the same by --help, -h and help', async (t) => {
  const { status, stdout } = await run(['sample', '--help'])
  t.is(status, 0)
  t.regex(stdout, /^Usage: logq sample \[OPTION…\] TOPIC\n\nDo what the test says\.\n/)
  t.is((await run(['sample', '-h'])).stdout, stdout)
  t.is((await run(['help', 'sample'])).stdout, stdout)
  t.is((await run(['sample', '--nonsense', '--help'])).stdout, stdout)
  t.regex((await run(['help', 'topic', 'create'])).stdout, /^Usage: logq topic create /)
})

test('the first word of nested commands lists them: on stderr with exit 2 alone, on stdout when asked', async (t) => {
  const alone = await run(['topic'])
  t.is(alone.status, 2)
  t.is(alone.stdout, '')
  t.regex(alone.stderr, /^Usage: logq topic COMMAND[^]*topic create {2}make a topic/)
  for (const words of [
    ['topic', '--help'],
    ['topic', '-h'],
    ['help', 'topic'],
  ]) {
    const asked = await run(words)
    t.is(asked.status, 0)
    t.is(asked.stdout, alone.stderr)
  }
})

const unknown: readonly [words: string[], stderr: RegExp][] = [
  [['smaple'], /^logq: unknown command 'smaple'\n {2}hint: did you mean 'logq sample'\?\n$/],
  [['xyzzy'], /^logq: unknown command 'xyzzy'\n {2}hint: see 'logq --help'\n$/],
  [['topik', 'ls'], /did you mean 'logq topic'\?/],
  [['topic', 'crate', 't'], /^logq: unknown command 'topic crate'\n {2}hint: did you mean 'logq topic create'\?\n$/],
  [['topic', 'xyzzy'], /unknown command 'topic xyzzy'\n {2}hint: see 'logq topic --help'/],
  [['help', 'xyzzy'], /unknown command 'xyzzy'/],
  [['help', 'topic', 'xyzzy'], /unknown command 'topic xyzzy'/],
  [['help', 'sample', 'more'], /unknown command 'sample'|unknown command/],
  [['-s', 'x', 'sample'], /^logq: unknown option '-s'\n {2}hint: options come after the command/],
  [['', 'x'], /unknown command ''/],
  [['__proto__'], /unknown command '__proto__'/],
]

for (const [words, expected] of unknown) {
  test(`logq ${words.join(' ')} exits 2 and says what is meant`, async (t) => {
    const { status, stdout, stderr } = await run(words)
    t.is(status, 2)
    t.is(stdout, '')
    t.regex(stderr, expected)
  })
}

test('a usage error names the command, and points to its help when there is no better hint', async (t) => {
  t.deepEqual(await run(['sample', 't', '-n', 'x']), {
    status: 2,
    stdout: '',
    stderr: "logq sample: option '-n': invalid number 'x'\n  hint: a number is written in decimal digits: 0, 42, 1000\n",
  })
  t.deepEqual(await run(['sample', 't', '-n']), {
    status: 2,
    stdout: '',
    stderr: "logq sample: option '-n' needs a value\n  hint: see 'logq sample --help'\n",
  })
})

test('the exit status is what the command returned, merged or threw, whichever is strongest', async (t) => {
  const cases: [Body, number][] = [
    [() => Promise.resolve(undefined), 0],
    [() => Promise.resolve('noMatch'), 3],
    [(io) => merged(io, ['failed'], 'noMatch'), 1],
    [(io) => merged(io, ['failed', 'corruption', 'timeout']), 5],
    [(io) => merged(io, ['failed'], 'usage'), 2],
    [() => Promise.reject(new LogqError('LOGQ_GONE', 'gone')), 7],
    [() => Promise.reject(new CorruptionError('bad checksum', { file: 'f', position: 1 })), 5],
    [() => Promise.reject(systemError('ENOSPC', 'no space left on device', 'write')), 1],
    [
      async (io) => {
        io.merge('corruption')
        await Promise.resolve()
        throw new LogqError('LOGQ_TIMEOUT', 'late')
      },
      5,
    ],
  ]
  for (const [body, status] of cases) t.is((await run(['sample', 't'], body)).status, status)
})

test('an error is one line with its hint on a second, and no stack', async (t) => {
  const { stderr } = await run(['sample', 't'], () =>
    Promise.reject(new LogqError('LOGQ_IO', "cannot open 'x'", { hint: 'look' })),
  )
  t.is(stderr, "logq sample: cannot open 'x'\n  hint: look\n")
})

test('LOGQ_DEBUG adds where an error and its causes were thrown', async (t) => {
  const cause = new Error('the cause')
  const body: Body = () => Promise.reject(new LogqError('LOGQ_IO', 'cannot do it', { cause }))
  const { stderr } = await run(['sample', 't'], body, { env: { LOGQ_DEBUG: '1' } })
  t.regex(stderr, /^logq sample: cannot do it\nLogqError: cannot do it\n {4}at [^]*caused by: Error: the cause\n {4}at /)
})

test('what was printed before a failure is delivered', async (t) => {
  const { status, stdout } = await run(['sample', 't'], async (io) => {
    await io.output().writeText('one\n')
    throw new LogqError('LOGQ_IO', 'then it broke')
  })
  t.is(status, 1)
  t.is(stdout, 'one\n')
})

test('a closed pipe is success, and a full disk behind stdout is exit 1 and said once', async (t) => {
  const print: Body = async (io) => {
    await io.output().writeText('one\n')
    await io.output().flush()
    return undefined
  }
  const closed = fakeWorld()
  closed.streams.stdout.beforeWrite = () => {
    throw systemError('EPIPE', 'broken pipe', 'write')
  }
  t.deepEqual(await run(['sample', 't'], print, closed), { status: 0, stdout: '', stderr: '' })
  const full = fakeWorld()
  full.streams.stdout.beforeWrite = () => {
    throw systemError('ENOSPC', 'no space left on device', 'write')
  }
  t.deepEqual(await run(['sample', 't'], print, full), {
    status: 1,
    stdout: '',
    stderr:
      'logq sample: cannot write standard output: no space left on device\n' +
      '  hint: free space, or inodes (df -i), on that disk, then run the command again\n',
  })
})

test('a broken stderr changes nothing', async (t) => {
  for (const code of ['EPIPE', 'ENOSPC', 'EIO']) {
    const world = fakeWorld()
    world.streams.stderr.beforeWrite = () => {
      throw systemError(code, 'reason', 'write')
    }
    const ran = await run(
      ['sample', 't'],
      async (io) => {
        for (let i = 0; i < 3; i++) await io.failItem('bad')
        await io.output().writeText('data\n')
        return undefined
      },
      world,
    )
    t.deepEqual(ran, { status: 1, stdout: 'data\n', stderr: '' })
  }
})

test('io.say is silenced by -q, io.explain shown by -v, io.warn and io.failItem always', async (t) => {
  const body: Body = async (io) => {
    await io.say('said')
    await io.explain('explained')
    await io.warn('warned', 'with a hint')
    await io.failItem('failed', undefined, 'gone')
    await io.failWith(new LogqError('LOGQ_INVALID_RECORD', 'bad record'))
    return undefined
  }
  const always = 'logq sample: warned\n  hint: with a hint\nlogq sample: failed\nlogq sample: bad record\n'
  t.deepEqual(await run(['sample', 't'], body), { status: 7, stdout: '', stderr: `logq sample: said\n${always}` })
  t.is((await run(['sample', '-q', 't'], body)).stderr, always)
  t.is((await run(['sample', '-v', 't'], body)).stderr, `logq sample: said\nlogq sample: explained\n${always}`)
})

test('messages are escaped on a terminal, unchanged elsewhere, and cut when very long', async (t) => {
  const body: Body = async (io) => {
    await io.warn("unknown topic '\x1b[2J\r\n\u202e'")
    return undefined
  }
  t.is((await run(['sample', 't'], body)).stderr, "logq sample: unknown topic '\x1b[2J\r\n\u202e'\n")
  t.is(
    (await run(['sample', 't'], body, { terminals: ['stderr'] })).stderr,
    "logq sample: unknown topic '\\x1b[2J\\r\\n\\u202e'\n",
  )
  const { stderr } = await run(['sample', 't'], async (io) => {
    await io.warn('x'.repeat(1_000_000))
    return undefined
  })
  t.regex(stderr, /^logq sample: x{2000}… \(1000000 characters\)\n$/)
})

test('io.confirm asks on a terminal and takes y and yes only', async (t) => {
  const answers: [string, boolean][] = [
    ['y\n', true],
    ['YES\n', true],
    [' yes \n', true],
    ['n\n', false],
    ['\n', false],
    ['', false],
    ['yep\n', false],
    ['n\ny\n', false],
  ]
  for (const [stdin, expected] of answers) {
    let answer: boolean | undefined
    const { status, stderr } = await run(
      ['sample', 't'],
      async (io) => {
        answer = await io.confirm("remove topic 'x'?")
        return undefined
      },
      { stdin, terminals: ['stdin', 'stderr'] },
    )
    t.is(answer, expected, JSON.stringify(stdin))
    t.is(status, 0)
    t.is(stderr, "logq sample: remove topic 'x'? [y/N] ")
  }
})

test('io.confirm without a terminal is exit 2 naming -y', async (t) => {
  for (const terminals of [[], ['stdin'], ['stderr']] as const) {
    const { status, stderr } = await run(
      ['sample', 't'],
      async (io) => {
        await io.confirm("remove topic 'x'?")
        return undefined
      },
      { stdin: 'y\n', terminals },
    )
    t.is(status, 2)
    t.is(stderr, "logq sample: no terminal to ask on: remove topic 'x'?\n  hint: give '-y' to answer yes\n")
  }
})

test('io.openInput takes - for stdin and names a file that cannot be opened', async (t) => {
  const { status, stdout, stderr } = await run(
    ['sample', 't'],
    async (io) => {
      const buffer = new Uint8Array(10)
      const input = await io.openInput('-')
      const length = (await input.read(buffer)) ?? 0
      await io.output().write(buffer.subarray(0, length))
      await io.openInput('./-')
      return undefined
    },
    { stdin: 'hello' },
  )
  t.deepEqual(
    { status, stdout, stderr },
    { status: 1, stdout: 'hello', stderr: "logq sample: cannot open './-': no such file or directory\n" },
  )
})

test('a command that a signal aborted says nothing more', async (t) => {
  const world = fakeWorld()
  const { stderr } = await run(
    ['sample', 't'],
    async () => {
      world.abort()
      await Promise.resolve()
      throw new LogqError('LOGQ_ABORTED', 'interrupted')
    },
    world,
  )
  t.is(stderr, '')
})

test('a defect is exit 1 and called one', async (t) => {
  const { status, stderr } = await run(['sample', 't'], () => Promise.reject(new TypeError('x is undefined')))
  t.is(status, 1)
  t.regex(stderr, /^logq sample: unexpected error: x is undefined\n {2}hint: this is a defect/)
})

async function merged(io: Io, statuses: ExitStatus[], returned?: ExitStatus): Promise<ExitStatus | undefined> {
  for (const status of statuses) io.merge(status)
  return await Promise.resolve(returned)
}
