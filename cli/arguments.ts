/**
 * From the words of a command line to the typed arguments of a command, in three steps:
 *
 * 1. `normalise` (normalise.ts) reads the words by POSIX and GNU rules from the command's declaration;
 * 2. yargs (yargs.ts) assembles the options: defaults, repetition, conversion of every value by its kind;
 * 3. operands are dealt out in the order of their declaration.
 */
import { isLogqError } from '../lib/errors.js'
import type { Command, OptionDeclaration, UntypedArguments } from './command.js'
import { usageError } from './errors.js'
import { normalise, type GivenOption, type NormalisedArguments } from './normalise.js'
import { longName, synopsis } from './option-names.js'
import { formatDuration, formatSize, parseDuration, parseSize, parseWholeNumber } from './values/units.js'
import { assembleOptions, type AssembledOption } from './yargs.js'

/** Throws a usage error; gives 'help' when --help stands anywhere among the options. */
export function parseArguments(command: Command, words: readonly string[]): UntypedArguments | 'help' {
  const normalised = normalise(command, words)
  if (normalised === 'help') return 'help'
  const declared = Object.entries(command.options).filter(([, option]) => option.kind !== 'shorthand')
  const assembled = assembleOptions(
    declared.map(([key, option]) => toAssemble(key, option, normalised.options.get(key))),
    [...normalised.options].flatMap(([key, given]) => given.texts.map((text) => ({ name: longName(key), text }))),
  )
  return {
    options: Object.fromEntries(declared.map(([key]) => [key, assembled.get(longName(key))])),
    operands: dealOperands(command, normalised),
  }
}

function toAssemble(key: string, option: OptionDeclaration, given: GivenOption | undefined): AssembledOption {
  const name = longName(key)
  if (option.kind === 'flag' || option.kind === 'shorthand') return { name, kind: 'flag' }
  return {
    name,
    kind: option.kind === 'list' ? 'list' : 'single',
    defaultText: option.kind === 'list' ? undefined : defaultText(option),
    convert(text) {
      try {
        return convert(option, text)
      } catch (error) {
        if (!isLogqError(error, 'LOGQ_USAGE')) throw error
        throw usageError(`option '${given?.typed ?? `--${name}`}': ${error.message}`, error.hint)
      }
    },
  }
}

function defaultText(option: OptionDeclaration): string | undefined {
  if (!('default' in option)) return undefined
  return String(option.default)
}

function convert(option: OptionDeclaration, text: string): unknown {
  switch (option.kind) {
    case 'string':
      return text
    case 'integer':
      return parseWholeNumber(text, option)
    case 'size':
      return parseSize(text, option)
    case 'duration':
      return parseDuration(text, option)
    case 'choice':
      if (option.choices.includes(text)) return text
      throw usageError(`'${text}' is not one of ${listOf(option.choices)}`)
    case 'list':
      return option.parse === undefined ? text : option.parse(text)
    case 'parsed':
      return option.parse(text)
    case 'flag':
    case 'shorthand':
      return true
  }
}

function listOf(choices: readonly string[]): string {
  return choices.map((choice) => `'${choice}'`).join(', ')
}

/** What the man page shows as the default of an option; undefined when there is none. */
export function shownDefault(option: OptionDeclaration): string | undefined {
  if ('defaultText' in option) return option.defaultText
  if (!('default' in option)) return undefined
  if (option.kind === 'size') return formatSize(option.default)
  if (option.kind === 'duration') return formatDuration(option.default)
  return String(option.default)
}

function dealOperands(
  command: Command,
  { operands: words, afterDashes }: NormalisedArguments,
): Record<string, string | readonly string[] | undefined> {
  const dealt: Record<string, string | readonly string[] | undefined> = {}
  let next = 0
  for (const [key, { label, required, repeated, isAfterDashes }] of Object.entries(command.operands)) {
    if (isAfterDashes === true) {
      dealt[key] = afterDashes
      continue
    }
    if (required === true && next >= words.length) {
      throw usageError(`${label} is missing`, `usage: logq ${synopsis(command)}`)
    }
    if (repeated === true) {
      dealt[key] = words.slice(next)
      next = words.length
    } else {
      dealt[key] = words[next]
      next++
    }
  }
  const extra = words[next]
  if (extra !== undefined) throw usageError(`unexpected operand '${extra}'`, `usage: logq ${synopsis(command)}`)
  return dealt
}
