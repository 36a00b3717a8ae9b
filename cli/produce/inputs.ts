/** The inputs of `produce`: its files in their order, or standard input. */
import { LogqError } from '../../lib/errors.js'
import { extensionOf } from '../../lib/system/compressed-input.js'
import type { Io } from '../io.js'
import type { ProduceArguments } from './options.js'

/**
 * The operands that can be read, and whether that is all of them. They are looked at before anything is created: each that cannot be
 * read is named, and when none is left nothing is made. With --on-bad stop one is enough to read none.
 */
export async function checkInputs(
  { operands: { topic, files }, options: { onBad, noDecompress } }: ProduceArguments,
  io: Io,
): Promise<{ readonly files: readonly string[]; readonly isComplete: boolean }> {
  const operands = files.length === 0 ? ['-'] : files
  const readable: string[] = []
  for (const operand of operands) {
    try {
      await checkInput(operand, io)
      if (!noDecompress && operand !== '-') refuseOtherCompression(operand, topic)
      readable.push(operand)
    } catch (error) {
      await io.failWith(error)
      if (onBad === 'stop') return { files: [], isComplete: false }
    }
  }
  if (readable.includes('-') && io.streams.stdin.isTerminal) {
    await io.say('reading records from the terminal, one a line; end with ^D')
  }
  return { files: readable, isComplete: readable.length === operands.length }
}

/** It is opened, and closed again: there may be more files than descriptors. Nobody is kept waiting, nor told of an end, by that. */
async function checkInput(operand: string, io: Io): Promise<void> {
  if (operand === '-') return
  const input = await io.openInput(operand)
  input.close()
  if (isDirectory(operand, io)) throw new LogqError('LOGQ_IO', `'${operand}' is a directory`)
}

/** Programs that write to standard output what files with these endings hold, where logq does not do it by itself. */
const otherPrograms: Readonly<Record<string, string>> = {
  '.xz': 'xz -dc',
  '.bz2': 'bzip2 -dc',
  '.lz4': 'lz4 -dc',
  '.snappy': 'snzip -dc',
}

/** Lines of what is compressed would be garbage. */
function refuseOtherCompression(path: string, topic: string): void {
  const program = otherPrograms[extensionOf(path)]
  if (program === undefined) return
  throw new LogqError('LOGQ_INVALID_RECORD', `'${path}' is compressed in a way that is not read here`, {
    hint: `${program} '${path}' | logq produce ${topic}; or --no-decompress, which takes its bytes as they are`,
  })
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
