/**
 * Apache Kafka as the judge. Usage: node test/kafka/run.mjs [PART…] | --vectors
 *
 * Each part makes what it needs, and does not rely on another. test/kafka/run.sh fetches what is needed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, counts } from './checks.mjs'
import { handover } from './handover.mjs'
import { Judge } from './judge.mjs'
import { kafkaReadsLogq } from './kafka-reads-logq.mjs'
import { logqReadsBroker } from './logq-reads-broker.mjs'
import { logqReadsSegments } from './logq-reads-segments.mjs'
import { writeVectors } from './vectors.mjs'

const parts = {
  'kafka-reads-logq': kafkaReadsLogq,
  'logq-reads-segments': logqReadsSegments,
  'logq-reads-broker': logqReadsBroker,
  handover,
}

const work = mkdtempSync(join(tmpdir(), 'logq-kafka-'))
const judge = new Judge(join(work, 'judge.txt'))
const brokers = new Set()
const context = { judge, work, brokers }

/** Nothing is left behind: brokers see their standard input end, and halt, even when this program is killed. */
function cleanUp() {
  for (const broker of brokers) broker.killNow()
  judge.kill()
  rmSync(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
}

for (const [signal, status] of Object.entries({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 })) {
  process.on(signal, () => {
    cleanUp()
    process.exit(status)
  })
}

const wanted = process.argv.slice(2)
if (wanted[0] === '--vectors') await run('vectors', writeVectors)
else for (const [name, part] of Object.entries(parts)) if (wanted.length === 0 || wanted.includes(name)) await run(name, part)
cleanUp()
const { passed, failed } = counts()
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exit(failed > 0 || passed === 0 ? 1 : 0)

async function run(name, part) {
  const beginMs = Date.now()
  process.stdout.write(`-- ${name}\n`)
  try {
    await part(context)
  } catch (error) {
    check(`${name} comes to its end`, false, error.stack)
  }
  for (const broker of brokers) await broker.stop()
  brokers.clear()
  process.stdout.write(`-- ${name}: ${Math.round((Date.now() - beginMs) / 1000)} s\n`)
}
