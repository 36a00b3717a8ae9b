/** A partition of every shape that records and batches have: three segments, five codecs, keys, headers, nulls; and what reads it. */
import { CorruptionError } from '../../lib/errors.js'
import { resolveOffsets } from '../../lib/consume/offset-spec.js'
import { readRecordsOf, type PlacedRecord } from '../../lib/consume/placed-record.js'
import { Log } from '../../lib/log/log.js'
import type { ViewContext } from '../../lib/log/log-view.js'
import { CODECS, loadCodec } from '../../lib/record/compression.js'
import type { RecordToAppend } from '../../lib/record/batch-builder.js'
import type { PassedOver } from '../../lib/log/damage.js'
import type { Direction } from '../../lib/log/slice-walk.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, START_MS, batchOfRecords, createTiny, readAll, tinyContext } from '../log/tiny-log.js'
import type { Config } from './damaged-partition.js'

/** Three batches, or more, a segment. */
export const RICH_CONFIG: Config = { segmentBytes: 480 }
/** Two records each: a batch for each codec, over and over. */
export const RICH_BATCHES = 11

/** Bytes of no meaning, the same for the same number. */
function noise(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, n) => (n * 131 + seed * 29 + ((n * n) >> 3)) & 0xff)
}

/** The n-th two. A value is `n` with some text, but the second one of each third batch, which is null. */
function twoRecords(n: number): RecordToAppend[] {
  const text = (value: string) => Buffer.from(value)
  return [
    {
      key: n % 2 === 0 ? text(`key ${n}`) : new Uint8Array(0),
      value: text(`first of ${n}`),
      headers: [
        { key: 'trace', value: noise(5, n) },
        { key: '', value: null },
      ],
      timestampMs: START_MS + 10 * n,
    },
    n % 3 === 0
      ? { key: text(`key ${n}`), value: null, timestampMs: START_MS + 10 * n + 3 }
      : { value: text(`second of ${n}`), timestampMs: START_MS + 10 * n + 5 },
  ]
}

export interface Rich {
  readonly system: FakeSystem
  /** Every record as `shown`, by its offset. */
  readonly original: readonly string[]
  /** The same as `readAll` gives them. */
  readonly plain: readonly string[]
  /** Offsets below are on the device. */
  readonly synced: number
  readonly isOwn: boolean
}

/**
 * All synced, unless the last batches are not to be. `isOwn` false: as Kafka has it, without logq's own files, so that gaps are normal
 * and nothing says what was synced.
 */
export async function richPartition(options: { unsyncedBatches?: number; isOwn?: boolean } = {}): Promise<Rich> {
  const { unsyncedBatches = 0, isOwn = true } = options
  for (const codec of CODECS) await loadCodec(codec)
  const system = createFakeSystem()
  createTiny(system, RICH_CONFIG)
  const log = Log.open(tinyContext(system, RICH_CONFIG))
  for (let n = 0; n < RICH_BATCHES; n += 1) {
    const codec = CODECS[n % CODECS.length] ?? 'none'
    await log.append(batchOfRecords(twoRecords(n), codec))
    if (n === RICH_BATCHES - 1 - unsyncedBatches) await log.sync()
  }
  if (unsyncedBatches === 0) await log.close()
  if (!isOwn) for (const name of ['lock', 'recovery-point', 'leader-epoch-ids']) system.fs.unlink(`${DIRECTORY}/${name}`)
  const plain = await readAll(tinyContext(system))
  const whole = { system, original: [], plain, synced: 2 * (RICH_BATCHES - unsyncedBatches), isOwn }
  const { records, error } = await readRich(whole)
  if (error !== undefined || records.length !== 2 * RICH_BATCHES) throw new Error(`not whole: ${records.join('\n')}`)
  return { ...whole, original: records }
}

/** Everything that a record has, on one line that begins with its offset. */
export function shown({ offset, key, value, headers, timestampMs }: PlacedRecord): string {
  const hex = (part: Uint8Array | null) => (part === null ? 'null' : Buffer.from(part).toString('hex'))
  return [
    offset,
    timestampMs,
    hex(key),
    hex(value),
    ...headers.map(({ key: name, value: part }) => `${name}=${hex(part)}`),
  ].join(' ')
}

export function offsetOf(record: string): number {
  return Number(record.slice(0, record.indexOf(' ')))
}

export interface Reading {
  readonly records: readonly string[]
  /** What ended it. Anything but corruption is thrown. */
  readonly error: CorruptionError | undefined
  readonly told: readonly PassedOver[]
}

/** What `logq cat` or `logq tail` does, from end to end; `passesOver` is `--on-corrupt skip`. */
export async function readRich(
  { system, isOwn }: Pick<Rich, 'system' | 'isOwn'>,
  { direction = 'forwards', passesOver = false }: { direction?: Direction; passesOver?: boolean } = {},
): Promise<Reading> {
  const told: PassedOver[] = []
  const context: ViewContext = {
    ...tinyContext(system),
    ...(isOwn ? { isContiguous: true } : { mayHaveOpenTransactions: true }),
    ...(passesOver ? { onDamage: (damage: PassedOver) => told.push(damage) } : {}),
  }
  const records: string[] = []
  try {
    const everything = { kind: 'range', from: undefined, to: undefined } as const
    const { fromOffset, toOffset } = await resolveOffsets(context, everything, START_MS, direction === 'backwards')
    const wanted = { direction, matches: undefined, signal: undefined }
    for await (const record of readRecordsOf(context, fromOffset, toOffset, wanted)) records.push(shown(record))
    return { records, error: undefined, told }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    return { records, error, told }
  }
}
