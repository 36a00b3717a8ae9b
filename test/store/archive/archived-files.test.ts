import test from 'ava'
import {
  archivedFileName,
  archivedUpTo,
  normalLocation,
  readArchivedFile,
  writeArchivedFile,
} from '../../../lib/store/archive/archived-files.js'
import type { ArchivedSegment, Manifest } from '../../../lib/store/archive/manifest.js'
import { partitionDirectory, alterTopic, getTopic } from '../../../lib/store/topics.js'
import type { Store } from '../../../lib/store/store.js'
import { produce, tinyStore } from '../tiny-store.js'

function segment(baseOffset: number, endOffset: number): ArchivedSegment {
  const digest = '0'.repeat(64)
  return {
    baseOffset,
    endOffset,
    lastOffset: endOffset - 1,
    firstTimestampMs: 1,
    largestTimestampMs: 2,
    sizeBytes: 100,
    sha256: digest,
    codec: 'none',
    storedBytes: 100,
    storedSha256: digest,
    blocks: [],
    leaderEpochs: [],
  }
}

function manifestOf(store: Store, ranges: readonly (readonly [number, number])[]): Manifest {
  const { topic, topicId, partitions, partitioner, config } = getTopic(store, 't')
  const partition = { topic, topicId, storeId: store.storeId ?? '', partition: 0, partitions, partitioner, config }
  return { partition, segments: ranges.map(([base, end]) => segment(base, end)) }
}

function archive(store: Store, location: string, ranges: readonly (readonly [number, number])[]): void {
  const directory = partitionDirectory(store, 't', 0)
  writeArchivedFile(store.system, directory, { location, manifest: manifestOf(store, ranges) }, store.ownership)
}

test('archivedUpTo(): the offset that the segments of one archive reach from the log start on, without a gap', async (t) => {
  const { store } = await tinyStore()
  await produce(store, 't', ['a', 'b', 'c'])
  const upTo = () => archivedUpTo(store, getTopic(store, 't'), 0)
  t.is(upTo(), 0)
  archive(store, '/a', [
    [0, 1],
    [1, 2],
    [5, 9],
  ])
  t.is(upTo(), 2)
  archive(store, '/b', [[1, 3]])
  t.is(upTo(), 2)
  archive(store, '/b', [[0, 3]])
  t.is(upTo(), 3)
  await alterTopic(store, 't', { 'archive.location': '/a/' })
  t.is(upTo(), 2)
  await alterTopic(store, 't', { 'archive.location': 's3://bucket/prefix' })
  t.is(upTo(), 0)
})

test('archivedUpTo(): a file that is damaged, or of another topic, counts as nothing', async (t) => {
  const { system, store } = await tinyStore()
  archive(store, '/a', [[0, 3]])
  const path = `${partitionDirectory(store, 't', 0)}/${archivedFileName('/a')}`
  const topic = getTopic(store, 't')
  t.is(archivedUpTo(store, topic, 0), 3)
  t.is(archivedUpTo(store, { ...topic, topicId: 'A'.repeat(22) }, 0), 0)
  const fd = system.fs.open(path, 'read-write')
  system.fs.truncate(fd, system.fs.fileStatus(fd).sizeBytes - 2)
  system.fs.close(fd)
  t.is(archivedUpTo(store, topic, 0), 0)
  t.throws(() => readArchivedFile(store, 't', 0, '/a'), { code: 'LOGQ_CORRUPT' })
})

test('a location has one file, however it is written', (t) => {
  t.is(normalLocation('/a//b/./c/../'), '/a/b')
  t.is(normalLocation('s3://bucket/prefix/'), 's3://bucket/prefix')
  t.is(normalLocation('/'), '/')
  t.is(archivedFileName('/a/b/'), archivedFileName('/a/b'))
  t.not(archivedFileName('/a/b'), archivedFileName('s3://a/b'))
})

test('a temporary file that a compaction sweeps while it is written is written again; a removed topic has none', async (t) => {
  const { system, store } = await tinyStore()
  const directory = partitionDirectory(store, 't', 0)
  let swept = 0
  // The real calls, but for what comes between.
  const rename = system.fs.rename.bind(system.fs)
  system.fs.rename = (from, to) => {
    swept += 1
    if (swept < 3) system.fs.unlink(from)
    rename(from, to)
  }
  archive(store, '/a', [[0, 1]])
  t.is(swept, 3)
  t.is(readArchivedFile(store, 't', 0, '/a')?.segments.length, 1)
  t.throws(
    () => {
      writeArchivedFile(system, `${directory}-gone`, { location: '/a', manifest: manifestOf(store, []) }, store.ownership)
    },
    { code: 'ENOENT' },
  )
})
