/** Indexes, and the small files of a partition and of a topic: what is read from them, written and read again, is the same. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { crc32c } from '../../../lib/bytes/crc32c.js'
import {
  parseLeaderEpochIds,
  parseLeaderEpochs,
  formatLeaderEpochCheckpoint,
  formatLeaderEpochIds,
} from '../../../lib/log/leader-epochs.js'
import { isKnownGap, parseKnownGaps } from '../../../lib/log/known-gaps.js'
import { formatLogStartOffset, parseLogStartOffset } from '../../../lib/log/log-start-offset.js'
import { encodeOffsetIndexEntry, OffsetIndexReader } from '../../../lib/log/offset-index.js'
import { decodeRecoveryPoint, encodeRecoveryPoint, RECOVERY_POINT_SLOT_BYTES } from '../../../lib/log/recovery-point.js'
import { decodeStateBlock, encodeStateBlock, STATE_BLOCK_BYTES } from '../../../lib/log/state-block.js'
import { encodeTimeIndexEntry, TimeIndexReader } from '../../../lib/log/time-index.js'
import {
  decodeDedupeHeader,
  DEDUPE_HEADER_BYTES,
  encodeDedupeHeader,
  isBucket,
  readEntry,
  usedEntries,
} from '../../../lib/produce/dedupe-format.js'
import { kafkaLogStartOffset, kafkaTopics } from '../../../lib/store/kafka-directory.js'
import { openStore } from '../../../lib/store/store.js'
import { formatTopicFile, parseTopicFile } from '../../../lib/store/topic-file.js'
import type { FileSystem } from '../../../lib/system/file-system.js'
import { createFakeSystem } from '../../helpers/fake-system.js'
import { bytesOf, chosen, unlessRefused, type FuzzTarget } from '../target.js'

/** Each reads a kind of file and gives the bytes that it would write for what it read; undefined for a file that it refuses. */
const kinds: readonly ((bytes: Uint8Array) => Uint8Array | undefined)[] = [
  withCrc((bytes) => map(decodeRecoveryPoint(bytes), encodeRecoveryPoint), RECOVERY_POINT_SLOT_BYTES),
  withCrc((bytes) => map(decodeStateBlock(bytes), encodeStateBlock), STATE_BLOCK_BYTES),
  withCrc((bytes) => map(decodeDedupeHeader(bytes), encodeDedupeHeader), DEDUPE_HEADER_BYTES),
  (bytes) => map(parseLeaderEpochs(bytes), formatLeaderEpochCheckpoint),
  (bytes) => map(parseLeaderEpochIds(bytes), (ids) => formatLeaderEpochIds(ids.map((id) => ({ ...id, startOffset: 0 })))),
  (bytes) => map(parseLogStartOffset(bytes), formatLogStartOffset),
  (bytes) =>
    map(parseKnownGaps(bytes), (gaps) => {
      for (const { fromOffset, toOffset } of gaps) assert(isKnownGap(gaps, fromOffset, toOffset))
      return bytesOf(`${['0', String(gaps.length), ...gaps.map((gap) => `${gap.fromOffset} ${gap.toOffset}`)].join('\n')}\n`)
    }),
  (bytes) =>
    map(
      unlessRefused(() => parseTopicFile(bytes, 'topic.json')),
      formatTopicFile,
    ),
]

function map<A, B>(value: A | undefined, use: (value: A) => B): B | undefined {
  return value === undefined ? undefined : use(value)
}

/** Tries the bytes as they are, and then with the checksum that ends `length` bytes put right. */
function withCrc(read: (bytes: Uint8Array) => Uint8Array | undefined, length: number) {
  return (bytes: Uint8Array): Uint8Array | undefined => {
    if (bytes.length < length) return read(bytes)
    const mended = Buffer.from(bytes)
    mended.writeUInt32BE(crc32c(mended, 0, length - 4), length - 4)
    return read(bytes) ?? read(mended)
  }
}

export const smallFiles: FuzzTarget = {
  name: 'small-files',
  inputs: fc.oneof(
    fc
      .tuple(fc.nat(kinds.length - 1), fc.uint8Array({ minLength: 28, maxLength: 300 }))
      .map(([kind, bytes]) => Uint8Array.of(kind, ...bytes)),
    fc
      .constantFrom(
        '\x030\n2\n0 0\n3 17\n',
        '\x040\n1\n3 0123456789abcdef\n',
        `\x05${Buffer.from(formatLogStartOffset(42)).toString()}`,
        '\x060\n2\n3 9\n3 12\n',
        '\x07{"formatVersion":1,"topic":"t","topicId":"i","partitions":2,"partitioner":"murmur2","config":{"retention.ms":5},"created":"x"}\n',
      )
      .map(bytesOf),
    fc.constantFrom(
      Buffer.concat([Uint8Array.of(0), encodeRecoveryPoint({ sequence: 3, offset: 9, segmentBaseOffset: 4, position: 77 })]),
      Buffer.concat([Uint8Array.of(1), someStateBlock()]),
      Buffer.concat([Uint8Array.of(2), someDedupeHeader()]),
    ),
  ),
  words: ['0\n', '__proto__', '"config":{', '9007199254740993', '-1', '1e3', ' ', '\n', '00', 'NaN'],
  check(input) {
    const [rewrite, bytes] = chosen(input, kinds)
    const written = rewrite(bytes)
    if (written !== undefined) assert.deepEqual(Buffer.from(rewrite(written) ?? []), Buffer.from(written))
    if (isBucket(bytes, 0)) for (let n = 0; n < usedEntries(bytes); n += 1) readEntry(bytes, n)
  },
}

function someStateBlock(): Uint8Array {
  const segment = { activeBaseOffset: 4, device: 1, inode: 2 ** 40, logBytes: 77, logEndOffset: 9, syncedOffset: 8 }
  const times = { maxTimestampMs: 5, maxTimestampOffset: 4, firstTimestampMs: -1, timeIndexTimestampMs: -1 }
  const indexes = { bytesSinceIndexEntry: 77, offsetIndexBytes: 0, timeIndexBytes: 0 }
  const holder = { holderPid: 1, holderStartTicks: 2 ** 33 }
  const status = { status: 'live', valid: true, bootId: new Uint8Array(16), leaderEpoch: 0 } as const
  return encodeStateBlock({ ...status, ...segment, ...times, ...indexes, ...holder })
}

function someDedupeHeader(): Uint8Array {
  const id = new Uint8Array(16)
  const lastBatch = { baseOffset: 4, crc: 7, leaderEpoch: 0 }
  const table = { tablePosition: 512, bucketCount: 4, entryCount: 3 }
  return encodeDedupeHeader({
    bootId: id,
    kind: id,
    generation: id.subarray(8),
    coveredFromMs: -1,
    coveredTo: 9,
    lastBatch,
    ...table,
  })
}

/** A file of index entries, by both kinds of index: look-ups answer within it and in few reads, and as a scan does when it is in order. */
export const indexes: FuzzTarget = {
  name: 'indexes',
  inputs: fc.array(fc.tuple(fc.nat(1000), fc.nat(1 << 20)), { maxLength: 40 }).map((entries) => {
    let [offset, place] = [0, 0]
    return Buffer.concat(
      entries.map(([more, moreBytes]) => {
        offset += more
        place += moreBytes
        return more % 2 === 0
          ? encodeOffsetIndexEntry({ offset, position: place }, 0)
          : encodeTimeIndexEntry({ timestampMs: place, offset }, 0)
      }),
    )
  }),
  check(input) {
    const counted = { reads: 0 }
    const fs = fileOf(input, counted)
    const offsets = new OffsetIndexReader(fs, 0, 5)
    const times = new TimeIndexReader(fs, 0, 5)
    const most = Math.ceil(Math.log2(input.length + 2)) + 2
    for (const sought of [0, 4, 5, 6, 100, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER, Number.NaN]) {
      for (const [reader, slotFor, keyOf] of [
        [offsets, () => offsets.slotFor(sought), (n: number) => offsets.entry(n)?.offset],
        [offsets, () => offsets.slotForPosition(sought), (n: number) => offsets.entry(n)?.position],
        [times, () => times.slotForTimestamp(sought), (n: number) => times.entry(n)?.timestampMs],
        [times, () => times.slotForOffset(sought), (n: number) => times.entry(n)?.offset],
      ] as const) {
        counted.reads = 0
        const slot = slotFor()
        assert(counted.reads <= most, `${counted.reads} reads`)
        assert(slot >= -1 && slot < Math.max(reader.entryCount, 1))
        const keys = Array.from({ length: reader.entryCount }, (_, n) => keyOf(n) ?? Number.POSITIVE_INFINITY)
        const isInOrder = keys.every((key, n) => n === 0 || (keys[n - 1] ?? 0) <= key)
        if (isInOrder)
          assert.equal(
            slot,
            keys.findLastIndex((key) => key <= sought),
          )
      }
    }
  },
}

/** No more of a file system than reading a file takes. */
function fileOf(bytes: Uint8Array, counted: { reads: number }): FileSystem {
  const fs: Pick<FileSystem, 'fileStatus' | 'read'> = {
    fileStatus: () => ({ ...createdStatus, sizeBytes: bytes.length }),
    read(_fd, buffer, start, length, position) {
      counted.reads += 1
      const part = bytes.subarray(position, position + length)
      buffer.set(part, start)
      return part.length
    },
  }
  return fs as FileSystem
}

const createdStatus = {
  kind: 'file',
  device: 1,
  inode: 1,
  links: 1,
  allocatedBytes: 0,
  modifiedMs: 0,
  mode: 0o600,
  userId: 0,
  groupId: 0,
} as const

/** Kafka's own small files in a log directory: what they say is used or not, and never more than that. */
export const kafkaFiles: FuzzTarget = {
  name: 'kafka-files',
  inputs: fc.constantFrom('0\n2\nt 0 17\nu 1 5\n', 'version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA\n', '1\n0\n').map(bytesOf),
  words: ['t 0 ', '9007199254740993', '-1', 'topic_id: ', '\n', ' '],
  check(input) {
    const system = createFakeSystem()
    const { fs } = system
    for (const directory of ['/data', '/data/t-0']) if (fs.pathStatus(directory) === undefined) fs.makeDirectory(directory)
    for (const name of ['log-start-offset-checkpoint', 't-0/partition.metadata', 't-0/00000000000000000000.log']) {
      const fd = fs.open(`/data/${name}`, 'create')
      if (!name.endsWith('.log')) fs.write(fd, input, 0, input.length, 0)
      fs.close(fd)
    }
    const store = openStore(system, '/data')
    assert.deepEqual([...kafkaTopics(store).keys()], ['t'])
    const offset = kafkaLogStartOffset(store, 't', 0)
    assert(offset === undefined || (Number.isSafeInteger(offset) && offset >= 0), `a log start offset of ${offset}`)
  },
}
