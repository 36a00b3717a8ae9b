/** Reads from the line of a row which commands it runs, with which options: enough of a shell's grammar for the tables, no more. */
import type { Command } from '../../cli/command.js'
import { longName, takesValue } from '../../cli/option-names.js'

export interface Invocation {
  readonly command: Command
  /** Keys of the declaration. */
  readonly options: ReadonlySet<string>
}

/** In the order of the line. Words that name no command, as in `logq nonsense`, are left out. */
export function invocationsIn(line: string, commands: readonly Command[]): Invocation[] {
  const found: Invocation[] = []
  for (const words of simpleCommands(line)) {
    const at = words.indexOf('logq')
    if (at < 0) continue
    const rest = words.slice(at + 1)
    const [command] = commands
      .filter(({ name }) => name.split(' ').every((word, index) => rest[index] === word))
      .sort((a, b) => b.name.length - a.name.length)
    if (command === undefined) continue
    found.push({ command, options: optionsIn(command, rest.slice(command.name.split(' ').length)) })
  }
  return found
}

const token =
  /\s*(?:(?<operator>\|\||&&|[|;&()\n]|\d?>>?|<<?|\$\()|(?<word>(?:'[^']*'|"[^"]*"|\\.|\$\{[^}]*\}|[^\s'"|;&()<>\\])+))/gy

/** The words of each command between the shell's operators, redirections left out, quotes taken off. */
function simpleCommands(line: string): string[][] {
  const commands: string[][] = [[]]
  let isTarget = false
  for (const { groups } of line.trimEnd().matchAll(token)) {
    const { operator, word } = groups ?? {}
    if (word !== undefined) {
      if (!isTarget) commands.at(-1)?.push(word.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/gs, '$1$2$3'))
      isTarget = false
    } else if (operator !== undefined) {
      isTarget = /[<>]/.test(operator)
      if (!isTarget) commands.push([])
    }
  }
  return commands
}

/** More lenient than the command itself: a line that is refused shows its options all the same. */
function optionsIn(command: Command, words: readonly string[]): Set<string> {
  const options = Object.entries(command.options)
  const keys = new Set<string>()
  for (let at = 0; at < words.length && words[at] !== '--'; at += 1) {
    const word = words[at] ?? ''
    if (word.startsWith('--')) {
      const [name = ''] = word.slice(2).split('=')
      const [key, option] = options.find(([each]) => longName(each) === name) ?? []
      if (key === undefined || option === undefined) continue
      keys.add(key)
      if (takesValue(option) && !word.includes('=')) at += 1
    } else if (word.startsWith('-')) {
      for (let next = 1; next < word.length; next += 1) {
        const [key, option] = options.find(([, { letter }]) => letter === word[next]) ?? []
        if (key === undefined || option === undefined) break
        keys.add(key)
        if (!takesValue(option)) continue
        if (next === word.length - 1) at += 1
        break
      }
    }
  }
  return keys
}
