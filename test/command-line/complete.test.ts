/**
 * Looks whether the tables are whole, and whether a word means the same everywhere: both ways between what the commands declare
 * and what the rows show.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { commandGroups } from '../../cli/command-list.js'
import type { Command, OptionDeclaration } from '../../cli/command.js'
import { exitStatuses } from '../../cli/exit-status.js'
import { longName } from '../../cli/option-names.js'
import { projectRoot } from '../helpers/project.js'
import { shownElsewhere } from './elsewhere.js'
import { invocationsIn } from './invocations.js'
import { tables } from './tables.js'

const commands: readonly Command[] = await Promise.all(
  commandGroups.flatMap((group) => group.commands).map(({ load }) => load()),
)
const rows = tables.flatMap((table) => table.rows)

/** The letters of the description, and the option that each stands for in every command that has it. */
const letters: Readonly<Record<string, string>> = {
  s: 'store',
  f: 'follow',
  F: 'format',
  J: 'json',
  o: 'offset',
  n: 'count',
  p: 'partition',
  g: 'group',
  k: 'key',
  K: 'key-separator',
  D: 'delimiter',
  0: 'zero-terminated',
  H: 'header',
  z: 'compression',
  w: 'where',
  y: 'yes',
  q: 'quiet',
  v: 'verbose',
}

/** What an option takes, in a word: two commands whose options of one name differ in it need a reason. */
function meaningOf(option: OptionDeclaration): string {
  return option.kind === 'choice' ? `one of ${option.choices.join(' ')}` : option.kind
}

/** Options that take another kind of value in one command than in the others, and why. */
const exceptions: Readonly<Record<string, string>> = {
  'json: shorthand': 'where records are printed or read, -J is --format json',
  'json: flag': 'elsewhere it is one object a line',
  'time: one of ms iso rel': 'times for people may be relative',
  'time: one of ms iso': 'those in files are not',
  'by: parsed': 'records are grouped by what they hold',
  'by: one of topic partition segment file': 'files are not',
  'compression: one of none gzip snappy lz4 zstd': 'Kafka reads all of these',
  'compression: one of none zstd gzip': 'files are decompressed by the tools that every system has',
  'to: one of csv tsv ndjson kcat rpk': 'records are exported to a format',
  'to: string': 'segments are archived to a place',
  'group: string': 'a consumer is in one group',
  'group: list': 'lag is that of any number',
  'keep: one of partition': 'of a record, produce keeps where it was',
  'keep: integer': 'of a key, compact keeps so many records',
  'partition: integer': 'one partition is written to',
  'partition: parsed': 'any number is read from',
}

test('a letter stands for the same option in every command', (t) => {
  for (const command of commands) {
    for (const [key, { letter }] of Object.entries(command.options)) {
      if (letter === undefined) {
        t.false(Object.values(letters).includes(longName(key)), `${command.name}: --${longName(key)} has its letter elsewhere`)
      } else {
        t.is(letters[letter], longName(key), `${command.name}: -${letter}`)
      }
    }
  }
})

test('an option of one name takes the same kind of value in every command', (t) => {
  const meanings = new Map<string, Map<string, string[]>>()
  for (const command of commands) {
    for (const [key, option] of Object.entries(command.options)) {
      const of = meanings.get(longName(key)) ?? new Map<string, string[]>()
      of.set(meaningOf(option), [...(of.get(meaningOf(option)) ?? []), command.name])
      meanings.set(longName(key), of)
    }
  }
  const differing = [...meanings].flatMap(([name, of]) =>
    of.size === 1 ? [] : [...of].map(([meaning, names]) => ({ what: `${name}: ${meaning}`, names })),
  )
  for (const { what, names } of differing) t.true(what in exceptions, `${what} (${names.join(', ')})`)
  for (const what of Object.keys(exceptions))
    t.true(
      differing.some((one) => one.what === what),
      `'${what}' is no exception`,
    )
})

test('every command has -s, -q and -v', (t) => {
  for (const { name, options } of commands) {
    for (const key of ['store', 'quiet', 'verbose']) t.true(key in options, `${name}: --${key}`)
  }
})

test('every command that prints records takes the same options for how', (t) => {
  const printing = commands.filter(({ name, options }) => 'format' in options && name !== 'produce')
  const cat = printing.find(({ name }) => name === 'cat')
  t.true(printing.length >= 2)
  const how = ['format', 'json', 'keySeparator', 'delimiter', 'zeroTerminated', 'null', 'raw']
  for (const { name, options } of printing) {
    for (const key of how) t.deepEqual(options[key]?.letter, cat?.options[key]?.letter, `${name}: --${longName(key)}`)
    t.deepEqual(
      how.filter((key) => !(key in options)),
      [],
      name,
    )
  }
})

test('every option of every command stands in a row, or in another test that is named', (t) => {
  const seen = new Set(
    rows.flatMap(([, line]) =>
      invocationsIn(line, commands).flatMap(({ command, options }) =>
        [...options].map((key) => `${command.name} --${longName(key)}`),
      ),
    ),
  )
  const declared = commands.flatMap(({ name, options }) => Object.keys(options).map((key) => `${name} --${longName(key)}`))
  const elsewhere = Object.keys(shownElsewhere.options)
  t.deepEqual(
    declared.filter((option) => !seen.has(option) && !elsewhere.includes(option)),
    [],
    'in no row',
  )
  t.deepEqual(
    elsewhere.filter((option) => !declared.includes(option) || seen.has(option)),
    [],
    'listed in elsewhere.ts without need',
  )
})

test('every command ends with each status that it declares in some row, and with no other', (t) => {
  const shown = new Map<string, Set<number>>(commands.map(({ name }) => [name, new Set()]))
  for (const [, line, seen] of rows) {
    const all = invocationsIn(line, commands).map(({ command }) => command.name)
    const { status = 0, statusOf } = typeof seen === 'string' ? {} : seen
    // With status 0 every command of a pipeline may be taken at its word; the last one certainly.
    const name = statusOf ?? all.at(-1)
    if (name !== undefined) shown.get(name)?.add(status)
  }
  const declared = commands.flatMap((command) =>
    [0, 2, ...command.exits.map((status) => exitStatuses[status].number)].map((status) => `${command.name}: ${status}`),
  )
  const inRows = [...shown].flatMap(([name, statuses]) => [...statuses].map((status) => `${name}: ${status}`))
  const elsewhere = Object.keys(shownElsewhere.statuses)
  t.deepEqual(
    inRows.filter((status) => !declared.includes(status)),
    [],
    'seen, and not declared',
  )
  t.deepEqual(
    declared.filter((status) => !inRows.includes(status) && !elsewhere.includes(status)),
    [],
    'declared, and in no row',
  )
  t.deepEqual(
    elsewhere.filter((status) => !declared.includes(status) || inRows.includes(status)),
    [],
    'listed in elsewhere.ts without need',
  )
})

test('the tests that elsewhere.ts names are there, and mention what they are named for', (t) => {
  const wrong = Object.entries({ ...shownElsewhere.options, ...shownElsewhere.statuses }).flatMap(([what, { file, by }]) => {
    const path = join(projectRoot, file)
    return existsSync(path) && readFileSync(path, 'utf8').includes(by) ? [] : [`${what}: '${by}' is not in ${file}`]
  })
  t.deepEqual(wrong, [])
})
