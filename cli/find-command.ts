/** From the first words of a command line to the command they name: `topic create` is two words of one name. */
import type { CommandEntry, CommandGroup } from './command-list.js'
import { usageError } from './errors.js'
import { nearest } from './suggest.js'

export interface FoundCommand {
  readonly entry: CommandEntry
  /** The words after its name. */
  readonly rest: readonly string[]
}

/** The command with the longest name that the words begin with. */
export function findCommand(groups: readonly CommandGroup[], words: readonly string[]): FoundCommand | undefined {
  const matching = entriesOf(groups).filter(({ name }) => name.split(' ').every((part, index) => part === words[index]))
  const entry = matching.reduce<CommandEntry | undefined>(
    (longest, candidate) => (longest === undefined || candidate.name.length > longest.name.length ? candidate : longest),
    undefined,
  )
  return entry === undefined ? undefined : { entry, rest: words.slice(entry.name.split(' ').length) }
}

export interface FoundGroup {
  /** The first word. */
  readonly name: string
  /** The words after it. */
  readonly rest: readonly string[]
  /** The usage error for words that name no command, with the nearest that do. */
  unknown(): Error
}

/**
 * For words that name no command: the commands whose names begin with the first word (`logq topic`). Throws the usage error when
 * there are none.
 */
export function findGroup(groups: readonly CommandGroup[], words: readonly string[]): FoundGroup {
  const names = entriesOf(groups).map(({ name }) => name)
  const [first = '', second = ''] = words
  const members = names.filter((name) => name.startsWith(`${first} `))
  if (members.length === 0) {
    const suggestion = nearest(first, [...new Set(names.map((name) => name.split(' ')[0] ?? '')), 'help'])
    throw usageError(
      `unknown command '${first}'`,
      suggestion === undefined ? "see 'logq --help'" : `did you mean 'logq ${suggestion}'?`,
    )
  }
  return {
    name: first,
    rest: words.slice(1),
    unknown() {
      const suggestion = nearest(
        second,
        members.map((name) => name.slice(first.length + 1)),
      )
      return usageError(
        `unknown command '${first} ${second}'`,
        suggestion === undefined ? `see 'logq ${first} --help'` : `did you mean 'logq ${first} ${suggestion}'?`,
      )
    },
  }
}

function entriesOf(groups: readonly CommandGroup[]): CommandEntry[] {
  return groups.flatMap(({ commands }) => commands)
}
