/** The lists of calls in ordering.md are what the code does: each is run, and its calls compared. */
import test from 'ava'
import { Producer } from '../../lib/produce/producer.js'
import { openOrCreateStore, type Store } from '../../lib/store/store.js'
import { createTopic, removeTopic, alterTopic } from '../../lib/store/topics.js'
import type { RecordedOperation } from '../helpers/faulty-file-system.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { fencesOf } from '../helpers/markdown.js'
import { readPage } from './text-examples.js'

const listed = new Map(
  fencesOf(readPage('ordering.md'))
    .filter(({ language }) => language === 'calls')
    .map(({ title, text }) => [title, callsOf(text)]),
)

function callsOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
}

/** A call in the words of the page; undefined for what changes nothing. */
function describe({ operation, path, to, position, length, mode }: RecordedOperation): string | undefined {
  const name = path
    .replace(/^\/store\/?/, '')
    .replace(/\.tmp-[0-9a-f]{12}$/, '.tmp')
    .replace(/^\.removed-[0-9a-f]{12}/, '.removed')
  switch (operation) {
    case 'write':
      return `write ${name} ${position ?? 0}+${length ?? 0}`
    case 'fdatasync':
    case 'fdatasyncBlocking':
      return `sync ${name}`
    case 'syncDirectory':
      return `sync-dir ${name === '' ? '.' : name}`
    case 'rename':
      return `rename ${name} ${describeTarget(to ?? '')}`
    case 'makeDirectory':
      return name === 'topics' ? undefined : `mkdir ${name}`
    case 'removeDirectory':
      return `rmdir ${name}`
    case 'unlink':
      return `unlink ${name}`
    case 'open':
      return mode === 'create-new' ? `create ${name}` : undefined
    default:
      return undefined
  }
}

function describeTarget(path: string): string {
  return path.replace('/store/', '').replace(/^\.removed-[0-9a-f]{12}/, '.removed')
}

interface Traced {
  readonly system: FakeSystem
  readonly store: Store
  /** The calls that `work` makes. */
  readonly during: (work: () => Promise<unknown>) => Promise<string[]>
}

async function makeTraced(): Promise<Traced> {
  const system = createFakeSystem()
  const store = await openOrCreateStore(system, '/store')
  return {
    system,
    store,
    async during(work) {
      const from = system.fs.operations.length
      await work()
      return system.fs.operations.slice(from).flatMap((operation) => describe(operation) ?? [])
    },
  }
}

async function produceOne(producer: Producer, value: string): Promise<void> {
  await producer.add({ key: null, value: Buffer.from(value), headers: [], timestampMs: 1_700_000_000_000 })
  await producer.flush()
}

test('ordering.md: appending and syncing make the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  await createTopic(store, 'events')
  const producer = await Producer.open(store, 'events')
  t.deepEqual(await during(() => produceOne(producer, 'a')), listed.get('Appending'))
  t.deepEqual(await during(() => producer.sync()), listed.get('Syncing'))
  const withoutNote = listed.get('Appending')?.slice(1)
  t.deepEqual(
    await during(() => produceOne(producer, 'b')),
    withoutNote?.map((call) => call.replace(' 0+69', ' 69+69')),
  )
  await producer.close()
})

test('ordering.md: rolling makes the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  await createTopic(store, 'events', { config: { 'segment.bytes': 256 } })
  const producer = await Producer.open(store, 'events')
  await produceOne(producer, 'a')
  await producer.sync()
  await produceOne(producer, 'b')
  const calls = await during(() => produceOne(producer, 'c'.repeat(150)))
  t.deepEqual(calls.slice(0, -2), listed.get('Rolling'))
  await producer.close()
})

test('ordering.md: looking for duplicates makes the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  await createTopic(store, 'events')
  const producer = await Producer.open(store, 'events', { dedupe: { by: { field: 'key' } } })
  const calls = await during(async () => {
    await producer.add({ key: Buffer.from('a'), value: Buffer.from('a'), timestampMs: 1_700_000_000_000 })
    await producer.close()
  })
  t.deepEqual(calls, listed.get('Looking for duplicates'))
})

test('ordering.md: creating a partition makes the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  const calls = await during(() => createTopic(store, 'events'))
  t.deepEqual(
    calls.filter((call) => !call.includes('topics')),
    listed.get('Creating a partition'),
  )
  const ofTopic = calls.filter((call) => call.includes('topics'))
  t.deepEqual(ofTopic.slice(-2), ['rename topics/events.new topics/events.json', 'sync-dir topics'])
  t.deepEqual(calls.slice(-2), ofTopic.slice(-2))
})

test('ordering.md: replacing a small file makes the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  await createTopic(store, 'events')
  t.deepEqual(await during(() => alterTopic(store, 'events', { 'segment.bytes': 512 })), listed.get('Replacing a small file'))
})

test('ordering.md: removing a topic makes the calls that are listed', async (t) => {
  const { store, during } = await makeTraced()
  await createTopic(store, 'events')
  t.deepEqual(await during(() => removeTopic(store, 'events')), listed.get('Removing a topic'))
})

test('ordering.md lists nothing that is not run here', (t) => {
  t.deepEqual(
    [...listed.keys()],
    [
      'Appending',
      'Syncing',
      'Rolling',
      'Looking for duplicates',
      'Creating a partition',
      'Replacing a small file',
      'Removing a topic',
    ],
  )
})
