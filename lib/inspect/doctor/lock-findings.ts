/** Who holds which lock, by the kernel's own table: no lock is taken for it. */
import type { LockTable, System } from '../../system/system.js'
import type { DoctorFinding, LockFinding } from './doctor-finding.js'

export type LockOf = Pick<LockFinding, 'lock' | 'topic' | 'partition' | 'group'>

export class Locks {
  readonly #table: LockTable | undefined

  constructor(private readonly system: System) {
    this.#table = system.processes.lockTable()
  }

  /** Whether it can be known on this system. */
  get isKnown(): boolean {
    return this.#table !== undefined
  }

  /** None for a file that is not there, or that nobody has locked. A holder that is stopped lets go for nobody. */
  at(path: string, of: LockOf): DoctorFinding[] {
    if (this.#table === undefined) return []
    const status = this.system.fs.pathStatus(path)
    const held = status?.kind === 'file' ? this.#table.holdersOf(status) : undefined
    if (held === undefined) return []
    const { processes: holders, waiterCount } = held
    const isStuck = holders.length > 0 && holders.every(({ isStopped }) => isStopped)
    return [
      {
        kind: 'lock',
        severity: isStuck ? 'critical' : 'ok',
        ...of,
        path,
        host: this.system.self.hostName,
        holders,
        waiterCount,
      },
    ]
  }
}
