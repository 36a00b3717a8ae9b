import test from 'ava'
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { DriverResult } from '../helpers/streams-driver.js'
import { openInput, openInputFile, openOutput } from '../../lib/system/standard-streams.js'

const driver = fileURLToPath(new URL('../helpers/streams-driver.js', import.meta.url))

test.serial('100 MB pass through pipes on both sides, byte for byte, in pieces of any size', async (t) => {
  const { input, sha256 } = bigInput(t, 100_000_000)
  for (const bufferBytes of [65_536, 1_000_003]) {
    const result = join(temporaryDirectory(t), 'result')
    const { stdout } = await shell(`cat ${input} | ${run(`copy ${bufferBytes} ${result}`)} | cat | sha256sum`)
    t.is(stdout.split(' ')[0], sha256)
    t.like(resultOf(result), { copiedBytes: 100_000_000, acceptedBytes: 100_000_000 })
  }
})

test.serial('10 MB pass through files and through sockets on both sides, byte for byte', async (t) => {
  const { input, sha256 } = bigInput(t, 10_000_000)
  const directory = temporaryDirectory(t)
  const output = join(directory, 'output')
  await shell(`${run(`copy 65536 ${join(directory, 'files')}`)} < ${input} > ${output}`)
  t.is(sha256Of(fs.readFileSync(output)), sha256)
  t.like(resultOf(join(directory, 'files')), { acceptedBytes: 10_000_000 })

  // Node.js gives its children sockets where it says 'pipe'.
  const child = spawn(process.execPath, [driver, 'copy', '65536', join(directory, 'sockets')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(fs.readFileSync(input))
  const hash = createHash('sha256')
  for await (const chunk of child.stdout) hash.update(chunk as Buffer)
  t.is(hash.digest('hex'), sha256)
  t.like(resultOf(join(directory, 'sockets')), { copiedBytes: 10_000_000, acceptedBytes: 10_000_000 })
})

test.serial('a `cat` that shares stdout or stdin with the program never sees O_NONBLOCK and loses nothing', async (t) => {
  const { input } = bigInput(t, 3_000_000)
  // Both write into a pipe whose reader is slow at first: a non-blocking description would fail the `cat`.
  const both = await shell(`(${run('write 20 65536')} & sleep 0.2; cat ${input}; echo "cat $?" >&2; wait) | (sleep 0.5; wc -c)`)
  t.is(both.stdout.trim(), String(3_000_000 + 20 * 65_536))
  t.is(both.stderr, 'cat 0\n')
  // One after the other, the program first: what it leaves behind must not break the next one.
  const after = await shell(`(${run('write 1 10')}; sleep 0.1; cat ${input}; echo "cat $?" >&2) | (sleep 0.5; wc -c)`)
  t.deepEqual([after.stdout.trim(), after.stderr], ['3000010', 'cat 0\n'])
  const done = join(temporaryDirectory(t), 'done')
  const reading = await shell(
    `(until [ -e ${done} ]; do sleep 0.05; done; echo late) | (${run('end-while-open')}; touch ${done}; cat; echo "cat $?" >&2)`,
  )
  t.deepEqual([reading.stdout, reading.stderr], ['late\n', 'cat 0\n'])
})

test.serial('a small answer to a socket, and a large one after it, arrive in order', async (t) => {
  for (const counts of ['write 1 100', 'lines 30 x']) {
    const child = spawn('sh', ['-c', `echo before; ${run(counts)}; echo after`], { stdio: ['ignore', 'pipe', 'inherit'] })
    const output = await collect(child.stdout)
    t.true(output.startsWith('before\n') && output.endsWith('after\n'), output)
    t.is(output.length, 13 + (counts === 'write 1 100' ? 100 : 30 * 200))
  }
})

test.serial('the same holds for a socket that a Node.js parent gave to a whole command line', async (t) => {
  const { input } = bigInput(t, 3_000_000)
  const child = spawn('sh', ['-c', `${run('write 20 65536')} & sleep 0.2; cat ${input}; echo "cat $?" >&2; wait`])
  await delay(500)
  let size = 0
  let talk = ''
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
  })
  child.stderr.on('data', (chunk: Buffer) => {
    talk += chunk.toString()
  })
  await once(child, 'close')
  t.is(size, 3_000_000 + 20 * 65_536)
  t.is(talk, 'cat 0\n')
})

test.serial('a reader that goes away is EPIPE, before, between and during writes', async (t) => {
  const directory = temporaryDirectory(t)
  for (const [name, reader] of [
    ['before', 'exec 0<&-; sleep 0.5'],
    ['between', 'head -c 100000 > /dev/null'],
    ['during', 'sleep 0.5'],
  ] as const) {
    const result = join(directory, name)
    const start = name === 'before' ? 'sleep 0.2; ' : ''
    await shell(`(${start}${run(`write 100 65536 ${result}`)}) | (${reader})`)
    t.is(resultOf(result).error, 'EPIPE', name)
    t.true((resultOf(result).acceptedBytes ?? Infinity) < 100 * 65_536)
  }
  const result = join(directory, 'socket')
  const child = spawn(process.execPath, [driver, 'write', '100', '65536', result], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'readable')
  child.stdout.destroy()
  await once(child, 'exit')
  t.is(resultOf(result).error, 'EPIPE')
})

test.serial('/dev/full and a full file system are ENOSPC, and /dev/null takes everything', async (t) => {
  const directory = temporaryDirectory(t)
  const [full, nothing] = [join(directory, 'full'), join(directory, 'null')]
  await shell(`${run(`write 1 10 ${full}`)} > /dev/full; ${run(`write 3 1000000 ${nothing}`)} > /dev/null`)
  t.like(resultOf(full), { error: 'ENOSPC', acceptedBytes: 0 })
  t.like(resultOf(nothing), { acceptedBytes: 3_000_000 })
  // A limit on file sizes gives a short write and then an error.
  const limited = join(directory, 'limited')
  const output = join(directory, 'output')
  await shell(`trap '' XFSZ; ulimit -f 10; ${run(`write 1 1000000`)} > ${output}; echo $? > ${limited}`)
  t.is(fs.readFileSync(limited, 'utf8'), '1\n')
  t.true(fs.statSync(output).size < 1_000_000)
})

test.serial('a slow reader keeps memory bounded', async (t) => {
  const result = join(temporaryDirectory(t), 'result')
  const { stdout } = await shell(`${run(`write 200 1000000 ${result}`)} | (sleep 1; wc -c)`)
  t.is(stdout.trim(), '200000000')
  t.true((resultOf(result).rssMiB ?? Infinity) < 100, JSON.stringify(resultOf(result)))
})

test.serial('process.exit is immediate while stdin is silent and while stdout is stuck', async (t) => {
  for (const command of [
    `sleep 20 | (${run('exit-while-reading')}; echo "$?" >&2)`,
    `(${run('exit-while-writing')}; echo "$?" >&2) | sleep 20`,
  ]) {
    const startMs = performance.now()
    const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    const [line] = (await once(child.stderr, 'data')) as [Buffer]
    endGroup(child)
    t.is(line.toString(), '3\n')
    t.true(performance.now() - startMs < 10_000, command)
  }
})

for (const stdio of ['pipe', 'fifo'] as const) {
  test.serial(`a program ends at once while a silent stdin (${stdio === 'pipe' ? 'socket' : 'FIFO'}) stays open`, async (t) => {
    for (const [mode, code] of [
      ['exit-while-reading', 3],
      ['end-while-open', 0],
    ] as const) {
      const startMs = performance.now()
      const input = stdio === 'pipe' ? 'pipe' : fs.openSync(fifo(t), fs.constants.O_RDWR)
      const child = spawn(process.execPath, [driver, mode], { stdio: [input, 'ignore', 'inherit'] })
      t.deepEqual(await once(child, 'exit'), [code, null])
      t.true(performance.now() - startMs < 5000)
      if (typeof input === 'number') fs.closeSync(input)
    }
  })
}

test.serial('a pipe whose writers were gone before the first read ends, with and without data', async (t) => {
  const result = join(temporaryDirectory(t), 'result')
  t.is((await shell(`true | (sleep 0.2; ${run(`copy 100 ${result}`)})`)).stdout, '')
  t.is(resultOf(result).copiedBytes, 0)
  t.is((await shell(`echo hello | (sleep 0.2; ${run(`copy 3 ${result}`)})`)).stdout, 'hello\n')
})

test.serial('several processes that append to one file through a shared or an own description mix no writes', async (t) => {
  const directory = temporaryDirectory(t)
  const shared = join(directory, 'shared')
  await shell(`(${run('lines 300 a')} & ${run('lines 300 b')} & ${run('lines 300 c')} & wait) > ${shared}`)
  const own = join(directory, 'own')
  await shell(`${run('lines 300 a')} >> ${own} & ${run('lines 300 b')} >> ${own} & ${run('lines 300 c')} >> ${own} & wait`)
  for (const path of [shared, own]) {
    const lines = fs.readFileSync(path, 'latin1').trimEnd().split('\n')
    t.is(lines.length, 900)
    t.true(lines.every((line) => /^(a a+|b b+|c c+)$/.test(line) && line.length === 199))
  }
})

test.serial('commands that share a file on stdin or stdout go on where the one before stopped', async (t) => {
  const directory = temporaryDirectory(t)
  const input = join(directory, 'input')
  fs.writeFileSync(input, 'abcdef')
  const output = join(directory, 'output')
  await shell(`(dd bs=2 count=1 status=none; ${run('copy 100')}; echo end) < ${input} > ${output}`)
  t.is(fs.readFileSync(output, 'utf8'), 'abcdefend\n')
})

test.serial('hasDataReady tells waiting bytes from none, and loses none of them', async (t) => {
  const result = join(temporaryDirectory(t), 'result')
  const child = spawn('sh', ['-c', `cat | ${run(`ready ${result}`)}`], { stdio: ['pipe', 'inherit', 'pipe'] })
  await once(child.stderr, 'data')
  child.stdin.write('abcdef')
  await delay(300)
  child.stdin.end('gh')
  await once(child, 'close')
  t.like(resultOf(result), { readyBefore: false, parts: 'abc+def-gh+' })
})

test.serial('timers fire while a pipe never runs dry', async (t) => {
  const result = join(temporaryDirectory(t), 'result')
  await shell(`head -c 1000000000 /dev/zero | ${run(`timers ${result}`)} > /dev/null`)
  const { fired = 0, expected = 0 } = resultOf(result)
  t.true(expected > 5 && fired >= expected / 3, `${fired} of ${expected}`)
})

test.serial('a descriptor that was opened the other way round is EBADF', async (t) => {
  const directory = temporaryDirectory(t)
  for (const [name, command] of [
    ['write to an input pipe', `echo x | ${run(`write 1 10 ${join(directory, 'a')}`)} >&0`],
    ['read from an output pipe', `${run(`copy 10 ${join(directory, 'a')}`)} <&1 | cat`],
    ['read from an output file', `${run(`copy 10 ${join(directory, 'a')}`)} 0> ${join(directory, 'file')}`],
  ] as const) {
    await shell(command)
    t.is(resultOf(join(directory, 'a')).error, 'EBADF', name)
  }
  await shell(`${run(`copy 10 ${join(directory, 'b')}`)} < ${directory}`)
  t.is(resultOf(join(directory, 'b')).error, 'EISDIR')
})

if (process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0) {
  test.serial(
    'pipes that another user made, which cannot be opened again, carry everything and still know a lost reader',
    async (t) => {
      const { input, sha256 } = bigInput(t, 5_000_000)
      const shared = temporaryDirectory(t)
      fs.chmodSync(shared, 0o777)
      const result = join(shared, 'result')
      const nobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
      const reopened = await shell(`true | ${nobody} sh -c ': < /proc/self/fd/0'`)
      t.regex(reopened.stderr, /[Pp]ermission denied/, 'else this tests nothing')
      const { stdout } = await shell(`cat ${input} | ${nobody} ${run(`copy 65536 ${result}`)} | cat | sha256sum`)
      t.is(stdout.split(' ')[0], sha256)
      t.like(resultOf(result), { copiedBytes: 5_000_000, acceptedBytes: 5_000_000 })
      await shell(`${nobody} ${run(`write 100 65536 ${result}`)} | head -c 1000 > /dev/null`)
      t.is(resultOf(result).error, 'EPIPE')
    },
  )
}

test.serial('without a `cat` to run, a socket is an error and not an empty input or a lost output', async (t) => {
  const directory = temporaryDirectory(t)
  for (const mode of ['copy 100', 'write 1 100000']) {
    const result = join(directory, 'result')
    const child = spawn(process.execPath, [driver, ...mode.split(' '), result], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: '/nothing' },
    })
    child.stdout.resume()
    await once(child, 'close')
    t.is(resultOf(result).error, 'EIO')
  }
})

test.serial('a closed stdin is an empty input', async (t) => {
  const result = join(temporaryDirectory(t), 'result')
  await shell(`${run(`copy 10 ${result}`)} <&-`)
  t.like(resultOf(result), { copiedBytes: 0 })
})

if (spawnSync('script', ['--version']).status === 0) {
  test.serial('a terminal is told from other streams, has columns, and carries lines both ways', async (t) => {
    const directory = temporaryDirectory(t)
    const [look, copied] = [join(directory, 'look'), join(directory, 'copied')]
    const command = [
      'stty cols 93 -echo',
      run(`look ${look}`),
      run(`copy 100 ${copied}`),
      `${run(`look ${look}2`)} | cat`,
    ].join('; ')
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    while (!fs.existsSync(look)) await delay(20)
    await delay(300)
    child.stdin.write('first line\n')
    while (!output.includes('first line')) await delay(20)
    child.stdin.write('second line\n\u0004')
    await once(child, 'close')
    t.like(resultOf(look), { stdin: true, stdout: true, columns: 93 })
    t.like(resultOf(`${look}2`), { stdin: true, stdout: false, columns: 'none' })
    t.like(resultOf(copied), { copiedBytes: 'first line\nsecond line\n'.length })
    t.true(output.includes('second line'))
  })
}

test.serial(
  'openInputFile() reads a file, a FIFO whose writer comes late, and an inherited descriptor; refuses what is not there',
  async (t) => {
    const directory = temporaryDirectory(t)
    const path = join(directory, 'file')
    fs.writeFileSync(path, 'in a file')
    t.is(await textOf(openInputFile(path)), 'in a file')
    t.is(openInputFile(path).name, path)
    t.throws(() => openInputFile(join(directory, 'nothing')), { code: 'ENOENT' })

    const fifoPath = fifo(t)
    const reading = textOf(openInputFile(fifoPath))
    await delay(100)
    spawnSync('sh', ['-c', `echo late > ${fifoPath}`])
    t.is(await reading, 'late\n')
  },
)

test.serial('read() gives undefined at an abort, and the bytes to the next call', async (t) => {
  const path = fifo(t)
  const fd = fs.openSync(path, fs.constants.O_RDWR)
  t.teardown(() => fs.closeSync(fd))
  const input = openInput(fd, 'test')
  const buffer = new Uint8Array(10)
  t.is(await input.read(buffer, AbortSignal.timeout(30)), undefined)
  t.is(await input.read(buffer, AbortSignal.abort()), undefined)
  const reading = input.read(buffer)
  fs.writeSync(fd, 'x')
  t.is(await reading, 1)
  const closing = input.read(buffer)
  await delay(20)
  input.close()
  input.close()
  t.is(await closing, undefined)
  t.is(await input.read(buffer), undefined)
  t.false(input.hasDataReady())
})

test.serial('write() keeps the order of writes that were not waited for', async (t) => {
  const path = fifo(t)
  const fd = fs.openSync(path, fs.constants.O_RDWR)
  const output = openOutput(fd)
  const input = openInput(fd, 'test')
  const writes = []
  for (let i = 0; i < 50; i += 1) writes.push(output.write(Buffer.alloc(10_000, i)))
  const buffer = new Uint8Array(500_000)
  let filled = 0
  while (filled < buffer.length) filled += (await input.read(buffer.subarray(filled))) ?? 0
  await Promise.all(writes)
  t.is(output.acceptedBytes, 500_000)
  t.true(buffer.every((byte, index) => byte === Math.floor(index / 10_000)))
  await output.close()
  input.close()
  fs.closeSync(fd)
})

test.serial('streams that were never used open nothing, and closing gives back every descriptor', async (t) => {
  const path = fifo(t)
  const fd = fs.openSync(path, fs.constants.O_RDWR)
  t.teardown(() => fs.closeSync(fd))
  const before = fs.readdirSync('/proc/self/fd').length
  const unused = openOutput(fd)
  const input = openInput(fd, 'test')
  const output = openOutput(fd)
  t.is(fs.readdirSync('/proc/self/fd').length, before)
  await output.write(Buffer.from('x'))
  await input.read(new Uint8Array(1))
  await input.read(new Uint8Array(1), AbortSignal.timeout(10))
  t.is(fs.readdirSync('/proc/self/fd').length, before + 2)
  await unused.close()
  await output.close()
  input.close()
  await delay(20)
  t.is(fs.readdirSync('/proc/self/fd').length, before)
})

type Context = { teardown(fn: () => void): void }

function run(args: string): string {
  return `${process.execPath} ${driver} ${args}`
}

async function shell(
  command: string,
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
): Promise<{ stdout: string; stderr: string }> {
  const child = spawn('sh', ['-c', command], { stdio })
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
  await once(child, 'close')
  return { stdout: await stdout, stderr: await stderr }
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  if (stream !== null) for await (const chunk of stream) text += chunk.toString()
  return text
}

async function textOf(input: ReturnType<typeof openInput>): Promise<string> {
  const buffer = new Uint8Array(4)
  let text = ''
  for (;;) {
    const bytesRead = await input.read(buffer)
    if (bytesRead === undefined || bytesRead === 0) break
    text += Buffer.from(buffer.subarray(0, bytesRead)).toString()
  }
  input.close()
  return text
}

function resultOf(path: string): DriverResult {
  return JSON.parse(fs.readFileSync(path, 'utf8')) as DriverResult
}

function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
}

function bigInput(t: Context, size: number): { input: string; sha256: string } {
  const input = join(temporaryDirectory(t), 'input')
  const block = randomBytes(1_000_000)
  const fd = fs.openSync(input, 'w')
  const hash = createHash('sha256')
  for (let i = 0; i < size / block.length; i += 1) {
    block.writeUInt32LE(i)
    fs.writeSync(fd, block)
    hash.update(block)
  }
  fs.closeSync(fd)
  return { input, sha256: hash.digest('hex') }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function fifo(t: Context): string {
  const path = join(temporaryDirectory(t), 'fifo')
  spawnSync('mkfifo', [path])
  return path
}

function temporaryDirectory(t: Context): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'logq-streams-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}
