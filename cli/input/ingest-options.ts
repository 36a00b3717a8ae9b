/** How `produce` reads its inputs, whatever their format. */
import type { Header } from '../../lib/record/record.js'
import type { InputFormat } from '../print/format.js'
import type { Acknowledgements } from './acknowledgements.js'
import type { FromValue } from './from-value.js'
import type { InputProgress } from './input-progress.js'
import type { Pace } from './pace.js'
import type { RateLimit } from './rate-limit.js'

export interface IngestOptions {
  readonly format: InputFormat
  readonly delimiter: Uint8Array
  /** Each input is one record. */
  readonly whole: boolean
  /** Files are decompressed by the ends of their names. */
  readonly decompress: boolean
  /** What --key-from and --timestamp-from take out of values. */
  readonly fromValue: FromValue | undefined
  /** Present with --rate. */
  readonly rate: RateLimit | undefined
  readonly keySeparator: Uint8Array | undefined
  readonly nullText: Uint8Array | undefined
  readonly key: Uint8Array | undefined
  readonly headers: readonly Header[]
  /** For records that bring none. */
  readonly timestampMs: number | undefined
  readonly keepPartition: boolean
  readonly onBad: 'skip' | 'stop'
  readonly partition: number | undefined
  /** max.message.bytes now. */
  readonly recordLimitBytes: () => number
  /** Present with --print-offsets. */
  readonly acknowledgements: Acknowledgements | undefined
  readonly pace: Pace
  readonly progress: InputProgress
}
