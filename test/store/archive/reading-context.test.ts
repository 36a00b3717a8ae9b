/** A reader that archiving and retention overtake: between any two of its calls to the file system. */
import test from 'ava'
import { archiveTopic } from '../../../lib/archive/archive-topic.js'
import { readRecordsOf } from '../../../lib/consume/placed-record.js'
import { ARCHIVED_PREFIX, LOG_START_OFFSET_FILE } from '../../../lib/log/file-names.js'
import { listSegments, logEndOffset, logStartOffset } from '../../../lib/log/log-view.js'
import { writeLogStartOffset } from '../../../lib/log/log-start-offset-file.js'
import { unlinkSegment } from '../../../lib/log/segment-files.js'
import { readingContext } from '../../../lib/store/archive/reading-context.js'
import { appendContext } from '../../../lib/store/partition.js'
import type { Store } from '../../../lib/store/store.js'
import { TopicConfig } from '../../../lib/store/topic-config.js'
import { alterTopic, partitionDirectory } from '../../../lib/store/topics.js'
import type { FileSystem } from '../../../lib/system/file-system.js'
import { ARCHIVE, VALUES, archivableStore, filesBelow } from '../../archive/tiny-archive.js'

interface Overtaking {
  readonly store: Store
  /** What a run of archive and one of retain do, at once; the objects are in the archive already. */
  readonly overtake: () => void
  readonly undo: () => void
}

async function aboutToBeArchived(): Promise<Overtaking> {
  const { system, store } = await archivableStore()
  const { fs } = system
  await alterTopic(store, 't', { 'archive.location': ARCHIVE })
  await archiveTopic(store, 't', ARCHIVE)
  const directory = partitionDirectory(store, 't', 0)
  const before = filesBelow(system, directory)
  const archived = [...before.keys()].find((name) => name.startsWith(ARCHIVED_PREFIX)) ?? ''
  const replace = (name: string) => {
    const bytes = before.get(name) ?? new Uint8Array()
    const fd = fs.open(`${directory}/.tmp-0123456789ab`, 'create')
    fs.write(fd, bytes, 0, bytes.length, 0)
    fs.close(fd)
    fs.rename(`${directory}/.tmp-0123456789ab`, `${directory}/${name}`)
  }
  fs.unlink(`${directory}/${archived}`)
  const context = appendContext(store, 't', 0, () => new TopicConfig({}))
  const bases = listSegments(context)
  return {
    store,
    overtake() {
      replace(archived)
      writeLogStartOffset(context, bases.at(-1) ?? 0)
      for (const base of bases.slice(0, -1)) unlinkSegment(system, directory, base)
    },
    undo() {
      for (const name of [archived, LOG_START_OFFSET_FILE]) fs.unlink(`${directory}/${name}`)
      const here = new Set(fs.list(directory))
      for (const name of before.keys()) if (name !== archived && !here.has(name)) replace(name)
    },
  }
}

/** The same store, as one sees it to whom something happens before the n-th call; and how many calls there were. */
function interrupted(store: Store, n: number, happen: () => void): { readonly store: Store; readonly calls: () => number } {
  let calls = 0
  const fs = new Proxy(store.system.fs, {
    get(target, key: keyof FileSystem) {
      const method: unknown = Reflect.get(target, key)
      if (typeof method !== 'function') return method
      return (...values: unknown[]): unknown => {
        calls += 1
        if (calls === n) happen()
        return Reflect.apply(method, target, values)
      }
    },
  })
  return { store: { ...store, system: { ...store.system, fs } }, calls: () => calls }
}

async function valuesOf(store: Store): Promise<string[]> {
  const context = await readingContext(store, 't', 0)
  const segments = listSegments(context)
  const values: string[] = []
  for await (const { value } of readRecordsOf(context, logStartOffset(context, segments), logEndOffset(context, segments)))
    values.push(Buffer.from(value ?? []).toString())
  return values
}

test('archived and retained between any two calls of a reader: every record comes once', async (t) => {
  const { store, overtake, undo } = await aboutToBeArchived()
  for (let n = 1; ; n += 1) {
    const seen = interrupted(store, n, overtake)
    const values = await valuesOf(seen.store)
    if (seen.calls() < n) break
    t.deepEqual(values, VALUES, `before call ${n}`)
    undo()
  }
})
