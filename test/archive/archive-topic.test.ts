import test from 'ava'
import { gunzipSync } from 'node:zlib'
import { archiveTopic } from '../../lib/archive/archive-topic.js'
import { listArchive, verifyArchive } from '../../lib/archive/inspect-archive.js'
import { restoreTopic, type RestoreOptions } from '../../lib/archive/restore-topic.js'
import { listSegments } from '../../lib/log/log-view.js'
import { unlinkSegment } from '../../lib/log/segment-files.js'
import { compactTopic } from '../../lib/maintain/compact/compact-topic.js'
import { segmentFileName } from '../../lib/log/file-names.js'
import { archivedFileName, archivedUpTo, parseArchivedFile } from '../../lib/store/archive/archived-files.js'
import { formatManifest, parseManifest, type Manifest } from '../../lib/store/archive/manifest.js'
import { createTopic, findTopic, partitionDirectory, getTopic } from '../../lib/store/topics.js'
import { viewContext } from '../../lib/store/partition.js'
import type { Store } from '../../lib/store/store.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { STORE, keyed, produce, tinyStore } from '../store/tiny-store.js'
import { ARCHIVE, archivableStore, change, contentOf, filesBelow } from './tiny-archive.js'

function folderOf(store: Store): string {
  return `${ARCHIVE}/t/${getTopic(store, 't').topicId}/0`
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

function put({ fs }: FakeSystem, path: string, bytes: Uint8Array): void {
  for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const folder = path.slice(0, slash)
    if (fs.pathStatus(folder) === undefined) fs.makeDirectory(folder, 0o755)
  }
  const fd = fs.open(path, 'create')
  fs.truncate(fd, 0)
  fs.write(fd, bytes, 0, bytes.length, 0)
  fs.close(fd)
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
  t.deepEqual([...filesBelow(system, folderOf(store)).keys()], ['manifest'])
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

test('what another copy of the store archived counts only where it holds the same records', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE)
  const kept = contentOf(system.fs, `${partitionDirectory(store, 't', 0)}/${archivedFileName(ARCHIVE)}`)
  const end = listSegments(viewContext(store, 't', 0)).at(-1) ?? 0
  for (const letter of ['f', 'g', 'h', 'i']) await produce(store, 't', [letter.repeat(80)])
  await archiveTopic(store, 't', ARCHIVE)
  // The copy, of the same ids: it was made before the second run, and goes on with other records.
  const copy = await archivableStore()
  for (const [path, bytes] of filesBelow(system, '/far')) put(copy.system, `/far/${path}`, bytes)
  put(copy.system, `${partitionDirectory(copy.store, 't', 0)}/${archivedFileName(ARCHIVE)}`, kept)
  t.is(archivedUpTo(copy.store, getTopic(copy.store, 't'), 0), end)
  for (const letter of ['v', 'w', 'x', 'y', 'z']) await produce(copy.store, 't', [letter.repeat(80)])
  const before = filesBelow(copy.system, '/far')
  await t.throwsAsync(archiveTopic(copy.store, 't', ARCHIVE, { takeOver: true }), {
    code: 'LOGQ_CONFLICT',
    message: /does not hold what 't-0' has at its offsets/,
  })
  t.is(archivedUpTo(copy.store, getTopic(copy.store, 't'), 0), end)
  t.deepEqual(filesBelow(copy.system, '/far'), before)
  // The store that archived it has lost its copy of the manifest, and finds it right.
  system.fs.unlink(`${partitionDirectory(store, 't', 0)}/${archivedFileName(ARCHIVE)}`)
  t.is((await archiveTopic(store, 't', ARCHIVE))[0]?.segmentCount, 0)
})

test('two copies of a store that archive at once: the one that comes second says so', async (t) => {
  const { system, store } = await archivableStore()
  const manifest = `${folderOf(store)}/manifest`
  const onProgress = () => {
    if (system.fs.pathStatus(manifest) === undefined) put(system, manifest, formatManifest({ partition, segments: [] }))
  }
  const { topicId, partitions, partitioner, config } = getTopic(store, 't')
  const partition = { topic: 't', topicId, storeId: store.storeId ?? '', partition: 0, partitions, partitioner, config }
  await t.throwsAsync(archiveTopic(store, 't', ARCHIVE, { onProgress }), {
    code: 'LOGQ_CONFLICT',
    message: /another process archives 't-0'/,
  })
  t.is(archivedUpTo(store, getTopic(store, 't'), 0), 0)
})

test('a long run writes manifests on its way, each with more segments than the one before', async (t) => {
  const { system, store } = await archivableStore()
  for (const letter of ['f', 'g', 'h', 'i', 'j', 'k']) await produce(store, 't', [letter.repeat(80)])
  const counts: number[] = []
  const onProgress = () => {
    void system.clock.advance(3000)
    const path = `${folderOf(store)}/manifest`
    const isThere = system.fs.pathStatus(path) !== undefined
    counts.push(isThere ? parseManifest(contentOf(system.fs, path), path).segments.length : 0)
  }
  const [done] = await archiveTopic(store, 't', ARCHIVE, { onProgress })
  t.true(counts.length >= 4)
  t.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  )
  t.is(new Set(counts).size, counts.length)
  t.is(done?.segmentCount, counts.length)
  t.like((await collect(verifyArchive(system, ARCHIVE)))[0], { segmentCount: counts.length, strayFiles: [] })
})

test('an older manifest at the location costs nothing: what the partition knows is proved, and named again', async (t) => {
  const { system, store } = await archivableStore()
  await archiveTopic(store, 't', ARCHIVE)
  const path = `${folderOf(store)}/manifest`
  const older = contentOf(system.fs, path)
  for (const letter of ['f', 'g', 'h', 'i']) await produce(store, 't', [letter.repeat(80)])
  await archiveTopic(store, 't', ARCHIVE)
  const whole = contentOf(system.fs, path)
  const bases = listSegments(viewContext(store, 't', 0))
  for (const base of bases.slice(0, -1)) unlinkSegment(system, partitionDirectory(store, 't', 0), base)
  put(system, path, older)
  await archiveTopic(store, 't', ARCHIVE)
  t.deepEqual(contentOf(system.fs, path), whole)
  // Of an archive that was copied by half the objects are missing, too.
  put(system, path, older)
  const last = `${folderOf(store)}/${names(bases.at(-2) ?? 0)}`
  system.fs.unlink(last)
  const before = filesBelow(system, '/')
  await t.throwsAsync(archiveTopic(store, 't', ARCHIVE), { code: 'LOGQ_CORRUPT', message: /the file is missing/ })
  t.deepEqual(filesBelow(system, '/'), before)
})

/** A compacted topic with a key of which nothing is left in its middle segments. */
async function compactedStore(): ReturnType<typeof archivableStore> {
  const made = await archivableStore(undefined, { config: { 'cleanup.policy': 'compact,delete' } }, [])
  for (const key of ['a', 'b', 'c', 'x', 'x', 'x', 'x', 'x', 'd', 'e'])
    await produce(made.store, 't', [keyed(key, key.repeat(80))])
  return made
}

test('a compaction between a run that was killed and the next one is no conflict: what it changed is archived anew', async (t) => {
  const { system, store } = await compactedStore()
  const die = () => {
    throw new Error('killed')
  }
  system.failpoints.set('archive.after-manifest', die)
  await t.throwsAsync(archiveTopic(store, 't', ARCHIVE), { message: 'killed' })
  system.failpoints.clear()
  await compactTopic(store, 't', [0], { minDirtyRatio: 0, includeActive: true })
  const bases = listSegments(viewContext(store, 't', 0))
  await archiveTopic(store, 't', ARCHIVE)
  t.is(archivedUpTo(store, getTopic(store, 't'), 0), bases.at(-1) ?? 0)
  const [summary] = await collect(verifyArchive(system, ARCHIVE))
  t.is(summary?.endOffset, bases.at(-1))
  t.is((await archiveTopic(store, 't', ARCHIVE))[0]?.segmentCount, 0)
})

test('the copy in the partition names nothing that the manifest does not, whenever a run may die', async (t) => {
  const { system, store } = await compactedStore()
  await archiveTopic(store, 't', ARCHIVE)
  const copy = `${partitionDirectory(store, 't', 0)}/${archivedFileName(ARCHIVE)}`
  await produce(store, 't', [keyed('x', 'z'.repeat(80))])
  await compactTopic(store, 't', [0], { minDirtyRatio: 0, includeActive: true })
  change(system.fs, `${folderOf(store)}/${names(0)}`, (bytes) => bytes.slice(1))
  system.fs.unlink(copy)
  let looks = 0
  const look = () => {
    looks += 1
    const manifest = parseManifest(contentOf(system.fs, `${folderOf(store)}/manifest`), 'manifest')
    const named = new Set(manifest.segments.map((segment) => JSON.stringify(segment)))
    const known =
      system.fs.pathStatus(copy) === undefined ? [] : parseArchivedFile(contentOf(system.fs, copy), copy).manifest.segments
    t.deepEqual(
      known.filter((segment) => !named.has(JSON.stringify(segment))),
      [],
    )
  }
  for (const point of ['archive.after-object', 'archive.after-drop', 'archive.after-manifest'])
    system.failpoints.set(point, look)
  await archiveTopic(store, 't', ARCHIVE, { codec: 'gzip' })
  t.true(system.passedFailpoints.includes('archive.after-drop'))
  t.true(looks > 3)
})

test('a topic that is made anew in mid-run does not get into the archive of the one that was', async (t) => {
  const { system, store } = await archivableStore()
  await createTopic(store, 'u', { config: { 'segment.bytes': 256 } })
  for (const letter of ['v', 'w', 'x', 'y', 'z']) await produce(store, 'u', [letter.repeat(80)])
  const folder = folderOf(store)
  const onProgress = () => {
    if (system.fs.pathStatus(`${STORE}/u-0`) === undefined) return
    system.fs.rename(`${STORE}/t-0`, `${STORE}/was`)
    system.fs.rename(`${STORE}/u-0`, `${STORE}/t-0`)
  }
  await t.throwsAsync(archiveTopic(store, 't', ARCHIVE, { onProgress }), { code: 'LOGQ_TOPIC_REMOVED' })
  t.deepEqual(
    [...filesBelow(system, folder).keys()].filter((name) => name === 'manifest'),
    [],
  )
  t.is(
    system.fs.list(`${STORE}/t-0`).find((name) => name === archivedFileName(ARCHIVE)),
    undefined,
  )
})

test('segments that are retained in mid-run are passed over, and all others archived', async (t) => {
  const { system, store } = await archivableStore()
  for (const letter of ['f', 'g', 'h', 'i', 'j', 'k']) await produce(store, 't', [letter.repeat(80)])
  const directory = partitionDirectory(store, 't', 0)
  const bases = listSegments(viewContext(store, 't', 0))
  t.true(bases.length >= 5)
  const onProgress = () => {
    for (const base of bases.slice(0, 2))
      if (system.fs.pathStatus(`${directory}/${names(base)}`)) unlinkSegment(system, directory, base)
  }
  const [done] = await archiveTopic(store, 't', ARCHIVE, { onProgress })
  t.is(done?.archivedUpTo, bases.at(-1) ?? 0)
  const archived = [...filesBelow(system, folderOf(store)).keys()]
  t.deepEqual(archived, [...[0, ...bases.slice(2, -1)].map(names), 'manifest'])
})

test('a partition that is not wanted, or has nothing to archive, has a manifest; one without is missing', async (t) => {
  const { system, store } = await archivableStore(undefined, { partitions: 3 })
  await archiveTopic(store, 't', ARCHIVE, { partitions: [1] })
  const parts = (await collect(verifyArchive(system, ARCHIVE))).map(({ partition, segmentCount }) => [
    partition,
    segmentCount > 0,
  ])
  t.is(parts.length, 3)
  t.deepEqual(
    parts.map(([partition]) => partition),
    [0, 1, 2],
  )
  system.fs.unlink(`${ARCHIVE}/t/${getTopic(store, 't').topicId}/2/manifest`)
  await t.throwsAsync(collect(verifyArchive(system, ARCHIVE)), {
    code: 'LOGQ_CORRUPT',
    message: /partition 2 of 't' is missing/,
  })
  const other = await tinyStore(null, createFakeSystem({ disk: system.disk, seed: 9 }))
  const restore = (options: RestoreOptions) => restoreTopic(other.store, ARCHIVE, 't', { as: 'back', ...options })
  await t.throwsAsync(restore({}), { code: 'LOGQ_CORRUPT', message: /partition 2 of 't' is missing/ })
  t.is(findTopic(other.store, 'back'), undefined)
  await restore({ partitions: (partition) => partition === 1 })
  t.is(getTopic(other.store, 'back').partitions, 3)
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
