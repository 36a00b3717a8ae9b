import test from 'ava'
import { isLogqError, type ErrorCode } from '../../lib/errors.js'
import { selectPartitions, viewContext, partitionOffsets } from '../../lib/store/partition.js'
import { openOrCreateStore, openStore, requireWritable } from '../../lib/store/store.js'
import { TOPIC_SETTINGS, parseSetting, settingOf } from '../../lib/store/topic-config.js'
import { createTopic, getTopic, listTopics } from '../../lib/store/topics.js'
import type { System } from '../../lib/system/system.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { MemoryDisk } from '../helpers/memory-disk.js'
import { overwrite } from '../log/tiny-log.js'
import { STORE, produce, tinyStore, values } from './tiny-store.js'

test('openOrCreateStore() creates directories and the store, and opens it again', async (t) => {
  const system = createFakeSystem()
  const store = await openOrCreateStore(system, STORE)
  t.is(store.kind, 'logq')
  t.is(system.fs.pathStatus(STORE)?.mode, 0o700)
  t.is(system.fs.pathStatus(`${STORE}/logq.json`)?.mode, 0o600)
  t.deepEqual(openStore(system, STORE), store)
  t.deepEqual(await openOrCreateStore(system, STORE), store)
})

test('files of a store get the mode of its directory, narrowed by the umask', async (t) => {
  const disk = new MemoryDisk({ umask: 0o027 })
  const system = createFakeSystem({ disk })
  const store = await openOrCreateStore(system, STORE, { mode: 0o775 })
  await createTopic(store, 't')
  t.is(system.fs.pathStatus(STORE)?.mode, 0o750)
  t.is(system.fs.pathStatus(`${STORE}/t-0`)?.mode, 0o750)
  for (const path of ['logq.json', 'topics/t.json', 't-0/lock', 't-0/00000000000000000000.log', 't-0/recovery-point']) {
    t.is(system.fs.pathStatus(`${STORE}/${path}`)?.mode, 0o640, path)
  }
})

const REFUSED: readonly (readonly [string, (system: ReturnType<typeof createFakeSystem>) => void, ErrorCode])[] = [
  ['is not there', () => undefined, 'LOGQ_UNKNOWN_STORE'],
  ['is an empty directory', (system) => system.fs.makeDirectory('/s'), 'LOGQ_UNKNOWN_STORE'],
  ['is a file', (system) => overwrite(system, '/s', Buffer.from('x')), 'LOGQ_UNKNOWN_STORE'],
  [
    'holds something else',
    (system) => {
      system.fs.makeDirectory('/s')
      overwrite(system, '/s/holiday.jpg', Buffer.from('x'))
    },
    'LOGQ_UNKNOWN_STORE',
  ],
  ['has an empty logq.json', (system) => storeFile(system, ''), 'LOGQ_CORRUPT'],
  ['has no store id', (system) => storeFile(system, '{"formatVersion":1}'), 'LOGQ_CORRUPT'],
  ['is newer', (system) => storeFile(system, '{"formatVersion":2,"storeId":"x"}'), 'LOGQ_NEWER_FORMAT'],
]

function storeFile(system: ReturnType<typeof createFakeSystem>, content: string): void {
  system.fs.makeDirectory('/s')
  overwrite(system, '/s/logq.json', Buffer.from(content))
}

/** The system, in which another process does something just before a directory is listed for the nth time. */
function listing(system: ReturnType<typeof createFakeSystem>, wanted: number, before: () => void): System {
  let count = 0
  const fs = new Proxy(system.fs, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        if (name === 'list' && (count += 1) === wanted) before()
        return Reflect.apply(value, target, given)
      }
    },
  })
  return { ...system, fs }
}

for (const wanted of [1, 2]) {
  test(`a store that another process creates while it is looked for is that store, at listing ${wanted}`, async (t) => {
    const system = createFakeSystem()
    system.fs.makeDirectory('/s')
    const create = () => {
      overwrite(system, '/s/logq.json', Buffer.from('{"formatVersion":1,"storeId":"of-the-other"}'))
      system.fs.makeDirectory('/s/t-0')
    }
    const store = await openOrCreateStore(listing(system, wanted, create), '/s')
    t.is(store.kind, 'logq')
    t.is(store.storeId, 'of-the-other')
  })
}

for (const [what, make, code] of REFUSED) {
  test(`openStore() refuses a path that ${what}`, async (t) => {
    const system = createFakeSystem()
    make(system)
    t.true(
      isLogqError(
        t.throws(() => openStore(system, '/s')),
        code,
      ),
    )
    const isEmpty = what.startsWith('is not') || what.startsWith('is an empty')
    if (isEmpty) await t.notThrowsAsync(openOrCreateStore(system, '/s'))
    else t.true(isLogqError(await t.throwsAsync(openOrCreateStore(system, '/s')), code), 'nothing is created in it')
  })
}

test('a store on a network file system is refused for writing, unless the risk is taken', async (t) => {
  for (const [type, name] of [
    [0x6969, 'NFS'],
    [0xff534d42, 'SMB'],
    [0xff534d42 | 0, 'SMB'],
    [0x01021997, '9p'],
    [0x65735546, 'FUSE'],
  ] as const) {
    const system = createFakeSystem({ disk: new MemoryDisk({ fileSystemType: type }) })
    const error = await t.throwsAsync(openOrCreateStore(system, STORE))
    t.true(isLogqError(error, 'LOGQ_IO'))
    t.regex(error.message, new RegExp(name))
    await t.notThrowsAsync(openOrCreateStore(system, STORE, { allowNetworkFileSystem: true }))
    t.is(openStore(system, STORE).kind, 'logq', 'reading is no risk')
  }
})

/** A Kafka log.dir made of a logq store's partitions. */
async function kafkaDirectory() {
  const { system, store } = await tinyStore({ partitions: 2 })
  await produce(store, 't', ['a', 'b', 'c'], { partition: 1 })
  system.fs.makeDirectory('/kafka')
  for (const name of ['t-0', 't-1']) {
    system.fs.rename(`${STORE}/${name}`, `/kafka/${name}`)
    for (const own of ['lock', 'recovery-point', 'leader-epoch-ids']) system.fs.unlink(`/kafka/${name}/${own}`)
  }
  for (const name of ['__cluster_metadata-0', 'x-0.0123-delete', 'x-0.0123-future', 'x-0.0123-stray', 'notes']) {
    system.fs.makeDirectory(`/kafka/${name}`)
  }
  return system
}

test('a Kafka log directory opens read-only, with the topics that are in it', async (t) => {
  const system = await kafkaDirectory()
  const store = openStore(system, '/kafka')
  t.is(store.kind, 'kafka')
  t.deepEqual(listTopics(store), ['t'])
  t.is(getTopic(store, 't').partitions, 2)
  t.deepEqual(await values(store, 't', 1), ['a', 'b', 'c'])
  t.true(
    isLogqError(
      t.throws(() => requireWritable(store)),
      'LOGQ_READ_ONLY_STORE',
    ),
  )
  t.true(isLogqError(await t.throwsAsync(createTopic(store, 'new')), 'LOGQ_READ_ONLY_STORE'))
  t.true(isLogqError(await t.throwsAsync(produce(store, 't', ['x'])), 'LOGQ_READ_ONLY_STORE'))
})

test("Kafka's log start offsets are honoured, and partitions that are elsewhere are left out", async (t) => {
  const system = await kafkaDirectory()
  overwrite(system, '/kafka/log-start-offset-checkpoint', Buffer.from('0\n2\nother 1 9\nt 1 2\n'))
  overwrite(system, '/kafka/t-1/partition.metadata', Buffer.from('version: 0\ntopic_id: abcdefghijklmnopqrstuv\n'))
  system.fs.rename('/kafka/t-0', '/kafka/t-7')
  const store = openStore(system, '/kafka')
  t.deepEqual(partitionOffsets(viewContext(store, 't', 1)), { logStartOffset: 2, logEndOffset: 3 })
  const file = getTopic(store, 't')
  t.is(file.partitions, 8)
  t.is(file.topicId, 'abcdefghijklmnopqrstuv')
  t.deepEqual(selectPartitions(store, file), [1, 7])
  t.true(
    isLogqError(
      t.throws(() => selectPartitions(store, file, [3])),
      'LOGQ_UNKNOWN_PARTITION',
    ),
  )
})

test('selectPartitions() gives those asked for in order, and refuses one that is not there', async (t) => {
  const { store } = await tinyStore({ partitions: 3 })
  const file = getTopic(store, 't')
  t.deepEqual(selectPartitions(store, file, [2, 0]), [0, 2])
  for (const wrong of [3, -1, 1.5]) {
    t.true(
      isLogqError(
        t.throws(() => selectPartitions(store, file, [wrong])),
        'LOGQ_UNKNOWN_PARTITION',
      ),
    )
  }
})

const SETTINGS: readonly (readonly [string, string, number | string | undefined])[] = [
  ['retention.ms', '0', 0],
  ['retention.ms', '-1', -1],
  ['retention.ms', '-2', undefined],
  ['retention.ms', '7d', 604_800_000],
  ['retention.ms', '90s', 90_000],
  ['retention.ms', '2w', 1_209_600_000],
  ['retention.ms', '1.5h', undefined],
  ['retention.ms', '1h30m', undefined],
  ['retention.ms', '10MB', undefined],
  ['retention.ms', '', undefined],
  ['retention.ms', ' 5', undefined],
  ['retention.ms', '05', undefined],
  ['retention.ms', '1e3', undefined],
  ['retention.ms', '+5', undefined],
  ['retention.ms', '9007199254740992', undefined],
  ['segment.bytes', '64MiB', 67_108_864],
  ['segment.bytes', '1kB', 1000],
  ['segment.bytes', '2147483647', 2_147_483_647],
  ['segment.bytes', '2147483648', undefined],
  ['segment.bytes', '255', undefined],
  ['segment.bytes', '1d', undefined],
  ['min.insync.replicas', '2', 2],
  ['min.insync.replicas', '2s', undefined],
  ['cleanup.policy', 'compact,delete', 'compact,delete'],
  ['cleanup.policy', 'burn', undefined],
  ['compression.type', 'zstd', 'zstd'],
  ['compression.type', 'toString', undefined],
  ['retention.ms', '5constructor', undefined],
]

for (const [name, text, expected] of SETTINGS) {
  test(`${name}=${text} ${expected === undefined ? 'is refused with what is allowed' : `is ${expected}`}`, (t) => {
    if (expected !== undefined) {
      t.is(parseSetting(name, text), expected)
      return
    }
    const error = t.throws(() => parseSetting(name, text))
    t.true(isLogqError(error, 'LOGQ_USAGE') && error.hint !== undefined)
  })
}

test('every setting takes its own default, and no other name is a setting', (t) => {
  for (const [name, setting] of Object.entries(TOPIC_SETTINGS))
    t.is(parseSetting(name, String(setting.default)), setting.default)
  for (const name of ['', 'retention', '__proto__', 'constructor', 'toString']) {
    t.true(
      isLogqError(
        t.throws(() => settingOf(name)),
        'LOGQ_USAGE',
      ),
    )
  }
})
