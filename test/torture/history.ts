/**
 * What happened in a run, one JSON object a line, in the order in which the driver saw it. A history is all that the checker knows.
 *
 * `invoke` is written before something is begun; then `ok` when it was certainly done, `fail` when it certainly was not, and `info`
 * when nobody can tell (the process was killed) or for what is only told. `process` names one operating system process, and is never
 * used twice. Values are `<sequence>-<n>`, and each is sent once, or again and again by those who look for duplicates.
 */
import { appendFileSync, readFileSync } from 'node:fs'

interface Base {
  /** Since the run began, monotonic. */
  readonly timeNs: number
  readonly process: string
}

/** Values that are handed to one producer, in order. */
export interface SendEvent extends Base {
  readonly operation: 'send'
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  readonly topic: string
  readonly values: readonly string[]
  /** With invoke: id of the topic before the process was started; undefined when there was none. */
  readonly topicId?: string | undefined
  readonly acks?: 0 | 1
  /** With invoke: the values may be sent again, and must be stored once for each partition. */
  readonly dedupe?: true
  /** With invoke: the offset that the first value gets, or nothing is appended. */
  readonly expectOffset?: number | undefined
  /** With ok: partition and offset of each value, flat; left out when they were not printed. */
  readonly places?: readonly number[]
}

/** all: whole topic; range: [from, to) of a partition; newest: the last ones; follow: from `from` on, for ever. */
export type ReadKind = 'all' | 'range' | 'newest' | 'follow'

export interface ReadEvent extends Base {
  readonly operation: 'read'
  /** info: records that came; ok: ended with exit status 0; fail: with another one. Killed readers have no end. */
  readonly type: 'invoke' | 'info' | 'ok' | 'fail'
  readonly topic: string
  /** Before the start with invoke, after the end with ok and fail. */
  readonly topicId?: string | undefined
  readonly kind?: ReadKind
  /** With invoke, range: which offsets. */
  readonly partition?: number
  readonly from?: number
  readonly to?: number
  /** With invoke: the last look, after everything was healed; nothing was sent after it began. */
  readonly final?: true
  /** With info: partition, offset and value, flat, in the order in which they were printed. */
  readonly records?: readonly (number | string)[]
}

/** A member of a consumer group: what it printed. */
export interface DeliverEvent extends Base {
  readonly operation: 'deliver'
  /** info: records that came. How it ended is told by its process. */
  readonly type: 'invoke' | 'info'
  readonly group: string
  /** With info: topic, partition, offset and value, flat, in the order in which they were printed. */
  readonly records?: readonly (number | string)[]
}

/** What was found in the offsets file of a group since the last look. */
export interface CommitsEvent extends Base {
  readonly operation: 'commits'
  readonly type: 'info'
  readonly group: string
  /** All that the file says: it was written anew since. Otherwise only what was appended. */
  readonly isWhole: boolean
  /** By line: the generation, the member, and topic, its id, partition and offset, flat. */
  readonly lines: readonly (readonly [generation: number, member: string, offsets: readonly (number | string | null)[]])[]
  /** Whole lines that say nothing. */
  readonly damagedCount: number
}

/** After everything was healed: the group came to rest with its members, and another one read what was left (ok); or not (fail). */
export interface GroupEvent extends Base {
  readonly operation: 'group'
  readonly type: 'ok' | 'fail'
  readonly group: string
  readonly topics: readonly string[]
  readonly isAtMostOnce: boolean
  readonly what?: string
}

/** An operating system process: its start, and how it ended. */
export interface ProcessEvent extends Base {
  readonly operation: 'process'
  /** ok: ended by itself; info: a signal ended it; fail: it did not end when it should have. */
  readonly type: 'invoke' | 'ok' | 'info' | 'fail'
  readonly command?: string
  readonly pid?: number
  readonly status?: number | null
  readonly signal?: string | null
  readonly stderr?: string
}

export interface TopicEvent extends Base {
  readonly operation: 'create' | 'rm' | 'add-partitions' | 'set'
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  readonly topic: string
  /** With invoke: a record may go when a later one has its key. */
  readonly isCompacted?: true
}

/** From here on nothing is disturbed any more. */
export interface HealEvent extends Base {
  readonly operation: 'heal'
  readonly type: 'ok'
}

/** A nemesis begins (invoke), ends (ok), or tells what it did (info). */
export interface NemesisEvent extends Base {
  readonly operation: 'nemesis'
  readonly type: 'invoke' | 'ok' | 'info'
  readonly what?: string
}

/** Bytes of one batch were overwritten: its offsets [from, to) may be lost, and fsck must name the file. */
export interface DamageEvent extends Base {
  readonly operation: 'damage'
  readonly type: 'ok'
  readonly topic: string
  readonly partition: number
  readonly file: string
  readonly from: number
  readonly to: number
}

export interface FsckFinding {
  readonly kind: string
  readonly file: string
  readonly message: string
  readonly topic?: string
}

export interface FsckEvent extends Base {
  readonly operation: 'fsck'
  readonly type: 'ok'
  readonly status: number
  /** Which topics were looked at: all when there is none. */
  readonly topic?: string
  /** With --repair: caches that were rebuilt are nothing to end with 5 for. */
  readonly repair: boolean
  readonly findings: readonly FsckFinding[]
  /** The last one, after caches were rebuilt: nothing may be left but damage that was injected. */
  readonly final?: true
}

/** The same question before and after all indexes were deleted, or a repair: the answers must be the same. */
export interface CompareEvent extends Base {
  readonly operation: 'compare'
  readonly type: 'ok'
  readonly what: string
  readonly question: string
  readonly before: string
  readonly after: string
}

export interface ResourcesEvent extends Base {
  readonly operation: 'resources'
  readonly type: 'info'
  readonly rssBytes: number
  readonly descriptors: number
}

/** What is left at the end: names that nobody needs, the size of it all, and processes that should be gone. */
export interface HygieneEvent extends Base {
  readonly operation: 'hygiene'
  readonly type: 'ok'
  readonly litter: readonly string[]
  readonly storeBytes: number
  readonly recordCount: number
  readonly segmentCount: number
  readonly leftProcesses: readonly string[]
  readonly retained: readonly Retained[]
}

/** What a partition of a topic with retention.bytes takes after the last retain. */
export interface Retained {
  readonly partition: string
  readonly limitBytes: number
  /** Of its segments, from the oldest on. */
  readonly segmentBytes: readonly number[]
  /** Something of it was removed at some time. */
  readonly isCut: boolean
}

export type HistoryEvent =
  | SendEvent
  | ReadEvent
  | DeliverEvent
  | CommitsEvent
  | GroupEvent
  | ProcessEvent
  | TopicEvent
  | HealEvent
  | NemesisEvent
  | DamageEvent
  | FsckEvent
  | CompareEvent
  | ResourcesEvent
  | HygieneEvent

type Untimed<Event> = Event extends HistoryEvent ? Omit<Event, 'timeNs'> : never

const WRITE_BYTES = 64 << 10

export class History {
  readonly #startedNs = process.hrtime.bigint()
  #pending = ''
  eventCount = 0

  constructor(readonly path: string) {
    appendFileSync(path, '')
  }

  add(event: Untimed<HistoryEvent>): void {
    const timeNs = Number(process.hrtime.bigint() - this.#startedNs)
    this.#pending += `${JSON.stringify({ timeNs, ...event })}\n`
    this.eventCount += 1
    if (this.#pending.length > WRITE_BYTES) this.flush()
  }

  flush(): void {
    appendFileSync(this.path, this.#pending)
    this.#pending = ''
  }
}

export function readHistory(path: string): HistoryEvent[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryEvent)
}
