/** What cannot be looked at is a finding, and no reason to look at nothing else. */
import { isLogqError, isUnreadable, systemErrorCode, systemHint } from '../../errors.js'
import type { DoctorFinding, UnreadableFinding } from './doctor-finding.js'

type About = Pick<UnreadableFinding, 'topic' | 'partition' | 'group'>

/** What `look` finds; or why it cannot. Something that was removed meanwhile is not to be looked at any more. */
export async function attempt(
  about: About,
  look: () => Iterable<DoctorFinding> | Promise<Iterable<DoctorFinding>>,
): Promise<Iterable<DoctorFinding>> {
  try {
    return await look()
  } catch (error) {
    return unreadable(about, error)
  }
}

/** The same for what is found one after the other: what was found before the trouble counts. */
export async function* goingOn(
  about: About,
  look: () => Iterable<DoctorFinding> | AsyncIterable<DoctorFinding>,
): AsyncGenerator<DoctorFinding, void, undefined> {
  try {
    yield* look()
  } catch (error) {
    yield* unreadable(about, error)
  }
}

/** Throws what is no trouble with files. */
function unreadable(about: About, error: unknown): DoctorFinding[] {
  if (isGone(error)) return []
  if (!(error instanceof Error) || !(isLogqError(error) || isUnreadable(error) || systemErrorCode(error) !== undefined))
    throw error
  const code = isLogqError(error) ? error.code : (systemErrorCode(error) ?? null)
  const hint = (isLogqError(error) ? error.hint : systemHint(error)) ?? null
  return [{ kind: 'unreadable', severity: 'critical', ...about, code, problem: error.message, hint }]
}

function isGone(error: unknown): boolean {
  if (isLogqError(error)) return ['LOGQ_TOPIC_REMOVED', 'LOGQ_UNKNOWN_TOPIC', 'LOGQ_UNKNOWN_GROUP'].includes(error.code)
  return systemErrorCode(error) === 'ENOENT'
}
