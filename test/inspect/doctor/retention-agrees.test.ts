/**
 * What doctor says that the next run of retention removes is what it removes, and each segment that doctor says stays is there afterwards:
 * for topics with random records, times, settings, groups and wishes.
 */
import test from 'ava'
import fc from 'fast-check'
import { changeOffsets } from '../../../lib/consume/group/change-offsets.js'
import type { DoctorFinding } from '../../../lib/inspect/doctor/doctor-finding.js'
import { examineStore } from '../../../lib/inspect/doctor/examine-store.js'
import { listSegments } from '../../../lib/log/log-view.js'
import { retainTopic } from '../../../lib/maintain/retain/retain-topic.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { viewContext } from '../../../lib/store/partition.js'
import { produce, text, tinyStore } from '../../store/tiny-store.js'

const DAY_MS = 86_400_000

const worlds = fc.record({
  /** Of each record: days that pass before it is written, and how many days its timestamp is off. */
  records: fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 0, 0, -20, 5)), { maxLength: 12 }),
  retentionMs: fc.constantFrom(-1, 0, 3 * DAY_MS, 8 * DAY_MS),
  retentionBytes: fc.constantFrom(-1, -1, 0, 300, 600),
  archiveRequired: fc.constantFrom('false', 'false', 'true'),
  committed: fc.option(fc.integer({ min: 0, max: 12 })),
  wishes: fc.record(
    {
      olderMs: fc.constantFrom(0, 5 * DAY_MS),
      maxBytes: fc.constantFrom(200, 900),
      keepUntilAckedBy: fc.constantFrom([], ['*'], ['g']),
      hardMs: fc.constant(9 * DAY_MS),
      hardBytes: fc.constant(700),
    },
    { requiredKeys: [] },
  ),
})

test('what doctor says that retention removes is what it removes, and what stays is there', async (t) => {
  let removedSegments = 0
  let keptSegments = 0
  await fc.assert(
    fc.asyncProperty(worlds, async ({ records, retentionMs, retentionBytes, archiveRequired, committed, wishes }) => {
      const config = {
        'segment.bytes': 256,
        'retention.ms': retentionMs,
        'retention.bytes': retentionBytes,
        'archive.required': archiveRequired,
      }
      const { system, store } = await tinyStore({ config })
      for (const [afterDays, offDays] of records) {
        system.clock.setWallClock(system.clock.nowMs() + afterDays * DAY_MS)
        await produce(store, 't', [{ value: text('x'.repeat(80)), timestampMs: system.clock.nowMs() + offDays * DAY_MS }])
      }
      GroupFiles.openOrCreate(store, 'g').close()
      if (committed !== null && committed <= records.length)
        await changeOffsets(store, 'g', { command: 'test' }, [{ topic: 't', partition: 0, offset: committed }])

      const before = store.system.fs.list(`${store.path}/t-0`)
      const findings: DoctorFinding[] = []
      for await (const finding of examineStore(store, { ...wishes, perSegment: true })) findings.push(finding)
      t.deepEqual(store.system.fs.list(`${store.path}/t-0`), before, 'it changes nothing')
      const of = <Kind extends DoctorFinding['kind']>(kind: Kind) =>
        findings.filter((finding): finding is Extract<DoctorFinding, { kind: Kind }> => finding.kind === kind)

      const [done] = await retainTopic(store, 't', wishes)
      const [removable] = of('removable')
      t.deepEqual(
        [removable?.segments.length ?? 0, removable?.sizeBytes ?? 0, removable?.toOffset ?? done?.fromOffset],
        [done?.removedSegments, done?.removedBytes, done?.logStartOffset],
      )
      t.is(of('retention')[0]?.removableSegments, done?.removedSegments)
      const left = listSegments(viewContext(store, 't', 0))
      for (const base of removable?.segments ?? []) t.false(left.includes(base))
      const kept = of('kept').flatMap(({ segments }) => segments)
      for (const base of kept) t.true(left.includes(base))
      t.deepEqual(
        of('segment').map(({ baseOffset }) => baseOffset),
        [...(removable?.segments ?? []), ...kept],
      )
      removedSegments += removable?.segments.length ?? 0
      keptSegments += kept.length

      // What a group loses is what was said.
      const [behind] = of('group-behind')
      const [lost] = (done?.lostBy ?? []).filter(({ group }) => group === 'g')
      if (behind !== undefined) t.is(behind.nextRunRecords, lost?.offsetCount ?? 0)
      else t.is(lost, undefined)

      // The dates hold: at the moment when the first is due nothing more goes, and just after it does.
      const dues = of('kept').filter(({ reason, dueMs }) => reason === 'not-due' && dueMs !== null)
      const [first] = dues
      if (
        first === undefined ||
        first.dueMs === null ||
        of('kept')[0] !== first ||
        archiveRequired === 'true' ||
        (wishes.keepUntilAckedBy ?? []).length > 0
      )
        return
      system.clock.setWallClock(first.dueMs)
      t.is((await retainTopic(store, 't', { ...wishes, force: true }))[0]?.removedSegments, 0)
      system.clock.setWallClock(first.dueMs + 1)
      t.true(((await retainTopic(store, 't', { ...wishes, force: true }))[0]?.removedSegments ?? 0) > 0)
    }),
    { numRuns: Number(process.env['LOGQ_DOCTOR_RUNS'] ?? 40) },
  )
  t.log(`${removedSegments} removed, ${keptSegments} kept`)
  t.true(removedSegments > 5 && keptSegments > 5)
})
