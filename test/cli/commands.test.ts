/** Walks the command list: what every declaration must have. */
import test from 'ava'
import { commandGroups } from '../../cli/command-list.js'
import type { Command } from '../../cli/command.js'
import { parseArguments, shownDefault } from '../../cli/arguments.js'
import { options as shared } from '../../cli/options.js'
import { longName } from '../../cli/option-names.js'

const entries = commandGroups.flatMap(({ commands }) => commands)
const commands: Command[] = await Promise.all(entries.map((entry) => entry.load()))

test('every command has the name under which it is listed, once', (t) => {
  t.deepEqual(
    commands.map(({ name }) => name),
    entries.map(({ name }) => name),
  )
  t.is(new Set(entries.map(({ name }) => name)).size, entries.length)
})

for (const command of commands) {
  test(`${command.name}: the declaration is whole`, (t) => {
    t.regex(command.summary, /^[a-z].{5,60}[^.]$/, 'a summary is a short imperative without a full stop')
    t.true(command.man.description.length > 0)
    t.true(command.examples.length > 0)
    for (const { command: line, meaning } of command.examples) {
      t.true(line.includes(`logq ${command.name}`), line)
      t.regex(meaning, /\.$/)
    }
    for (const { meaning } of [...Object.values(command.operands), ...Object.values(command.options)]) t.regex(meaning, /\.$/)
    t.is(new Set(command.exits).size, command.exits.length)
    for (const status of Object.keys(command.exitNotes ?? {})) {
      t.true(['done', 'usage', ...command.exits].includes(status), `exitNotes has '${status}', exits has not`)
    }
  })

  test(`${command.name}: options have letters and names of their own, and no other meaning than elsewhere`, (t) => {
    const letters = Object.values(command.options).flatMap(({ letter }) => letter ?? [])
    t.is(new Set(letters).size, letters.length)
    t.false(letters.includes('h'))
    for (const letter of letters) t.regex(letter, /^[a-zA-Z0-9]$/)
    const names = Object.keys(command.options).map(longName)
    t.is(new Set(names).size, names.length)
    t.false(names.includes('help'))
    const meanings = new Map(Object.entries(sharedLetters()))
    for (const [key, option] of Object.entries(command.options)) {
      const owners = option.letter === undefined ? undefined : meanings.get(option.letter)
      if (owners !== undefined) t.true(owners.includes(longName(key)), `-${option.letter ?? ''} is --${longName(key)} here`)
      if (option.kind === 'shorthand') t.true(option.sets in command.options)
    }
  })

  test(`${command.name}: only the last operand takes many, and required ones come first`, (t) => {
    const operands = Object.values(command.operands).filter(({ isAfterDashes }) => isAfterDashes !== true)
    operands.forEach((operand, index) => {
      if (operand.repeated === true) t.is(index, operands.length - 1)
      if (operand.required === true) t.true(index === 0 || operands[index - 1]?.required === true)
    })
    t.pass()
  })

  test(`${command.name}: defaults are accepted by their own parsers`, (t) => {
    const words = Object.values(command.operands).flatMap(({ required }) => (required === true ? ['x'] : []))
    t.notThrows(() => parseArguments(command, words))
    for (const option of Object.values(command.options)) t.notThrows(() => shownDefault(option))
    t.is(parseArguments(command, ['--help']), 'help')
  })
}

/** Long names that a letter may stand for. */
function sharedLetters(): Record<string, string[]> {
  const names: Record<string, string[]> = { p: ['partition'], F: ['format'], J: ['json'] }
  for (const [key, option] of Object.entries(shared)) {
    if (!('letter' in option) || option.letter in names) continue
    names[option.letter] = [longName(key)]
  }
  return { ...names, n: ['count', 'dry-run', 'limit'] }
}
