/**
 * What a dump says is wrong is what a check finds, file by file and for the partition as a whole, whatever is damaged; and of any bytes
 * under any name it makes something, without more memory than they call for.
 */
import test from 'ava'
import { isLogqError, systemErrorCode } from '../../lib/errors.js'
import { dumpFile, dumpPartition, type DumpOptions } from '../../lib/inspect/dump.js'
import type { DumpItem, ProblemItem } from '../../lib/inspect/dump-item.js'
import { LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from '../../lib/log/file-names.js'
import { writeKnownGaps } from '../../lib/log/known-gaps.js'
import { writeLogStartOffset } from '../../lib/log/log-start-offset-file.js'
import { checkPartition } from '../../lib/maintain/check-store.js'
import type { Finding } from '../../lib/maintain/finding.js'
import { openStore, type Store } from '../../lib/store/store.js'
import { formatTopicFile } from '../../lib/store/topic-file.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { createSeededRandom, type SeededRandom } from '../helpers/seeded-random.js'
import { DIRECTORY, appendBytes, names, overwrite, pathOf, readFile, tinyContext } from '../log/tiny-log.js'
import { copyOf, flipBit } from '../maintain/damaged-partition.js'
import { ROLLING, THREE, prepare } from '../maintain/flip-segment.js'
import { craftBatch, craftRecord } from '../record/craft-batch.js'

/** A partition of several segments, with every kind of file, in a store. */
async function filledStore(): Promise<FakeSystem> {
  const { system } = await prepare(ROLLING, [...THREE, ['f'], ['g'], ['h'], ['i', 'j']])
  const context = tinyContext(system, ROLLING)
  writeLogStartOffset(context, 1)
  writeKnownGaps(context, [{ fromOffset: 100, toOffset: 102 }])
  system.fs.makeDirectory('/store/topics', 0o700)
  const created = '2026-01-01T00:00:00.000Z'
  overwrite(system, '/store/logq.json', Buffer.from(JSON.stringify({ formatVersion: 1, storeId: 'an-id', created })))
  const topic = { topic: 'tiny', topicId: 'an-id', partitions: 1, partitioner: 'murmur2', config: {}, created }
  overwrite(system, '/store/topics/tiny.json', formatTopicFile(topic))
  return system
}

async function all(items: AsyncIterable<DumpItem>): Promise<DumpItem[]> {
  const found: DumpItem[] = []
  for await (const item of items) found.push(item)
  return found
}

const isProblem = (item: DumpItem): item is ProblemItem => item.type === 'problem'
const sentences = (findings: readonly (Finding | ProblemItem)[]) =>
  findings.map(({ kind, file, position, offset, message }) => JSON.stringify([kind, file, position, offset, message])).sort()

/** Throws when a dump does not say what the check finds, of the partition or of one of its files. Returns what is found. */
async function judgeAgreement(system: FakeSystem, what: string): Promise<readonly Finding[]> {
  const store: Store = openStore(system, '/store')
  const { findings } = await checkPartition(store, 'tiny', 0)
  const compare = (dumped: readonly DumpItem[], expected: readonly Finding[], of: string) => {
    const [saidText, foundText] = [sentences(dumped.filter(isProblem)), sentences(expected)].map((lines) => lines.join('\n'))
    if (saidText !== foundText) throw new Error(`${what}: dump of ${of} says\n${saidText ?? ''}\nfsck\n${foundText ?? ''}`)
  }
  compare(await all(dumpPartition(store, 'tiny', 0)), findings, 'the partition')
  for (const name of names(system)) {
    const path = `${DIRECTORY}/${name}`
    const expected = findings.filter(({ file }) => file === path)
    compare(await all(dumpFile(system, path, { withRecords: true })), expected, name)
  }
  return findings
}

test('a whole partition: every file is shown as what it is, with all that is in it, and nothing is wrong', async (t) => {
  const system = await filledStore()
  t.deepEqual(await judgeAgreement(system, 'whole'), [])
  const items = await all(dumpPartition(openStore(system, '/store'), 'tiny', 0, { withRecords: true }))
  t.deepEqual([...new Set(items.map(({ type }) => type))].sort(), [
    'batch',
    'file',
    'known-gap',
    'leader-epoch',
    'leader-epoch-id',
    'log-start-offset',
    'offset-index-entry',
    'record',
    'recovery-point',
    'state-block',
    'time-index-entry',
  ])
  t.deepEqual(
    items.flatMap((item) =>
      item.type === 'record' ? [`${item.record.offset}:${Buffer.from(item.record.value ?? []).toString()}`] : [],
    ),
    ['0:a', '1:b', '2:c', '3:d', '4:e', '5:f', '6:g', '7:h', '8:i', '9:j'],
  )
  for (const item of items) {
    if (item.type === 'batch') t.true(item.isGood && item.crc === item.computedCrc)
    if (item.type === 'offset-index-entry' || item.type === 'time-index-entry') t.true(item.matches)
    if (item.type === 'state-block') t.true(item.matchesLog === true && item.logEndOffset === 10 && item.isOfThisBoot)
  }
  const [store] = (await all(dumpFile(system, '/store/logq.json'))).slice(1)
  t.true(store?.type === 'store' && store.content['storeId'] === 'an-id')
  const [topic] = (await all(dumpFile(system, '/store/topics/tiny.json'))).slice(1)
  t.true(topic?.type === 'topic' && topic.content['partitions'] === 1)
})

const kinds: Readonly<Record<string, readonly string[]>> = {
  '.log': [],
  '.index': [],
  '.timeindex': [],
  'a small file': ['lock', 'recovery-point', 'log-start-offset', 'leader-epoch-checkpoint', 'leader-epoch-ids', 'known-gaps'],
}

function pick(random: SeededRandom, system: FakeSystem, kind: string): string {
  const some = kinds[kind] ?? []
  const candidates = some.length > 0 ? some : names(system).filter((name) => name.endsWith(kind))
  return `${DIRECTORY}/${candidates[random.integer(candidates.length)] ?? ''}`
}

/** What may happen to the bytes of a file. */
const damages: Readonly<Record<string, (bytes: Uint8Array, random: SeededRandom) => Uint8Array>> = {
  'a flipped bit': (bytes, random) => flipBit(bytes, random.integer(bytes.length * 8)),
  'two flipped bits': (bytes, random) =>
    flipBit(flipBit(bytes, random.integer(bytes.length * 8)), random.integer(bytes.length * 8)),
  'a cut': (bytes, random) => bytes.slice(0, random.integer(bytes.length)),
  'a zeroed part': (bytes, random) => {
    const from = random.integer(bytes.length)
    return bytes.slice().fill(0, from, from + 1 + random.integer(60))
  },
  'garbage behind the end': (bytes, random) => Buffer.concat([bytes, random.bytes(1 + random.integer(200))]),
  'zeros behind the end': (bytes, random) => Buffer.concat([bytes, new Uint8Array(1 + random.integer(200))]),
  'garbage in place of it': (bytes, random) => random.bytes(bytes.length),
  'a part given twice': (bytes, random) => Buffer.concat([bytes, bytes.subarray(random.integer(bytes.length))]),
}

for (const [what, damage] of Object.entries(damages)) {
  test(`dump and fsck agree about ${what} in any file`, async (t) => {
    const whole = await filledStore()
    const random = createSeededRandom(what.length)
    let found = 0
    for (const kind of Object.keys(kinds)) {
      for (let round = 0; round < 12; round += 1) {
        const system = copyOf(whole)
        const path = pick(random, system, kind)
        const bytes = readFile(system, path)
        if (bytes.length === 0) continue
        overwrite(system, path, damage(bytes, random))
        found += (await judgeAgreement(system, `${what} in ${path}, round ${round}`)).length
      }
    }
    t.true(found > 5)
  })
}

test('dump and fsck agree about files that are gone, exchanged, or put under another name', async (t) => {
  const whole = await filledStore()
  for (const name of names(whole)) {
    const system = copyOf(whole)
    system.fs.unlink(`${DIRECTORY}/${name}`)
    await judgeAgreement(system, `without ${name}`)
  }
  const logs = names(whole).filter((name) => name.endsWith('.log'))
  t.true(logs.length > 2)
  for (const [n, name] of logs.entries()) {
    for (const other of logs.slice(n + 1)) {
      const system = copyOf(whole)
      const [a, b] = [readFile(system, `${DIRECTORY}/${name}`), readFile(system, `${DIRECTORY}/${other}`)]
      overwrite(system, `${DIRECTORY}/${name}`, b)
      overwrite(system, `${DIRECTORY}/${other}`, a)
      t.true((await judgeAgreement(system, `${name} for ${other}`)).length > 0)
    }
    const system = copyOf(whole)
    overwrite(system, pathOf(3), readFile(system, `${DIRECTORY}/${name}`))
    await judgeAgreement(system, `${name} as ${pathOf(3)}`)
  }
})

test('dump and fsck agree about what is half-way in above what was synced', async (t) => {
  const whole = await filledStore()
  const last = `${DIRECTORY}/${names(whole).findLast((name) => name.endsWith('.log')) ?? ''}`
  const good = craftBatch({ baseOffset: 10 })
  for (const tail of [
    good,
    good.slice(0, 40),
    flipBit(good, 600),
    craftBatch({ baseOffset: 10, records: craftRecord({ keyLength: 100 }) }),
  ]) {
    const system = copyOf(whole)
    appendBytes(system, last, tail)
    const findings = await judgeAgreement(system, `a tail of ${tail.length} bytes`)
    t.true(findings.every(({ kind }) => kind === 'note'))
  }
})

test('any bytes under any name are shown or refused, wherever they lie, and are at rest there', async (t) => {
  const whole = await filledStore()
  const random = createSeededRandom(7)
  const fileNames = [
    '00000000000000000000.log',
    '00000000000000000005.index',
    '00000000000000000005.timeindex',
    'lock',
    'recovery-point',
    'log-start-offset',
    'leader-epoch-checkpoint',
    'leader-epoch-ids',
    'known-gaps',
    'logq.json',
    'replication-offset-checkpoint',
    'partition.metadata',
    '00000000000000000000.log.deleted',
    'copy.log',
    'whatever',
  ]
  whole.fs.makeDirectory('/elsewhere', 0o700)
  whole.fs.makeDirectory(`${DIRECTORY}/quarantine`, 0o700)
  let refused = 0
  for (const directory of ['/elsewhere', `${DIRECTORY}/quarantine`, '/store/topics']) {
    for (const name of [...fileNames, '0.12.345', '0.12.345.2', 'x.json']) {
      for (const bytes of [
        new Uint8Array(0),
        new Uint8Array(300),
        random.bytes(700),
        readFile(whole, pathOf(0)),
        flipBit(readFile(whole, pathOf(0)), 8 * 70),
        readFile(whole, `${DIRECTORY}/lock`),
        flipBit(readFile(whole, `${DIRECTORY}/recovery-point`), 5),
      ]) {
        const path = `${directory}/${name}`
        overwrite(whole, path, bytes)
        try {
          const [file] = await all(dumpFile(whole, path, { withRecords: true }))
          t.is(file?.type, 'file')
        } catch (error) {
          if (!isLogqError(error, 'LOGQ_IO')) throw error
          refused += 1
        }
        whole.fs.unlink(path)
      }
    }
  }
  t.true(refused > 0)
  const torn = readFile(whole, pathOf(0)).subarray(0, -5)
  overwrite(whole, '/elsewhere/00000000000000000000.log', torn)
  t.deepEqual(
    (await all(dumpFile(whole, '/elsewhere/00000000000000000000.log'))).filter(isProblem).map(({ kind }) => kind),
    ['damage'],
  )
  for (const missing of ['/elsewhere/nothing.log', '/nowhere/lock']) {
    const error = await t.throwsAsync(all(dumpFile(whole, missing)))
    t.is(systemErrorCode(error), 'ENOENT')
  }
})

const log = async (bytes: Uint8Array, options: DumpOptions = {}): Promise<DumpItem[]> => {
  const system = await filledStore()
  system.fs.makeDirectory('/elsewhere', 0o700)
  overwrite(system, '/elsewhere/00000000000000000000.log', bytes)
  return (await all(dumpFile(system, '/elsewhere/00000000000000000000.log', options))).slice(1)
}

test('a header of any kind is told: codecs, flags, producers, control batches, timestamps beyond what a number holds', async (t) => {
  const control = (type: number) => craftRecord({ key: Uint8Array.of(0, 0, 0, type), value: new Uint8Array(6) })
  const items = await log(
    Buffer.concat([
      craftBatch({ baseOffset: 0, attributes: 0x10, producerId: 2n ** 60n, producerEpoch: 3, baseSequence: 9 }),
      craftBatch({ baseOffset: 1, attributes: 0x30, records: control(1) }),
      craftBatch({ baseOffset: 2, attributes: 0x30, records: control(0) }),
      craftBatch({ baseOffset: 3, attributes: 0x20, records: control(2) }),
      craftBatch({ baseOffset: 4, attributes: 0x20, records: control(77) }),
      craftBatch({ baseOffset: 5, attributes: 0x48, baseTimestampMs: -(2n ** 61n), maxTimestampMs: 2n ** 62n }),
      craftBatch({ baseOffset: 9, recordCount: 0, lastOffsetDelta: 4, records: new Uint8Array(0) }),
    ]),
  )
  const batches = items.flatMap((item) => (item.type === 'batch' ? [item] : []))
  t.is(batches.length, items.length)
  t.deepEqual([batches[0]?.producerId, batches[0]?.producerEpoch, batches[0]?.baseSequence], [2n ** 60n, 3, 9])
  t.deepEqual(
    batches.map(({ isTransactional, isControl, controlType }) => [isTransactional, isControl, controlType]),
    [
      [true, false, undefined],
      [true, true, 'commit'],
      [true, true, 'abort'],
      [false, true, 'leader-change'],
      [false, true, 'type 77'],
      [false, false, undefined],
      [false, false, undefined],
    ],
  )
  t.true(batches[5]?.hasDeleteHorizon)
  t.deepEqual(
    [batches[5]?.timestampType, batches[5]?.baseTimestampMs, batches[5]?.maxTimestampMs],
    ['LogAppendTime', -(2n ** 61n), 2n ** 62n],
  )
  t.deepEqual([batches[6]?.recordCount, batches[6]?.lastOffset], [0, 13])
})

test('what cannot be read is named, its header shown, and the next whole batch found', async (t) => {
  const good = craftBatch({ baseOffset: 5 })
  const unknownCodec = craftBatch({ baseOffset: 4, attributes: 7 })
  const hostile = craftBatch({ baseOffset: 4 })
  new DataView(hostile.buffer).setInt32(8, 0x7fff_0000)
  const badCrc = craftBatch({ baseOffset: 4 })
  badCrc[17] = (badCrc[17] ?? 0) ^ 1
  const gzip = craftBatch({ baseOffset: 4, attributes: 1, records: new Uint8Array(50) })
  for (const [what, bad, message, codec, isSummed] of [
    ['an unknown codec', unknownCodec, /codec 7 is not known/, 'unknown (7)', true],
    ['a length that leaves the file', hostile, /of a batch are there/, 'none', false],
    ['a CRC', badCrc, /CRC of a batch does not match/, 'none', true],
    ['compressed bytes that are none', gzip, /./, 'gzip', true],
  ] as const) {
    const items = await log(Buffer.concat([craftBatch({ baseOffset: 3 }), bad, good]))
    t.deepEqual(
      items.map(({ type }) => type),
      ['batch', 'problem', 'batch', 'passed-over', 'batch'],
      what,
    )
    const [, problem, batch, passed, next] = items
    t.true(problem?.type === 'problem' && problem.kind === 'damage' && message.test(problem.message), what)
    t.true(
      batch?.type === 'batch' && !batch.isGood && batch.codec === codec && (batch.computedCrc !== undefined) === isSummed,
      what,
    )
    t.true(passed?.type === 'passed-over' && passed.sizeBytes === bad.length, what)
    t.true(next?.type === 'batch' && next.isGood && next.baseOffset === 5, what)
  }
  const noise = await log(Buffer.concat([new Uint8Array(33).fill(0x55), good]))
  t.deepEqual(
    noise.map(({ type }) => type),
    ['problem', 'passed-over', 'batch'],
  )
})

test('messages of the formats before 0.11 are named one by one; zeros at the end are what was preallocated', async (t) => {
  const old = (offset: number, magic: number) => {
    const bytes = new Uint8Array(12 + 22)
    const view = new DataView(bytes.buffer)
    view.setBigInt64(0, BigInt(offset))
    view.setInt32(8, 22)
    view.setUint8(16, magic)
    return bytes
  }
  const items = await log(Buffer.concat([old(7, 0), old(8, 1), old(9, 1)]))
  t.deepEqual(
    items.map(({ type }) => type),
    ['problem', 'old-message', 'old-message', 'old-message'],
  )
  t.true(items[0]?.type === 'problem' && /version 0, of Kafka before 0.11, is not supported/.test(items[0].message))
  t.deepEqual(
    items.flatMap((item) => (item.type === 'old-message' ? [[item.position, item.offset, item.magic]] : [])),
    [
      [0, 7, 0],
      [34, 8, 1],
      [68, 9, 1],
    ],
  )
  const zeros = await log(Buffer.concat([craftBatch({}), new Uint8Array(5000)]))
  t.deepEqual(
    zeros.map((item) => (item.type === 'problem' ? item.kind : item.type)),
    ['batch', 'note', 'passed-over'],
  )
})

test('a part of a log: offsets, a position, a number; problems are named all the same', async (t) => {
  const bytes = Buffer.concat([0, 1, 2, 3].map((baseOffset) => craftBatch({ baseOffset })))
  const size = bytes.length / 4
  const shown = async (options: DumpOptions) =>
    (await log(bytes, options)).map((item) => (item.type === 'batch' ? item.baseOffset : item.type))
  t.deepEqual(await shown({ fromOffset: 1, toOffset: 3 }), [1, 2])
  t.deepEqual(await shown({ fromOffset: 3 }), [3])
  t.deepEqual(await shown({ fromPosition: size }), [1, 2, 3])
  t.deepEqual(await shown({ fromPosition: 2 * size - 1 }), [1, 2, 3])
  t.deepEqual(await shown({ fromPosition: 4 * size }), [])
  t.deepEqual(await shown({ limit: 2 }), [0, 1])
  t.deepEqual(await shown({ limit: 0 }), [])
  t.deepEqual(await shown({ limit: 1, withRecords: true }), [0, 'record'])
  bytes[3 * size + 30] = (bytes[3 * size + 30] ?? 0) ^ 1
  t.deepEqual(await shown({ limit: 1 }), [0, 'problem'])

  const system = await filledStore()
  const items = await all(dumpPartition(openStore(system, '/store'), 'tiny', 0, { fromOffset: 3, toOffset: 4 }))
  t.deepEqual(
    items.flatMap((item) => (item.type === 'batch' ? [item.baseOffset] : [])),
    [3],
  )
  t.true(
    items.every(
      (item) =>
        item.type !== 'file' ||
        [LOG_SUFFIX, OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX].some((suffix) => item.file.endsWith(suffix)),
    ),
  )
})

test('an index: a tail that Kafka preallocated, a rest of an entry, entries without a log beside them', async (t) => {
  const system = await filledStore()
  system.fs.makeDirectory('/elsewhere', 0o700)
  const index = readFile(system, pathOf(0, OFFSET_INDEX_SUFFIX))
  const dump = async (name: string, bytes: Uint8Array) => {
    overwrite(system, `/elsewhere/${name}`, bytes)
    return (await all(dumpFile(system, `/elsewhere/${name}`))).slice(1)
  }
  const preallocated = await dump(
    '00000000000000000000.index',
    Buffer.concat([index, new Uint8Array(10_000_000 - index.length)]),
  )
  t.deepEqual(
    preallocated.map(({ type }) => type),
    [...Array.from({ length: index.length / 8 }, () => 'offset-index-entry'), 'preallocated'],
  )
  t.deepEqual(
    (await dump('00000000000000000000.timeindex', new Uint8Array(1200))).map(({ type }) => type),
    ['preallocated'],
  )
  t.true(preallocated.every((item) => item.type !== 'offset-index-entry' || item.matches === undefined))
  const [, , odd] = await dump('00000000000000000000.index', Buffer.concat([index.subarray(0, 8), new Uint8Array(3).fill(7)]))
  t.is(odd?.type, 'passed-over')
  const falling = await dump('00000000000000000000.index', Buffer.concat([index.subarray(0, 8), index.subarray(0, 8)]))
  t.deepEqual(
    falling.map(({ type }) => type),
    ['offset-index-entry', 'problem', 'offset-index-entry'],
  )
})
