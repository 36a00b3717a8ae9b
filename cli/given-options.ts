/** Which options were given, for ways of using a command that take only a few of them. */
import type { OptionDeclarations } from './command.js'
import { usageError } from './errors.js'
import { longName } from './option-names.js'

/** Throws a usage error that names the first option beside `taken` whose value is not the default. `with` is what does not take it. */
export function refuseOthers(
  declared: OptionDeclarations,
  given: Readonly<Record<string, unknown>>,
  taken: readonly string[],
  withOption: string,
): void {
  for (const [key, option] of Object.entries(declared)) {
    if (!taken.includes(key) && isGiven(option, given[key]))
      throw usageError(`--${longName(key)} does not go with ${withOption}`)
  }
}

function isGiven(option: OptionDeclarations[string], value: unknown): boolean {
  if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return false
  if (!('default' in option)) return true
  const byDefault = option.kind === 'parsed' ? option.parse(option.default ?? '') : option.default
  return JSON.stringify(value) !== JSON.stringify(byDefault)
}
