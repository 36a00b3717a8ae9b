/** What is said when bounded reading ends at a transaction that is open. */
import type { HeldBack } from '../../lib/log/log-view.js'
import type { Io } from '../io.js'

export interface HeldBackReport {
  /** For those who read. */
  readonly onHeldBack: (held: HeldBack) => void
  /** Resolves when everything was said. */
  settle(): Promise<void>
}

export function heldBackReport(io: Io): HeldBackReport {
  // The same partition may be met twice: when the last records are looked up, and when they are printed.
  const known = new Set<string>()
  let said: Promise<void> = Promise.resolve()
  return {
    onHeldBack(held) {
      const name = `${held.topic}-${held.partition}`
      if (known.has(name)) return
      known.add(name)
      said = said.then(() => io.say(describe(name, held)))
      // It is thrown where it is waited for; until then nobody listens.
      said.catch(() => undefined)
    },
    settle: () => said,
  }
}

function describe(name: string, { lastStableOffset, recordCount }: HeldBack): string {
  const records = recordCount === 1 ? '1 record is' : `${recordCount} records are`
  return `'${name}': a transaction that began at offset ${lastStableOffset} is open; ${records} held back from there on (--isolation read_uncommitted shows them)`
}
