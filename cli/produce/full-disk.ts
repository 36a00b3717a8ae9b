/** Which disk is full: what `df` would name. */
import { resolve } from 'node:path'
import type { FileSystem } from '../../lib/system/file-system.js'

/** The directory at which the file system begins that holds `path`, as far as names can be followed up from it. */
export function fileSystemRoot(fs: FileSystem, cwd: string, path: string): string {
  let root = resolve(cwd, path)
  const device = deviceOf(fs, root)
  while (root !== '/') {
    const parent = resolve(root, '..')
    if (deviceOf(fs, parent) !== device) break
    root = parent
  }
  return root
}

/** The dot follows a symbolic link. */
function deviceOf(fs: FileSystem, directory: string): number | undefined {
  return fs.pathStatus(`${directory}/.`)?.device
}
