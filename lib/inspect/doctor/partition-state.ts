/** Whether the end of a log is one that can be appended to as it is, as the next append will ask. Reads only. */
import { LOG_SUFFIX, segmentBaseOffsets, segmentFileName } from '../../log/file-names.js'
import { readStateBlock, type ViewContext } from '../../log/log-view.js'
import { readRecoveryPoint } from '../../log/recovery-point-file.js'
import { isOfThisBoot, type StateBlock } from '../../log/state-block.js'
import type { DoctorFinding } from './doctor-finding.js'

/** An append that is under way now has ended by then. */
const LOOKS = 5
const LOOK_MS = 10

/** Throws LOGQ_CORRUPT, or a system error. */
export async function partitionState(context: ViewContext): Promise<DoctorFinding[]> {
  for (let look = 1; ; look += 1) {
    const findings = lookAt(context)
    const isPassing = findings.some(({ kind }) => kind === 'unclean' || kind === 'lost-end')
    if (!isPassing || look === LOOKS) return findings
    await context.system.clock.sleep(LOOK_MS)
  }
}

function lookAt(context: ViewContext): DoctorFinding[] {
  const { system, directory, topic, partition } = context
  const at = { topic, partition }
  const state = readStateBlock(context)
  if (state?.status === 'sync-failed')
    return [{ kind: 'sync-failed', severity: 'critical', ...at, syncedOffset: state.syncedOffset }]
  const findings: DoctorFinding[] = []
  if (state !== undefined && state.status !== 'live')
    findings.push({ kind: 'status', severity: 'notice', ...at, status: state.status })
  const bases = segmentBaseOffsets(system.fs.list(directory))
  const active = bases.at(-1)
  const file = active === undefined ? undefined : system.fs.pathStatus(`${directory}/${segmentFileName(active, LOG_SUFFIX)}`)
  const point = readRecoveryPoint(context)
  if (active === undefined || file === undefined) {
    if (point !== undefined && point.offset > 0) findings.push(lostEnd(at, point.offset))
    return findings
  }
  const isPointBehind = point !== undefined && point.segmentBaseOffset > active
  const isPointHere = point?.segmentBaseOffset === active
  if (point !== undefined && (isPointBehind || (isPointHere && point.position > file.sizeBytes)))
    return [...findings, lostEnd(at, point.offset)]
  const unverifiedBytes = file.sizeBytes - (isPointHere ? point.position : 0)
  if (unverifiedBytes > 0 && !isTrusted(context, state, active, file))
    findings.push({ kind: 'unclean', severity: 'notice', ...at, unverifiedBytes })
  return findings
}

function isTrusted(
  { system }: ViewContext,
  state: StateBlock | undefined,
  active: number,
  file: { readonly device: number; readonly inode: number; readonly sizeBytes: number },
): boolean {
  if (state?.valid !== true || state.activeBaseOffset !== active || !isOfThisBoot(state, system.self)) return false
  return state.device === file.device && state.inode === file.inode && state.logBytes === file.sizeBytes
}

function lostEnd(at: { readonly topic: string; readonly partition: number }, recoveryPointOffset: number): DoctorFinding {
  return { kind: 'lost-end', severity: 'critical', ...at, recoveryPointOffset }
}
