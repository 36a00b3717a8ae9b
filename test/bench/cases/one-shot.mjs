/** One `echo x | logq produce t`, which a shell loop runs thousands of times; against `node -e 0`. */
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

export async function oneShot(workspace, { shots }) {
  const store = workspace.path('store')
  const produce = `echo x | ${workspace.logq('produce', '-s', store, 't')}`
  const cat = workspace.logq('cat', '-n', '1', '-s', store, 't')
  const nothing = `${quote(process.execPath)} -e 0`
  const appended = await paired(
    shots,
    () => workspace.timeShell(produce),
    () => workspace.timeShell(nothing),
  )
  const printed = await paired(
    shots,
    () => workspace.timeShell(cat),
    () => workspace.timeShell(nothing),
  )
  workspace.delete(store)
  const goal = '<= it + 40 ms'
  return [
    row({ name: 'one echo x | logq produce t', reference: 'node -e 0', unit: 'ms', goal }, appended),
    row({ name: 'one logq cat -n 1 t', reference: 'node -e 0', unit: 'ms', goal: '' }, printed),
  ]
}
