/** The systematic set of damages to a partition directory in memory, for damage-oracle.ts. */
import { LOG_SUFFIX } from '../../lib/log/file-names.js'
import { LEADER_EPOCH_POSITION, LENGTH_COUNTS_FROM, LENGTH_POSITION } from '../../lib/record/batch-layout.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, appendBytes, overwrite, pathOf, readFile } from '../log/tiny-log.js'
import { basesOf, flipBit } from './damaged-partition.js'

export interface Damage {
  readonly name: string
  /** The file that is damaged; of a damage to several, one of them. */
  readonly file: string
  readonly apply: (system: FakeSystem) => void
  /** A rule of the format is broken that readers do not need, so that fsck may say damage where all is read as it was. */
  readonly isRuleOnly?: boolean
}

const BITS = 8

function* filesOf(system: FakeSystem): Generator<{ file: string; bytes: Uint8Array }> {
  for (const file of system.fs.list(DIRECTORY)) yield { file, bytes: readFile(system, `${DIRECTORY}/${file}`) }
}

const put = (file: string, bytes: () => Uint8Array) => (system: FakeSystem) => {
  overwrite(system, `${DIRECTORY}/${file}`, bytes())
}

function leaderEpochBytes(segment: Uint8Array): Set<number> {
  const bytes = Buffer.from(segment)
  const places = new Set<number>()
  for (let batch = 0; batch < bytes.length; batch += LENGTH_COUNTS_FROM + bytes.readInt32BE(batch + LENGTH_POSITION))
    for (let n = 0; n < 4; n += 1) places.add(batch + LEADER_EPOCH_POSITION + n)
  return places
}

/** Every bit of every segment. */
export function* segmentBits(system: FakeSystem): Generator<Damage> {
  for (const { file, bytes } of filesOf(system)) {
    if (!file.endsWith(LOG_SUFFIX)) continue
    const epochs = leaderEpochBytes(bytes)
    for (let bit = 0; bit < bytes.length * BITS; bit += 1)
      yield {
        name: `bit ${bit % BITS} of byte ${bit >> 3} of ${file}`,
        file,
        apply: put(file, () => flipBit(bytes, bit)),
        // No CRC covers the leader epoch. A reader takes any that does not fall; fsck knows which were begun.
        isRuleOnly: epochs.has(bit >> 3),
      }
  }
}

/** Every byte of every index and small file: a bit of it, all bits, zero, and one more. */
export function* smallFileBytes(system: FakeSystem): Generator<Damage> {
  for (const { file, bytes } of filesOf(system)) {
    if (file.endsWith(LOG_SUFFIX)) continue
    for (const [place, byte] of bytes.entries()) {
      const others = new Set([byte ^ (1 << (place % BITS)), byte ^ 0xff, 0, (byte + 1) & 0xff])
      others.delete(byte)
      for (const other of others)
        yield {
          name: `byte ${place} of ${file} is ${other}, was ${byte}`,
          file,
          apply: put(file, () => bytes.with(place, other)),
        }
    }
  }
}

/** Every file cut at every length. */
export function* cuts(system: FakeSystem): Generator<Damage> {
  for (const { file, bytes } of filesOf(system))
    for (let length = 0; length < bytes.length; length += 1)
      yield { name: `${file} cut to ${length} of ${bytes.length}`, file, apply: put(file, () => bytes.subarray(0, length)) }
}

/** Behind every file: zeros, ones, noise, and for a segment an old batch. */
export function* additions(system: FakeSystem): Generator<Damage> {
  const [firstSegment = 0] = basesOf(system)
  const old = readFile(system, pathOf(firstSegment))
  const firstBatch = old.subarray(0, LENGTH_COUNTS_FROM + Buffer.from(old).readInt32BE(LENGTH_POSITION))
  const append = (file: string, what: string, bytes: () => Uint8Array): Damage => ({
    name: `${what} behind ${file}`,
    file,
    apply: (damaged) => {
      appendBytes(damaged, `${DIRECTORY}/${file}`, bytes())
    },
  })
  for (const { file } of filesOf(system)) {
    for (const length of [1, 2, 7, 8, 11, 12, 13, 16, 17, 60, 61, 62, 100, 511, 4096, 65_536]) {
      yield append(file, `${length} zeros`, () => new Uint8Array(length))
      yield append(file, `${length} times 0xff`, () => new Uint8Array(length).fill(0xff))
      yield append(file, `${length} bytes of noise`, () => Uint8Array.from({ length }, (_, n) => (n * 167 + 13) & 0xff))
    }
    if (!file.endsWith(LOG_SUFFIX)) continue
    yield append(file, 'the first batch of the log', () => firstBatch)
    yield append(file, 'the first segment', () => old)
    yield append(file, 'the file itself', () => readFile(system, `${DIRECTORY}/${file}`))
    yield append(file, 'a part of the first batch', () => firstBatch.subarray(0, 40))
  }
}

/** Whole segments: swapped, missing, empty, under another name, one more of them. */
export function* wholeSegments(system: FakeSystem): Generator<Damage> {
  const bases = basesOf(system)
  const of = (name: string, base: number, apply: (damaged: FakeSystem) => void): Damage => ({
    name,
    file: pathOf(base).slice(DIRECTORY.length + 1),
    apply,
    // A segment besides the others that no reader comes to.
    isRuleOnly: name.startsWith('a copy of') || name.startsWith('an empty'),
  })
  const last = bases.at(-1) ?? 0
  for (const [n, base] of bases.entries()) {
    const bytes = () => readFile(system, pathOf(base))
    yield of(`segment ${base} missing`, base, (damaged) => {
      damaged.fs.unlink(pathOf(base))
    })
    yield of(`segment ${base} empty`, base, (damaged) => {
      overwrite(damaged, pathOf(base), new Uint8Array(0))
    })
    for (const other of bases.slice(n + 1))
      yield of(`segments ${base} and ${other} exchanged`, other, (damaged) => {
        overwrite(damaged, pathOf(base), readFile(system, pathOf(other)))
        overwrite(damaged, pathOf(other), bytes())
      })
    for (const name of [1, base + 1, last + 1, last + 1000]) {
      if (bases.includes(name)) continue
      yield of(`a copy of segment ${base} as ${name}`, name, (damaged) => {
        overwrite(damaged, pathOf(name), bytes())
      })
      yield of(`segment ${base} renamed to ${name}`, base, (damaged) => {
        damaged.fs.rename(pathOf(base), pathOf(name))
      })
    }
    for (const other of bases)
      if (other !== base)
        yield of(`segment ${base} in place of ${other}`, other, (damaged) => {
          overwrite(damaged, pathOf(other), bytes())
        })
  }
  for (const name of [1, last + 1, last + 1000])
    yield of(`an empty segment ${name} besides`, name, (damaged) => {
      overwrite(damaged, pathOf(name), new Uint8Array(0))
    })
  yield of('no segment at all', last, (damaged) => {
    for (const base of bases) damaged.fs.unlink(pathOf(base))
  })
}
