/** compact, of 100-byte records with a quarter as many keys; against cp of the same segments, and their sync. The goal is a rate. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { median, paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

const GOAL_RECORDS_PER_S = 1_000_000

export async function compact(workspace, { pairs, lines }) {
  const store = workspace.path('keyed')
  workspace.shell(workspace.logq('topic', 'create', '-s', store, 't', 'cleanup.policy=compact'))
  const keys = Math.ceil(lines / 4)
  // Keys in an order that is no order: a prime step.
  const program = `BEGIN { for (n = 0; n < ${lines}; n += 1) printf "key-%08d:%075d\\n", (n * 7919) % ${keys}, n }`
  workspace.shell(`awk ${quote(program)} | ${workspace.logq('produce', '-s', store, 't', '-K', ':')}`)
  const partition = join(store, 't-0')
  const segments = readdirSync(partition)
    .filter((name) => name.endsWith('.log'))
    .map((name) => quote(join(partition, name)))
  const figures = await paired(
    pairs,
    () => {
      const copy = workspace.path('copy-of-keyed')
      workspace.shell(`cp -r ${quote(store)} ${quote(copy)} && sync`)
      const ms = workspace.timeShell(workspace.logq('compact', '-q', '-s', copy, 't', '--include-active', '--min-dirty', '0'))
      workspace.delete(copy)
      return ms
    },
    () => {
      const copy = workspace.path('copy')
      const ms = workspace.timeShell(`mkdir ${quote(copy)} && cp ${segments.join(' ')} ${quote(copy)} && sync ${quote(copy)}/*`)
      workspace.delete(copy)
      return ms
    },
  )
  workspace.delete(store)
  const rate = Math.round((lines / median(figures.logq)) * 1000)
  const goal = `>= ${GOAL_RECORDS_PER_S} records/s: ${rate}`
  return [row({ name: `compact ${lines} records, ${keys} keys`, reference: 'cp and sync', unit: 'ms', goal }, figures)]
}
