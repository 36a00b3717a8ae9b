/**
 * Reads the words of a command line by POSIX and GNU rules, from the command's declaration, before yargs sees them:
 *
 * - letters cluster (-qv) and take attached values (-K:, -K=, -zgzip, -qn5); --long VALUE and --long=VALUE;
 * - an option with a value always takes the next word, even when that begins with '-' (-o -5);
 * - a lone '-' and everything after '--' are operands (or, where a command takes one, the words of another command); options and
 *   operands may be mixed;
 * - an option with one value that is given twice is a usage error; a flag may be repeated.
 *
 * yargs by itself gets these wrong (tried with 18.2: `-K:`, `-o -5:end`, `-H a=1 t`, topic `1e3`, a lone `-`).
 */
import type { Command, OptionDeclaration } from './command.js'
import { usageError } from './errors.js'
import { longName, synopsis, takesValue } from './option-names.js'
import { nearest } from './suggest.js'

export interface GivenOption {
  /** As it was typed the first time, for messages: '-o' or '--offset'. */
  readonly typed: string
  /** One text per value, in order; empty text for a flag. */
  readonly texts: string[]
}

export interface NormalisedArguments {
  /** By key of the declaration. Shorthands have become what they stand for. */
  readonly options: ReadonlyMap<string, GivenOption>
  readonly operands: readonly string[]
  /** What stands after `--`, for a command that takes it by itself. */
  readonly afterDashes: readonly string[]
}

/** Throws a usage error for the first thing that is wrong, unless --help is given somewhere: then 'help'. */
export function normalise(command: Command, words: readonly string[]): NormalisedArguments | 'help' {
  const reader = new WordReader(command, words)
  reader.readAll()
  if (reader.wantsHelp) return 'help'
  if (reader.problem !== undefined) throw reader.problem
  return { options: reader.options, operands: reader.operands, afterDashes: reader.afterDashes }
}

class WordReader {
  readonly options = new Map<string, GivenOption>()
  readonly operands: string[] = []
  readonly afterDashes: string[] = []
  wantsHelp = false
  /** The first thing that is wrong. Reading goes on, since a --help may follow. */
  problem: Error | undefined

  private next = 0
  private readonly byName = new Map<string, string>()
  private readonly byLetter = new Map<string, string>()
  /** Which option set a key, to tell a repeated -J from -J beside -F. */
  private readonly setBy = new Map<string, string>()
  private readonly command: Command
  private readonly words: readonly string[]

  constructor(command: Command, words: readonly string[]) {
    this.command = command
    this.words = words
    for (const [key, { letter }] of Object.entries(command.options)) {
      this.byName.set(longName(key), key)
      if (letter !== undefined) this.byLetter.set(letter, key)
    }
  }

  readAll(): void {
    for (let word = this.take(); word !== undefined; word = this.take()) {
      if (word === '--') {
        const taker = Object.values(this.command.operands).find(({ isAfterDashes }) => isAfterDashes === true)
        const rest = this.words.slice(this.next)
        // A variable that is empty must not make it another command.
        if (taker !== undefined && rest.length === 0)
          this.note(usageError(`${taker.label} is missing after '--'`, `usage: logq ${synopsis(this.command)}`))
        const target = taker === undefined ? this.operands : this.afterDashes
        target.push(...rest)
        return
      }
      if (word.startsWith('--')) this.readLong(word)
      else if (word.length > 1 && word.startsWith('-')) this.readLetters(word)
      else this.operands.push(word)
    }
  }

  private take(): string | undefined {
    return this.words[this.next++]
  }

  private readLong(word: string): void {
    const equals = word.indexOf('=')
    const typed = equals === -1 ? word : word.slice(0, equals)
    const attached = equals === -1 ? undefined : word.slice(equals + 1)
    const key = this.byName.get(typed.slice(2))
    if (key === undefined) {
      if (typed === '--help') this.wantsHelp = true
      else this.note(this.unknownLong(typed))
      return
    }
    const option = this.optionOf(key)
    if (takesValue(option)) {
      this.giveValue(key, typed, attached ?? this.take())
    } else if (attached !== undefined) {
      this.note(usageError(`option '${typed}' takes no value`))
    } else {
      this.give(key, option, typed)
    }
  }

  private readLetters(word: string): void {
    for (let at = 1; at < word.length;) {
      const letter = String.fromCodePoint(word.codePointAt(at) ?? 0)
      at += letter.length
      const typed = `-${letter}`
      const key = this.byLetter.get(letter)
      if (key === undefined) {
        if (letter !== 'h') {
          this.note(this.unknownLetter(typed, word))
          // What follows in the cluster may be the value of the letter that is not known.
          return
        }
        this.wantsHelp = true
        continue
      }
      const option = this.optionOf(key)
      if (takesValue(option)) {
        this.giveValue(key, typed, at < word.length ? word.slice(at) : this.take())
        return
      }
      this.give(key, option, typed)
    }
  }

  private giveValue(key: string, typed: string, text: string | undefined): void {
    if (text === undefined) this.note(usageError(`option '${typed}' needs a value`))
    else this.set(key, typed, text)
  }

  private give(key: string, option: OptionDeclaration, typed: string): void {
    if (option.kind === 'shorthand') this.set(option.sets, typed, option.to)
    else if (!this.options.has(key)) this.options.set(key, { typed, texts: [''] })
  }

  private set(key: string, typed: string, text: string): void {
    const given = this.options.get(key)
    if (given === undefined) {
      this.options.set(key, { typed, texts: [text] })
      this.setBy.set(key, typed)
      return
    }
    if (this.optionOf(key).kind === 'list') {
      given.texts.push(text)
      return
    }
    const isShorthand = !takesValue(this.optionOf(this.byLetter.get(typed.slice(1)) ?? this.byName.get(typed.slice(2)) ?? key))
    if (isShorthand && this.setBy.get(key) === typed) return
    this.note(
      given.typed === typed
        ? usageError(`option '${typed}' is given twice`)
        : usageError(`options '${given.typed}' and '${typed}' exclude each other`, `both set --${longName(key)}`),
    )
  }

  private optionOf(key: string): OptionDeclaration {
    const option = this.command.options[key]
    if (option === undefined) throw new Error(`command '${this.command.name}' declares no option '${key}'`)
    return option
  }

  private note(problem: Error): void {
    this.problem ??= problem
  }

  private unknownLong(typed: string): Error {
    const suggestion = nearest(typed.slice(2), [...this.byName.keys()])
    return usageError(
      `unknown option '${typed}'`,
      suggestion === undefined ? this.helpHint() : `did you mean '--${suggestion}'?`,
    )
  }

  private unknownLetter(typed: string, word: string): Error {
    if (/^-\d+$/.test(word) && this.byLetter.has('n')) {
      return usageError(`unknown option '${word}'`, `for a number of records: '-n ${word.slice(1)}'`)
    }
    // `-offset` is what someone types who is used to long options with one hyphen.
    if (word.length > 2 && this.byName.has(word.slice(1))) {
      return usageError(`unknown option '${typed}'`, `did you mean '-${word}'?`)
    }
    // What would delete something has no count: elsewhere -n may mean that nothing is to be done.
    if (typed === '-n' && this.byName.has('dry-run')) return usageError(`unknown option '-n'`, "did you mean '--dry-run'?")
    return usageError(`unknown option '${typed}'`, this.helpHint())
  }

  private helpHint(): string {
    return `see 'logq ${this.command.name} --help'`
  }
}
