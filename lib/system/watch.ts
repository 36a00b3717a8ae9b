/**
 * Change hints from the kernel's file notification, through chokidar. This is its only importer.
 *
 * Only the directory itself is watched, which costs one inotify watch however many files it holds, and reports writes to them.
 * `raw` is listened to because `change` is throttled and drops half of rapid appends. Everything that can go wrong here (no
 * watches left, too many open files, a directory that goes away) ends in silence: whoever follows a log polls as well.
 */
import { resolve } from 'node:path'
import type { ChangeHints } from './system.js'

export function createNodeChangeHints(): ChangeHints {
  return { watch: watchDirectory }
}

function watchDirectory(directory: string, onHint: () => void): () => void {
  let stopped = false
  let stopWatching: (() => void) | undefined
  void startWatching(resolve(directory), () => {
    if (!stopped) onHint()
  }).then(
    (stop) => {
      if (stopped) stop()
      else stopWatching = stop
    },
    () => {},
  )
  return () => {
    stopped = true
    stopWatching?.()
  }
}

async function startWatching(root: string, onHint: () => void): Promise<() => void> {
  const { FSWatcher } = await import('chokidar')

  // chokidar lists the directory and stats every file in it after each event, to find out what was added. logq does that by
  // itself. Refusing every throttle slot is what keeps it from listing: 1,000 appends beside 2,000 files cost 4.4 s of CPU time
  // with the listing and 0.1 s without, and no timer of chokidar's is left to hold up the end of the process.
  class HintWatcher extends FSWatcher {
    override _throttle(): false {
      return false
    }
  }

  const watcher = new HintWatcher({
    depth: 0,
    // Everything but the directory itself.
    ignored: (path) => resolve(path) !== root,
    ignoreInitial: true,
    followSymlinks: false,
    atomic: false,
    usePolling: false,
  })
  watcher.on('raw', onHint)
  watcher.on('error', () => {})
  watcher.add(root)
  return () => void watcher.close()
}
