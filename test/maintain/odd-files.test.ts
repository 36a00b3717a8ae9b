/** On the real file system: what stands in place of a file must never be opened, followed or waited for. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { readRecords } from '../../lib/consume/read.js'
import { checkPartition, checkTopicFiles, repairPartition } from '../../lib/maintain/check-store.js'
import { Producer } from '../../lib/produce/producer.js'
import { openOrCreateStore, type Store } from '../../lib/store/store.js'
import { createTopic, getTopic } from '../../lib/store/topics.js'
import { createNodeSystem } from '../../lib/system/node-system.js'

async function rolledTopic(t: ExecutionContext): Promise<{ store: Store; directory: string }> {
  const path = fs.mkdtempSync(join(tmpdir(), 'logq-odd-'))
  t.teardown(() => {
    fs.rmSync(path, { recursive: true, force: true })
  })
  const store = await openOrCreateStore(createNodeSystem(), join(path, 'store'))
  await createTopic(store, 't', { config: { 'segment.bytes': 300 } })
  await produce(store, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  return { store, directory: join(path, 'store', 't-0') }
}

async function produce(store: Store, values: readonly string[]): Promise<void> {
  const producer = await Producer.open(store, 't')
  for (const value of values) {
    await producer.add({ value: Buffer.from(value) })
    await producer.flush()
  }
  await producer.close()
}

async function valuesOf(store: Store): Promise<string> {
  let values = ''
  for await (const { value } of readRecords(store, 't')) values += Buffer.from(value ?? []).toString()
  return values
}

const things = {
  'a symbolic link': (path: string) => {
    fs.renameSync(path, `${path}.kept`)
    fs.symlinkSync(`${path}.kept`, path)
  },
  'a dangling symbolic link': (path: string) => {
    fs.rmSync(path)
    fs.symlinkSync('/nowhere', path)
  },
  'a directory': (path: string) => {
    fs.rmSync(path)
    fs.mkdirSync(join(path, 'inner'), { recursive: true })
  },
  'a pipe': (path: string) => {
    fs.rmSync(path)
    if (spawnSync('mkfifo', [path]).status !== 0) throw new Error('mkfifo failed')
  },
}

for (const [thing, put] of Object.entries(things)) {
  test(`${thing} in place of a segment is damage, and a repair moves it away`, async (t) => {
    const { store, directory } = await rolledTopic(t)
    const names = fs.readdirSync(directory).filter((name) => name.endsWith('.log'))
    t.true(names.length > 2)
    put(join(directory, names[1] ?? ''))
    const { findings } = await checkPartition(store, 't', 0)
    t.true(findings.some(({ kind, message }) => kind === 'damage' && message.includes('in place of a segment')))
    const { moved } = await repairPartition(store, 't', 0)
    t.is(moved.length, 1)
    t.deepEqual((await checkPartition(store, 't', 0)).findings, [])
    await produce(store, ['x'])
    t.regex(await valuesOf(store), /^0+\d*9x$/)
  })

  test(`${thing} in place of an index or another small file is a cache, and a repair loses nothing`, async (t) => {
    for (const name of [
      '00000000000000000000.index',
      '00000000000000000000.timeindex',
      'leader-epoch-checkpoint',
      'leader-epoch-ids',
      'recovery-point',
      'log-start-offset',
      'known-gaps',
      'lock',
    ]) {
      const { store, directory } = await rolledTopic(t)
      if (!fs.existsSync(join(directory, name))) fs.writeFileSync(join(directory, name), '')
      put(join(directory, name))
      const { findings } = await checkPartition(store, 't', 0)
      t.deepEqual([...new Set(findings.map(({ kind }) => kind))], ['cache'], `${name}: ${JSON.stringify(findings)}`)
      await repairPartition(store, 't', 0)
      t.deepEqual((await checkPartition(store, 't', 0)).findings, [], name)
      await produce(store, ['x'])
      t.is(await valuesOf(store), '0123456789x', name)
      t.deepEqual((await checkPartition(store, 't', 0)).findings, [], name)
    }
  })
}

test('a missing lock file is a cache, and a repair makes one', async (t) => {
  const { store, directory } = await rolledTopic(t)
  fs.rmSync(join(directory, 'lock'))
  t.deepEqual(
    (await checkPartition(store, 't', 0)).findings.map(({ kind }) => kind),
    ['cache'],
  )
  await repairPartition(store, 't', 0)
  await produce(store, ['x'])
  t.is(await valuesOf(store), '0123456789x')
})

test('a missing partition directory is damage, and a repair makes an empty one', async (t) => {
  const { store, directory } = await rolledTopic(t)
  fs.rmSync(directory, { recursive: true })
  t.regex((await checkPartition(store, 't', 0)).findings[0]?.message ?? '', /directory is missing/)
  const { rebuilt } = await repairPartition(store, 't', 0)
  t.deepEqual(rebuilt, [directory])
  t.deepEqual((await checkPartition(store, 't', 0)).findings, [])
  await produce(store, ['x'])
  t.is(await valuesOf(store), 'x')
})

test('partition directories without a topic file are damage when they hold records', async (t) => {
  const { store } = await rolledTopic(t)
  t.deepEqual(await checkTopicFiles(store), [])
  fs.mkdirSync(join(store.path, 'empty-3'))
  t.deepEqual(
    (await checkTopicFiles(store)).map(({ kind }) => kind),
    ['note'],
  )
  fs.renameSync(join(store.path, 't-0'), join(store.path, 't-7'))
  t.deepEqual(
    (await checkTopicFiles(store)).map(({ kind }) => kind),
    ['note', 'damage'],
  )
  fs.rmSync(join(store.path, 'topics', 't.json'))
  t.deepEqual(
    (await checkTopicFiles(store)).map(({ kind }) => kind),
    ['note', 'damage'],
  )
})

test('every flipped bit of a topic file is found, but for one in its id or its time of creation', async (t) => {
  const { store } = await rolledTopic(t)
  const path = join(store.path, 'topics', 't.json')
  const text = fs.readFileSync(path, 'utf8')
  const silent = new Set<string>()
  for (let bit = 0; bit < text.length * 8; bit += 1) {
    const bytes = Buffer.from(text)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    fs.writeFileSync(path, bytes)
    if ((await checkTopicFiles(store)).length > 0) continue
    const { partitions } = getTopic(store, 't')
    const last = await checkPartition(store, 't', partitions - 1)
    if (last.findings.length > 0) continue
    const line = text.slice(0, bit >> 3).split('\n').length - 1
    silent.add(/"(\w+)"/.exec(text.split('\n')[line] ?? '')?.[1] ?? 'white space')
  }
  fs.writeFileSync(path, text)
  t.log([...silent].sort().join(' '))
  for (const field of ['formatVersion', 'topic', 'partitions', 'partitioner', 'config']) t.false(silent.has(field), field)
})
