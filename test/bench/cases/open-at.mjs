/**
 * The first record at an offset and at a time, in a topic of as many segments as 100 GB has (1,600 of 64 MiB); against one of as many as
 * 100 MB has. The segments are smaller than real ones: what a look-up touches is the directory, two indexes and one batch. Once as a
 * command, and once within a process, where the start-up does not hide the rest.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { paired, row } from '../measure.mjs'
import { projectRoot, quote } from '../workspace.mjs'

const LOOK_UPS = 20
const BATCHES_A_SEGMENT = 16
const RECORD_BYTES = 1000
const BASE_TIMESTAMP_MS = 1_700_000_000_000

export async function openAt(workspace, { shots, segments, segmentBytes }) {
  const library = await import(pathToFileURL(join(projectRoot, 'dist/lib/index.js')).href)
  const path = workspace.path('store')
  const store = await library.openOrCreateStore(library.createNodeSystem(), path)
  const large = await makeTopic(library, store, 'large', segments, segmentBytes)
  const small = await makeTopic(library, store, 'small', 2, segmentBytes)
  const rows = []
  for (const [what, place] of [
    ['an offset', (share, count) => String(Math.floor(share * count))],
    ['a time', (share, count) => `@${BASE_TIMESTAMP_MS + Math.floor(share * count)}`],
  ]) {
    const command = (topic, count) => () => {
      const spec = place(Math.random(), count)
      return workspace.timeShell(`${workspace.logq('cat', '-s', path, '-n', '1', topic, '-o', spec)} > /dev/null`)
    }
    const commands = await paired(shots, command('large', large), command('small', small))
    const texts = { reference: 'the same, 2 segments', unit: 'ms', goal: '<= 1.2' }
    rows.push(row({ name: `cat -o ${what} -n 1, ${segments} segments`, ...texts }, commands))
    const inside = (topic, count) => () => timeLookUps(library, store, topic, (share) => place(share, count))
    const looked = await paired(shots, inside('large', large), inside('small', small))
    rows.push(row({ name: `look up ${what} in a process`, ...texts }, looked))
  }
  workspace.delete(path)
  return rows
}

/** Returns the number of records; each has a timestamp of its own, 1 ms after the one before. */
async function makeTopic(library, store, topic, segments, segmentBytes) {
  const batchBytes = Math.floor(segmentBytes / BATCHES_A_SEGMENT)
  await library.createTopic(store, topic, { config: { 'segment.bytes': segmentBytes } })
  const producer = await library.Producer.open(store, topic, { batchBytes, acks: 0 })
  const count = Math.floor((segments * segmentBytes) / (RECORD_BYTES + 20))
  const value = Buffer.alloc(RECORD_BYTES, 'x')
  for (let n = 0; n < count; n += 1) {
    const wait = producer.add({ value, timestampMs: BASE_TIMESTAMP_MS + n })
    if (wait !== undefined) await wait
  }
  await producer.close()
  return count
}

/** ms of one look-up up to its first record, over several places. */
async function timeLookUps(library, store, topic, place) {
  const startedMs = performance.now()
  for (let n = 0; n < LOOK_UPS; n += 1) {
    const text = place(Math.random())
    const offset = text.startsWith('@')
      ? { kind: 'time', time: { kind: 'absolute', timestampMs: Number(text.slice(1)) } }
      : { kind: 'point', point: { kind: 'offset', offset: Number(text) } }
    const records = library.readRecords(store, topic, { offset })
    if ((await records.next()).done === true) throw new Error('no record')
    await records.return()
  }
  return (performance.now() - startedMs) / LOOK_UPS
}
