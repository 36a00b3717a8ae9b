/** produce from a file, one partition, on the device at the end; against dd of the same bytes. */
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

export async function produceFromFile(workspace, { pairs }) {
  const figures = await paired(
    pairs,
    () => {
      const store = workspace.path('store')
      const ms = workspace.timeShell(workspace.logq('produce', '-s', store, 't', workspace.input))
      workspace.delete(store)
      return ms
    },
    () => {
      const copy = workspace.path('copy')
      const ms = workspace.timeShell(`dd if=${quote(workspace.input)} of=${quote(copy)} bs=1M conv=fdatasync status=none`)
      workspace.delete(copy)
      return ms
    },
  )
  return [row({ name: 'produce from a file', reference: 'dd conv=fdatasync', unit: 'ms', goal: '<= 1.5' }, figures)]
}
