/**
 * The table of contents of the tool: every command, in the order in which `logq --help` shows them. A command's file is evaluated
 * when it is run or described, not at every start; add one line here and its file in commands/.
 */
import type { Command } from './command.js'

export interface CommandEntry {
  /** As typed after `logq`, the same as in the declaration: 'topic create'. */
  readonly name: string
  load(): Promise<Command>
}

export interface CommandGroup {
  readonly title: string
  readonly commands: readonly CommandEntry[]
}

export const commandGroups: readonly CommandGroup[] = []
