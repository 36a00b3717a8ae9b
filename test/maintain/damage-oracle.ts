/**
 * The oracle for damage: compares what readers give of a damaged copy of a partition with the original, and holds the check and the
 * repair to account. It knows nothing of the kind of damage but the few words that a case says.
 */
import type { Finding } from '../../lib/maintain/finding.js'
import { isKnownGap, readKnownGaps } from '../../lib/log/known-gaps.js'
import { inspectPartition } from '../../lib/maintain/inspect-partition.js'
import { tinyContext } from '../log/tiny-log.js'
import { copyOf, judgeRepair } from './damaged-partition.js'
import type { Damage } from './damages.js'
import { RICH_CONFIG, offsetOf, readRich, type Reading, type Rich } from './rich-partition.js'

export interface Verdict {
  readonly findings: readonly Finding[]
  /** What a reader that stops got. */
  readonly read: Reading
  /** Records that could be read before the repair, and after it; undefined when none was asked for. */
  readonly repaired: { readonly before: number; readonly after: number } | undefined
}

/** What the case allows besides what every damage has to keep. */
export interface Allowance {
  /** Nothing is known to be synced from here on: the end may come earlier, without an error. */
  readonly mayEndAt?: number
  /** Offsets may be missing without an error: Kafka's directories, in which nothing says that they ought to be there. */
  readonly mayMiss?: boolean
  /** What was read may differ, silently: for a flip that nothing covers. Listed by the caller, with the reason. */
  readonly isUndetectable?: boolean
  /** Damage though every record is read as it was: a rule of the format that readers do not need is broken. */
  readonly isRuleOnly?: boolean
}

/** Nothing in a directory of Kafka says which offsets ought to be there, or what was synced. */
export const ofKafka = { mayMiss: true }

export interface Course extends Allowance {
  /** Default: all of them. */
  readonly everyNth?: number
  /** Of those that are judged. Default: each is repaired. */
  readonly repairEveryNth?: number
}

/** Judges all damages of a set, or some, and throws with the names of those that broke a rule. */
export async function everyDamage(
  rich: Rich,
  damages: (system: Rich['system']) => Iterable<Damage>,
  { everyNth = 1, repairEveryNth = 1, ...allows }: Course = {},
): Promise<{ judged: number; kinds: string }> {
  const failures: string[] = []
  const kinds = new Map<string, number>()
  let seen = 0
  let judged = 0
  for (const damage of damages(rich.system)) {
    seen += 1
    if (seen % everyNth !== 0) continue
    judged += 1
    try {
      const isRuleOnly = damage.isRuleOnly === true
      const { findings, read } = await judgeDamage(rich, damage, { isRuleOnly, ...allows }, judged % repairEveryNth === 0)
      const found = [...new Set(findings.map(({ kind }) => kind))].sort().join('+')
      const kind = `${found === '' ? 'clean' : found}${read.error === undefined ? '' : ', refused'}`
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} of ${judged}:\n${failures.slice(0, 10).join('\n')}`)
  return { judged, kinds: [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ') }
}

/** Throws when a rule is broken; the damage is named in the message. */
export async function judgeDamage(rich: Rich, damage: Damage, allows: Allowance, repairs: boolean): Promise<Verdict> {
  const system = copyOf(rich.system)
  try {
    damage.apply(system)
    const damaged = { ...rich, system }
    const read = await readRich(damaged)
    judgeReading(rich, read, allows)
    const passing = await readRich(damaged, { passesOver: true })
    judgePassing(rich, passing, read, allows)
    await judgeBackwards(damaged, passing)
    const findings = await checkOf(damaged)
    judgeFindings(rich, findings, read, allows)
    const repaired = repairs && rich.isOwn ? await judgeRepaired(damaged, passing) : undefined
    return { findings, read, repaired }
  } catch (error) {
    throw new Error(`${damage.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Whatever is given is the beginning of the original; where it ends too early, an error says where. */
function judgeReading({ original, synced }: Rich, { records, error }: Reading, allows: Allowance): void {
  if (allows.isUndetectable === true) return
  if (!isSubsequence(records, original)) throw new Error(`a reader got what was never written: ${differing(records, original)}`)
  const hasGap = records.some((record, n) => record !== original[n])
  if (hasGap && allows.mayMiss !== true) throw new Error('a reader passed records over without a word')
  if (error !== undefined) {
    if (!error.place.file.includes('/') || !error.message.includes('tiny-0')) throw new Error(`unnamed: ${error.message}`)
    return
  }
  if (allows.mayMiss !== true && records.length < Math.min(synced, allows.mayEndAt ?? Infinity))
    throw new Error(`a reader ended cleanly after ${records.length} of ${original.length} records`)
}

/** A reader that passes over damage gives at least what the other one did, nothing new, and tells of what is missing. */
function judgePassing({ original, synced }: Rich, { records, error, told }: Reading, strict: Reading, allows: Allowance): void {
  if (error !== undefined) throw new Error(`--on-corrupt skip ended with ${error.message}`)
  if (!isSubsequence(strict.records, records)) throw new Error('--on-corrupt skip gave less than a reader that stops')
  if ((strict.error !== undefined) !== told.length > 0) throw new Error('--on-corrupt skip and stop do not see the same')
  if (strict.error === undefined) return
  if (!isSubsequence(records, original)) throw new Error(`--on-corrupt skip invented: ${differing(records, original)}`)
  const untold = (allows.mayMiss === true ? [] : original.slice(0, synced)).filter(
    (record) =>
      !records.includes(record) &&
      !told.some(({ fromOffset, toOffset = Infinity }) => fromOffset <= offsetOf(record) && offsetOf(record) < toOffset),
  )
  if (untold.length > 0) throw new Error(`--on-corrupt skip did not tell of offset ${offsetOf(untold[0] ?? '')}`)
}

/** Backwards the same records come, in the other order. */
async function judgeBackwards(damaged: Rich, { records }: Reading): Promise<void> {
  const backwards = await readRich(damaged, { direction: 'backwards', passesOver: true })
  const turned = [...backwards.records].reverse()
  if (turned.join('\n') !== records.join('\n'))
    throw new Error(`backwards ${turned.length} records, forwards ${records.length}: ${differing(turned, records)}`)
  const stopping = await readRich(damaged, { direction: 'backwards' })
  if (!isSubsequence([...stopping.records].reverse(), records)) throw new Error('a backward reader that stops got others')
}

function judgeFindings({ original, synced }: Rich, findings: readonly Finding[], read: Reading, allows: Allowance): void {
  const isDifferent = read.error !== undefined || read.records.join('\n') !== original.join('\n')
  const isDamage = findings.some(({ kind }) => kind === 'damage')
  const isBelow = read.error !== undefined || read.records.length < Math.min(synced, allows.mayEndAt ?? Infinity)
  if (isDifferent && isBelow && !isDamage && allows.isUndetectable !== true && allows.mayMiss !== true)
    throw new Error(`fsck does not say that readers get something else: ${JSON.stringify(findings)}`)
  if (read.error !== undefined && !isDamage) throw new Error(`fsck does not say what a reader says: ${read.error.message}`)
  if (!isDifferent && isDamage && allows.isRuleOnly !== true)
    throw new Error(`fsck says damage where all is read as it was: ${JSON.stringify(findings)}`)
  if (findings.some(({ file, message }) => !file.includes('/') || message === '')) throw new Error('a finding has no name')
}

/** A repair keeps what can be read, and notes which offsets it dropped; then a reader that stops gets to the end. */
async function judgeRepaired(damaged: Rich, passing: Reading): Promise<{ before: number; after: number }> {
  const { system, original, plain, synced } = damaged
  const readable = new Set(passing.records.map(offsetOf))
  const kept = plain.filter((_, n) => readable.has(n))
  const { report, records } = await judgeRepair(system, { original: plain, kept, endOffset: synced, config: RICH_CONFIG })
  const after = await readRich(damaged)
  if (after.error !== undefined) throw new Error(`after the repair: ${after.error.message}`)
  const [probe, ...others] = [...after.records].reverse()
  if (probe === undefined || others.length !== records.length || !isSubsequence(others.reverse(), original))
    throw new Error('after the repair readers get something else')
  const context = tinyContext(system)
  const dropped = original.filter((record, n) => n < synced && !others.includes(record)).map(offsetOf)
  const unnamed = dropped.filter((offset) => !isKnownGap(readKnownGaps(context), offset, offset + 1))
  if (unnamed.length > 0) throw new Error(`the repair dropped offset ${unnamed.join()}, and noted it nowhere`)
  const told = report.check.findings.filter(({ kind }) => kind === 'damage')
  if (dropped.length > 0 && told.length === 0) throw new Error('the repair dropped records, and named no damage')
  return { before: readable.size, after: others.length }
}

async function checkOf({ system, isOwn }: Rich): Promise<readonly Finding[]> {
  return (await inspectPartition(tinyContext(system), { gapsAreNormal: !isOwn, isOwn })).check.findings
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let place = 0
  for (const record of whole) if (part[place] === record) place += 1
  return place === part.length
}

/** The first record of one list that the other has not. */
function differing(some: readonly string[], others: readonly string[]): string {
  return some.find((record) => !others.includes(record)) ?? others.find((record) => !some.includes(record)) ?? 'the order'
}
