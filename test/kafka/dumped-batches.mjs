/** `logq dump` beside DumpLogSegments: every number that Kafka's prints of a batch. */
import { join } from 'node:path'
import { check, checkSame } from './checks.mjs'
import { linesOf, partitionNames, placeOf, runLogq, segmentsOf } from './logq.mjs'

export async function compareDumps(title, judge, logDir, topics) {
  const names = partitionNames(logDir).filter((name) => topics.includes(placeOf(name).topic))
  const logs = names.flatMap((name) => segmentsOf(join(logDir, name)).map(({ log }) => log))
  const { stdout, stderr } = await judge.ask('dump', {
    arguments: ['--max-message-size', '2000000000', '--files', logs.join(',')],
  })
  const kafkas = []
  let file = ''
  for (const line of linesOf(stdout)) {
    file = /^Dumping (.*)$/.exec(line)?.[1] ?? file
    if (line.startsWith('baseOffset: ')) kafkas.push(`${file} ${line}`)
  }
  const dumped = runLogq(logDir, ['dump', '-J', ...logs])
  const ours = linesOf(dumped.stdout)
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'batch')
    .map((batch) => `${batch.file} ${asKafkaPrints(batch)}`)
  checkSame(`${title}: logq dump prints what DumpLogSegments prints of ${kafkas.length} batches`, ours, kafkas)
  check(`${title}: logq dump finds nothing wrong`, dumped.status === 0, `${dumped.status}: ${dumped.stderr}${stderr}`)
}

function asKafkaPrints(batch) {
  const sequence = batch.baseSequence
  const horizon = batch.hasDeleteHorizon ? `OptionalLong[${batch.baseTimestampMs}]` : 'OptionalLong.empty'
  const last = sequence === -1 ? -1 : sequence + batch.lastOffset - batch.baseOffset
  return (
    `baseOffset: ${batch.baseOffset} lastOffset: ${batch.lastOffset} count: ${batch.recordCount} baseSequence: ${sequence}` +
    ` lastSequence: ${last} producerId: ${batch.producerId} producerEpoch: ${batch.producerEpoch}` +
    ` partitionLeaderEpoch: ${batch.leaderEpoch} isTransactional: ${batch.isTransactional} isControl: ${batch.isControl}` +
    ` deleteHorizonMs: ${horizon} position: ${batch.position} ${batch.timestampType}: ${batch.maxTimestampMs} size: ${batch.sizeBytes}` +
    ` magic: ${batch.magic} compresscodec: ${batch.codec} crc: ${batch.crc} isvalid: ${batch.isGood}`
  )
}
