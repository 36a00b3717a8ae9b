/** A store in memory with a topic of several small segments, and a directory beside it to archive to. */
import type { CreateTopicOptions } from '../../lib/store/topics.js'
import type { Store } from '../../lib/store/store.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { produce, tinyStore } from '../store/tiny-store.js'

export const ARCHIVE = '/far/archive'
/** Segments of 256 bytes: each of these values is a batch, and two of them fill a segment. */
export const VALUES = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(80))

export async function archivableStore(
  system: FakeSystem = createFakeSystem(),
  options: CreateTopicOptions = {},
  values: readonly string[] = VALUES,
): Promise<{ system: FakeSystem; store: Store }> {
  for (const directory of ['/far', ARCHIVE]) system.fs.makeDirectory(directory, 0o755)
  system.fs.syncDirectory('/')
  system.fs.syncDirectory('/far')
  const { store } = await tinyStore({ ...options, config: { 'segment.bytes': 256, ...options.config } }, system)
  for (const value of values) await produce(store, 't', [value])
  return { system, store }
}

/** Every file below a directory, by its path there. */
export function filesBelow({ fs }: FakeSystem, directory: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  const walk = (path: string) => {
    for (const name of fs.list(path)) {
      const below = `${path}/${name}`
      if (fs.pathStatus(below)?.kind === 'directory') walk(below)
      else files.set(below.slice(directory.length + 1), contentOf(fs, below))
    }
  }
  walk(directory)
  return files
}

export function contentOf(fs: FakeSystem['fs'], path: string): Uint8Array {
  const fd = fs.open(path, 'read')
  const bytes = new Uint8Array(fs.fileStatus(fd).sizeBytes)
  fs.read(fd, bytes, 0, bytes.length, 0)
  fs.close(fd)
  return bytes
}

export function change(fs: FakeSystem['fs'], path: string, alter: (bytes: Uint8Array) => Uint8Array): void {
  const bytes = alter(contentOf(fs, path))
  const fd = fs.open(path, 'create')
  fs.truncate(fd, 0)
  fs.write(fd, bytes, 0, bytes.length, 0)
  fs.close(fd)
}
