/** Snapshots and clones: the same records by other names, whatever becomes of the topic; hard links, and copies where there are none. */
import test from 'ava'
import { changeOffsets } from '../../../lib/consume/group/change-offsets.js'
import { groupLag } from '../../../lib/consume/group/lag.js'
import { isLogqError } from '../../../lib/errors.js'
import { advanceLogStart } from '../../../lib/log/advance-log-start.js'
import { segmentFileName } from '../../../lib/log/file-names.js'
import { listSegments, logEndOffset, logStartOffset } from '../../../lib/log/log-view.js'
import { checkPartition } from '../../../lib/maintain/check-store.js'
import { cloneTopic } from '../../../lib/maintain/snapshot/clone-topic.js'
import { listSnapshots, removeSnapshot } from '../../../lib/maintain/snapshot/snapshots.js'
import { takeSnapshot } from '../../../lib/maintain/snapshot/take-snapshot.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { appendContext, viewContext } from '../../../lib/store/partition.js'
import { openStore, type Store } from '../../../lib/store/store.js'
import { TopicConfig } from '../../../lib/store/topic-config.js'
import { findTopic, getTopic, removeTopic } from '../../../lib/store/topics.js'
import { VALUES, archivableStore as segmentedStore } from '../../archive/tiny-archive.js'
import { STORE, produce, values } from '../../store/tiny-store.js'

const PATH = `${STORE}/snapshots/before`

async function problems(store: Store, topic: string): Promise<string[]> {
  const { findings } = await checkPartition(store, topic, 0)
  return findings.map(({ message }) => message)
}

test('a snapshot is a store with the records of its moment, whole, whatever is appended, removed or repaired', async (t) => {
  const { system, store } = await segmentedStore()
  await takeSnapshot(store, 'before')
  const log = segmentFileName(0, '.log')
  t.is(system.fs.pathStatus(`${STORE}/t-0/${log}`)?.inode, system.fs.pathStatus(`${PATH}/t-0/${log}`)?.inode)

  await produce(store, 't', ['later'])
  const copy = openStore(system, PATH)
  t.deepEqual(await values(copy, 't'), VALUES)
  t.deepEqual(await problems(copy, 't'), [])
  t.is(copy.storeId, store.storeId)
  t.is(findTopic(copy, 't')?.topicId, getTopic(store, 't').topicId)

  // What is written into it is its own.
  await produce(copy, 't', ['of the snapshot'])
  t.deepEqual(await values(store, 't'), [...VALUES, 'later'])
  t.deepEqual(await values(copy, 't'), [...VALUES, 'of the snapshot'])
  t.deepEqual(await problems(copy, 't'), [])

  await removeTopic(store, 't')
  t.deepEqual(await values(copy, 't'), [...VALUES, 'of the snapshot'])
})

test('it has what groups had committed of its topics, and begins where its topics began', async (t) => {
  const { system, store } = await segmentedStore()
  GroupFiles.openOrCreate(store, 'g').close()
  await changeOffsets(store, 'g', { command: 'test' }, [{ topic: 't', partition: 0, offset: 3 }])
  const context = appendContext(store, 't', 0, () => new TopicConfig({}))
  await advanceLogStart(context, () => 2)
  await takeSnapshot(store, 'before', { topics: ['t'] })
  const copy = openStore(system, PATH)
  t.deepEqual(
    (await groupLag(copy, 'g')).map(({ topic, currentOffset, logStartOffset: start, logEndOffset: end }) => [
      topic,
      currentOffset,
      start,
      end,
    ]),
    [['t', 3, 2, 5]],
  )
})

test('a second one of the name is refused; so are names that are none, and topics that are not there', async (t) => {
  const { store } = await segmentedStore()
  await takeSnapshot(store, 'before')
  t.true(isLogqError(await t.throwsAsync(takeSnapshot(store, 'before')), 'LOGQ_CONFLICT'))
  for (const name of ['..', '.', '.x', '', 'a/b', '../x', '-x', '__x', 'a\nb', 'x'.repeat(250)]) {
    t.true(isLogqError(await t.throwsAsync(takeSnapshot(store, name)), 'LOGQ_USAGE'), name)
    t.true(isLogqError(await t.throwsAsync(removeSnapshot(store, name)), 'LOGQ_USAGE'), name)
  }
  t.true(isLogqError(await t.throwsAsync(takeSnapshot(store, 'x', { topics: ['none'] })), 'LOGQ_UNKNOWN_TOPIC'))
  t.true(isLogqError(await t.throwsAsync(removeSnapshot(store, 'x')), 'LOGQ_GONE'))
  t.deepEqual(store.system.fs.list(`${STORE}/snapshots`), ['before'])
})

test('snapshots are listed with what they share, and removed without taking anything from the store', async (t) => {
  const { store } = await segmentedStore()
  await takeSnapshot(store, 'before')
  const [one] = listSnapshots(store)
  t.is(one?.name, 'before')
  t.deepEqual(one?.topics, ['t'])
  t.is(one?.partitionCount, 1)
  t.true((one?.unsharedBytes ?? 0) < (one?.sizeBytes ?? 0))
  t.is(one?.takenMs, store.system.clock.nowMs())
  await removeSnapshot(store, 'before')
  t.deepEqual(listSnapshots(store), [])
  t.deepEqual(store.system.fs.list(`${STORE}/snapshots`), [])
  t.deepEqual(await values(store, 't'), VALUES)
})

for (const code of ['EXDEV', 'EPERM', 'EMLINK']) {
  test(`where links are refused (${code}), files are copied`, async (t) => {
    const { system, store } = await segmentedStore()
    system.fs.failNth({ operation: 'link', code, persistent: true })
    const reasons: (string | undefined)[] = []
    await takeSnapshot(store, 'before', {
      onTopic: async ({ partitions }) => {
        await Promise.resolve()
        for (const { linkRefusal, copiedBytes, sizeBytes } of partitions) {
          reasons.push(linkRefusal)
          t.is(copiedBytes, sizeBytes)
        }
      },
    })
    t.deepEqual(reasons, [code])
    const copy = openStore(system, PATH)
    t.deepEqual(await values(copy, 't'), VALUES)
    t.deepEqual(await problems(copy, 't'), [])
    t.is(system.fs.pathStatus(`${PATH}/t-0/${segmentFileName(0, '.log')}`)?.links, 1)
  })
}

test('any other error leaves nothing behind', async (t) => {
  const { system, store } = await segmentedStore()
  system.fs.failNth({ operation: 'link', code: 'ENOSPC', nth: 2 })
  await t.throwsAsync(takeSnapshot(store, 'before'))
  t.deepEqual(system.fs.list(`${STORE}/snapshots`), [])
  system.fs.failNth({ operation: 'link', code: 'ENOSPC', nth: 2 })
  await t.throwsAsync(cloneTopic(store, 't', 'copy'))
  t.deepEqual(
    system.fs.list(STORE).filter((name) => name.startsWith('.')),
    [],
  )
})

test('a segment that is shared and becomes the active one again is not written to in place', async (t) => {
  const { system, store } = await segmentedStore()
  await takeSnapshot(store, 'before')
  // The last segment is lost, and with it what says that it was there.
  const directory = `${STORE}/t-0`
  const bases = listSegments(viewContext(store, 't', 0))
  const last = bases.at(-1) ?? 0
  for (const name of [segmentFileName(last, '.log'), 'recovery-point']) system.fs.unlink(`${directory}/${name}`)
  const shared = `${PATH}/t-0/${segmentFileName(bases.at(-2) ?? 0, '.log')}`
  const before = system.fs.pathStatus(shared)
  t.is(before?.links, 2)
  await produce(store, 't', ['again'])
  t.is(system.fs.pathStatus(shared)?.sizeBytes, before?.sizeBytes)
  t.is(system.fs.pathStatus(shared)?.links, 1)
  const copy = openStore(system, PATH)
  t.deepEqual(await values(copy, 't'), VALUES)
  t.deepEqual(await problems(copy, 't'), [])
  t.deepEqual(await values(store, 't'), [...VALUES.slice(0, last), 'again'])
})

test('a clone has records, offsets and settings of its topic, and an id of its own', async (t) => {
  const { store } = await segmentedStore()
  const context = appendContext(store, 't', 0, () => new TopicConfig({}))
  await advanceLogStart(context, () => 2)
  await cloneTopic(store, 't', 'copy')
  t.deepEqual(await values(store, 'copy'), VALUES.slice(2))
  const view = viewContext(store, 'copy', 0)
  t.is(logStartOffset(view, listSegments(view)), 2)
  t.is(logEndOffset(view, listSegments(view)), VALUES.length)
  t.deepEqual(getTopic(store, 'copy').config, getTopic(store, 't').config)
  t.not(getTopic(store, 'copy').topicId, getTopic(store, 't').topicId)
  t.deepEqual(await problems(store, 'copy'), [])
  await produce(store, 'copy', ['more'])
  t.deepEqual(await values(store, 't'), VALUES.slice(2))
  t.deepEqual(await values(store, 'copy'), [...VALUES.slice(2), 'more'])
  t.true(isLogqError(await t.throwsAsync(cloneTopic(store, 't', 'copy')), 'LOGQ_TOPIC_EXISTS'))
  t.true(isLogqError(await t.throwsAsync(cloneTopic(store, 't', '../x')), 'LOGQ_USAGE'))
  await removeTopic(store, 't')
  t.deepEqual(await values(store, 'copy'), [...VALUES.slice(2), 'more'])
})

test('a damaged end of the log is refused, and named', async (t) => {
  const { system, store } = await segmentedStore()
  const base = listSegments(viewContext(store, 't', 0)).at(-1) ?? 0
  const fd = system.fs.open(`${STORE}/t-0/${segmentFileName(base, '.log')}`, 'read-write')
  system.fs.write(fd, Buffer.from('X'), 0, 1, 80)
  system.fs.close(fd)
  const error = await t.throwsAsync(takeSnapshot(store, 'before'))
  t.true(isLogqError(error, 'LOGQ_CORRUPT'))
  t.regex(error.message, /'t-0' is damaged: the CRC of a batch does not match, in '.*t-0\/\d+\.log' at position 0/)
})
