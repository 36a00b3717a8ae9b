/** Four producers that append a quarter of the input each to one partition; against one producer that appends all of it. */
import { join } from 'node:path'
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

const PRODUCERS = 4

export async function fourProducers(workspace, { pairs, lines }) {
  const parts = workspace.path('parts')
  workspace.shell(`mkdir ${parts} && split -n l/${PRODUCERS} -a 1 ${quote(workspace.input)} ${parts}/part-`)
  const timed = (script, store) => {
    workspace.shell(workspace.logq('topic', 'create', '-s', store, 't'))
    const ms = workspace.timeShell(script)
    const appended = Number(workspace.shell(`${workspace.logq('cat', '-s', store, 't')} | wc -l`))
    if (appended !== lines) throw new Error(`${appended} of ${lines} lines were appended`)
    workspace.delete(store)
    return ms
  }
  const figures = await paired(
    pairs,
    () => {
      const store = workspace.path('store')
      const commands = ['a', 'b', 'c', 'd'].map((part) =>
        workspace.logq('produce', '-s', store, 't', join(parts, `part-${part}`)),
      )
      return timed(
        `${commands.map((command) => `${command} & pids="$pids $!"`).join('\n')}\nfor pid in $pids; do wait $pid; done`,
        store,
      )
    },
    () => {
      const store = workspace.path('store')
      return timed(workspace.logq('produce', '-s', store, 't', workspace.input), store)
    },
  )
  workspace.delete(parts)
  // A throughput of 0.8 is a time of 1.25.
  return [row({ name: 'four producers, one partition', reference: 'one producer', unit: 'ms', goal: '<= 1.25' }, figures)]
}
