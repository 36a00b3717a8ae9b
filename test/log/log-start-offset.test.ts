import test from 'ava'
import { advanceLogStart } from '../../lib/log/advance-log-start.js'
import { Log } from '../../lib/log/log.js'
import { isLogqError } from '../../lib/errors.js'
import { readLogStartOffset, writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { formatLogStartOffset, parseLogStartOffset } from '../../lib/log/log-start-offset.js'
import { listSegments, logStartOffset } from '../../lib/log/log-view.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, batch, createTiny, fill, overwrite, readAll } from './tiny-log.js'

test('a log start offset is read back, and no wrong bit of it passes', (t) => {
  for (const offset of [0, 1, 4711, Number.MAX_SAFE_INTEGER]) {
    const bytes = formatLogStartOffset(offset)
    t.is(parseLogStartOffset(bytes), offset)
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const wrong = bytes.slice()
      wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      t.is(parseLogStartOffset(wrong), undefined)
    }
    for (let length = 0; length < bytes.length; length += 1) t.is(parseLogStartOffset(bytes.subarray(0, length)), undefined)
  }
})

test('the log start offset is the first segment without the file, and never below it', async (t) => {
  const context = createTiny(createFakeSystem())
  await fill(context, [['a'], ['b'], ['c']])
  t.is(readLogStartOffset(context), undefined)
  t.is(logStartOffset(context, listSegments(context)), 0)
  writeLogStartOffset(context, 2)
  t.is(logStartOffset(context, [0]), 2)
  t.is(logStartOffset(context, [7]), 7)
  t.is(logStartOffset({ ...context, knownLogStartOffset: 5 }, [0]), 5)
  t.is(logStartOffset(context, []), 2)
})

test('a log start offset that cannot be read is corruption, with its file', (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  overwrite(system, `${DIRECTORY}/log-start-offset`, Buffer.from('7'))
  const error = t.throws(() => readLogStartOffset(context))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.regex(error.message, /log-start-offset/)
})

test('a log start never moves beyond the log end, whatever is asked for', async (t) => {
  for (const records of [[], [['a'], ['b'], ['c']]]) {
    const context = createTiny(createFakeSystem(), { segmentBytes: 100 })
    await fill(context, records)
    const moved = await advanceLogStart(context, () => 1000)
    t.is(moved.toOffset, records.length)
    t.is(logStartOffset(context, listSegments(context)), records.length)
    const log = Log.open(context)
    t.is((await log.append(batch(['next']))).baseOffset, records.length)
    await log.close()
    t.deepEqual(await readAll(context, moved.toOffset), [`${records.length}:next`])
  }
})
