/**
 * Which other members are gone, in the eyes of one: dead or still ones, and static ones that stayed away for too long. Each looks after
 * some of the others only: in a large group not everybody has to probe everybody.
 */
import type { GroupState } from '../../store/group/group-state.js'
import type { Liveness } from '../../store/group/liveness.js'
import type { Clock } from '../../system/system.js'
import { DEFAULT_GRACE_MS } from './member-options.js'

const WATCHED_MEMBERS = 16

export class GoneMembers {
  /** Since when each was seen to be away. */
  readonly #awaySinceMs = new Map<string, number>()

  constructor(
    private readonly own: string,
    private readonly liveness: Liveness,
    private readonly clock: Clock,
  ) {}

  /** Members that are to be taken out, or are static and away by now. */
  among(state: GroupState): string[] {
    const others = Object.keys(state.members).filter((member) => member !== this.own)
    const after = others.findIndex((member) => member > this.own)
    const inTurn = after === -1 ? others : [...others.slice(after), ...others.slice(0, after)]
    return inTurn.slice(0, WATCHED_MEMBERS).filter((member) => this.isGone(state, member))
  }

  isGone(state: GroupState, member: string): boolean {
    const { isAway = false, graceMs = DEFAULT_GRACE_MS } = state.members[member] ?? {}
    if (!isAway) {
      this.#awaySinceMs.delete(member)
      return this.liveness.verdict(member) !== 'alive'
    }
    const nowMs = this.clock.monotonicMs()
    const sinceMs = this.#awaySinceMs.get(member) ?? nowMs
    this.#awaySinceMs.set(member, sinceMs)
    return nowMs - sinceMs >= graceMs
  }
}
