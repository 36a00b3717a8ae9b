/** A record that was read from text, with what the text said about where it belongs. */
import type { RecordInput } from '../../lib/record/record.js'

export interface ParsedRecord {
  readonly record: RecordInput
  /** Used with --keep partition only. */
  readonly partition: number | undefined
}
