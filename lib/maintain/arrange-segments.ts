/**
 * Finds segment files that do not stand where their name says: swapped, copied under another name, put in by mistake, or no files
 * at all. What such a file holds must not be taken for damage of its neighbours.
 */
import { systemErrorCode } from '../errors.js'
import { LOG_SUFFIX, segmentFileName } from '../log/file-names.js'
import type { PeekedHeader } from '../log/find-whole-batch.js'
import { isWorthReading } from '../log/large-batch.js'
import type { ViewContext } from '../log/log-view.js'
import { RecordBatch } from '../record/batch.js'
import { readUpTo } from '../system/durable.js'
import { peekHeader } from '../log/find-next-batch.js'
import { oddKind } from './odd-file.js'

export interface Arrangement {
  /** Base offsets of the segments that stand in their place, ascending. */
  readonly chain: readonly number[]
  readonly misplaced: readonly MisplacedSegment[]
}

export interface MisplacedSegment {
  /** As the name has it. */
  readonly baseOffset: number
  readonly file: string
  /** The name that it should have; undefined when it holds nothing that others do not have, or cannot be placed. */
  readonly rightBaseOffset: number | undefined
  readonly message: string
}

/** What can be said of a segment file by its first two batches. */
interface Look {
  readonly base: number
  readonly file: string
  readonly oddKind: string | undefined
  /** Base offset of the first batch, when the second one does not contradict it; undefined for an empty or damaged file. */
  readonly contentBase: number | undefined
  readonly crc: number | undefined
  readonly isLone: boolean
}

export function arrangeSegments(context: ViewContext, bases: readonly number[], gapsAreNormal: boolean): Arrangement {
  const looks = bases.flatMap((base) => lookAt(context, base, gapsAreNormal) ?? [])
  const inPlace = (look: Look, n: number) => {
    const next = looks[n + 1]?.base ?? Infinity
    return look.contentBase === undefined || (look.contentBase >= look.base && look.contentBase < next)
  }
  const away = new Set(looks.filter((look, n) => look.oddKind === undefined && !inPlace(look, n)))
  for (const look of [...away]) if (look.isLone && !isElsewhere(look, looks, away)) away.delete(look)
  const stays = looks.filter((look) => !away.has(look) && look.oddKind === undefined)
  const within = new Set(stays.filter((look) => look.contentBase === undefined && isCovered(context, stays, look.base)))
  const chain = stays.filter((look) => !within.has(look)).map(({ base }) => base)
  const misplaced = looks.flatMap((look): MisplacedSegment[] => {
    const { base: baseOffset, file, contentBase } = look
    if (look.oddKind !== undefined) {
      return [{ baseOffset, file, rightBaseOffset: undefined, message: `${look.oddKind} stands in place of a segment` }]
    }
    if (within.has(look)) {
      return [
        { baseOffset, file, rightBaseOffset: undefined, message: 'it lies within the segment before it, and holds no batch' },
      ]
    }
    if (!away.has(look) || contentBase === undefined) return []
    const rightBaseOffset = canStandAt(context, look, contentBase, chain, [...away]) ? contentBase : undefined
    return [
      { baseOffset, file, rightBaseOffset, message: `it holds records from offset ${contentBase} on, which belong elsewhere` },
    ]
  })
  return { chain, misplaced }
}

/** Undefined when the file is gone. */
function lookAt(context: ViewContext, base: number, gapsAreNormal: boolean): Look | undefined {
  const { fs } = context.system
  const file = `${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`
  const nothing = { base, file, oddKind: oddKind(fs, file), contentBase: undefined, crc: undefined, isLone: false }
  if (nothing.oddKind !== undefined) return nothing
  try {
    return withSegment(context, base, (fd, sizeBytes) => {
      const first = peekHeader(fs, fd, 0, sizeBytes)
      if (first === undefined || !isWorthReading(fs, fd, 0, first.sizeBytes)) return nothing
      const batch = new RecordBatch(readUpTo(fs, fd, 0, first.sizeBytes))
      const second = peekHeader(fs, fd, first.sizeBytes, sizeBytes)
      if (!batch.crcMatches() || !follows(first, second, gapsAreNormal)) return nothing
      return { ...nothing, contentBase: first.baseOffset, crc: batch.crc, isLone: second === undefined }
    })
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function follows(first: PeekedHeader, second: PeekedHeader | undefined, gapsAreNormal: boolean): boolean {
  if (second === undefined) return true
  return gapsAreNormal ? second.baseOffset > first.lastOffset : second.baseOffset === first.lastOffset + 1
}

/**
 * Whether a file of one batch holds another segment's: that one is away too, or begins with the same batch. Otherwise its base offset,
 * which no CRC covers, is damaged.
 */
function isElsewhere(look: Look, looks: readonly Look[], away: ReadonlySet<Look>): boolean {
  const owner = looks.find(({ base }) => base === look.contentBase)
  return owner !== undefined && (away.has(owner) || owner.crc === look.crc)
}

/** Whether a segment of the chain holds an offset, or goes on behind it. */
function isCovered(context: ViewContext, stays: readonly Look[], offset: number): boolean {
  const before = stays.findLast(({ base, contentBase }) => base < offset && contentBase !== undefined)
  return before !== undefined && reaches(context, before.base, offset)
}

function canStandAt(
  context: ViewContext,
  look: Look,
  offset: number,
  chain: readonly number[],
  away: readonly Look[],
): boolean {
  if (chain.includes(offset)) return false
  if (away.find(({ contentBase }) => contentBase === offset) !== look) return false
  const before = chain.findLast((base) => base < offset)
  const next = chain.find((base) => base > offset)
  if (before !== undefined && reaches(context, before, offset)) return false
  return next === undefined || !reaches(context, look.base, next)
}

/**
 * Whether a segment holds an offset, or goes on behind it. Headers are walked. A single batch above the offset is no proof: its
 * base offset may be damaged.
 */
function reaches(context: ViewContext, base: number, offset: number): boolean {
  const { fs } = context.system
  return withSegment(context, base, (fd, sizeBytes) => {
    let above = 0
    for (let position = 0; ;) {
      const header = peekHeader(fs, fd, position, sizeBytes)
      if (header === undefined) return false
      if (header.baseOffset > offset) above += 1
      if (above > 1 || (header.baseOffset <= offset && header.lastOffset >= offset)) return true
      position += header.sizeBytes
    }
  })
}

function withSegment<Result>(context: ViewContext, base: number, use: (fd: number, sizeBytes: number) => Result): Result {
  const { fs } = context.system
  const fd = fs.open(`${context.directory}/${segmentFileName(base, LOG_SUFFIX)}`, 'read')
  try {
    return use(fd, fs.fileStatus(fd).sizeBytes)
  } finally {
    fs.close(fd)
  }
}
