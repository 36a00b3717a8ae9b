import test from 'ava'
import fc from 'fast-check'
import { createOutputWriter } from '../../cli/output.js'
import { isLogqError } from '../../lib/errors.js'
import { nodeClock } from '../../lib/system/node-clock.js'
import { MemoryOutput, systemError } from '../helpers/fake-world.js'

function makeWriter(stream: MemoryOutput, bufferBytes = 100, signal = new AbortController().signal) {
  return createOutputWriter(stream, { clock: nodeClock, signal, bufferBytes })
}

/** A gate that holds writes until it is opened. */
function makeGate() {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

test('OutputWriter delivers every byte in order, whatever the sizes', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), async (parts) => {
      const stream = new MemoryOutput()
      const writer = makeWriter(stream)
      for (const part of parts) {
        const wait = writer.write(part)
        if (wait !== undefined) await wait
      }
      await writer.flush()
      return stream.bytes().equals(Buffer.concat(parts)) && writer.acceptedBytes === writer.writtenBytes
    }),
    { numRuns: 100 },
  )
  t.pass()
})

test('OutputWriter.write() makes the caller wait when both buffers are full, and not before', async (t) => {
  const stream = new MemoryOutput()
  const gate = makeGate()
  stream.beforeWrite = () => gate.opened
  const writer = makeWriter(stream)
  const full = new Uint8Array(100)
  t.is(writer.write(full), undefined)
  t.is(writer.write(full.subarray(1)), undefined)
  const wait = writer.write(full)
  t.not(wait, undefined)
  t.is(writer.acceptedBytes, 0)
  gate.open()
  await wait
  await writer.flush()
  t.is(stream.bytes().length, 299)
})

test('OutputWriter does not change bytes that are being written', async (t) => {
  const stream = new MemoryOutput()
  const gate = makeGate()
  stream.beforeWrite = () => gate.opened
  const writer = makeWriter(stream)
  t.is(writer.write(new Uint8Array(100).fill(1)), undefined)
  t.is(writer.write(new Uint8Array(50).fill(2)), undefined)
  gate.open()
  await writer.flush()
  t.deepEqual([...new Set(stream.bytes().subarray(0, 100))], [1])
  t.deepEqual([...new Set(stream.bytes().subarray(100))], [2])
})

test('OutputWriter.flush() may be called while another flush waits', async (t) => {
  const stream = new MemoryOutput()
  const writer = makeWriter(stream)
  const flushes: Promise<void>[] = []
  for (let i = 0; i < 20; i++) {
    writer.buffer.append(Buffer.from(`${i},`))
    flushes.push(writer.flush())
  }
  await Promise.all(flushes)
  t.is(stream.text(), Array.from({ length: 20 }, (_, i) => `${i},`).join(''))
})

test('OutputWriter takes a closed pipe for success and drops what follows', async (t) => {
  const stream = new MemoryOutput()
  stream.beforeWrite = () => {
    throw systemError('EPIPE', 'broken pipe', 'write')
  }
  const writer = makeWriter(stream)
  t.false(writer.readerClosed)
  await writer.write(new Uint8Array(100))
  await writer.flush()
  t.true(writer.readerClosed)
  for (let i = 0; i < 10; i++) await writer.write(new Uint8Array(1000))
  await writer.flush()
  t.is(writer.acceptedBytes, 0)
  t.true(writer.buffer.bytes.length < 10_000)
})

test('OutputWriter reports a refused write at the next call, as LOGQ_IO naming standard output', async (t) => {
  const stream = new MemoryOutput()
  stream.beforeWrite = () => {
    throw systemError('ENOSPC', 'no space left on device', 'write')
  }
  const writer = makeWriter(stream)
  t.is(writer.write(new Uint8Array(100)), undefined)
  const error = await t.throwsAsync(() => writer.flush())
  t.true(isLogqError(error, 'LOGQ_IO'))
  t.is(error.message, 'cannot write standard output: no space left on device')
  await t.throwsAsync(async () => {
    await writer.write(new Uint8Array(100))
  })
  await t.throwsAsync(() => writer.flush(), undefined, 'an error is not forgotten')
})

test('OutputWriter stops waiting a moment after a signal when nobody reads', async (t) => {
  const stream = new MemoryOutput()
  stream.beforeWrite = () => makeGate().opened
  const controller = new AbortController()
  const writer = makeWriter(stream, 100, controller.signal)
  t.is(writer.write(new Uint8Array(100)), undefined)
  const flushed = writer.flush()
  const startedMs = nodeClock.monotonicMs()
  controller.abort()
  const error = await t.throwsAsync(flushed)
  t.true(isLogqError(error, 'LOGQ_ABORTED'))
  t.true(nodeClock.monotonicMs() - startedMs < 5000)
})

test('OutputWriter still delivers after a signal to a reader who reads', async (t) => {
  const stream = new MemoryOutput()
  const controller = new AbortController()
  controller.abort()
  const writer = makeWriter(stream, 100, controller.signal)
  await writer.writeText('offsets\n')
  await writer.flush()
  t.is(stream.text(), 'offsets\n')
})

test('OutputWriter does not keep the buffer of a huge record', async (t) => {
  const stream = new MemoryOutput()
  const writer = makeWriter(stream)
  await writer.write(new Uint8Array(8 * 1024 * 1024))
  await writer.flush()
  await writer.write(new Uint8Array(100))
  await writer.flush()
  await writer.write(new Uint8Array(100))
  await writer.flush()
  t.true(writer.buffer.bytes.length <= 2 * 1024 * 1024)
})

test('OutputWriter.writeThrough() keeps the order among all who write, copies nothing, and counts', async (t) => {
  const stream = new MemoryOutput()
  const writer = makeWriter(stream)
  const large = new Uint8Array(1000).fill(1)
  const end = Uint8Array.of(9)
  const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill)
  // Two that take turns, as two followed topics do.
  const one = async (): Promise<void> => {
    await writer.write(bytes(10, 2))
    await writer.writeThrough(large, end)
    await writer.write(bytes(10, 3))
  }
  const other = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await writer.write(bytes(60, 4))
  }
  await Promise.all([one(), other(), writer.writeThrough(large, end)])
  await writer.flush()
  const written = stream.bytes()
  t.is(written.length, 2 * 1001 + 20 + 20 * 60)
  t.is(writer.acceptedBytes, writer.writtenBytes)
  for (let at = written.indexOf(large), count = 0; count < 2; at = written.indexOf(large, at + 1), count += 1) {
    t.is(written[at + 1000], 9, 'what belongs behind it stands behind it')
  }
})

test('OutputWriter.writeThrough() throws what the write says, and drops bytes when nobody reads any more', async (t) => {
  for (const code of ['EIO', 'EPIPE']) {
    const stream = new MemoryOutput()
    stream.beforeWrite = () => Promise.reject(systemError(code, 'it failed', 'write'))
    const writer = makeWriter(stream)
    const writing = writer.writeThrough(new Uint8Array(1000))
    if (code === 'EIO') await t.throwsAsync(writing, { code: 'LOGQ_IO' })
    else {
      await writing
      t.true(writer.readerClosed)
      await writer.writeThrough(new Uint8Array(1000), Uint8Array.of(9))
      t.is(stream.bytes().length, 0)
    }
  }
})
