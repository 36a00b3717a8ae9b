/**
 * The walks of one compaction over closed segments. Each goes forwards, and all have to see the same files: where one is gone, or another
 * one by now, the compaction has to begin again.
 */
import { LogqError, systemErrorCode } from '../../errors.js'
import { LOG_SUFFIX, segmentFileName } from '../../log/file-names.js'
import { IsolationJudge } from '../../log/isolation.js'
import { partitionName } from '../../log/log-context.js'
import type { ViewContext } from '../../log/log-view.js'
import type { RecordBatch } from '../../record/batch.js'
import { ClosedSegment } from './closed-segment.js'

/** A segment that was looked at is gone, or another one: retention, trim or a repair was quicker. */
export class Overtaken extends Error {}

/** What was seen in a segment. */
export interface SeenSegment {
  readonly inode: number
  /** One that stays may have to get a delete horizon. */
  hasTombstone: boolean
  unkeyedCount: number
}

export class SegmentWalks {
  readonly #room = { buffer: new Uint8Array(0) }
  #judge: IsolationJudge
  /** By base offset. */
  readonly #seen = new Map<number, SeenSegment>()

  constructor(
    private readonly view: ViewContext,
    private readonly endOffset: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#judge = newJudge(view)
  }

  /** A walk begins. */
  begin(): void {
    this.#judge.close()
    this.#judge = newJudge(this.view)
  }

  /** What was seen of segments does not count any more. */
  forget(): void {
    this.#seen.clear()
  }

  /** To look at it: what is seen is noted. Undefined when it is gone, and was not seen. Throws Overtaken. */
  look(baseOffset: number): { readonly segment: ClosedSegment; readonly seen: SeenSegment } | undefined {
    const before = this.#seen.get(baseOffset)
    const segment = this.#open(baseOffset, before)
    if (segment === undefined) return undefined
    const seen = { inode: segment.inode, hasTombstone: false, unkeyedCount: 0 }
    this.#seen.set(baseOffset, seen)
    return { segment, seen }
  }

  /** To change it: one that was not seen is none. Throws Overtaken. */
  reopen(baseOffset: number): { readonly segment: ClosedSegment; readonly seen: SeenSegment } | undefined {
    const seen = this.#seen.get(baseOffset)
    const segment = this.#open(baseOffset, seen)
    if (segment === undefined) return undefined
    if (seen !== undefined) return { segment, seen }
    segment.close()
    throw new Overtaken()
  }

  /** Whether it is of a transaction that was aborted. To be asked in the order of the log. */
  isHidden(batch: RecordBatch): boolean {
    return !batch.isPlain && this.#judge.judge(batch) === 'hidden'
  }

  throwIfAborted(): void {
    if (this.signal?.aborted === true)
      throw new LogqError('LOGQ_ABORTED', `stopped while compacting '${partitionName(this.view)}'`)
  }

  close(): void {
    this.#judge.close()
  }

  #open(baseOffset: number, seen: SeenSegment | undefined): ClosedSegment | undefined {
    const path = `${this.view.directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`
    const segment =
      this.view.system.fs.pathStatus(path) === undefined
        ? undefined
        : orOvertaken(() => new ClosedSegment(this.view, baseOffset, this.#room, this.endOffset))
    if (seen === undefined || seen.inode === segment?.inode) return segment
    segment?.close()
    throw new Overtaken()
  }
}

/** What was listed a moment ago may be gone. */
export function orOvertaken<Result>(open: () => Result): Result {
  try {
    return open()
  } catch (error) {
    throw systemErrorCode(error) === 'ENOENT' ? new Overtaken() : error
  }
}

function newJudge(view: ViewContext): IsolationJudge {
  return new IsolationJudge({ ...view, isolation: 'read_committed' })
}
