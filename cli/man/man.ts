/**
 * Manual pages from the declarations: one per command, one for all commands that share a first word (logq-topic), and logq(1) from
 * man-main.ts. `.config/man.mjs` writes them to man/.
 */
import type { Command, OptionDeclaration } from '../command.js'
import { shownDefault } from '../arguments.js'
import { exitsOf } from '../exit-table.js'
import { longName, takesValue, valueName } from '../option-names.js'
import { RoffPage } from './roff.js'

/** The page of one command: `man/logq-produce.1`. */
export function renderManPage(command: Command, version: string): string {
  const page = new RoffPage({ name: pageName(command.name), section: 1, version })
  page.section('NAME')
  page.line(`${pageName(command.name)} - ${command.summary}`)
  page.section('SYNOPSIS')
  page.line(synopsisLine(command))
  page.section('DESCRIPTION')
  for (const paragraph of command.man.description) page.paragraph(paragraph)
  renderOperands(page, command)
  page.section('OPTIONS')
  renderOptions(page, command)
  page.section('EXIT STATUS')
  renderExits(page, command)
  renderRest(page, [command])
  return page.toString()
}

/** The page of the commands that share a first word: `man/logq-topic.1`. `summary` stands in NAME. */
export function renderGroupPage(word: string, summary: string, commands: readonly Command[], version: string): string {
  const page = new RoffPage({ name: pageName(word), section: 1, version })
  page.section('NAME')
  page.line(`${pageName(word)} - ${summary}`)
  page.section('SYNOPSIS')
  commands.forEach((command, index) => {
    if (index > 0) page.lineBreak()
    page.line(synopsisLine(command))
  })
  page.section('DESCRIPTION')
  for (const command of commands) {
    page.subsection(`logq ${command.name}`)
    page.paragraph(`${sentence(command.summary)}.`)
    for (const paragraph of command.man.description) page.paragraph(paragraph)
    renderOperands(page, command)
    if (Object.keys(command.options).length > 0) page.paragraph('Options:')
    renderOptions(page, command)
  }
  page.section('EXIT STATUS')
  const [first] = commands
  if (first !== undefined) renderExits(page, { ...first, exits: commands.flatMap(({ exits }) => exits), exitNotes: {} })
  renderRest(page, commands)
  return page.toString()
}

/** `logq-produce` for 'produce', `logq-topic` for 'topic create' and 'topic'. */
export function pageName(commandName: string): string {
  return `logq-${commandName.split(' ')[0] ?? ''}`
}

export function synopsisLine(command: Command): string {
  const operands = Object.values(command.operands).map(({ label, required, repeated, isAfterDashes }) => {
    if (isAfterDashes === true) return `[**--** _${label}_...]`
    const many = repeated === true ? `_${label}_...` : `_${label}_`
    return required === true ? many : `[${many}]`
  })
  return [`**logq ${command.name}**`, '[_OPTION_...]', ...operands].join(' ')
}

function renderOperands(page: RoffPage, command: Command): void {
  for (const { label, repeated, meaning } of Object.values(command.operands)) {
    page.item(`_${label}_${repeated === true ? '...' : ''}`, meaning)
  }
}

function renderOptions(page: RoffPage, command: Command): void {
  for (const [key, option] of Object.entries(command.options)) {
    page.item(optionTerm(key, option), optionMeaning(option))
  }
  page.item('**-h**, **--help**', 'Print a summary of the command and exit.')
}

function optionTerm(key: string, option: OptionDeclaration): string {
  const letter = option.letter === undefined ? '' : `**-${option.letter}**, `
  return `${letter}**--${longName(key)}**${takesValue(option) ? ` _${valueName(option)}_` : ''}`
}

function optionMeaning(option: OptionDeclaration): string {
  const repeat = option.kind === 'list' && !/repeat/.test(option.meaning) ? ' May be repeated.' : ''
  const shown = shownDefault(option)
  return `${option.meaning}${repeat}${shown === undefined ? '' : ` Default: ${shown}.`}`
}

function renderExits(page: RoffPage, command: Command): void {
  for (const { number, meaning } of exitsOf(command)) page.item(`**${number}**`, `${meaning}.`)
}

const environment: readonly (readonly [name: string, meaning: string])[] = [
  ['LOGQ_STORE', 'The store when **-s** is not given.'],
  ['XDG_DATA_HOME', 'Where the default store is: $XDG_DATA_HOME/logq, without it ~/.local/share/logq.'],
  ['LOGQ_DEBUG', 'When set, errors are followed by where in the program they were thrown.'],
]

export function renderEnvironment(page: RoffPage): void {
  for (const [name, meaning] of environment) page.item(`**${name}**`, meaning)
}

/** ENVIRONMENT, FILES, EXAMPLES, ASSUMPTIONS and SEE ALSO. */
function renderRest(page: RoffPage, commands: readonly Command[]): void {
  page.section('ENVIRONMENT')
  renderEnvironment(page)
  for (const paragraph of commands.flatMap(({ man }) => man.environment ?? [])) page.paragraph(paragraph)
  page.section('FILES')
  const files = commands.flatMap(({ man }) => man.files ?? [])
  for (const paragraph of files) page.paragraph(paragraph)
  if (files.length === 0) page.paragraph('The store is a directory; **logq-format**(5) describes every file in it.')
  const examples = commands.flatMap((command) => command.examples)
  if (examples.length > 0) page.section('EXAMPLES')
  for (const { command, meaning } of examples) {
    page.paragraph(meaning)
    page.verbatim(command.split('\n'))
  }
  const assumptions = commands.flatMap(({ man }) => man.assumptions ?? [])
  if (assumptions.length > 0) page.section('ASSUMPTIONS')
  for (const paragraph of assumptions) page.paragraph(paragraph)
  page.section('SEE ALSO')
  const others = new Set(['logq(1)', ...commands.flatMap(({ man }) => man.seeAlso ?? []), 'logq-format(5)'])
  page.line([...others].map((name) => name.replace(/^(.*)\((\d)\)$/, '**$1**($2)')).join(', '))
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
