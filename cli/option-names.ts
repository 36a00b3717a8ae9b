/** How options are called: the key `batchBytes` of a declaration is typed --batch-bytes. */
import type { Command, CommandDeclaration, OptionDeclaration } from './command.js'

export function longName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** True when a word follows: everything but flags and shorthands. */
export function takesValue(option: OptionDeclaration): boolean {
  return option.kind !== 'flag' && option.kind !== 'shorthand'
}

/** What stands for the value in the synopsis. */
export function valueName(option: OptionDeclaration): string {
  switch (option.kind) {
    case 'flag':
    case 'shorthand':
      return ''
    case 'choice':
      return option.valueName ?? option.choices.join('|')
    case 'integer':
      return option.valueName ?? 'N'
    case 'size':
      return option.valueName ?? 'SIZE'
    case 'duration':
      return option.valueName ?? 'DURATION'
    default:
      return option.valueName ?? 'TEXT'
  }
}

/** `logq produce [OPTION…] TOPIC [FILE…]`, without the program's name. */
export function synopsis(command: Command | CommandDeclaration): string {
  const operands = Object.values(command.operands).map(({ label, required, repeated, isAfterDashes }) => {
    if (isAfterDashes === true) return `[-- ${label}…]`
    const many = repeated === true ? `${label}…` : label
    return required === true ? many : `[${many}]`
  })
  return [command.name, '[OPTION…]', ...operands].join(' ')
}
