/** What the commands share that change the committed offsets of a group: their options, and the store that they open. */
import { requireWritable, type Store } from '../../lib/store/store.js'
import type { Io } from '../io.js'
import { options } from '../options.js'
import { openForReading } from '../reading/reading.js'

/** After what a command has of its own. `atWhat` is where members begin anew that are put out. */
export function changeOptions<AtWhat extends string>(atWhat: AtWhat) {
  return {
    force: { kind: 'flag', meaning: `Also while members read: they are put out, and begin anew ${atWhat}.` },
    dryRun: options.dryRun,
    json: options.jsonLines,
    quiet: options.quiet,
    verbose: options.verbose,
  } as const
}

/** Groups are changed on any file system. Throws LOGQ_READ_ONLY_STORE, and what opening throws. */
export function openToChange(option: string | undefined, io: Io): Store {
  const store = openForReading(option, io)
  requireWritable(store, { allowNetworkFileSystem: true })
  return store
}
