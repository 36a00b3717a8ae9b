/** archive to a directory; against cp of the same segments, and their sync. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { paired, row } from '../measure.mjs'
import { quote } from '../workspace.mjs'

export async function archiveToDirectory(workspace, { pairs, segmentBytes }) {
  const store = workspace.path('store')
  workspace.shell(workspace.logq('topic', 'create', '-s', store, 't', `segment.bytes=${Math.max(segmentBytes, 1 << 20)}`))
  workspace.shell(workspace.logq('produce', '-s', store, 't', workspace.input))
  const partition = join(store, 't-0')
  const names = readdirSync(partition).filter((name) => name.endsWith('.log'))
  // The active segment is not archived.
  const closed = names
    .sort()
    .slice(0, -1)
    .map((name) => quote(join(partition, name)))
  const figures = await paired(
    pairs,
    () => {
      const archive = workspace.path('archive')
      const ms = workspace.timeShell(workspace.logq('archive', '-q', '-s', store, 't', '--to', archive))
      workspace.delete(archive)
      for (const name of readdirSync(partition)) if (name.startsWith('archived-')) workspace.delete(join(partition, name))
      return ms
    },
    () => {
      const copy = workspace.path('copy')
      const ms = workspace.timeShell(`mkdir ${quote(copy)} && cp ${closed.join(' ')} ${quote(copy)} && sync ${quote(copy)}/*`)
      workspace.delete(copy)
      return ms
    },
  )
  workspace.delete(store)
  return [row({ name: 'archive to a directory', reference: 'cp and sync', unit: 'ms', goal: '<= 2' }, figures)]
}
