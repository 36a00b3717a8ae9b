/** retain with nothing to do, on 1,000 partitions; against find over the same files, and the start of node. */
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

const PARTITIONS = 1000

export async function retainNothing(workspace, { shots }) {
  const store = workspace.path('store')
  workspace.shell(workspace.logq('topic', 'create', '-s', store, 't', '--partitions', String(PARTITIONS)))
  workspace.shell(`seq ${PARTITIONS * 10} | ${workspace.logq('produce', '-s', store, 't', '-K', '0')} || true`)
  const figures = await paired(
    shots,
    () => workspace.timeShell(workspace.logq('retain', '-q', '-s', store)),
    () => workspace.timeShell(`find ${quote(store)} -name '*.log' -size +1G; node -e 0`),
  )
  workspace.delete(store)
  return [
    row(
      { name: `retain, nothing to do, ${PARTITIONS} partitions`, reference: 'find; node -e 0', unit: 'ms', goal: '<= 2' },
      figures,
    ),
  ]
}
