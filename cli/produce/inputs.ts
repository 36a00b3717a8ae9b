/** The inputs of `produce`: its files in their order, or standard input. */
import { LogqError } from '../../lib/errors.js'
import type { InputStream } from '../../lib/system/streams.js'
import type { Io } from '../io.js'

/** All of them before anything is created: a mistyped name costs nothing. */
export async function openInputs(files: readonly string[], io: Io): Promise<InputStream[]> {
  const inputs: InputStream[] = []
  for (const operand of files.length === 0 ? ['-'] : files) {
    const input = await io.openInput(operand)
    if (operand !== '-' && isDirectory(operand, io)) throw new LogqError('LOGQ_IO', `'${operand}' is a directory`)
    inputs.push(input)
  }
  if (inputs.some((input) => input.name === 'stdin' && input.isTerminal)) {
    await io.say('reading records from the terminal, one a line; end with ^D')
  }
  return inputs
}

function isDirectory(path: string, io: Io): boolean {
  const { fs } = io.system
  const kind = fs.pathStatus(path)?.kind
  if (kind !== 'symlink') return kind === 'directory'
  try {
    return fs.pathStatus(`${path}/.`) !== undefined
  } catch {
    return false
  }
}
