/** Moves files of a partition: what is in the wrong place to its own, and what has none to quarantine/. */
import {
  QUARANTINE_DIRECTORY,
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  segmentBaseOffsets,
  segmentFileName,
} from '../log/file-names.js'
import type { LogContext } from '../log/log-context.js'
import { createDirectory, removeQuietly } from '../system/durable.js'
import type { MisplacedSegment } from './arrange-segments.js'

export interface MovedFile {
  readonly file: string
  readonly to: string
}

/** Moves whatever stands at a path, a directory or a link too, to quarantine/ under a name that is free there. Durable on return. */
export function moveAside(context: LogContext, path: string): MovedFile {
  const { fs } = context.system
  const quarantine = `${context.directory}/${QUARANTINE_DIRECTORY}`
  if (fs.pathStatus(quarantine) === undefined) {
    createDirectory(context.system, quarantine, context.ownership)
    fs.syncDirectory(context.directory)
  }
  const name = path.slice(path.lastIndexOf('/') + 1)
  let to = `${quarantine}/${name}`
  for (let n = 2; fs.pathStatus(to) !== undefined; n += 1) to = `${quarantine}/${name}.${n}`
  fs.rename(path, to)
  fs.syncDirectory(quarantine)
  fs.syncDirectory(context.directory)
  return { file: path, to }
}

/**
 * Gives segments their right names, one rename after the other: killed between two, the rest is found misplaced again. Where names were
 * exchanged, one file gets a name behind all others for the time being.
 */
export function placeSegments(context: LogContext, misplaced: readonly MisplacedSegment[]): MovedFile[] {
  const { fs } = context.system
  const moved: MovedFile[] = []
  for (const { baseOffset, file, rightBaseOffset } of misplaced) {
    if (rightBaseOffset !== undefined) continue
    unlinkIndexes(context, baseOffset)
    moved.push(moveAside(context, file))
  }
  const left = new Map<number, number>()
  for (const { baseOffset, rightBaseOffset } of misplaced)
    if (rightBaseOffset !== undefined) left.set(baseOffset, rightBaseOffset)
  while (left.size > 0) {
    const bases = segmentBaseOffsets(fs.list(context.directory))
    const free = [...left].find(([, right]) => !bases.includes(right))
    const [base, right] = free ?? [...left][0] ?? [0, 0]
    const target = free === undefined ? Math.max(...bases, ...left.values()) + 1 : right
    unlinkIndexes(context, base)
    unlinkIndexes(context, target)
    fs.rename(pathOf(context, base), pathOf(context, target))
    fs.syncDirectory(context.directory)
    left.delete(base)
    if (free === undefined) left.set(target, right)
    else moved.push({ file: pathOf(context, base), to: pathOf(context, target) })
  }
  return moved
}

export function unlinkIndexes(context: LogContext, baseOffset: number): void {
  for (const suffix of [OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX] as const) {
    removeQuietly(context.system.fs, `${context.directory}/${segmentFileName(baseOffset, suffix)}`)
  }
}

function pathOf(context: LogContext, baseOffset: number): string {
  return `${context.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
}
