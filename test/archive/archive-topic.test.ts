import test from 'ava'
import { gunzipSync } from 'node:zlib'
import { archiveTopic } from '../../lib/archive/archive-topic.js'
import { listArchive, verifyArchive } from '../../lib/archive/inspect-archive.js'
import { listSegments } from '../../lib/log/log-view.js'
import { segmentFileName } from '../../lib/log/file-names.js'
import { archivedFileName, archivedUpTo } from '../../lib/store/archive/archived-files.js'
import { formatManifest, parseManifest, type Manifest } from '../../lib/store/archive/manifest.js'
import { partitionDirectory, getTopic } from '../../lib/store/topics.js'
import { viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { produce } from '../store/tiny-store.js'
import { ARCHIVE, archivableStore, change, contentOf, filesBelow } from './tiny-archive.js'

function folderOf(store: Store): string {
  return `${ARCHIVE}/t/${getTopic(store, 't').topicId}/0`
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

function changeManifest(system: FakeSystem, store: Store, alter: (manifest: Manifest) => Manifest): void {
  change(system.fs, `${folderOf(store)}/manifest`, (bytes) => formatManifest(alter(parseManifest(bytes, 'manifest'))))
}

const names = (base: number) => segmentFileName(base, '.log')

test('closed segments are copied byte for byte, and a second run changes nothing', async (t) => {
  const { system, store } = await archivableStore()
  const bases = listSegments(viewContext(store, 't', 0))
  t.true(bases.length >= 3)
  const [done] = await archiveTopic(store, 't', ARCHIVE)
  t.like(done, { topic: 't', partition: 0, segmentCount: bases.length - 1, archivedUpTo: bases.at(-1) ?? 0 })
  for (const base of bases.slice(0, -1)) {
    t.deepEqual(
      contentOf(system.fs, `${folderOf(store)}/${names(base)}`),
      contentOf(system.fs, `${partitionDirectory(store, 't', 0)}/${names(base)}`),
    )
  }
  t.is(archivedUpTo(store, getTopic(store, 't'), 0), bases.at(-1) ?? 0)
  const before = filesBelow(system, '/far')
  const { mutations } = system.fs
  const [again] = await archiveTopic(store, 't', ARCHIVE)
  t.is(again?.segmentCount, 0)
  t.deepEqual(filesBelow(system, '/far'), before)
  t.is(system.fs.mutations, mutations)
  const [summary] = await collect(verifyArchive(system, ARCHIVE))
  t.like(summary, { topic: 't', segmentCount: bases.length - 1, startOffset: 0, endOffset: bases.at(-1) ?? 0, strayFiles: [] })
})

for (const [codec, suffix] of [
  ['gzip', '.gz'],
  ['zstd', '.zst'],
] as const) {
  test(`-z ${codec}: objects hold the segments, and are proved by both digests`, async (t) => {
    const { system, store } = await archivableStore()
    await archiveTopic(store, 't', ARCHIVE, { codec })
    const object = `${folderOf(store)}/${names(0)}${suffix}`
    if (codec === 'gzip')
      t.deepEqual(
        new Uint8Array(gunzipSync(contentOf(system.fs, object))),
        contentOf(system.fs, `${partitionDirectory(store, 't', 0)}/${names(0)}`),
      )
    t.is((await collect(verifyArchive(system, ARCHIVE))).length, 1)
    changeManifest(system, store, (manifest) => ({
      ...manifest,
      segments: manifest.segments.map((segment) => ({ ...segment, sha256: '0'.repeat(64) })),
    }))
    await t.throwsAsync(collect(verifyArchive(system, ARCHIVE)), { code: 'LOGQ_CORRUPT', message: /SHA-256 of the segment/ })
  })
}

test('--older: from the first segment that is younger on, nothing is archived', async (t) => {
  const { system, store } = await archivableStore()
  const [none] = await archiveTopic(store, 't', ARCHIVE, { olderMs: 1000 })
  t.is(none?.segmentCount, 0)
  t.deepEqual([...filesBelow(system, '/far').keys()], [])
  await system.clock.advance(2000)
  for (const value of ['x', 'y', 'z', 'x', 'y', 'z']) await produce(store, 't', [value.repeat(80)])
  const all = listSegments(viewContext(store, 't', 0)).length
  const [some] = await archiveTopic(store, 't', ARCHIVE, { olderMs: 1000 })
  t.true((some?.segmentCount ?? 0) > 0 && (some?.segmentCount ?? 0) < all - 1)
})

test('a damaged segment is not archived, those before it are, and nothing of it is left', async (t) => {
  const { system, store } = await archivableStore()
  const [, second = 0] = listSegments(viewContext(store, 't', 0))
  change(system.fs, `${partitionDirectory(store, 't', 0)}/${names(second)}`, (bytes) => {
    bytes[70] = (bytes[70] ?? 0) ^ 1
    return bytes
  })
  await t.throwsAsync(archiveTopic(store, 't', ARCHIVE), { code: 'LOGQ_CORRUPT' })
  t.is(archivedUpTo(store, getTopic(store, 't'), 0), second)
  t.deepEqual([...filesBelow(system, folderOf(store)).keys()], [names(0), 'manifest'])
})

test('what is missing or damaged in an archive is named, and written again once the copy of the manifest is gone', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE)
  const path = `${folderOf(store)}/${names(0)}`
  const good = contentOf(system.fs, path)
  const damages: [RegExp, () => void][] = [
    [/missing/, () => system.fs.unlink(path)],
    [/has \d+ bytes/, () => change(system.fs, path, (bytes) => bytes.slice(0, -1))],
    [
      /SHA-256/,
      () =>
        change(system.fs, path, (bytes) => {
          bytes[5] = (bytes[5] ?? 0) ^ 1
          return bytes
        }),
    ],
  ]
  for (const [message, damage] of damages) {
    damage()
    await t.throwsAsync(collect(verifyArchive(system, ARCHIVE)), { code: 'LOGQ_CORRUPT', message })
    const failures: string[] = []
    const rest = await collect(verifyArchive(system, ARCHIVE, { onFailure: (error) => void failures.push(error.message) }))
    t.is(rest.length, 1)
    t.is(failures.length, 1)
    system.fs.unlink(`${partitionDirectory(store, 't', 0)}/${archivedFileName(ARCHIVE)}`)
    t.is((await archiveTopic(store, 't', ARCHIVE))[0]?.segmentCount, 1)
    t.deepEqual(contentOf(system.fs, path), good)
  }
})

test('an archive that is gone, of another store, or ahead of the log is a conflict, and nothing is changed', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE)
  const manifest = `${folderOf(store)}/manifest`
  const good = contentOf(system.fs, manifest)
  const put = (bytes: Uint8Array) => change(system.fs, manifest, () => bytes)
  const restore = () => {
    put(good)
  }
  const cases: [RegExp, () => void, () => void][] = [
    [/no longer at/, () => system.fs.rename(manifest, '/far/kept'), () => system.fs.rename('/far/kept', manifest)],
    [
      /another store/,
      () => changeManifest(system, store, (one) => ({ ...one, partition: { ...one.partition, storeId: 'A'.repeat(22) } })),
      restore,
    ],
    [
      /is the manifest of 'u-0'/,
      () => changeManifest(system, store, (one) => ({ ...one, partition: { ...one.partition, topic: 'u' } })),
      restore,
    ],
    [
      /reaches offset 1000/,
      () =>
        changeManifest(system, store, (one) => ({
          ...one,
          segments: one.segments.map((segment, n) =>
            n === one.segments.length - 1 ? { ...segment, endOffset: 1000 } : segment,
          ),
        })),
      restore,
    ],
  ]
  for (const [message, spoil, mend] of cases) {
    spoil()
    const before = filesBelow(system, '/far')
    await t.throwsAsync(archiveTopic(store, 't', ARCHIVE), { code: 'LOGQ_CONFLICT', message })
    t.deepEqual(filesBelow(system, '/far'), before)
    mend()
  }
  changeManifest(system, store, (one) => ({ ...one, partition: { ...one.partition, storeId: 'A'.repeat(22) } }))
  await archiveTopic(store, 't', ARCHIVE, { takeOver: true })
  t.deepEqual(contentOf(system.fs, manifest), good)
})

test('names in a manifest are names only: a topic or id that leads elsewhere is refused', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE)
  const hostile: Partial<Manifest['partition']>[] = [
    { topic: '../../etc' },
    { topic: '/etc' },
    { topic: '..' },
    { topicId: '../../../../../../etc/x' },
    { storeId: '..' },
    { partition: -1 },
    { partition: 7 },
  ]
  const manifest = `${folderOf(store)}/manifest`
  const good = contentOf(system.fs, manifest)
  for (const wrong of hostile) {
    change(system.fs, manifest, () => good)
    changeManifest(system, store, (one) => ({ ...one, partition: { ...one.partition, ...wrong } }))
    const before = filesBelow(system, '/')
    await t.throwsAsync(collect(listArchive(system, ARCHIVE)), { code: 'LOGQ_CORRUPT' }, JSON.stringify(wrong))
    await t.throwsAsync(archiveTopic(store, 't', ARCHIVE), { code: 'LOGQ_CORRUPT' }, JSON.stringify(wrong))
    t.deepEqual(filesBelow(system, '/'), before)
  }
})

test('sizes and offsets that cannot be are refused before anything is read', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE, { codec: 'zstd' })
  const manifest = `${folderOf(store)}/manifest`
  const good = contentOf(system.fs, manifest)
  const hostile = [
    { sizeBytes: 2 ** 40 },
    { sizeBytes: -1 },
    { storedBytes: 1 },
    { blocks: [2 ** 40] },
    { blocks: [] },
    { baseOffset: -1 },
    { endOffset: 0 },
    { lastOffset: 2 ** 53 },
    { sha256: '../x' },
    { codec: 'lz4' as 'zstd' },
    { leaderEpochs: [{ epoch: -1, startOffset: 0 }] },
  ]
  for (const wrong of hostile) {
    change(system.fs, manifest, () => good)
    changeManifest(system, store, (one) => ({
      ...one,
      segments: one.segments.map((segment, n) => (n === 0 ? { ...segment, ...wrong } : segment)),
    }))
    await t.throwsAsync(collect(verifyArchive(system, ARCHIVE)), { code: 'LOGQ_CORRUPT' }, JSON.stringify(wrong))
  }
})

test('a full disk at any write leaves what was there, and the next run goes on', async (t) => {
  for (let nth = 1; ; nth += 1) {
    const { system, store } = await archivableStore()
    system.fs.failNth({ operation: 'write', nth, code: 'ENOSPC' })
    const failed = await archiveTopic(store, 't', ARCHIVE).then(
      () => false,
      () => true,
    )
    system.fs.reset()
    if (!failed) {
      t.true(nth > 4)
      return
    }
    await archiveTopic(store, 't', ARCHIVE)
    t.like((await collect(verifyArchive(system, ARCHIVE)))[0], { strayFiles: [] })
    t.is(archivedUpTo(store, getTopic(store, 't'), 0), listSegments(viewContext(store, 't', 0)).at(-1) ?? 0)
  }
})
