/**
 * A program on the standard streams of lib/system, for tests that need real shells, pipes and terminals around it. Results go to
 * the file named by the last argument, since the streams are what is being tested.
 *
 *     copy BUFFER RESULT        stdin to stdout through a buffer of that many bytes
 *     write COUNT SIZE RESULT   COUNT writes of SIZE bytes of '.'
 *     lines COUNT TAG RESULT    COUNT writes of a line of 200 bytes that begins with TAG
 *     exit-while-reading        begins a read, then calls process.exit(3) 50 ms later
 *     end-while-open            waits 50 ms for a read, gives up, and returns from main without closing anything
 *     exit-while-writing        fills stdout until it waits, then calls process.exit(3)
 *     ready RESULT              asks hasDataReady, writes 'asked' to stderr, reads everything
 *     timers RESULT             copies stdin while counting the firings of a 10 ms timer
 *     look RESULT               what isTerminal and columns say
 */
import fs from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { systemErrorCode } from '../../lib/errors.js'
import { openStandardStreams } from '../../lib/system/standard-streams.js'

/** What a run leaves in its RESULT file; which parts depends on the mode. */
export interface DriverResult {
  error?: string
  acceptedBytes?: number
  copiedBytes?: number
  rssMiB?: number
  read?: string
  readyBefore?: boolean
  parts?: string
  fired?: number
  expected?: number
  stdin?: boolean
  stdout?: boolean
  columns?: number | string
}

const streams = openStandardStreams()
const [mode, ...args] = process.argv.slice(2)
const result: DriverResult = {}

try {
  if (mode === 'copy') {
    result.copiedBytes = await copy(Number(args[0]))
  } else if (mode === 'write') {
    const bytes = new Uint8Array(Number(args[1])).fill(0x2e)
    for (let i = 0; i < Number(args[0]); i += 1) await streams.stdout.write(bytes)
  } else if (mode === 'lines') {
    const line = Buffer.from(`${args[1]} `.padEnd(199, args[1]) + '\n')
    for (let i = 0; i < Number(args[0]); i += 1) await streams.stdout.write(line)
  } else if (mode === 'exit-while-reading') {
    void streams.stdin.read(new Uint8Array(10))
    await delay(50)
    process.exit(3)
  } else if (mode === 'end-while-open') {
    result.read = String(await streams.stdin.read(new Uint8Array(10), AbortSignal.timeout(50)))
  } else if (mode === 'exit-while-writing') {
    for (let i = 0; i < 100; i += 1) void streams.stdout.write(new Uint8Array(65_536))
    await delay(100)
    process.exit(3)
  } else if (mode === 'ready') {
    result.readyBefore = streams.stdin.hasDataReady()
    await streams.stderr.write(Buffer.from('asked\n'))
    const buffer = new Uint8Array(3)
    const parts: string[] = []
    for (;;) {
      const bytesRead = await streams.stdin.read(buffer)
      if (bytesRead === undefined || bytesRead === 0) break
      parts.push(Buffer.from(buffer.subarray(0, bytesRead)).toString())
      await delay(20)
      parts.push(streams.stdin.hasDataReady() ? '+' : '-')
    }
    result.parts = parts.join('')
  } else if (mode === 'timers') {
    let fired = 0
    const timer = setInterval(() => {
      fired += 1
    }, 10)
    const startMs = performance.now()
    await copy(65_536)
    clearInterval(timer)
    result.expected = Math.floor((performance.now() - startMs) / 10)
    result.fired = fired
  } else if (mode === 'look') {
    const { stdin, stdout } = streams
    Object.assign(result, { stdin: stdin.isTerminal, stdout: stdout.isTerminal, columns: stdout.columns ?? 'none' })
  }
  await streams.stdout.close()
} catch (error) {
  result.error = systemErrorCode(error) ?? String(error)
}
result.acceptedBytes = streams.stdout.acceptedBytes
result.rssMiB = Math.round(process.resourceUsage().maxRSS / 1024)
const resultPath = args[args.length - 1] ?? ''
if (resultPath.startsWith('/')) fs.writeFileSync(resultPath, JSON.stringify(result))
process.exitCode = 'error' in result ? 1 : 0

async function copy(bufferBytes: number): Promise<number> {
  const buffer = new Uint8Array(bufferBytes)
  let copied = 0
  for (;;) {
    const bytesRead = await streams.stdin.read(buffer)
    if (bytesRead === undefined || bytesRead === 0) return copied
    await streams.stdout.write(buffer.subarray(0, bytesRead))
    copied += bytesRead
  }
}
