/** --help: of a command from its declaration, of the program from the list of commands. */
import { shownDefault } from './arguments.js'
import type { Command, OptionDeclaration } from './command.js'
import type { CommandEntry, CommandGroup } from './command-list.js'
import { exitsOf } from './exit-table.js'
import { withoutMarkup } from './man/markup.js'
import { longName, synopsis, takesValue, valueName } from './option-names.js'
import { twoColumns, wrap } from './text.js'

/** The text of `logq <command> --help`, with a line end. */
export function commandHelp(command: Command): string {
  const operands = Object.values(command.operands).map(({ label, repeated, meaning }): [string, string] => [
    repeated === true ? `${label}…` : label,
    withoutMarkup(meaning),
  ])
  const optionRows = Object.entries(command.options).map(([key, option]): [string, string] => [
    optionTerm(key, option),
    optionMeaning(option),
  ])
  const sections = [
    [`Usage: logq ${synopsis(command)}`],
    wrap(sentence(command.summary), 80),
    operands.length === 0 ? [] : ['Operands:', ...twoColumns(operands)],
    ['Options:', ...twoColumns([...optionRows, ['-h, --help', 'Print this text.']])],
    command.examples.length === 0
      ? []
      : [
          'Examples:',
          ...command.examples.flatMap((example) => [
            `  ${example.command}`,
            ...wrap(example.meaning, 74).map((line) => `      ${line}`),
          ]),
        ],
    [
      'Exit status:',
      ...twoColumns(
        exitsOf(command).map(({ number, meaning }): [string, string] => [String(number), `${withoutMarkup(meaning)}.`]),
      ),
    ],
    [`The manual page logq-${command.name.split(' ')[0] ?? ''}(1) has more.`],
  ]
  return text(sections)
}

/** The text of `logq --help`, with a line end. */
export async function programHelp(groups: readonly CommandGroup[]): Promise<string> {
  const sections = await Promise.all(
    groups.map(async ({ title, commands }) => [`${title}:`, ...twoColumns(await summaries(commands))]),
  )
  return text([
    ['Usage: logq COMMAND [OPTION…] [OPERAND…]'],
    ["A log-based message broker that is a directory, in Kafka's on-disk format."],
    ...sections,
    ["'logq COMMAND --help' describes a command, 'logq --version' prints the version.", 'The manual page logq(1) has more.'],
  ])
}

/** The text of `logq topic --help`: the commands whose names begin with a word. */
export async function groupHelp(groups: readonly CommandGroup[], word: string): Promise<string> {
  const commands = groups.flatMap((group) => group.commands).filter(({ name }) => name.startsWith(`${word} `))
  return text([
    [`Usage: logq ${word} COMMAND [OPTION…] [OPERAND…]`],
    ['Commands:', ...twoColumns(await summaries(commands))],
    [`'logq ${word} COMMAND --help' describes a command; the manual page logq-${word}(1) has more.`],
  ])
}

async function summaries(commands: readonly CommandEntry[]): Promise<[string, string][]> {
  return await Promise.all(commands.map(async ({ name, load }): Promise<[string, string]> => [name, (await load()).summary]))
}

/** `-o, --offset SPEC`. */
export function optionTerm(key: string, option: OptionDeclaration): string {
  const letter = option.letter === undefined ? '    ' : `-${option.letter}, `
  return `${letter}--${longName(key)}${takesValue(option) ? ` ${valueName(option)}` : ''}`
}

function optionMeaning(option: OptionDeclaration): string {
  const shown = shownDefault(option)
  const repeat = option.kind === 'list' && !/repeat/.test(option.meaning) ? ' May be repeated.' : ''
  return withoutMarkup(option.meaning) + repeat + (shown === undefined ? '' : ` Default: ${shown}.`)
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

/** Sections with an empty line between; empty ones are left out. */
function text(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`
}
