/** logq(1): what the program is, and the languages that its commands share. */
import type { Command } from '../command.js'
import { exitStatuses } from '../exit-status.js'
import { pageName, renderEnvironment } from './man.js'
import { RoffPage } from './roff.js'

export interface CommandSection {
  readonly title: string
  readonly commands: readonly Command[]
}

export function renderMainPage(sections: readonly CommandSection[], version: string): string {
  const page = new RoffPage({ name: 'logq', section: 1, version })
  page.section('NAME')
  page.line('logq - a log-based message broker that is a directory')
  page.section('SYNOPSIS')
  page.line('**logq** _COMMAND_ [_OPTION_...] [_OPERAND_...]')
  page.lineBreak()
  page.line('**logq** **--help** | **--version**')
  page.section('DESCRIPTION')
  for (const text of description) page.paragraph(text)
  page.section('COMMANDS')
  for (const { title, commands } of sections) {
    page.subsection(title)
    for (const command of commands)
      page.item(`**${command.name}**`, `${sentence(command.summary)}. See **${pageName(command.name)}**(1).`)
  }
  page.section('OPTIONS')
  for (const text of parsing) page.paragraph(text)
  for (const { title, items, before } of languages) {
    page.section(title)
    for (const text of before) page.paragraph(text)
    for (const [term, meaning] of items) page.item(term, meaning)
  }
  page.section('EXIT STATUS')
  for (const { number, meaning } of Object.values(exitStatuses)) page.item(`**${number}**`, `${meaning}.`)
  for (const text of exitRules) page.paragraph(text)
  page.section('ENVIRONMENT')
  renderEnvironment(page)
  page.section('FILES')
  page.item('~/.local/share/logq', 'The default store. **logq-format**(5) describes every file in it.')
  page.section('ASSUMPTIONS')
  for (const text of assumptions) page.paragraph(text)
  page.section('SEE ALSO')
  const pages = new Set(sections.flatMap(({ commands }) => commands.map(({ name }) => pageName(name))))
  page.line([...[...pages].map((name) => `**${name}**(1)`), '**logq-format**(5)'].join(', '))
  return page.toString()
}

const description = [
  'logq keeps topics: named logs of records, each divided into partitions. A record has a key, a value, headers and a timestamp, and its place in a partition is its offset. Records are appended and read; they are not changed.',
  'There is no daemon. A store is a directory, in the on-disk format of Apache Kafka, and every command is a process that any other may run beside and that may be killed at any moment. A copy of a store that nobody writes to is a backup.',
  'Exit status 0 means done, and on disk. Standard output carries data and nothing else; everything that is said goes to standard error.',
] as const

const parsing = [
  'Letters may be joined (**-qv**), and a value may follow its letter at once (**-K:**) or as the next word, which is taken even when it begins with a hyphen (**-o -5**). **--long=VALUE** and **--long VALUE** are the same. A lone **-** is standard input; everything after **--** is an operand. An option that has one value may be given once. Numbers are decimal digits. Sizes take the units KiB, MiB, GiB, TiB (and K, M, G, T) and kB, MB, GB, TB; durations ms, s, m, h, d, w.',
] as const

interface Language {
  readonly title: string
  readonly before: readonly string[]
  readonly items: readonly (readonly [term: string, meaning: string])[]
}

const languages: readonly Language[] = [
  {
    title: 'TOPICS',
    before: [
      'Commands that read take names of topics and patterns, which are globs over names: quote them, so that the shell leaves them alone. The topics of a pattern come in the order of their names, without those that are named elsewhere on the line or by an earlier pattern; a name that is given twice counts twice. A pattern that no topic matches is an error. Names that begin with __, which are topics of Kafka itself, match only a pattern that begins so too. A pattern has at most 4,096 characters.',
    ],
    items: [
      ['*', 'Any characters: access.*'],
      ['**?**', 'One character.'],
      ['**[a-z]**, **[!a-z]**', 'One of these characters, or none of these.'],
      ['**{a,b}**', 'One of these texts: **{orders,payments}-eu**.'],
    ],
  },
  {
    title: 'OFFSETS',
    before: [
      '**-o** takes a point, a range of points, a time or a range of times. It holds for each partition by itself. The end of a range is excluded, and an empty range prints nothing.',
    ],
    items: [
      ['**start**, **earliest**', 'The log start offset.'],
      ['**end**, **latest**', 'The log end offset.'],
      ['_N_, **-**_N_, **+**_N_', 'An offset; the record _N_ before the end; the record _N_ after the start.'],
      ['[_POINT_]**:**[_POINT_]', 'From one point to another: **10:20**, **-100:**, **:end**.'],
      [
        '**@**_TIME_',
        'The first record with this timestamp or a later one. A time is 13 digits (ms since 1970), 10 digits (s), YYYY-MM-DD (UTC), RFC 3339 with a zone, or a duration from now such as **-1h**.',
      ],
      [
        '**@**[_TIME_]**:**[_TIME_]',
        'From one time to another: **@-48h:-24h**, **@2026-11-01:+1d** (a duration at the end counts from a start that is not itself a duration).',
      ],
    ],
  },
  {
    title: 'FORMATS',
    before: [
      '**-F** chooses how records are printed or read. The escapes \\n \\t \\0 \\\\ and \\xNN hold in **-F**, **-D**, **-K** and **--null**, and nowhere else.',
    ],
    items: [
      [
        '**value**',
        'The value and a newline, or the delimiter of **-D** or **-0**. With **-K** the key and the separator come before it. A null key or value is empty text, or the text of **--null**.',
      ],
      [
        '**json**',
        'One JSON record a line: {"topic", "partition", "offset", "timestamp", "timestampType", "key", "value", "headers"}, always these fields in this order. timestamp is in ms, -1 for none, and beyond 2^53-1 a decimal string. null differs from "". Bytes that are not UTF-8 are base64, and "keyEncoding" or "valueEncoding" says so. headers is an array of {"key", "value"} in order, duplicates kept.',
      ],
      [
        '**tsv**',
        'Topic, partition, offset, timestamp, key, value and headers with a tab between, one record one line always, for **cut**(1), **sort**(1) and **awk**(1). Nothing is lost: split a line at its tabs, then replace the escapes. Control bytes are \\t \\n \\r \\0 and \\xNN, a backslash is \\\\, bytes that are not UTF-8 are \\xNN; null is \\N, and a value of these two characters is \\\\N. Headers are name=value in order with a comma between, a null value name=\\N; in a name an equals sign, and in both a comma, is \\xNN. The timestamp is in ms, on a terminal RFC 3339, or as **--time** says. For output only.',
      ],
      ['**batch**', 'Raw record batches of exactly one partition, as they are on disk. Not to a terminal, but with **--raw**.'],
      [
        'a template',
        'Any format that contains % or \\: **%t** topic, **%p** partition, **%o** offset, **%k** key, **%v** or **%s** value, **%h** headers (name=value, comma between), **%T** timestamp in ms or as **--time** says, **%K** and **%V** length of key and value (-1 for null), **%k{base64}**, **%k{hex}**, **%v{base64}**, **%v{hex}**, **%T{iso}**, **%%** a percent sign. Nothing is appended: end it with \\n.',
      ],
      [
        'times',
        '**--time** chooses how tsv and **%T** print a timestamp. **ms**: since 1970. **iso**: RFC 3339 in UTC, such as 2026-11-21T04:26:09.000Z. **rel**: before now as -12s, -2m3s or -3d4h, after now with a plus sign; the largest unit and the next one, the rest cut off, below a second in ms. A record without a timestamp has -1 in each form, and a year that is not of four digits is in ms. **%T{iso}** is always RFC 3339. JSON always has ms.',
      ],
      [
        'large records',
        'JSON, tsv and templates hold keys and values up to 256 MiB. A larger record is named on standard error, the others are printed, and the status is 1; **value** and **batch** print it, and so does **--no-value** when the value is what is large.',
      ],
    ],
  },
  {
    title: 'FILTERS',
    before: [
      '**-w** takes an expression in CEL (Common Expression Language, cel.dev) that is true for the records that are wanted. It is checked before anything is read: a name that is not known, or a result that cannot be true or false, is exit status 2. An expression that fails on a record (the value is not JSON, a field or header is missing, types do not fit) does not match it; how often that happened is said at the end, with the first case. **has(value.total)** and **"level" in headers** ask without failing.',
      'Conditions joined by && on anything but the value are asked first, so that the values of records that they refuse are not looked at.',
    ],
    items: [
      ['**topic**, **key**', 'Text. A null key is empty text.'],
      ['**partition**, **offset**', 'Whole numbers.'],
      ['**text**', 'The value as text; that of a tombstone is empty.'],
      [
        '**value**',
        'The value, parsed as JSON: **value.user.id**, **value.tags[0]**, **value["content-type"]**. Null for a tombstone. JSON knows one kind of number: value.total * 2 > 100 may mix it with whole numbers.',
      ],
      ['**headers**', 'A map of texts; the last one of a name counts: **headers.level**, **headers["trace-id"]**.'],
      ['**timestamp**', 'A time: **timestamp > timestamp("2026-11-20T00:00:00Z")**, **timestamp.getHours() < 6**.'],
      [
        'functions',
        '**startsWith**, **endsWith**, **contains**, **matches** (a regular expression), **size**, **int**, **double**, **string**, **murmur2** (Kafka\'s hash of a text) and the macros **has**, **all**, **exists**, **map** and **filter** of CEL: **text.contains(" 404 ")**, **value.items.exists(i, i.price > 10.0)**.',
      ],
    ],
  },
  {
    title: 'INPUT',
    before: ['**logq-produce**(1) reads the same formats.'],
    items: [
      [
        'JSON records',
        'Every field that is printed is accepted. "value" is required, and null is a tombstone only when it is written. Unknown fields, fields given twice and lone surrogates are refused. A key or value that is neither a string nor null is stored as its exact source text. headers may be an object too, unless a name looks like an integer or is given twice. topic and offset are ignored, timestamp is kept, partition with **--keep partition**.',
      ],
      [
        'templates',
        '**%k** **%v** **%s** **%h** **%T** **%p** and their forms, each once, **%v** always. The text after the last placeholder ends each record (without one, the delimiter does). Within a record, the text before the first placeholder must stand at the beginning, each placeholder takes the bytes up to the first place where the text that follows it occurs, and the last one takes the rest. Two placeholders need text between them.',
      ],
    ],
  },
]

const exitRules = [
  'When several hold, the first of these counts: death by a signal, 2, 126, 127, 6, 5, 7, 1, 4, 75, 3. Which of them a command can end with is in its page.',
  'On INT, TERM and HUP a command stops reading, finishes and syncs what it has read, and then dies of the same signal, so that a shell loop around it stops too. A second signal ends it at once.',
  'Node.js that reaches the limit of its heap (NODE_OPTIONS=--max-old-space-size) dies of SIGABRT, which a shell reports as 134. That is as a kill: nothing that was acknowledged is lost, and the next command goes on.',
] as const

const assumptions = [
  'A store is on a local file system of a Linux or macOS machine. What is written to a pipe is taken as delivered when the pipe took the bytes.',
  'Text that goes to a terminal has its control characters shown as escapes, and characters that cannot be seen or that change the direction of others; elsewhere, and with **--raw**, bytes go through unchanged. Standard output and standard error are judged each by itself.',
  '**nohup**(1) does not keep logq running, since Node.js undoes what it sets: use **setsid**(1).',
] as const

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
