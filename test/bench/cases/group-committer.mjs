/** A member of a group that commits one record after the other for some time, and prints how many a second that came to. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot, sleep } from '../workspace.mjs'

const [path, group, members, share, durationMs] = process.argv.slice(2)
const library = await import(pathToFileURL(join(projectRoot, 'dist/lib/index.js')).href)
const store = library.openStore(library.createNodeSystem(), path)
const consumer = await library.joinGroup(store, group, ['t'])

// All at once: when each has its share.
while (
  consumer.assignment.length !== Number(share) ||
  (await library.describeGroup(store, group)).members.length !== Number(members)
) {
  await consumer.settle()
  await sleep(5)
}
const [{ topic, partition }] = consumer.assignment
let offset = consumer.position(topic, partition)
let count = 0
const startedMs = performance.now()
const before = process.cpuUsage()
while (performance.now() - startedMs < Number(durationMs)) {
  consumer.delivered(topic, partition, (offset += 1))
  if (!(await consumer.commit())) throw new Error('this member was put out')
  count += 1
}
const tookMs = performance.now() - startedMs
const { user, system } = process.cpuUsage(before)
// Others still count: who goes earlier has them take its partition.
await sleep(Number(durationMs) / 2)
await consumer.close()
process.stdout.write(JSON.stringify({ perSecond: (count / tookMs) * 1000, cpuUs: (user + system) / count }))
