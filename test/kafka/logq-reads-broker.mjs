/**
 * logq over the log.dir of a broker: while it runs and writes, after it was killed, and after it was stopped. What is to be read is what
 * Kafka's own consumer gets. Nothing in the log.dir may change by it.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Broker } from './broker.mjs'
import {
  writeAppendTime,
  writeCodecTopics,
  writeCompactedTopics,
  writePlainTopics,
  writeTransactions,
} from './broker-topics.mjs'
import { check, checkSame } from './checks.mjs'
import { consume } from './consumed.mjs'
import { compareDumps } from './dumped-batches.mjs'
import { checkKeys } from './keys.mjs'
import { checkLive } from './live.mjs'
import { catJson, commandLine, logq, produceJson } from './logq.mjs'
import { changesIn, fingerprint, hasReadOnlyMount, hasStrace, onReadOnlyMount, underStrace } from './never-writes.mjs'
import { checkReading } from './reading.mjs'

const topics = {
  ...{ 'codec-none': 2, 'codec-gzip': 2, 'codec-snappy': 2, 'codec-lz4': 2, 'codec-zstd': 2 },
  ...{ 'append-time': 1, preallocated: 1, many: 40, trimmed: 1, empty: 1 },
  ...{ transactions: 1, compacted: 1, expired: 1, 'compacted-transactions': 1 },
}

export async function logqReadsBroker({ judge, work, brokers }) {
  const broker = new Broker(judge, join(work, 'broker'))
  const { logDir } = broker
  brokers.add(broker)
  await broker.start()
  await checkKeys(judge, work)
  await writeCodecTopics(judge)
  await writeAppendTime(judge, 200)
  await writePlainTopics(judge)
  await writeTransactions(judge, 'transactions')
  const { withoutTombstones, ...cleaned } = await writeCompactedTopics(judge, broker)

  const traces = []
  const traced = (args) => {
    if (!hasStrace) return commandLine(logDir, args)
    traces.push(join(work, `trace-${traces.length}`))
    return underStrace(traces.at(-1), logDir, args)
  }
  await checkLive({ judge, work, run: (args) => run(traced(args)), commandLine: traced })
  const consumed = await consume(judge, work, topics)
  checkCleaners(work, cleaned, consumed.get('compacted-0').read_committed)
  const tombstones = (topic) =>
    consumed
      .get(`${topic}-0`)
      .read_committed.map((line) => JSON.parse(line))
      .filter(({ value }) => value === null)
  check(
    `compacted has ${tombstones('compacted').length} tombstones, expired none below offset ${withoutTombstones}`,
    tombstones('compacted').length > 0 && tombstones('expired').every(({ offset }) => offset >= withoutTombstones),
  )
  checkReading('running', (args) => run(traced(args)), consumed)
  checkTraces(traces, logDir)

  await broker.kill()
  const before = fingerprint(logDir)
  const mounted = hasReadOnlyMount ? onReadOnlyMount : commandLine
  if (!hasReadOnlyMount)
    process.stdout.write('not run: logq on a read-only mount of the log.dir (unshare --mount is refused)\n')
  checkReading('killed', (args) => run(mounted(logDir, args)), consumed)
  // Kafka's own tool fails on the zero bytes that a killed broker leaves in a preallocated .log.
  const dumpable = Object.keys(topics).filter((topic) => topic !== 'preallocated')
  await compareDumps('killed', judge, logDir, dumpable)
  checkSame('killed: every file of the log.dir is as it was', fingerprint(logDir), before)

  await broker.start()
  const again = await consume(judge, work, topics)
  await broker.stop()
  const stopped = fingerprint(logDir)
  checkReading('stopped', (args) => run(commandLine(logDir, args)), again)
  await compareDumps('stopped', judge, logDir, Object.keys(topics))
  checkSame('stopped: every file of the log.dir is as it was', fingerprint(logDir), stopped)
}

/** The same records, compacted up to the same offset by logq and by Kafka's cleaner: the same keys, values and offsets are left. */
function checkCleaners(work, { compacted, cleanedOffset }, kafkas) {
  const store = join(work, 'cleaned')
  const asLogq = ({ timestamp, key, value, headers }) => ({
    timestamp,
    key,
    value,
    headers: headers.map(([name, content]) => ({
      key: Buffer.from(name, 'base64').toString(),
      value: content,
      ...(content === null ? {} : { valueEncoding: 'base64' }),
    })),
    ...(key === null ? {} : { keyEncoding: 'base64' }),
    ...(value === null ? {} : { valueEncoding: 'base64' }),
  })
  const records = compacted.map(asLogq)
  logq(store, ['topic', 'create', 'compacted', 'cleanup.policy=compact', 'delete.retention.ms=10d', 'segment.bytes=20000'])
  produceJson(store, 'compacted', records.slice(0, cleanedOffset), ['--batch-bytes', '3000', '-z', 'snappy'])
  logq(store, ['compact', 'compacted', '--include-active', '--min-dirty', '0', '--memory', '1MiB'])
  produceJson(store, 'compacted', records.slice(cleanedOffset), ['-z', 'snappy'])
  const left = catJson(store, 'compacted', 0)
  check(
    `both cleaners have dropped records (${compacted.length} went in, ${left.length} are left)`,
    left.length < compacted.length,
  )
  checkSame(
    `compacted: logq leaves the keys, values and offsets that Kafka's cleaner leaves below offset ${cleanedOffset}`,
    left,
    kafkas,
  )
}

function run([program, ...args]) {
  const { status, signal, stdout, stderr } = spawnSync(program, args, { maxBuffer: 256 << 20 })
  return { status: status ?? signal, stdout, stderr: stderr.toString() }
}

/** What strace has seen of all commands so far. */
function checkTraces(traces, logDir) {
  if (!hasStrace) {
    process.stdout.write('not run: the system calls of logq in a log.dir (strace is not there)\n')
    return
  }
  const seen = traces.map((trace) => changesIn(trace, logDir))
  const calls = seen.reduce((sum, one) => sum + one.calls, 0)
  const changes = seen.flatMap((one) => one.changes)
  check(
    `none of ${calls} system calls of ${traces.length} commands in the log.dir opens, makes, renames or removes anything`,
    changes.length === 0 && calls > 1000,
    changes.slice(0, 20).join('\n'),
  )
}
