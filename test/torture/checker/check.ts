/**
 * The checker: what is wrong with a history. It is a pure function over it, so that a history can be judged again, by a later
 * checker too. Names and numbers of the invariants follow those of Jepsen's test of Kafka, where it has them.
 */
import type { HistoryEvent } from '../history.js'
import { groupCommits, groupDeliveries, groupEnds, groupRepeats } from './groups.js'
import { compaction, followers, inconsistentOffsets, readerOrder, staleReads, vanished } from './reads.js'
import { exits, fsckVerdicts, hygiene, retention, sameAnswers } from './upkeep.js'
import { viewOf, type View } from './view.js'
import { duplicates, expectations, failedButSeen, lostWrites, realTime, sendOrder, unprintedOffsets } from './writes.js'

export interface Violation {
  readonly invariant: Invariant
  readonly message: string
}

const invariants = {
  'I1 lost write': lostWrites,
  'I2 duplicate': duplicates,
  'I3 inconsistent offset': inconsistentOffsets,
  'I4 failed write seen': failedButSeen,
  'I6 reader order': readerOrder,
  'I7 send order': sendOrder,
  'I8 real time': realTime,
  'I8 stale read': staleReads,
  'I8 follower': followers,
  'I9 vanished': vanished,
  'I10 compaction': compaction,
  'I11 retention': retention,
  'I12 delivery': groupDeliveries,
  'I12 repeated': groupRepeats,
  'I12 commits': groupCommits,
  'I12 rest': groupEnds,
  'I17 fsck': fsckVerdicts,
  'I18 hygiene': hygiene,
  'I19 same answers': sameAnswers,
  expectation: expectations,
  'printed offsets': unprintedOffsets,
  'exit status': exits,
} as const satisfies Record<string, (view: View) => string[]>

export type Invariant = keyof typeof invariants

export function check(events: readonly HistoryEvent[]): Violation[] {
  const view = viewOf(events)
  return (Object.keys(invariants) as Invariant[]).flatMap((invariant) =>
    invariants[invariant](view).map((message) => ({ invariant, message })),
  )
}

/** What a run consisted of, so that one that did nothing is not taken for one that went well. */
export interface Extent {
  readonly sentCount: number
  readonly acknowledgedCount: number
  readonly unknownCount: number
  readonly failedCount: number
  readonly readCount: number
  /** Records that members of groups printed. */
  readonly deliveredCount: number
  readonly processCount: number
  readonly killedCount: number
}

export function extentOf(events: readonly HistoryEvent[]): Extent {
  const { sent } = viewOf(events)
  const attempts = [...sent.values()].flatMap((one) => one.attempts)
  const count = (outcome: string): number => attempts.filter((attempt) => attempt.outcome === outcome).length
  const ends = events.filter((event) => event.operation === 'process' && event.type !== 'invoke')
  return {
    sentCount: sent.size,
    acknowledgedCount: count('ok'),
    unknownCount: count('info'),
    failedCount: count('fail'),
    readCount: events.reduce((sum, event) => sum + (event.operation === 'read' ? (event.records?.length ?? 0) / 3 : 0), 0),
    deliveredCount: events.reduce(
      (sum, event) => sum + (event.operation === 'deliver' ? (event.records?.length ?? 0) / 4 : 0),
      0,
    ),
    processCount: ends.length,
    killedCount: ends.filter((event) => event.operation === 'process' && event.signal === 'SIGKILL').length,
  }
}
