/**
 * How much memory the commands take over files that ask for more than they hold: compressed data that would become gigabytes, lengths,
 * counts and varints at their extremes, with every checksum right. Each stands between two good records, in a closed segment.
 */
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { writeInt32 } from '../../lib/bytes/big-endian.js'
import { CRC_POSITION, LENGTH_POSITION } from '../../lib/record/batch-layout.js'
import { codecNumber, compress, loadCodec, type Codec } from '../../lib/record/compression.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'
import { measure } from '../processes/huge-records.js'
import { craftBatch, craftRecord, type CraftedBatch } from '../record/craft-batch.js'

const MEBIBYTE = 1 << 20
/** Above what is decompressed at most. */
const BOMB_MEBIBYTES = 400
/** What any command may take, and what is decompressed at most. */
const MOST_MEBIBYTES = 150 + 256
const EXTREME = 0x7fff_ffff

const plain = (record: Parameters<typeof craftRecord>[0]): CraftedBatch => ({ records: craftRecord(record) })
const bomb = (codec: Codec, records: Uint8Array): CraftedBatch => ({ attributes: codecNumber(codec), records })
const repeated = (bytes: Uint8Array, times: number) => Buffer.concat(Array.from({ length: times }, () => bytes))

/** One frame of many blocks: lz4 frames do not follow one another. */
function lz4Bomb(): Uint8Array {
  const small = compress('lz4', new Uint8Array(1 << 16))
  const block = small.subarray(7, small.length - 4)
  return Buffer.concat([small.subarray(0, 7), repeated(block, BOMB_MEBIBYTES * 16), small.subarray(small.length - 4)])
}

/** One frame of blocks that are a byte and how often it is repeated, without a size: 32 KiB that would be 1 GiB. */
function zstdBomb(): Uint8Array {
  return Buffer.concat([Buffer.from('28b52ffd0058', 'hex'), repeated(Buffer.from('02001000', 'hex'), 8192)])
}

/** Batches at offset 1, with right checksums. */
function hostileBatches(): Readonly<Record<string, CraftedBatch>> {
  const zeros = new Uint8Array(MEBIBYTE)
  return {
    gzip: bomb('gzip', repeated(compress('gzip', zeros), BOMB_MEBIBYTES)),
    snappy: bomb('snappy', repeated(compress('snappy', zeros), BOMB_MEBIBYTES)),
    lz4: bomb('lz4', lz4Bomb()),
    zstd: bomb('zstd', zstdBomb()),
    'zstd-frames': bomb('zstd', repeated(compress('zstd', zeros), BOMB_MEBIBYTES)),
    'record-count': { recordCount: EXTREME, lastOffsetDelta: 0 },
    'record-length': plain({ length: EXTREME }),
    'key-length': plain({ keyLength: EXTREME }),
    'value-length': plain({ valueLength: EXTREME }),
    'header-count': plain({ headerCount: EXTREME }),
    'long-varint': { records: Buffer.from('ffffffffffffffffffff01'.repeat(2), 'hex') },
    'negative-lengths': plain({ keyLength: -EXTREME, valueLength: -EXTREME, headerCount: -1 }),
  }
}

const HOLE_BYTES = 600 * MEBIBYTE

/** A length that the file has, but all behind the header is a hole. */
function holeBatch(): Uint8Array {
  const bytes = craftBatch({ baseOffset: 1 })
  writeInt32(bytes, LENGTH_POSITION, HOLE_BYTES)
  writeInt32(bytes, CRC_POSITION, 1)
  return bytes.subarray(0, 61)
}

const segment = (base: number) => `${String(base).padStart(20, '0')}.log`

/** Puts a topic's partition together: a good record, what is hostile, and in the next segment another good one. */
function write(cli: Cli, topic: string, hostile: Uint8Array, sizeBytes?: number): void {
  const directory = join(cli.store, `${topic}-0`)
  for (const name of readdirSync(directory)) if (name !== 'lock') rmSync(join(directory, name), { recursive: true })
  const good = (baseOffset: number) => craftBatch({ baseOffset, records: craftRecord({ value: Buffer.from('good') }) })
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, segment(0)), Buffer.concat([good(0), hostile]))
  if (sizeBytes !== undefined) truncateSync(join(directory, segment(0)), sizeBytes)
  writeFileSync(join(directory, segment(2)), good(2))
}

test('bombs, and lengths, counts and varints at their extremes, take no more memory than is theirs, in any command', async (t) => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await loadCodec(codec)
  const cli = makeCli(t)
  const hostile = Object.entries(hostileBatches())
  const topics = [...hostile.map(([name]) => name), 'hole']
  const made = await cli.shell(`for topic in ${topics.join(' ')}; do logq topic create $topic || exit; done`)
  t.is(made.status, 0, made.stderr)
  for (const [topic, fields] of hostile) write(cli, topic, craftBatch({ baseOffset: 1, ...fields }))
  write(cli, 'hole', holeBatch(), HOLE_BYTES + 10_000)

  const runs: (readonly [command: string, status: number, stdout?: string])[] = [
    ...['gzip', 'snappy', 'lz4', 'zstd', 'record-count', 'hole'].flatMap((topic) => [
      [`cat ${topic}`, 5, 'good\n'] as const,
      [`get ${topic}:0@1`, 5, ''] as const,
      [`consume ${topic} -g g -o earliest --idle 20s`, 5, 'good\n'] as const,
      [`dump ${topic} --records -J`, 5] as const,
    ]),
    [`cat ${topics.join(' ')} --on-corrupt skip`, 5, 'good\ngood\n'.repeat(topics.length)],
    [`tail ${topics.join(' ')} --on-corrupt skip`, 5, 'good\ngood\n'.repeat(topics.length)],
    ['fsck', 5],
    [`stat ${topics.join(' ')}`, 5],
  ]
  const peaks: { readonly command: string; readonly peakMiB: number }[] = []
  for (const [command, status, stdout] of runs) {
    const done = await measure(cli, `peak logq ${command}`)
    t.is(done.status, status, `${command}: ${done.stderr}`)
    if (stdout !== undefined) t.is(done.stdout.toString(), stdout, `${command}: ${done.stderr}`)
    t.true(done.peakMiB > 0, command)
    peaks.push({ command, peakMiB: done.peakMiB })
  }
  peaks.sort((a, b) => b.peakMiB - a.peakMiB)
  t.log(
    peaks
      .slice(0, 3)
      .map(({ command, peakMiB }) => `${peakMiB} MiB: ${command}`)
      .join('\n'),
  )
  t.deepEqual(
    peaks.filter(({ peakMiB }) => peakMiB >= MOST_MEBIBYTES),
    [],
  )
})
