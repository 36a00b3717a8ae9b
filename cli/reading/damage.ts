/**
 * --on-corrupt: what becomes of damage. 'stop' is what reading does by itself: it throws. 'skip' names each damage, and the offsets that
 * were passed over, once; the exit status is that of corruption all the same.
 */
import type { PassedOver } from '../../lib/log/damage.js'
import type { Io } from '../io.js'

export interface DamageReport {
  /** For those who read; undefined when they are to stop. */
  readonly onDamage: ((damage: PassedOver) => void) | undefined
  /** Resolves when everything was said. */
  settle(): Promise<void>
}

export function damageReport(onCorrupt: 'stop' | 'skip', io: Io): DamageReport {
  if (onCorrupt === 'stop') return { onDamage: undefined, settle: () => Promise.resolve() }
  // The same damage may be met twice: when the last records are looked up, and when they are printed.
  const known = new Set<string>()
  let said: Promise<void> = Promise.resolve()
  return {
    onDamage(damage) {
      const { file, position } = damage.error.place
      const place = `${file}:${position}`
      if (known.has(place)) return
      known.add(place)
      io.merge('corruption')
      said = said.then(() => io.failItem(describe(damage), undefined, 'corruption'))
      // It is thrown where it is waited for; until then nobody listens.
      said.catch(() => undefined)
    },
    settle: () => said,
  }
}

function describe({ error, fromOffset, toOffset }: PassedOver): string {
  if (toOffset === undefined) return `${error.message}; nothing that follows can be read`
  if (toOffset <= fromOffset) return `${error.message}; no offset is passed over`
  const offsets = toOffset === fromOffset + 1 ? `offset ${fromOffset} is` : `offsets ${fromOffset} to ${toOffset - 1} are`
  return `${error.message}; ${offsets} passed over`
}
