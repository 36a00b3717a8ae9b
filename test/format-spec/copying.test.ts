/** ordering.md, "Copying and backing up": a copy made file by file while others append is a prefix of the log, in that order only. */
import test from 'ava'
import { createPartition } from '../../lib/log/create-partition.js'
import { segmentBaseOffsets, segmentFileName } from '../../lib/log/file-names.js'
import { Log } from '../../lib/log/log.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { digestPartition } from '../../lib/maintain/digest.js'
import { BatchBuilder } from '../../lib/record/batch-builder.js'
import { createPartitionInMemory } from './partition-in-memory.js'

const TIMESTAMP_MS = 1_700_000_000_000

async function appendOne(log: Log): Promise<number> {
  const builder = new BatchBuilder({ codec: 'none' })
  builder.append({ key: null, value: Buffer.from('x'.repeat(40)), headers: [], timestampMs: TIMESTAMP_MS })
  const { baseOffset } = await log.append({ bytes: builder.seal().bytes, lastOffsetDelta: 0, maxTimestampMs: TIMESTAMP_MS })
  return baseOffset
}

interface CopyOrder {
  /** Records in the log before copying begins. Three of them fill a segment. */
  readonly records: number
  readonly first: readonly string[]
  readonly logs: (ascending: readonly string[]) => readonly string[]
  readonly last: readonly string[]
  /** Segments that appear meanwhile are copied as well. */
  readonly listsAgain?: boolean
}

/** Copies a partition while `perFile` records are appended before each file; gives the number of records in the copy, and its end. */
async function copyWhileAppending(order: CopyOrder, perFile: number): Promise<{ records: number; end: number }> {
  const { system, context, get } = createPartitionInMemory({ segmentBytes: 400 })
  const { fs } = system
  const log = Log.open(context)
  for (let n = 0; n < order.records; n += 1) await appendOne(log)

  const copy: LogContext = { ...context, directory: '/copy-0' }
  createPartition(system, copy.directory, context.ownership)
  for (const name of fs.list(copy.directory)) fs.unlink(`${copy.directory}/${name}`)
  const copyAll = async (names: readonly string[]) => {
    for (const name of names) {
      for (let n = 0; n < perFile; n += 1) await appendOne(log)
      await log.sync()
      const bytes = get(name) ?? Buffer.alloc(0)
      const fd = fs.open(`${copy.directory}/${name}`, 'create')
      fs.write(fd, bytes, 0, bytes.length, 0)
      fs.close(fd)
    }
  }
  await copyAll(order.first)
  const list = () => segmentBaseOffsets(fs.list(context.directory)).map((base) => segmentFileName(base, '.log'))
  const logs = list()
  await copyAll(order.logs(logs))
  if (order.listsAgain === true) await copyAll(list().filter((name) => !logs.includes(name)))
  await copyAll(order.last)
  await log.close()

  const copied = Log.open(copy)
  const end = await appendOne(copied)
  await copied.close()
  const { recordCount } = await digestPartition(copy, 0, end)
  return { records: recordCount, end }
}

const epochs = ['leader-epoch-checkpoint', 'leader-epoch-ids']
const newestFirst = (ascending: readonly string[]) => ascending.toReversed()

test('ordering.md: a copy in the order of the page is a prefix of the log, however much is appended meanwhile', async (t) => {
  for (const last of [epochs, [...epochs, 'lock']]) {
    for (const records of [9, 10, 11]) {
      for (const perFile of [0, 1, 4]) {
        const copy = await copyWhileAppending({ records, first: ['recovery-point'], logs: newestFirst, last }, perFile)
        t.is(copy.records, copy.end)
        t.true(copy.end >= records)
      }
    }
  }
})

test('ordering.md: the order matters: a recovery point that is copied last names offsets that the copy lacks', async (t) => {
  const order = { records: 10, first: [], logs: newestFirst, last: [...epochs, 'recovery-point'] }
  const error = await t.throwsAsync(copyWhileAppending(order, 10))
  t.regex(error.message, /synced records .* are missing/)
})

test('ordering.md: the order matters: a segment that appears after the listing would follow a hole', async (t) => {
  const order = { records: 9, first: ['recovery-point'], logs: newestFirst, last: epochs, listsAgain: true }
  const copy = await copyWhileAppending(order, 1)
  t.true(copy.records < copy.end)
})
