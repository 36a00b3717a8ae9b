/**
 * The kernel locks of one file in memory, held by open files as open file description locks are: a second lock of the same holder
 * replaces its first, and closing lets go.
 */

/** An open file; only its identity matters. */
type Holder = object

interface Waiter {
  readonly holder: Holder
  readonly shared: boolean
  readonly resolve: () => void
  /** Closed while it waited: the kernel grants the lock late and it ends at once. */
  abandoned: boolean
}

export class LockTable {
  static readonly #tables = new WeakMap<object, LockTable>()

  static of(inode: object): LockTable {
    let table = LockTable.#tables.get(inode)
    if (table === undefined) {
      table = new LockTable()
      LockTable.#tables.set(inode, table)
    }
    return table
  }

  /** True for a shared lock. */
  readonly #holders = new Map<Holder, boolean>()
  readonly #waiters: Waiter[] = []

  tryLock(holder: Holder, shared: boolean): boolean {
    if (!this.#isFree(holder, shared)) return false
    const before = this.#holders.get(holder)
    this.#holders.set(holder, shared)
    // An exclusive lock that became a shared one lets others in.
    if (before === false && shared) this.#grant()
    return true
  }

  wait(holder: Holder, shared: boolean): Promise<void> {
    if (this.tryLock(holder, shared)) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiters.push({ holder, shared, resolve, abandoned: false })
    })
  }

  unlock(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#grant()
  }

  /** The holder's descriptor is closed. */
  forget(holder: Holder): void {
    for (const waiter of this.#waiters) if (waiter.holder === holder) waiter.abandoned = true
    this.unlock(holder)
  }

  #isFree(holder: Holder, shared: boolean): boolean {
    for (const [other, otherShared] of this.#holders) {
      if (other !== holder && !(shared && otherShared)) return false
    }
    return true
  }

  #grant(): void {
    // Each pass grants at most one: an abandoned one lets go at once.
    for (;;) {
      const index = this.#waiters.findIndex((waiter) => this.#isFree(waiter.holder, waiter.shared))
      const waiter = this.#waiters[index]
      if (waiter === undefined) return
      this.#waiters.splice(index, 1)
      if (!waiter.abandoned) this.#holders.set(waiter.holder, waiter.shared)
      waiter.resolve()
    }
  }
}
