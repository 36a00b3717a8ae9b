/** The rows of the exit status table that hold for one command. */
import type { CommandDeclaration } from './command.js'
import { exitStatuses, type ExitStatus } from './exit-status.js'

export interface ExitRow {
  readonly number: number
  /** Without a full stop. */
  readonly meaning: string
}

/** In the order of their numbers; 'done' and 'usage' are every command's. */
export function exitsOf(command: CommandDeclaration): ExitRow[] {
  const statuses = new Set<ExitStatus>(['done', 'usage', ...command.exits])
  return [...statuses]
    .map((status) => ({
      number: exitStatuses[status].number,
      meaning: command.exitNotes?.[status] ?? exitStatuses[status].meaning,
    }))
    .sort((a, b) => a.number - b.number)
}
