/**
 * The one importer of yargs. normalise.ts has read the words; yargs assembles them into options: repetition, defaults, conversion.
 * Everything with which yargs guesses is off: numbers, negation, dots, greedy arrays, the locale, help, version, exiting.
 *
 * Every value goes through yargs with one character before it, since yargs takes off a pair of quotes around a value (`-K '"'`
 * is fine, `-K "''"` loses both), and that is not what was typed.
 */
import yargs from 'yargs'

export interface AssembledOption {
  /** The long name. */
  readonly name: string
  readonly kind: 'flag' | 'single' | 'list'
  /** As it would be typed; goes through `convert` too. */
  readonly defaultText?: string | undefined
  /** The value of one text. What it throws, assembleOptions throws. */
  readonly convert?: (text: string) => unknown
}

const GUARD = '='

/** The values by long name: true or false for a flag, an array for a list, undefined for an absent single option. */
export function assembleOptions(
  options: readonly AssembledOption[],
  given: readonly { readonly name: string; readonly text: string }[],
): Map<string, unknown> {
  const kinds = new Map(options.map(({ name, kind }) => [name, kind]))
  const words = given.map(({ name, text }) => (kinds.get(name) === 'flag' ? `--${name}` : `--${name}=${GUARD}${text}`))
  let failure: { readonly error: unknown } | undefined
  let parser = yargs()
    .locale('en')
    .help(false)
    .version(false)
    .exitProcess(false)
    .strictOptions()
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'camel-case-expansion': false,
      'short-option-groups': false,
    })
    .fail((message, error) => {
      throw error instanceof Error ? error : new Error(`yargs: ${message}`)
    })
  for (const { name, kind, defaultText, convert } of options) {
    if (kind === 'flag') {
      parser = parser.option(name, { type: 'boolean', default: false })
      continue
    }
    const convertGuarded = (guarded: string): unknown => {
      try {
        return (convert ?? identity)(guarded.slice(GUARD.length))
      } catch (error) {
        // yargs would make another error of it, with the same message and nothing else.
        failure ??= { error }
        return undefined
      }
    }
    parser = parser.option(name, {
      type: 'string',
      nargs: 1,
      array: kind === 'list',
      ...(kind === 'list' ? { default: [] } : defaultText === undefined ? {} : { default: GUARD + defaultText }),
      coerce: (value: string | string[]) => (Array.isArray(value) ? value.map(convertGuarded) : convertGuarded(value)),
    })
  }
  const assembled: Record<string, unknown> = parser.parseSync(words)
  if (failure !== undefined) throw failure.error
  return new Map(options.map(({ name }) => [name, assembled[name]]))
}

function identity(text: string): unknown {
  return text
}
