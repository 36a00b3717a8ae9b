import test from 'ava'
import { Log } from '../../lib/log/log.js'
import {
  parseSegmentFileName,
  partitionDirectoryName,
  parsePartitionDirectoryName,
  segmentFileName,
} from '../../lib/log/file-names.js'
import { openOrCreateStore, openStore } from '../../lib/store/store.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { fencesOf } from '../helpers/markdown.js'
import { makeCli } from '../helpers/run-cli.js'
import { FIRST_LOG, createPartitionInMemory } from './partition-in-memory.js'
import { readPage, readTextExamples } from './text-examples.js'
import { readWorkedExamples } from './worked-examples.js'

test('README.md: the commands make the store that is listed', async (t) => {
  const cli = makeCli(t)
  const fences = fencesOf(readPage('README.md'))
  const textOf = (wanted: string) => fences.find(({ language }) => language === wanted)?.text ?? ''
  const done = await cli.shell(textOf('sh'))
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), textOf('text'))
})

for (const { text, expected } of readTextExamples('store.md')) {
  const { storeId } = expected as { readonly storeId: string }

  test('store.md: logq.json is read as what the page says', (t) => {
    const system = createFakeSystem()
    system.fs.makeDirectory('/store', 0o700)
    const fd = system.fs.open('/store/logq.json', 'create')
    system.fs.write(fd, Buffer.from(text), 0, text.length, 0)
    system.fs.close(fd)
    t.is(openStore(system, '/store').storeId, storeId)
  })

  test('store.md: logq.json is written as the page shows it, but for id and time', async (t) => {
    const system = createFakeSystem()
    const store = await openOrCreateStore(system, '/store')
    const fd = system.fs.open('/store/logq.json', 'read')
    const bytes = Buffer.alloc(system.fs.fileStatus(fd).sizeBytes)
    system.fs.read(fd, bytes, 0, bytes.length, 0)
    const created = new Date(system.clock.nowMs()).toISOString()
    t.is(
      bytes
        .toString()
        .replace(store.storeId ?? '', storeId)
        .replace(created, '2026-11-20T08:00:00.000Z'),
      text,
    )
  })
}

test('store.md: names of segments and partitions are read as they are written', (t) => {
  t.is(segmentFileName(1000, '.log'), '00000000000000001000.log')
  t.is(parseSegmentFileName('00000000000000001000.log', '.log'), 1000)
  for (const name of ['1000.log', '00000000000000001000.index', '0000000000000000100x.log', '99999999999999999999.log']) {
    t.is(parseSegmentFileName(name, '.log'), undefined, name)
  }
  t.is(partitionDirectoryName('web-2', 0), 'web-2-0')
  t.deepEqual(parsePartitionDirectoryName('web-2-0'), { topic: 'web-2', partition: 0 })
  for (const name of ['web', 'web-', '-0', 'web-00', 'web-0.4f3a-delete', 'web-0-future', 'web-0-stray']) {
    t.is(parsePartitionDirectoryName(name), undefined, name)
  }
})

test('store.md: a partition that is handed over as its .log and epoch checkpoint goes on after its last offset', async (t) => {
  const { system, context, put } = createPartitionInMemory()
  const [example] = readWorkedExamples('segment.md')
  const [batch] = readWorkedExamples('record-batch.md')
  for (const name of ['recovery-point', 'leader-epoch-checkpoint', 'leader-epoch-ids']) {
    system.fs.unlink(`${context.directory}/${name}`)
  }
  for (const suffix of ['.log', '.index', '.timeindex'] as const) {
    system.fs.unlink(`${context.directory}/${segmentFileName(0, suffix)}`)
  }
  // Two segments with a gap between, as Kafka's cleaner leaves them; the second with leader epoch 5.
  put(FIRST_LOG, example?.bytes ?? new Uint8Array())
  put(segmentFileName(1000, '.log'), batch?.bytes ?? new Uint8Array())
  put('leader-epoch-checkpoint', Buffer.from('0\n2\n0 0\n5 1000\n'))
  const log = Log.open(context)
  const copy = (batch?.bytes ?? new Uint8Array()).slice()
  const range = await log.append({ bytes: copy, lastOffsetDelta: 1, maxTimestampMs: 1_700_000_000_250 })
  await log.close()
  t.deepEqual(range, { baseOffset: 1002, lastOffset: 1003 })
  t.is(Buffer.from(copy).readInt32BE(12), 5)
})
