/** A log with keys that are written again and deleted, compacted by a process that dies on the way, and what must hold afterwards. */
import type { LogContext } from '../../lib/log/log-context.js'
import { listSegments, logEndOffset, logStartOffset } from '../../lib/log/log-view.js'
import { Log } from '../../lib/log/log.js'
import { readPartition } from '../../lib/log/read-partition.js'
import { compactPartition, type CompactionSettings } from '../../lib/maintain/compact/compact-partition.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { START_MS, batchOfRecords, createTiny, names, tinyContext } from '../log/tiny-log.js'
import type { Scenario } from './crash-everywhere.js'
import { appendOnce } from './judge-log.js'

const CONFIG = { segmentBytes: 220 }
const SETTINGS: CompactionSettings = {
  minDirtyRatio: 0,
  minLagMs: 0,
  maxLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 0,
  keepCount: 1,
  memoryBytes: 1 << 16,
  includesActive: false,
  segmentMs: 1e12,
}

/** Two of the keys are deleted in the end, and the first segment has nothing that stays. */
const KEYS = ['gone', 'a', 'b', 'gone', 'a', 'b', 'c', 'late', 'a', 'b', '-gone', 'c', '-late', 'a', 'end']

async function prepare(system: FakeSystem): Promise<void> {
  const log = Log.open(createTiny(system, CONFIG))
  for (const [n, key] of KEYS.entries()) {
    const value = key.startsWith('-') ? null : Buffer.from(`value ${n}`)
    await log.append(batchOfRecords([{ key: Buffer.from(key.replace('-', '')), value, timestampMs: START_MS }]))
  }
  await log.sync()
  await log.close()
}

/** Without the probes that the test appends. */
async function offsetsOf(context: LogContext): Promise<number[]> {
  const found: number[] = []
  for await (const { batch: one } of readPartition(context, 0, logEndOffset(context, listSegments(context))))
    for (const { offset } of one.records()) if (offset < KEYS.length) found.push(offset)
  return found
}

/** What a reader that keeps the last value of each key comes to. */
function state(offsets: readonly number[]): string {
  const values = new Map<string, number>()
  for (const offset of offsets) {
    const key = KEYS[offset] ?? ''
    if (key.startsWith('-')) values.delete(key.slice(1))
    else values.set(key, offset)
  }
  return [...values]
    .map(([key, offset]) => `${key},${offset}`)
    .sort()
    .join(' ')
}

const ALL = KEYS.map((_, offset) => offset)

/** Of so many passes: with two, the second one removes the tombstones. */
export function compaction(passes: number): Scenario {
  return {
    prepare,
    run: async (system) => {
      for (let pass = 0; pass < passes; pass += 1)
        await compactPartition(tinyContext(system, CONFIG), tinyContext(system), SETTINGS)
    },
    check: async (after) => {
      const context = tinyContext(after, CONFIG)
      const found = await offsetsOf(context)
      if (state(found) !== state(ALL)) throw new Error(`the last values are ${state(found)}, of offsets ${found.join(' ')}`)
      if (found.some((offset, n) => n > 0 && offset <= (found[n - 1] ?? -1)))
        throw new Error(`out of order: ${found.join(' ')}`)
      if (logStartOffset(context, listSegments(context)) !== 0) throw new Error('the log start moved')
      const appended = await appendOnce(context)
      if (appended !== KEYS.length) throw new Error(`a record was appended at ${appended}`)
      const { check } = await inspectPartition(context, { gapsAreNormal: true, isOwn: true })
      const bad = check.findings.filter(({ kind }) => kind === 'damage')
      if (bad.length > 0) throw new Error(JSON.stringify(bad))
      // The next run goes on, and leaves no litter.
      await compactPartition(context, context, SETTINGS)
      const end = await offsetsOf(context)
      if (state(end) !== state(ALL)) throw new Error(`after another run the last values are ${state(end)}`)
      const litter = names(after).filter((name) => name === 'cleaner' || name.startsWith('.tmp'))
      if (litter.length > 0) throw new Error(`left behind: ${litter.join(' ')}`)
    },
  }
}
