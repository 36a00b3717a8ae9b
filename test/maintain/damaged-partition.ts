/** Partitions in memory that a test damages, one copy for each damage, and what must hold of every check and repair. */
import { segmentBaseOffsets } from '../../lib/log/file-names.js'
import type { LogConfig } from '../../lib/log/log-context.js'
import { Log } from '../../lib/log/log.js'
import type { Finding } from '../../lib/maintain/finding.js'
import { inspectPartition, type PartitionCheck } from '../../lib/maintain/inspect-partition.js'
import { repairPartition, type RepairReport } from '../../lib/maintain/repair-partition.js'
import type { FakeSystem } from '../helpers/fake-system.js'
import { DIRECTORY, START_MS, batch, beside, readAll, readFile, tinyContext } from '../log/tiny-log.js'

export type Config = Partial<LogConfig>

/** The same bytes and inodes on a disk of its own, under the same kernel. */
export function copyOf(system: FakeSystem): FakeSystem {
  return beside(system, { disk: system.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' }) })
}

export async function check(system: FakeSystem, gapsAreNormal = false): Promise<PartitionCheck> {
  return (await inspectPartition(tinyContext(system), { gapsAreNormal, isOwn: true })).check
}

export async function repair(system: FakeSystem, config: Config = {}, gapsAreNormal = false): Promise<RepairReport> {
  const context = tinyContext(system, config)
  return repairPartition(context, context, { gapsAreNormal })
}

export function kinds(findings: readonly Finding[]): string[] {
  return [...new Set(findings.map(({ kind }) => kind))].sort()
}

export function isClean({ findings }: PartitionCheck): boolean {
  return findings.every(({ kind }) => kind === 'note')
}

/** Every file of the partition directory, for comparison as a whole. */
export function contents(system: FakeSystem, directory = DIRECTORY): Map<string, string> {
  const files = new Map<string, string>()
  for (const name of system.fs.list(directory)) {
    const path = `${directory}/${name}`
    if (system.fs.pathStatus(path)?.kind !== 'file')
      for (const [inner, bytes] of contents(system, path)) files.set(inner, bytes)
    else files.set(path, Buffer.from(readFile(system, path)).toString('latin1'))
  }
  return files
}

export interface Repaired {
  readonly before: PartitionCheck
  readonly report: RepairReport
  readonly records: readonly string[]
}

/**
 * Checks, repairs and checks again, and throws when a rule is broken: checking changes nothing; the second check is clean and a
 * second repair changes nothing; `kept` is there, and nothing that is not in `original`; what was rewritten is whole in
 * quarantine/; a record can be appended, at or above `endOffset`, and read, and leaves no temporary file.
 */
export async function judgeRepair(
  system: FakeSystem,
  rules: {
    readonly original: readonly string[]
    readonly kept: readonly string[]
    readonly endOffset: number
    readonly config?: Config
    readonly gapsAreNormal?: boolean
  },
): Promise<Repaired> {
  const { original, kept, endOffset, config = {}, gapsAreNormal = false } = rules
  const asFound = contents(system)
  const before = await check(system, gapsAreNormal)
  if (!sameMaps(asFound, contents(system))) throw new Error('checking changed a file')
  const report = await repair(system, config, gapsAreNormal)
  if (before.findings.length === 0 && !sameMaps(asFound, contents(system)))
    throw new Error('a repair of what is whole changed a file')
  for (const { quarantine, file } of report.rewritten) {
    if (contents(system).get(quarantine) !== asFound.get(file)) throw new Error(`'${quarantine}' is not '${file}' as it was`)
  }
  const after = await check(system, gapsAreNormal)
  if (after.findings.length > 0) throw new Error(`after the repair: ${JSON.stringify(after.findings)}`)
  const settled = contents(system)
  const again = await repair(system, config, gapsAreNormal)
  if (again.check.findings.length > 0 || !sameMaps(settled, contents(system)))
    throw new Error('a second repair found something to do')

  const records = await readAll(tinyContext(system, config))
  const missing = kept.filter((record) => !records.includes(record))
  if (missing.length > 0) throw new Error(`lost ${missing.join(' ')}: ${JSON.stringify(before.findings)}`)
  const invented = records.filter((record) => !original.includes(record))
  if (invented.length > 0) throw new Error(`invented ${invented.join(' ')}`)
  await judgeAppend(beside(system), config, endOffset, records)
  const litter = system.fs.list(DIRECTORY).filter((name) => name.startsWith('.tmp-'))
  if (litter.length > 0) throw new Error(`left behind: ${litter.join(' ')}`)
  const end = await check(system, gapsAreNormal)
  if (end.findings.length > 0) throw new Error(`after an append: ${JSON.stringify(end.findings)}`)
  return { before, report, records }
}

async function judgeAppend(system: FakeSystem, config: Config, endOffset: number, records: readonly string[]): Promise<void> {
  const context = tinyContext(system, config)
  const log = Log.open(context)
  const { baseOffset } = await log.append(batch(['probe'], START_MS + 1_000_000))
  await log.sync()
  await log.close()
  if (baseOffset < endOffset) throw new Error(`offset ${baseOffset} was given again: the log had ended at ${endOffset}`)
  const now = await readAll(context)
  if (now.join(' ') !== [...records, `${baseOffset}:probe`].join(' ')) throw new Error(`after an append: ${now.join(' ')}`)
}

export function sameMaps(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}

export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = bytes.slice()
  flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return flipped
}

/** Base offsets of the segments that are there. */
export function basesOf(system: FakeSystem): number[] {
  return segmentBaseOffsets(system.fs.list(DIRECTORY))
}
