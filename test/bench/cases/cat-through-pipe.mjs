/** cat through a pipe; against cat of the .log files through a pipe. */
import { join } from 'node:path'
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

export async function catThroughPipe(workspace, { pairs, lines }) {
  const store = workspace.path('store')
  workspace.shell(workspace.logq('produce', '-s', store, 't', workspace.input))
  const cat = workspace.logq('cat', '-s', store, 't')
  const printed = Number(workspace.shell(`${cat} | wc -l`))
  if (printed !== lines) throw new Error(`cat printed ${printed} of ${lines} lines`)
  const logs = `${quote(join(store, 't-0'))}/*.log`
  const figures = await paired(
    pairs,
    () => workspace.timeShell(`${cat} | cat > /dev/null`),
    () => workspace.timeShell(`cat ${logs} | cat > /dev/null`),
  )
  workspace.delete(store)
  return [row({ name: 'cat through a pipe', reference: 'cat of the .log', unit: 'ms', goal: '<= 0.8' }, figures)]
}
