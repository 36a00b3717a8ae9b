/** Files and directories that no log needs, put together by what they are. Memory: some paths of each. */
import { systemErrorCode } from '../../errors.js'
import type { FileSystem } from '../../system/file-system.js'
import type { System } from '../../system/system.js'
import type { DoctorFinding, LeftOverFinding } from './doctor-finding.js'

/** So many paths are named. */
const NAMED = 3
const FRESH_MS = 60_000

interface LeftOver {
  readonly paths: string[]
  count: number
  sizeBytes: number
}

export class LeftOvers {
  readonly #found = new Map<string, LeftOver & { readonly what: LeftOverFinding['what']; readonly isInUse: boolean }>()

  constructor(
    private readonly fs: FileSystem,
    private readonly at: { readonly topic?: string; readonly partition?: number } = {},
  ) {}

  add(what: LeftOverFinding['what'], path: string, isInUse = false): void {
    this.#add(what, path, isInUse, sizeOf(this.fs, path))
  }

  /** A directory that may stay when there is nothing in it. */
  addFull(what: LeftOverFinding['what'], directory: string, isInUse = false): void {
    const { fileCount, sizeBytes } = sizeOf(this.fs, directory)
    if (fileCount > 0) this.#add(what, directory, isInUse, { sizeBytes })
  }

  findings(): DoctorFinding[] {
    return [...this.#found.values()].map(({ what, isInUse, ...found }) => ({
      kind: 'left-over',
      severity: what === 'quarantine' || (what === 'unfinished' && isInUse) ? 'ok' : 'notice',
      what,
      ...this.at,
      ...found,
      isInUse,
    }))
  }

  #add(what: LeftOverFinding['what'], path: string, isInUse: boolean, { sizeBytes }: { readonly sizeBytes: number }): void {
    const key = `${what} ${isInUse}`
    const found = this.#found.get(key) ?? { what, isInUse, paths: [], count: 0, sizeBytes: 0 }
    this.#found.set(key, found)
    if (found.paths.length < NAMED) found.paths.push(path)
    found.count += 1
    found.sizeBytes += sizeBytes
  }
}

/** What was written a moment ago may be somebody's who is at work. */
export function isFresh({ fs, clock }: Pick<System, 'fs' | 'clock'>, path: string): boolean {
  const modifiedMs = fs.pathStatus(path)?.modifiedMs ?? 0
  return Math.abs(clock.nowMs() - modifiedMs) < FRESH_MS
}

/** With everything in it; 0 for what cannot be looked at, or is gone. */
export function sizeOf(fs: FileSystem, path: string): { readonly fileCount: number; readonly sizeBytes: number } {
  const status = fs.pathStatus(path)
  if (status === undefined) return { fileCount: 0, sizeBytes: 0 }
  if (status.kind !== 'directory') return { fileCount: 1, sizeBytes: status.sizeBytes }
  let fileCount = 0
  let sizeBytes = 0
  for (const name of listQuietly(fs, path)) {
    const inner = sizeOf(fs, `${path}/${name}`)
    fileCount += inner.fileCount
    sizeBytes += inner.sizeBytes
  }
  return { fileCount, sizeBytes }
}

/** None where there is no such directory, or this user may not look into it. */
export function listQuietly(fs: FileSystem, directory: string): string[] {
  try {
    return fs.list(directory)
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error
    return []
  }
}
