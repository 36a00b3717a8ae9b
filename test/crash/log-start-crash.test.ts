/** The moving of a log start, killed and cut off before each of its changes of the disk. */
import test from 'ava'
import { advanceLogStart } from '../../lib/log/advance-log-start.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { listSegments, logStartOffset } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { batch, createTiny, fill, readAll, tinyContext } from '../log/tiny-log.js'
import { crashEverywhere } from './crash-everywhere.js'

const CONFIG = { segmentBytes: 220 }

test('a log start that is moved, killed anywhere: it never goes back, and there is no hole', async (t) => {
  const { behind } = await crashEverywhere({
    prepare: async (system) => {
      await fill(
        createTiny(system, CONFIG),
        Array.from({ length: 12 }, (_, n) => [`value ${n}`]),
      )
    },
    run: async (system) => {
      const context = tinyContext(system, CONFIG)
      await advanceLogStart(context, () => 4)
      await advanceLogStart(context, () => 9)
    },
    check: async (after, { passed }) => {
      const context = tinyContext(after, CONFIG)
      const start = logStartOffset({ ...context, isContiguous: true }, listSegments(context))
      const moved = passed.filter((name) => name === 'log-start.after-write').length
      const least = moved === 0 ? 0 : moved === 1 ? 4 : 9
      if (start < least) throw new Error(`the log starts at ${start}, and was at ${least}`)
      const log = Log.open(context)
      await log.append(batch(['probe']))
      await log.close()
      const read = (await readAll({ ...context, isContiguous: true } as LogContext, start)).map((record) =>
        Number(record.split(':')[0]),
      )
      const expected = Array.from({ length: 13 - start }, (_, n) => start + n)
      if (read.join() !== expected.join()) throw new Error(`read ${read.join()} from ${start} on`)
      await advanceLogStart(context, () => 0)
      const { check } = await inspectPartition(context, { gapsAreNormal: false, isOwn: true })
      const bad = check.findings.filter(({ kind }) => kind === 'damage')
      if (bad.length > 0) throw new Error(JSON.stringify(bad))
    },
  })
  t.true((behind.get('log-start.after-write') ?? 0) > 0)
  t.true((behind.get('log-start.after-unlink') ?? 0) > 0)
})
