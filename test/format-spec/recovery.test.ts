import test from 'ava'
import { CorruptionError } from '../../lib/errors.js'
import { readLeaderEpochs } from '../../lib/log/leader-epoch-file.js'
import { recover } from '../../lib/log/recovery.js'
import { writeRecoveryPoint } from '../../lib/log/recovery-point-file.js'
import { digestPartition } from '../../lib/maintain/digest.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { FIRST_LOG, createPartitionInMemory, hex } from './partition-in-memory.js'
import { readWorkedExamples } from './worked-examples.js'

interface DescribedRecovery {
  readonly cutBytes: number
  readonly logBytes: number
  readonly logEndOffset: number
  readonly leaderEpoch: number
  readonly quarantined: string | null
}

const examples = readWorkedExamples('recovery.md')

for (const [n, { bytes, expected }] of examples.entries()) {
  const described = expected as DescribedRecovery

  test(`recovery.md, example ${n + 1}: recovery makes of the bytes what the page says`, (t) => {
    const { context, put, get } = createPartitionInMemory()
    put(FIRST_LOG, bytes)
    writeRecoveryPoint(context, { offset: 2, segmentBaseOffset: 0, position: 77 })
    const { files, tail, leaderEpoch, quarantined } = recover(context, 0)
    files.close()
    const name = quarantined?.path.replace(`${context.directory}/quarantine/`, '') ?? null
    const { logBytes, logEndOffset } = tail
    t.deepEqual({ cutBytes: bytes.length - logBytes, logBytes, logEndOffset, leaderEpoch, quarantined: name }, described)
    t.is(hex(get(FIRST_LOG)), hex(bytes.subarray(0, logBytes)))
    if (name !== null) t.is(hex(get(`quarantine/${name}`)), hex(bytes.subarray(logBytes)))
    t.is(readLeaderEpochs(context)?.at(-1)?.epoch, leaderEpoch)
  })
}

test('recovery.md: below the recovery point the second example is corruption, and nothing is changed', async (t) => {
  const { context, put, get } = createPartitionInMemory()
  const bytes = examples[1]?.bytes ?? new Uint8Array()
  put(FIRST_LOG, bytes)
  writeRecoveryPoint(context, { offset: 4, segmentBaseOffset: 0, position: 215 })
  const { files, quarantined } = recover(context, 0)
  files.close()
  t.is(quarantined, undefined)
  t.is(hex(get(FIRST_LOG)), hex(bytes))

  const error = await t.throwsAsync(digestPartition(context, 0, 4), { instanceOf: CorruptionError })
  t.is(error.place.position, 77)
  t.is(error.place.offset, 2)
  const { check } = await inspectPartition(context, { gapsAreNormal: false, isOwn: true })
  const damage = check.findings.filter(({ kind }) => kind === 'damage')
  t.deepEqual(
    damage.map(({ position, offset }) => ({ position, offset })),
    [{ position: 77, offset: 2 }],
  )

  put(FIRST_LOG, bytes.subarray(0, 146))
  t.throws(() => recover(context, 0), { instanceOf: CorruptionError })
  t.is(hex(get(FIRST_LOG)), hex(bytes.subarray(0, 146)))
})
