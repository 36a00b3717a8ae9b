/** The consumer groups of every run, by what they read and how. */
import type { TopicRole } from './plan.js'

export interface GroupPlan {
  readonly name: string
  /** Topics and patterns, as members name them. */
  readonly subscription: readonly string[]
  readonly topics: readonly TopicRole[]
  readonly isAtMostOnce: boolean
}

/** Two read the same topics, one of them at most once. The third has a topic that is removed and made anew meanwhile. */
export const groupPlans: readonly GroupPlan[] = [
  { name: 'ledger', subscription: ['keys', 'roll'], topics: ['keys', 'roll'], isAtMostOnce: false },
  { name: 'alerts', subscription: ['keys', 'roll'], topics: ['keys', 'roll'], isAtMostOnce: true },
  { name: 'mirror', subscription: ['keys', 'volatil?'], topics: ['keys', 'volatile'], isAtMostOnce: false },
]
