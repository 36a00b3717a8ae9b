/** Histories for the tests of the checker, with no more in them than matters. */
import type { HistoryEvent } from './history.js'

export type Loose = { readonly operation: HistoryEvent['operation']; readonly process: string } & Readonly<
  Record<string, unknown>
>

/** Gives events their times, a second apart, unless they bring one. */
export function history(...events: readonly Loose[]): HistoryEvent[] {
  return events.map((event, n) => ({ timeNs: n * 1e9, ...event }) as unknown as HistoryEvent)
}
