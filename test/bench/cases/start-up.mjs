/** The cheapest run of each command, against `node -e 0`: what a shell loop pays for each turn. */
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

export async function startUp(workspace, { shots }) {
  const store = workspace.path('store')
  const file = workspace.path('rows.ndjson')
  workspace.shell(`printf 'k:{"a":1}\\n' | ${workspace.logq('produce', '-s', store, '-K:', 't')}`)
  workspace.shell(`printf '{"a":1}\\n' > ${quote(file)}`)
  const nothing = `${quote(process.execPath)} -e 0`
  const rows = []
  for (const [name, words, before = ''] of cheapRuns(file)) {
    const [command, ...rest] = words
    const topicCommand = command === 'topic' ? [command, rest.shift()] : [command]
    const script = before + workspace.logq(...topicCommand, '-s', store, ...rest)
    const figures = await paired(
      shots,
      () => workspace.timeShell(script),
      () => workspace.timeShell(nothing),
    )
    rows.push(row({ name: `one logq ${name}`, reference: 'node -e 0', unit: 'ms', goal: '<= it + 40 ms' }, figures))
  }
  workspace.delete(store)
  workspace.delete(file)
  return rows
}

/** Name, words after `logq`, and what a shell does before. */
function cheapRuns(file) {
  return [
    ['produce', ['produce', 't'], 'echo x | '],
    ['produce --dedupe-by key', ['produce', '-K:', '--dedupe-by', 'key', 't'], 'echo k:x | '],
    ['produce --key-from .a', ['produce', '--key-from', '.a', 't'], `cat ${quote(file)} | `],
    ['import --from ndjson', ['import', '--from', 'ndjson', 't', file]],
    ['cat -n 1', ['cat', '-n', '1', 't']],
    ['cat -n 1 -w \'key == "k"\'', ['cat', '-n', '1', '-w', 'key == "k"', 't']],
    ["cat -n 1 't*'", ['cat', '-n', '1', 't*']],
    ['tail -n 1', ['tail', '-n', '1', 't']],
    ['get t:0@0', ['get', 't:0@0']],
    ['get --key', ['get', 't', '--key', 'k']],
    ['wait', ['wait', 't']],
    ['partition-of', ['partition-of', 't', 'k']],
    ['stat', ['stat', 't']],
    ['export --to csv', ['export', '--to', 'csv', '-n', '1', 't']],
    ['topic ls', ['topic', 'ls']],
    ['topic show', ['topic', 'show', 't']],
    ['du', ['du', 't']],
    ['dump', ['dump', '-n', '1', 't']],
    ['fsck', ['fsck', '-q', 't']],
    ['digest', ['digest', 't']],
  ]
}
