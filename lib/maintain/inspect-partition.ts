/**
 * Looks at a partition as a whole: all segments, all small files, and how they fit together. Reads only. What is known to be
 * synced is looked up first and the log after it, so that what others append, roll and retain meanwhile is never taken for
 * damage.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { BatchScanner } from '../log/batch-scanner.js'
import {
  CLEANER_OFFSET_FILE,
  LOCK_FILE,
  LOG_START_OFFSET_FILE,
  LOG_SUFFIX,
  RECOVERY_POINT_FILE,
  segmentFileName,
} from '../log/file-names.js'
import type { LeaderEpoch } from '../log/leader-epochs.js'
import { readLogStartOffset } from '../log/log-start-offset-file.js'
import { listSegments, readStateBlock, type ViewContext } from '../log/log-view.js'
import { RECOVERY_POINT_SLOT_BYTES, decodeRecoveryPoint, type RecoveryPoint } from '../log/recovery-point.js'
import { isOfThisBoot, type StateBlock } from '../log/state-block.js'
import { readSmallFile } from '../system/durable.js'
import { arrangeSegments, type MisplacedSegment } from './arrange-segments.js'
import { checkEpochs, epochAt, epochsOf } from './check-epochs.js'
import { checkTransactionFiles } from './check-transactions.js'
import { checkSegment, describeBadRange, isZeros, type BadRange, type SegmentCheck } from './check-segment.js'
import type { Finding } from './finding.js'
import { parseCleanerOffsets } from '../log/cleaner-file.js'
import { KNOWN_GAPS_FILE, isKnownGap, parseKnownGaps, readKnownGaps, type OffsetGap } from '../log/known-gaps.js'
import { oddKind } from './odd-file.js'

export interface PartitionCheck {
  readonly topic: string
  readonly partition: number
  readonly segmentCount: number
  readonly batchCount: number
  readonly recordCount: number
  /** Bytes of whole batches. */
  readonly sizeBytes: number
  readonly findings: readonly Finding[]
}

export interface InspectOptions {
  /** Offsets may be missing: the topic is compacted, or Kafka wrote it. */
  readonly gapsAreNormal: boolean
  /** logq's own partition, with state block and recovery point; otherwise one of a Kafka log.dir. */
  readonly isOwn: boolean
  /** The caller holds the append lock: nobody is half-way through anything. */
  readonly holdsLock?: boolean
  /**
   * Base offset of the one segment that is of interest: only it and the one before it are walked, and what takes all segments to judge
   * (start, end, leader epochs) is left out. Findings of other files may be there and are not complete.
   */
  readonly onlySegment?: number
  /** Nobody appends to these files, so that a torn end is damage and not an append half-way in. */
  readonly isAtRest?: boolean
  readonly signal?: AbortSignal
}

export interface PartitionInspection {
  readonly check: PartitionCheck
  readonly state: StateBlock | undefined
  /** The segments that stand in their place, ascending. */
  readonly segments: readonly SegmentCheck[]
  readonly misplaced: readonly MisplacedSegment[]
  /** Offsets that are missing, and not known to be. */
  readonly gaps: readonly OffsetGap[]
  readonly epochs: readonly LeaderEpoch[] | undefined
  /** After the last good batch, or what is known to have been synced when that is more. */
  readonly endOffset: number
  /** Small files to be written anew. */
  readonly wrongFiles: ReadonlySet<SmallFile>
}

export type SmallFile = 'log-start-offset' | 'leader-epochs' | 'known-gaps' | 'cleaner-offset' | 'recovery-point' | 'lock'

const LOCK_LOOKS = 5
const LOCK_LOOK_MS = 10
const SHARED_LOCK_TRIES = 50
const SHARED_LOCK_TRY_MS = 20

/** Throws LOGQ_TOPIC_REMOVED when the directory is gone, LOGQ_ABORTED, or a system error. */
export async function inspectPartition(context: ViewContext, options: InspectOptions): Promise<PartitionInspection> {
  const inspection = new Inspection(context, options)
  return inspection.run()
}

class Inspection {
  readonly #findings: Finding[] = []
  readonly #wrongFiles = new Set<SmallFile>()
  readonly #gaps: OffsetGap[] = []
  #state: StateBlock | undefined
  #point: RecoveryPoint | undefined
  #knownGaps: readonly OffsetGap[] = []
  /** Below, compaction may have removed records. */
  #compactedTo = 0
  #epochs: LeaderEpoch[] | undefined

  constructor(
    private readonly context: ViewContext,
    private readonly options: InspectOptions,
  ) {}

  async run(): Promise<PartitionInspection> {
    const { context, options } = this
    if (options.isOwn) {
      await this.#readState()
      this.#readRecoveryPoint()
    }
    this.#readGaps()
    this.#epochs = epochsOf(context)
    const { chain, misplaced } = arrangeSegments(context, listSegments(context), options.gapsAreNormal)
    for (const { file, baseOffset, message } of misplaced) this.#damage(file, message, { offset: baseOffset })
    const segments = await this.#walk(chain)
    const nextOffset = segments.at(-1)?.nextOffset ?? 0
    const endOffset = Math.max(nextOffset, this.#syncedOffset)
    if (options.onlySegment === undefined) {
      this.#checkStart(chain, endOffset)
      this.#checkEnd(segments.at(-1), nextOffset)
      this.#checkEpochs(segments, endOffset)
      if (!options.isOwn) this.#findings.push(...(await checkTransactionFiles(context, options.signal)))
    }
    const sum = (of: (check: SegmentCheck) => number) => segments.reduce((total, check) => total + of(check), 0)
    return {
      check: {
        topic: context.topic,
        partition: context.partition,
        segmentCount: segments.length,
        batchCount: sum((check) => check.batchCount),
        recordCount: sum((check) => check.recordCount),
        sizeBytes: sum((check) => check.goodRanges.reduce((bytes, { from, to }) => bytes + to - from, 0)),
        findings: this.#findings,
      },
      state: this.#state,
      segments,
      misplaced,
      gaps: this.#gaps,
      epochs: this.#epochs,
      endOffset,
      wrongFiles: this.#wrongFiles,
    }
  }

  /** Everything below was on the device once: every value that survives is true. */
  get #syncedOffset(): number {
    return Math.max(this.#point?.offset ?? 0, this.#state?.syncedOffset ?? 0)
  }

  /** The state block speaks of the log as it is, so that the next append goes on without recovery. */
  get #isStateTrusted(): boolean {
    return this.#state?.valid === true && isOfThisBoot(this.#state, this.context.system.self)
  }

  async #readState(): Promise<void> {
    const { context } = this
    const { fs, clock } = context.system
    const file = this.#path(LOCK_FILE)
    if (!this.#isReadable(LOCK_FILE, 'lock')) return
    if (fs.pathStatus(file) === undefined) {
      this.#wrong('lock', { kind: 'cache', file, message: 'the lock file is missing: nobody can append' })
      return
    }
    for (let look = 1; look <= LOCK_LOOKS && this.#state === undefined; look += 1) {
      if (look > 1) await clock.sleep(LOCK_LOOK_MS, this.options.signal)
      this.#state = readStateBlock(context)
    }
    if (this.#state === undefined) {
      this.#wrong('lock', { kind: 'cache', file, position: 0, message: 'the state block is damaged; the next append scans' })
    } else if (this.#state.status === 'sync-failed') {
      const { syncedOffset } = this.#state
      this.#damage(file, `an fsync failed: records from offset ${syncedOffset} on may be lost`, { offset: syncedOffset })
    }
  }

  #readRecoveryPoint(): void {
    const file = this.#path(RECOVERY_POINT_FILE)
    if (!this.#isReadable(RECOVERY_POINT_FILE, 'recovery-point')) return
    const bytes = this.#smallFile(RECOVERY_POINT_FILE, 'recovery-point')
    if (bytes === undefined) return
    this.#point = decodeRecoveryPoint(bytes)
    if (this.#point === undefined) {
      const message = 'the recovery point is damaged; the next append verifies everything'
      // It is not synced, so that a power cut may leave nothing of it.
      if (bytes.every((byte) => byte === 0))
        this.#note(file, 'it is empty; the next append verifies everything', { position: 0 })
      else this.#wrong('recovery-point', { kind: 'cache', file, position: 0, message })
      return
    }
    // The slots are not synced: a power cut may leave one of them torn.
    for (const position of [0, RECOVERY_POINT_SLOT_BYTES]) {
      const slot = bytes.subarray(position, position + RECOVERY_POINT_SLOT_BYTES)
      if (slot.some((byte) => byte !== 0) && decodeRecoveryPoint(slot) === undefined)
        this.#note(file, 'one slot is damaged; the other is used', { position })
    }
  }

  #readGaps(): void {
    if (this.#isReadable(CLEANER_OFFSET_FILE, 'cleaner-offset')) this.#readCleanerOffsets()
    if (!this.#isReadable(KNOWN_GAPS_FILE, 'known-gaps')) return
    const bytes = this.#smallFile(KNOWN_GAPS_FILE, 'known-gaps')
    if (bytes === undefined) return
    this.#knownGaps = readKnownGaps(this.context)
    if (parseKnownGaps(bytes) !== undefined) return
    const message = 'it is damaged, so that what an earlier repair dropped is named again'
    this.#wrong('known-gaps', { kind: 'cache', file: this.#path(KNOWN_GAPS_FILE), position: 0, message })
  }

  #readCleanerOffsets(): void {
    const bytes = this.#smallFile(CLEANER_OFFSET_FILE, 'cleaner-offset')
    if (bytes === undefined) return
    const offsets = parseCleanerOffsets(bytes)
    this.#compactedTo = offsets?.gapsOffset ?? 0
    if (offsets !== undefined) return
    const message = 'it is damaged, so that the next compaction begins at the start'
    this.#wrong('cleaner-offset', { kind: 'cache', file: this.#path(CLEANER_OFFSET_FILE), position: 0, message })
  }

  async #walk(chain: readonly number[]): Promise<SegmentCheck[]> {
    const segments: SegmentCheck[] = []
    let expectedOffset: number | undefined
    let previousEpoch = 0
    const { onlySegment = Infinity } = this.options
    for (const [n, base] of chain.entries()) {
      const limitOffset = chain[n + 1]
      // The one before says which offset and which leader epoch are to be expected.
      if (onlySegment !== Infinity && base !== onlySegment && limitOffset !== onlySegment) continue
      const check = await this.#checkSegment(base, limitOffset, previousEpoch)
      // Retained meanwhile, and so were those before it.
      if (check === undefined) continue
      if (expectedOffset !== undefined) this.#checkJoint(segments.at(-1), expectedOffset, base)
      segments.push(check)
      this.#nameSegment(check, limitOffset === undefined)
      expectedOffset = Math.max(expectedOffset ?? 0, check.nextOffset)
      previousEpoch = check.epochs.at(-1)?.epoch ?? previousEpoch
    }
    return segments
  }

  /** Undefined when the segment is gone. */
  async #checkSegment(base: number, limitOffset: number | undefined, previousEpoch: number): Promise<SegmentCheck | undefined> {
    const { context, options } = this
    const isActive = limitOffset === undefined
    const expected = {
      expectedOffset: base,
      previousEpoch,
      epochLimit: this.#epochLimit,
      limitOffset,
      mayMiss: (fromOffset: number, toOffset: number) =>
        options.gapsAreNormal || toOffset <= this.#compactedTo || isKnownGap(this.#knownGaps, fromOffset, toOffset),
      isKnownAsGone: (offset: number) => this.#knownGaps.some((gap) => gap.fromOffset <= offset && offset < gap.toOffset),
      epochAt: (offset: number) => epochAt(this.#epochs, offset),
      offsetAt: (position: number) => (isActive ? this.#offsetAt(base, position) : undefined),
      knownIndexes: this.#isStateTrusted && this.#state?.activeBaseOffset === base ? this.#state : undefined,
      mayBeInFlight: isActive && options.holdsLock !== true,
    }
    try {
      const check = await checkSegment(context, base, expected, options.signal)
      if (!isActive || options.holdsLock === true) return check
      if (endsBad(check)) return await this.#settleTail(check, () => checkSegment(context, base, expected, options.signal))
      // Whoever recovers meanwhile rewrites the end of the indexes.
      return check.indexFindings.length > 0 ? await checkSegment(context, base, expected, options.signal) : check
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }

  get #epochLimit(): number {
    const limit = Math.max(this.#epochs?.at(-1)?.epoch ?? -1, this.#state?.leaderEpoch ?? -1)
    return limit < 0 ? Infinity : limit
  }

  #offsetAt(base: number, position: number): number | undefined {
    const state = this.#state
    if (state?.valid === true && state.activeBaseOffset === base && state.logBytes === position) return state.logEndOffset
    const point = this.#point
    return point?.segmentBaseOffset === base && point.position === position ? point.offset : undefined
  }

  /** What is bad at the end may be half-way in even now: nobody is while a shared lock is held. */
  async #settleTail(check: SegmentCheck, checkAgain: () => Promise<SegmentCheck>): Promise<SegmentCheck> {
    const bad = check.badRanges.at(-1)
    if (bad === undefined || (await this.#isStillBad(check, bad))) return check
    const again = await checkAgain()
    // A whole batch by now, and yet bad: what is wrong is in it. What is bad behind it is the next one half-way in.
    if (!endsBad(again) || again.position <= check.position) return again
    return { ...again, badRanges: again.badRanges.slice(0, -1) }
  }

  async #isStillBad({ baseOffset, nextOffset }: SegmentCheck, { from }: BadRange): Promise<boolean> {
    const { fs, locks, clock } = this.context.system
    const lockPath = this.#path(LOCK_FILE)
    const lockFd = fs.pathStatus(lockPath)?.kind === 'file' ? fs.open(lockPath, 'read') : undefined
    const logFd = fs.open(this.#segmentPath(baseOffset), 'read')
    try {
      const isBad = () => {
        const step = new BatchScanner(fs, logFd, from, { checkCrc: true }).next()
        // What is appended begins where the log ended; anything else, however whole, is none.
        return step.kind !== 'end' && (step.kind !== 'batch' || step.batch.baseOffset !== nextOffset)
      }
      for (let tries = 0; lockFd !== undefined && tries < SHARED_LOCK_TRIES && isBad(); tries += 1) {
        if (locks.tryLock(lockFd, true)) return isBad()
        await clock.sleep(SHARED_LOCK_TRY_MS, this.options.signal)
      }
      return isBad()
    } finally {
      fs.close(logFd)
      if (lockFd !== undefined) fs.close(lockFd)
    }
  }

  #checkJoint(before: SegmentCheck | undefined, expectedOffset: number, base: number): void {
    if (base <= expectedOffset || endsBad(before)) return
    this.#missing(expectedOffset, base, this.#segmentPath(base), 'before this segment')
  }

  #missing(fromOffset: number, toOffset: number, file: string, where: string, position?: number): void {
    if (this.options.gapsAreNormal || toOffset <= this.#compactedTo) return
    if (isKnownGap(this.#knownGaps, fromOffset, toOffset)) return
    this.#gaps.push({ fromOffset, toOffset })
    this.#damage(file, `offsets ${fromOffset} to ${toOffset - 1} are missing ${where}`, {
      ...(position === undefined ? {} : { position }),
      offset: fromOffset,
    })
  }

  #nameSegment(check: SegmentCheck, isActive: boolean): void {
    const file = this.#segmentPath(check.baseOffset)
    for (const bad of check.badRanges) this.#nameBadRange(check, bad, isActive)
    for (const { from, restored } of check.goodRanges) {
      if (restored !== undefined)
        this.#damage(file, `${restored.reason}, and can be restored`, { position: from, offset: restored.baseOffset })
    }
    for (const { fromOffset, toOffset, position } of check.gaps) {
      this.#missing(fromOffset, toOffset, file, 'before this batch', position)
    }
    if (check.foundAgain !== undefined) {
      const message = `it has offset ${check.foundAgain} as gone, which is there`
      this.#wrong('known-gaps', { kind: 'cache', file: this.#path(KNOWN_GAPS_FILE), offset: check.foundAgain, message })
    }
    this.#findings.push(...check.indexFindings)
  }

  /** Damage, except at the end of the active segment above what was synced. */
  #nameBadRange(check: SegmentCheck, bad: BadRange, isActive: boolean): void {
    const { from, fromOffset, toOffset, reason } = bad
    const file = this.#segmentPath(check.baseOffset)
    const place = { position: from, offset: fromOffset }
    const isPromised = this.#isSynced(check.baseOffset, from, fromOffset) || this.#wasAppended(fromOffset)
    const mayEndHere = isActive && toOffset === undefined && !isPromised
    if (mayEndHere && (this.options.isAtRest !== true || isZeros(this.context.system.fs, file, from))) {
      const what = this.options.isOwn ? 'above what was synced; the next append cuts it off' : 'the log ends here'
      this.#note(file, `${reason} (${what})`, place)
      return
    }
    this.#damage(file, describeBadRange(bad), place)
  }

  #isSynced(base: number, position: number, offset: number): boolean {
    const point = this.#point
    return offset < this.#syncedOffset || (point?.segmentBaseOffset === base && position < point.position)
  }

  /** The log begins where its log start offset is; before anything was retained, where its first leader epoch began. */
  #checkStart(chain: readonly number[], endOffset: number): void {
    if (!this.options.isOwn || !this.#isReadable(LOG_START_OFFSET_FILE, 'log-start-offset')) return
    const file = this.#path(LOG_START_OFFSET_FILE)
    let start: number | undefined
    try {
      start = readLogStartOffset(this.context)
    } catch (error) {
      if (!(error instanceof LogqError)) throw error
      this.#wrong('log-start-offset', { kind: 'damage', file, position: 0, message: 'the log start offset cannot be read' })
      return
    }
    if (start !== undefined && start > endOffset) {
      const message = `the log start offset is ${start}, behind the end of the log at ${endOffset}`
      this.#wrong('log-start-offset', { kind: 'damage', file, position: 0, message })
      return
    }
    const [first] = chain
    const expected = start ?? this.#epochs?.[0]?.startOffset
    if (first === undefined || expected === undefined || first <= expected) return
    if (isKnownGap(this.#knownGaps, expected, first)) return
    this.#gaps.push({ fromOffset: expected, toOffset: first })
    this.#damage(this.context.directory, `the segments before offset ${first} are missing`, { offset: expected })
  }

  /** Under one kernel nothing takes back what was appended, synced or not, and only the state block knows of it. */
  #wasAppended(offset: number): boolean {
    const state = this.#state
    if (state === undefined || !this.#isStateTrusted || offset >= state.logEndOffset) return false
    const present = readStateBlock(this.context)
    return present?.valid === true && present.logEndOffset === state.logEndOffset
  }

  #checkEnd(last: SegmentCheck | undefined, nextOffset: number): void {
    if (!this.options.isOwn) return
    const isNamed = endsBad(last)
    const synced = this.#syncedOffset
    if (nextOffset < synced) {
      this.#gaps.push({ fromOffset: nextOffset, toOffset: synced })
      const message = `the log ends at offset ${nextOffset}, but everything below ${synced} was synced`
      if (!isNamed) this.#damage(this.context.directory, message, { offset: nextOffset })
      return
    }
    if (isNamed || !this.#wasAppended(nextOffset)) return
    const message = `the log ends at offset ${nextOffset}, but the last append ended at ${String(this.#state?.logEndOffset)}`
    this.#damage(this.context.directory, message, { offset: nextOffset })
  }

  #checkEpochs(segments: readonly SegmentCheck[], endOffset: number): void {
    const runs = segments.flatMap(({ epochs }) => epochs)
    const { isOwn } = this.options
    const finding = checkEpochs(this.context, this.#epochs, { runs, endOffset, stateEpoch: this.#state?.leaderEpoch, isOwn })
    if (finding === undefined) return
    // Somebody may have begun an epoch since the files were read.
    const again = checkEpochs(this.context, epochsOf(this.context), {
      runs,
      endOffset: Math.max(endOffset, readStateBlockQuietly(this.context)?.logEndOffset ?? 0),
      stateEpoch: isOwn ? readStateBlockQuietly(this.context)?.leaderEpoch : undefined,
      isOwn,
    })
    if (again !== undefined) this.#wrong('leader-epochs', again)
  }

  /** False when something else than a file stands there, which is named. */
  #isReadable(name: string, what: SmallFile): boolean {
    const file = this.#path(name)
    const odd = oddKind(this.context.system.fs, file)
    if (odd !== undefined) this.#wrong(what, { kind: 'cache', file, message: `${odd} stands in place of the file` })
    return odd === undefined
  }

  /** Undefined when there is none, or it is far too large, which is named. */
  #smallFile(name: string, what: SmallFile): Uint8Array | undefined {
    try {
      return readSmallFile(this.context.system.fs, this.#path(name))
    } catch (error) {
      if (!(error instanceof LogqError)) throw error
      this.#wrong(what, { kind: 'cache', file: this.#path(name), message: error.message })
      return undefined
    }
  }

  #wrong(what: SmallFile, finding: Finding): void {
    this.#wrongFiles.add(what)
    this.#findings.push(finding)
  }

  #damage(file: string, message: string, place: { readonly position?: number; readonly offset?: number }): void {
    this.#findings.push({ kind: 'damage', file, ...place, message })
  }

  #note(file: string, message: string, place: { readonly position?: number; readonly offset?: number }): void {
    this.#findings.push({ kind: 'note', file, ...place, message })
  }

  #path(name: string): string {
    return `${this.context.directory}/${name}`
  }

  #segmentPath(base: number): string {
    return this.#path(segmentFileName(base, LOG_SUFFIX))
  }
}

/** Whether nothing good follows the last bad place of a segment. */
export function endsBad(segment: SegmentCheck | undefined): boolean {
  const bad = segment?.badRanges.at(-1)
  return bad !== undefined && bad.toOffset === undefined
}

function readStateBlockQuietly(context: ViewContext): StateBlock | undefined {
  return oddKind(context.system.fs, `${context.directory}/${LOCK_FILE}`) === undefined ? readStateBlock(context) : undefined
}
