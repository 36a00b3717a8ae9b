import test from 'ava'
import fc from 'fast-check'
import { cellsOfRows } from '../../../cli/import/csv-cells.js'
import { CsvRowSplitter } from '../../../cli/import/csv-rows.js'
import { idlePace, inputInPieces } from './pieces.js'

interface Given {
  readonly sizes?: readonly number[]
  readonly quotes?: boolean
  readonly limitBytes?: number
}

/** Every row as `line: cells`, or `line! what is wrong`. */
async function read(text: string | Buffer, { sizes, quotes = true, limitBytes = 1 << 20 }: Given = {}): Promise<string[]> {
  const options = { delimiter: 0x2c, quotes, limitBytes: () => limitBytes }
  const splitter = new CsvRowSplitter(inputInPieces(Buffer.from(text), sizes), options, idlePace)
  const read: string[] = []
  for (let found = await splitter.next(); found !== undefined; found = await splitter.next()) {
    if (found.kind === 'bad') {
      read.push(`${found.line}! ${found.error.message}`)
      continue
    }
    const cells = cellsOfRows(found.rows, found.bytes, options)
    for (const [index, row] of found.rows.entries()) {
      const of = cells[index] ?? []
      read.push(of instanceof Error ? `${row.line}! ${of.message}` : `${row.line}: ${JSON.stringify(of)}`)
    }
  }
  return read
}

const never = 'a quote is opened and never closed'
const follows = 'text follows a closing quote'
const within = 'a quote stands within a cell that does not begin with one'

const files: readonly (readonly [title: string, text: string, rows: readonly string[], given?: Given])[] = [
  ['nothing', '', []],
  ['one row', 'a,b\n', ['1: ["a","b"]']],
  ['no line end', 'a,b', ['1: ["a","b"]']],
  ['CRLF', 'a,b\r\nc,\r\n', ['1: ["a","b"]', '2: ["c",""]']],
  ['CRLF and LF', 'a\r\nb\nc\r\n', ['1: ["a"]', '2: ["b"]', '3: ["c"]']],
  ['a lone CR is text', 'a\rb\n', ['1: ["a\\rb"]']],
  ['empty lines', '\n\r\na\n\n\nb\n\n', ['3: ["a"]', '6: ["b"]']],
  ['a line of delimiters is a row', ',,\n', ['1: ["","",""]']],
  ['byte order mark', '\ufeffa,b\n', ['1: ["a","b"]']],
  ['nothing but half of a byte order mark', '\ufeff', []],
  ['quoted cells', '"a","b ""c"", d"\n', ['1: ["a","b \\"c\\", d"]']],
  ['quoted, empty', '"",""\n', ['1: ["",""]']],
  ['quoted line ends', '"a\nb\r\nc",d\ne,f\n', ['1: ["a\\nb\\r\\nc","d"]', '4: ["e","f"]']],
  ['quoted, CRLF after the quote', '"a"\r\n"b"\r\n', ['1: ["a"]', '2: ["b"]']],
  ['NUL', 'a\0b,"\0"\n', ['1: ["a\\u0000b","\\u0000"]']],
  ['bytes that are not UTF-8', '', ['1: ["\u00ff\u00e9"]']],
  ['spaces stay', ' a , b\n', ['1: [" a "," b"]']],
  ['a quote within a cell', 'x\n5" pipe,1\ny\n', ['1: ["x"]', `2! ${within}`, '3: ["y"]']],
  ['text after a closing quote', 'x\n"a"b,1\ny\n', ['1: ["x"]', `2! ${follows}`, '3: ["y"]']],
  ['a NUL after a closing quote', '"a"\0\nb\n', [`1! ${follows}`, '2: ["b"]']],
  ['a CR after a closing quote', '"a"\rb\nc\n', [`1! ${follows}`, '2: ["c"]']],
  ['never closed', 'x\n"a,b\nc,d\ne\n', ['1: ["x"]', `2! ${never}`, '3: ["c","d"]', '4: ["e"]']],
  ['never closed in the last line', 'x\n"a', ['1: ["x"]', `2! ${never}`]],
  ['never closed, twice', '"a\n"b\nc\n', [`1! ${follows}`, `2! ${never}`, '3: ["c"]']],
  ['a bad row among many', 'a\nb\n"c"c\nd\n', ['1: ["a"]', '2: ["b"]', `3! ${follows}`, '4: ["d"]']],
  ['quotes mean nothing', '"a,5"\n"b\n', ['1: ["\\"a","5\\""]', '2: ["\\"b"]'], { quotes: false }],
  [
    'never closed within the limit',
    `"a\nb\n${'c\n'.repeat(20)}d"\n`,
    [
      '1! a quote is opened and not closed within 20 bytes',
      '2: ["b"]',
      ...Array.from({ length: 20 }, (_, n) => `${n + 3}: ["c"]`),
      `23! ${within}`,
    ],
    { limitBytes: 20, sizes: [7] },
  ],
  [
    'a line above the limit',
    `a\n${'b'.repeat(100)}\nc\n"${'d'.repeat(100)}"\ne\n`,
    ['1: ["a"]', '2! the row is larger than 20 bytes', '3: ["c"]', '4! the row is larger than 20 bytes', '5: ["e"]'],
    { limitBytes: 20, sizes: [7] },
  ],
]

test('files of rows, good and bad, wherever a read ends', async (t) => {
  for (const [title, text, rows, given] of files) {
    const bytes = title.startsWith('bytes that') ? Buffer.from([0xff, 0xe9, 0x0a]) : text
    for (const sizes of given?.sizes === undefined ? [[], [1], [2, 3], [5]] : [given.sizes])
      t.deepEqual(await read(bytes, { ...given, sizes }), rows, `${title}, in pieces of ${sizes.join()}`)
  }
})

test('what RFC 4180 writes is read as it was, with its lines', async (t) => {
  const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r', ' ', '\0', '\u{1f600}'), maxLength: 6 })
  const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 100 })
  await fc.assert(
    fc.asyncProperty(
      table,
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 4 }),
      async (rows, lineEnd, sizes) => {
        let line = 1
        let text = ''
        const wanted: string[] = []
        for (const cells of rows) {
          const row = cells.map((one) => (/[",\r\n]/.test(one) ? `"${one.replaceAll('"', '""')}"` : one)).join(',') + lineEnd
          wanted.push(`${line}: ${JSON.stringify(cells.map((one) => Buffer.from(one, 'utf8').toString('latin1')))}`)
          line += row.split('\n').length - 1
          text += row
        }
        t.deepEqual(await read(text, { sizes }), wanted)
      },
    ),
    { numRuns: 200 },
  )
})

test('any number of empty lines is passed over', async (t) => {
  t.deepEqual(await read(`${'\n'.repeat(200_000)}a\nb\n`), ['200001: ["a"]', '200002: ["b"]'])
})

test('a line of many bytes and no end is passed over without being kept', async (t) => {
  const input = inputInPieces(Buffer.concat([Buffer.alloc(40 << 20, 'x'), Buffer.from('\nok\n')]))
  const options = { delimiter: 0x2c, quotes: true, limitBytes: () => 1 << 16 }
  const splitter = new CsvRowSplitter(input, options, idlePace)
  t.like(await splitter.next(), { kind: 'bad', line: 1 })
  t.true(input.buffer.length < 4 << 20)
  t.like(await splitter.next(), { kind: 'rows', rows: [{ line: 2 }] })
})
