/** Reads and writes the `log-start-offset` file. Writers hold the append lock (format-spec/log-start-offset.md). */
import { CorruptionError } from '../errors.js'
import { readSmallFile, replaceFile } from '../system/durable.js'
import { LOG_START_OFFSET_FILE } from './file-names.js'
import type { LogContext } from './log-context.js'
import { formatLogStartOffset, parseLogStartOffset } from './log-start-offset.js'

/** Undefined when there is no such file: the log starts at its first segment. A damaged one is corruption. */
export function readLogStartOffset(context: Pick<LogContext, 'system' | 'directory'>): number | undefined {
  const path = `${context.directory}/${LOG_START_OFFSET_FILE}`
  const bytes = readSmallFile(context.system.fs, path)
  if (bytes === undefined) return undefined
  const offset = parseLogStartOffset(bytes)
  if (offset !== undefined) return offset
  throw new CorruptionError('the log start offset cannot be read', { file: path, position: 0 }, { hint: "see 'logq fsck'" })
}

/** Durable on return, so that what lies below may be unlinked. */
export function writeLogStartOffset(context: LogContext, offset: number): void {
  replaceFile(context.system, `${context.directory}/${LOG_START_OFFSET_FILE}`, formatLogStartOffset(offset), context.ownership)
}
