/** What must hold of a partition after any death: the rules of a log, as throws that say what is wrong. */
import { isLogqError } from '../../lib/errors.js'
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX, parseSegmentFileName } from '../../lib/log/file-names.js'
import { listSegments, logEndOffset, logStartOffset, offsetForTimestamp, openAtOffset } from '../../lib/log/log-view.js'
import type { LogContext } from '../../lib/log/log-context.js'
import { Log } from '../../lib/log/log.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { DIRECTORY, START_MS, batch, bases, names, pathOf, readAll, readWhatCanBeRead, tinyContext } from '../log/tiny-log.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import type { LogConfig } from '../../lib/log/log-context.js'

export interface Expectations {
  /** `offset:value` of what was acknowledged as synced. */
  readonly synced: readonly string[]
  /** The same of what was only appended: it is there after a kill. */
  readonly appended: readonly string[]
  /** Whether whole records may have to go to quarantine: a power cut may do that to what was not synced. */
  readonly mayQuarantine?: boolean
}

/** Readers, then a writer that opens it without help, then readers again. */
export async function judgeLog(
  system: FakeSystem,
  config: Partial<LogConfig>,
  expected: Expectations,
  rebooted: boolean,
): Promise<void> {
  const context = tinyContext(system, config)
  const promised = rebooted ? expected.synced : expected.appended
  const before = expected.mayQuarantine === true ? await readWhatCanBeRead(context) : await readAll(context)
  holds(promised, before, 'before recovery')
  const appended = await appendOnce(context, expected.mayQuarantine === true)
  const after = await readAll(context)
  holds(promised, after, 'after recovery')
  if (!after.at(-1)?.endsWith(':probe') || !after.at(-1)?.startsWith(`${appended}:`)) {
    throw new Error(`the record appended at ${appended} is not the last one: ${after.join(' ')}`)
  }
  const survivors = before.filter((record, n) => after[n] === record)
  if (survivors.length < before.length) throw new Error(`readers saw ${before.join(' ')}, then ${after.join(' ')}`)
  judgeOrder(context, after)
  judgeLitter(system)
  await judgeIndexes(context)
  await judgeCheck(context)
}

/** fsck has nothing to say of a log that was recovered. */
async function judgeCheck(context: LogContext): Promise<void> {
  const { check } = await inspectPartition(context, { gapsAreNormal: false, isOwn: true })
  const damage = check.findings.filter(({ kind }) => kind !== 'note')
  if (damage.length > 0) throw new Error(`fsck: ${JSON.stringify(damage)}`)
}

/** The offset at which a new record landed. One quarantine report is passed over: the next command goes on. */
export async function appendOnce(context: LogContext, mayQuarantine = false): Promise<number> {
  const log = Log.open(context)
  try {
    const append = () => log.append(batch(['probe'], START_MS + 1_000_000))
    const { baseOffset } = await append().catch((error: unknown) => {
      if (mayQuarantine && isLogqError(error, 'LOGQ_CORRUPT') && error.message.includes('quarantine')) return append()
      throw error
    })
    await log.sync()
    return baseOffset
  } finally {
    await log.close()
  }
}

function holds(promised: readonly string[], records: readonly string[], when: string): void {
  const present = new Set(records)
  const missing = promised.filter((record) => !present.has(record))
  if (missing.length > 0) throw new Error(`${when}: ${missing.join(' ')} is missing from ${records.join(' ')}`)
}

function judgeOrder(context: LogContext, records: readonly string[]): void {
  const start = logStartOffset(context, listSegments(context))
  const values = new Set<string>()
  for (const [n, record] of records.entries()) {
    const [offset, value = ''] = record.split(':')
    if (Number(offset) !== start + n) throw new Error(`offset ${start + n} is missing: ${records.join(' ')}`)
    if (values.has(value)) throw new Error(`'${value}' is there twice: ${records.join(' ')}`)
    values.add(value)
  }
}

const KNOWN = ['lock', 'recovery-point', 'leader-epoch-checkpoint', 'leader-epoch-ids', 'quarantine', 'log-start-offset']

/** Nothing but what belongs to the partition; an index only beside its .log. */
export function judgeLitter(system: FakeSystem): void {
  const present = bases(system)
  for (const name of names(system)) {
    if (KNOWN.includes(name) || parseSegmentFileName(name, LOG_SUFFIX) !== undefined) continue
    const base = parseSegmentFileName(name, OFFSET_INDEX_SUFFIX) ?? parseSegmentFileName(name, TIME_INDEX_SUFFIX)
    if (base === undefined || !present.includes(base)) throw new Error(`'${name}' is litter`)
  }
  if (!names(system).includes('quarantine')) return
  for (const name of names(system, `${DIRECTORY}/quarantine`)) {
    if (!/^\d+\.\d+\.\d+(\.\d+)?$/.test(name)) throw new Error(`quarantine/${name} is litter`)
  }
}

/** Look-ups with the indexes give what a walk over everything gives. */
export async function judgeIndexes(context: LogContext): Promise<void> {
  const { fs } = context.system
  const segments = listSegments(context)
  const places = segments.flatMap((base) => {
    const fd = fs.open(pathOf(base), 'read')
    try {
      return [...new BatchPlaces(fs, fd).from(0)].map((place) => ({ ...place, base }))
    } finally {
      fs.close(fd)
    }
  })
  const end = logEndOffset(context, segments)
  for (let offset = logStartOffset(context, segments); offset < end; offset += 1) {
    const opened = openAtOffset(context, segments, offset)
    if (opened === undefined) throw new Error(`offset ${offset} is nowhere`)
    fs.close(opened.fd)
    const place = places.find(({ lastOffset }) => lastOffset >= offset)
    const { segmentBaseOffset, position } = opened
    if (place?.base !== segmentBaseOffset || place.position !== position) {
      throw new Error(
        `offset ${offset} is looked up at ${segmentBaseOffset}/${position}, and is at ${place?.base}/${place?.position}`,
      )
    }
  }
  const times = new Set(places.flatMap(({ maxTimestampMs }) => [maxTimestampMs - 1, maxTimestampMs, maxTimestampMs + 1]))
  for (const timestampMs of times) {
    // Every record of a batch has the batch's timestamp here.
    const place = places.find(({ maxTimestampMs }) => maxTimestampMs >= timestampMs)
    const found = await offsetForTimestamp(context, segments, timestampMs)
    if (found !== place?.baseOffset)
      throw new Error(`time ${timestampMs} is looked up at ${found}, and is at ${place?.baseOffset}`)
  }
}
