/** What stands where a regular file should be. Such a thing is never opened, followed or waited for. */
import type { FileSystem } from '../system/file-system.js'

const WORDS = { directory: 'a directory', symlink: 'a symbolic link', other: 'a device, pipe or socket' } as const

/** In words; undefined for a regular file, and when nothing is there. */
export function oddKind(fs: FileSystem, path: string): string | undefined {
  const kind = fs.pathStatus(path)?.kind
  return kind === undefined || kind === 'file' ? undefined : WORDS[kind]
}
