/** What importers read, however it comes in pieces: CSV, the JSON of kcat and rpk, NDJSON, lines, and compressed files. */
import assert from 'node:assert/strict'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { cellsOfRows } from '../../../cli/import/csv-cells.js'
import { csvSource } from '../../../cli/import/csv-records.js'
import { CsvRowSplitter } from '../../../cli/import/csv-rows.js'
import { kcatFormat } from '../../../cli/import/kcat.js'
import { NdjsonSource } from '../../../cli/import/ndjson.js'
import { ObjectSource } from '../../../cli/import/object-records.js'
import { rpkFormat } from '../../../cli/import/rpk.js'
import { ItemSplitter } from '../../../cli/input/items.js'
import type { RecordSource, SourceInput } from '../../../cli/input/record-source.js'
import { isLogqError } from '../../../lib/errors.js'
import { compress, decompress, loadCodec } from '../../../lib/record/compression.js'
import { decompressByName } from '../../../lib/system/compressed-input.js'
import type { InputStream } from '../../../lib/system/streams.js'
import { Xxh64 } from '../../../lib/system/xxhash64.js'
import { plain } from '../../cli/print/records.js'
import { idlePace, inputInPieces } from '../../cli/import/pieces.js'
import { bytesOf, chosen, type FuzzTarget } from '../target.js'

/** An input as it may come: at once, and in odd pieces. */
const pieces: readonly (readonly number[])[] = [[], [7, 1, 30]]

export const csv: FuzzTarget = {
  name: 'csv',
  inputs: fc
    .array(
      fc.array(fc.constantFrom('', 'a', '"a"', '"a ""b"" c"', '"x\ny"', 'é', '"a,b"', ' '), { minLength: 1, maxLength: 4 }),
      { maxLength: 6 },
    )
    .map((rows) => bytesOf(rows.map((cells) => cells.join(',')).join('\n'))),
  words: ['"', '""', ',', '\n', '\r\n', '\r', '"\n', '\ufeff', '",', ',"', '\0'],
  async check(input) {
    const bytes = Buffer.from(input)
    for (const limitBytes of [1 << 16, 20]) {
      const [first, ...others] = await Promise.all(pieces.map((sizes) => csvRows(bytes, sizes, limitBytes)))
      if (limitBytes > bytes.length) for (const other of others) assert.deepEqual(other, first)
      const whole = limitBytes === 20 ? undefined : wholeCsv(bytes)
      if (whole !== undefined && first?.every((row) => typeof row !== 'string') === true) assert.deepEqual(first, whole)
    }
  },
}

/** Cells of each row, or what is wrong with it. */
async function csvRows(bytes: Buffer, sizes: readonly number[], limitBytes: number): Promise<(readonly string[] | string)[]> {
  const options = { delimiter: 0x2c, quotes: true, limitBytes: () => limitBytes }
  const splitter = new CsvRowSplitter(inputInPieces(bytes, sizes), options, idlePace)
  const seen: (readonly string[] | string)[] = []
  for (let found = await splitter.next(); found !== undefined; found = await splitter.next()) {
    if (found.kind === 'bad') seen.push(`${found.line}: ${found.error.message}`)
    else
      seen.push(
        ...cellsOfRows(found.rows, found.bytes, options).map((cells) => (cells instanceof Error ? cells.message : cells)),
      )
  }
  return seen
}

/** What csv-parse makes of the whole, when it takes it. */
function wholeCsv(bytes: Buffer): string[][] | undefined {
  try {
    const begin = bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0
    return parse(bytes.subarray(begin), {
      encoding: 'latin1',
      record_delimiter: ['\n', '\r\n'],
      relax_column_count: true,
      skip_empty_lines: true,
    })
  } catch {
    return undefined
  }
}

/** Every reader of records, chosen by the first byte. The records are the same however the input comes. */
export const sources: FuzzTarget = {
  name: 'sources',
  inputs: fc
    .constantFrom(
      '\x00{"topic":"t","partition":0,"offset":7,"ts":5,"headers":["a","b","c",null],"key":"k","payload":"v"}\n{"payload":null}',
      '\x01[{"topic":"t","value":"v",\n"headers":[{"key":"a","value":"b"}],"timestamp":5,"offset":7},{"value":"\\u00e9"}]',
      '\x02{"a":1}\n[1,2]\n"x"\n\n 1e3 \n',
      '\x03a,b,time\n1,2,2026-11-20\n"3","4 ""x""",1700000000\n',
    )
    .map(bytesOf),
  words: [
    '{"',
    '"}',
    '\n',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    '\\"',
    '\\u0041',
    '\\ud800',
    '\ufeff',
    '__proto__',
    '"payload":',
    '"value":',
    '"headers":',
    'null',
    '\r\n',
    '\0',
  ],
  async check(input) {
    const [make, rest] = chosen(input, makers)
    const [first, ...others] = await Promise.all(pieces.map((sizes) => recordsOf(make, Buffer.from(rest), sizes)))
    for (const other of others) assert.deepEqual(other, first)
  },
}

const makers: readonly ((source: SourceInput) => RecordSource | Promise<RecordSource>)[] = [
  (source) => new ObjectSource(source, kcatFormat),
  (source) => new ObjectSource(source, rpkFormat),
  (source) => new NdjsonSource(source),
  (source) =>
    csvSource(source, {
      delimiter: 0x2c,
      quotes: true,
      headerRow: true,
      columns: undefined,
      keyColumn: 'a',
      valueColumn: undefined,
      timestampColumn: 'time',
      headerColumns: ['b'],
      types: 'infer',
      nullText: undefined,
    }),
]

async function recordsOf(
  make: (source: SourceInput) => RecordSource | Promise<RecordSource>,
  bytes: Buffer,
  sizes: readonly number[],
): Promise<unknown[]> {
  const seen: unknown[] = []
  const warn = (message: string): Promise<void> => {
    seen.push(message)
    return Promise.resolve()
  }
  try {
    const source = await make({
      input: inputInPieces(bytes, sizes),
      name: 'in',
      pace: idlePace,
      recordLimitBytes: () => 1 << 20,
      warn,
    })
    for (let item = await source.next(); item !== undefined; item = await source.next()) {
      try {
        seen.push([item.line, plain(item.read())])
      } catch (error) {
        if (!isLogqError(error)) throw error
        seen.push(`${item.line}: ${error.message}`)
      }
    }
  } catch (error) {
    if (!isLogqError(error)) throw error
    seen.push(error.message)
  }
  return seen
}

/** Lines at a delimiter, which is the first few bytes: joined again they are the input. */
export const items: FuzzTarget = {
  name: 'items',
  inputs: fc.constantFrom('\x01\nab\nc\n\n', '\x02abcababab', '\x03aab xaabyaaab').map(bytesOf),
  async check(input) {
    const length = 1 + ((input[0] ?? 0) % 3)
    const delimiter = Buffer.from(input.subarray(1, 1 + length))
    const bytes = Buffer.from(input.subarray(1 + length))
    if (delimiter.length < length) return
    for (const sizes of pieces) {
      const splitter = new ItemSplitter(inputInPieces(bytes, sizes), delimiter, () => 1 << 20, idlePace)
      const parts: Buffer[] = []
      for (let item = await splitter.next(); item !== undefined; item = await splitter.next())
        if (item.kind === 'item') parts.push(Buffer.from(item.bytes), delimiter)
      const joined = Buffer.concat(parts)
      assert.deepEqual(joined.subarray(0, bytes.length), bytes)
      assert(joined.length === bytes.length || joined.length === bytes.length + length)
    }
  },
}

const MOST_BYTES = 4 << 20
const suffixes = ['.gz', '.br', '.zst'] as const

/** Compressed files: plain bytes come out as another decoder gives them, or an error of logq, in bounded steps. */
export const decoders: FuzzTarget = {
  name: 'decoders',
  inputs: fc.tuple(fc.nat(2), fc.uint8Array({ maxLength: 200 }), fc.nat(2000)).map(([kind, bytes, times]) => {
    const whole = Buffer.concat(Array.from({ length: times }, () => bytes))
    const compressed = [gzipSync(whole), brotliCompressSync(whole, { params: {} }), compress('zstd', whole)][kind] ?? whole
    return Buffer.concat([Uint8Array.of(kind), compressed])
  }),
  prepare: () => loadCodec('zstd'),
  async check(input) {
    const [suffix, bytes] = chosen(input, suffixes)
    checkHash(bytes)
    const outcomes = await Promise.all([[1 << 20], [100, 1]].map((sizes) => decoded(suffix, bytes, sizes)))
    const [first] = outcomes
    for (const other of outcomes) assert.deepEqual(other.bytes, first?.bytes)
    if (first === undefined || first.failed || first.bytes.length >= MOST_BYTES) return
    const other = otherDecoder(suffix, bytes)
    if (other !== undefined) assert.deepEqual(first.bytes, other)
  },
}

/** In two pieces or at once, the hash is the same. */
function checkHash(bytes: Uint8Array): void {
  const [once, twice] = [new Xxh64(), new Xxh64()]
  once.update(bytes)
  const middle = (bytes[0] ?? 0) % (bytes.length + 1)
  twice.update(bytes.subarray(0, middle))
  twice.update(bytes.subarray(middle))
  assert.equal(once.low32(), twice.low32())
}

async function decoded(
  suffix: string,
  bytes: Uint8Array,
  sizes: readonly number[],
): Promise<{ bytes: Buffer; failed: boolean }> {
  const stream = decompressByName(pieceStream(`x${suffix}`, bytes, sizes))
  const parts: Buffer[] = []
  const room = Buffer.alloc(1 << 16)
  try {
    for (let total = 0; total < MOST_BYTES;) {
      const count = await stream.read(room)
      if (count === undefined || count === 0) break
      total += count
      parts.push(Buffer.from(room.subarray(0, count)))
    }
    return { bytes: Buffer.concat(parts), failed: false }
  } catch (error) {
    if (!isLogqError(error)) throw error
    // How much comes before the damage is seen depends on the pieces.
    return { bytes: Buffer.alloc(0), failed: true }
  } finally {
    stream.close()
  }
}

function pieceStream(name: string, bytes: Uint8Array, sizes: readonly number[]): InputStream {
  let at = 0
  let turn = 0
  return {
    isTerminal: false,
    name,
    read(buffer) {
      const size = sizes[turn++ % sizes.length] ?? 1
      const piece = bytes.subarray(at, at + Math.min(size, buffer.length))
      buffer.set(piece)
      at += piece.length
      return Promise.resolve(piece.length)
    },
    hasDataReady: () => true,
    close: () => undefined,
  }
}

function otherDecoder(suffix: (typeof suffixes)[number], bytes: Uint8Array): Buffer | undefined {
  const limit = { maxOutputLength: MOST_BYTES }
  try {
    if (suffix === '.gz') return gunzipSync(bytes, limit)
    return suffix === '.br' ? brotliDecompressSync(bytes, limit) : Buffer.from(decompress('zstd', bytes, MOST_BYTES))
  } catch {
    // It may be pickier: about bytes behind the end, or what it was not made for.
    return undefined
  }
}
