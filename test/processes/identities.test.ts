/** Copies through pipes are identities, and any bytes between delimiters come back: properties, through the built program. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { makeCli } from '../helpers/run-cli.js'

/** Few runs, since each starts processes; many records a run. */
const runs = { numRuns: 4, interruptAfterTimeLimit: 60_000 }

interface JsonRecord {
  partition: number
  offset?: number
  topic?: string
  timestamp: number
  key: string | null
  value: string | null
  headers: unknown[]
}

const jsonBytes = (name: string) =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => ({ [name]: text.toWellFormed() })),
    fc.constant({ [name]: null }),
    fc.constant({ [name]: '' }),
    fc
      .uint8Array({ maxLength: 60 })
      .map((bytes) => ({ [name]: Buffer.from(bytes).toString('base64'), [`${name}Encoding`]: 'base64' })),
  )

const header = fc
  .tuple(
    fc.string({ maxLength: 8 }).map((text) => text.toWellFormed()),
    jsonBytes('value'),
  )
  .map(([key, value]) => ({ key, ...value }))

const record = fc
  .tuple(
    jsonBytes('key'),
    jsonBytes('value'),
    fc.array(header, { maxLength: 3 }),
    fc.oneof(fc.integer({ min: 0, max: 2_000_000_000_000 }), fc.constant(-1)),
    fc.nat({ max: 2 }),
  )
  .map(([key, value, headers, timestamp, partition]) => ({ ...key, ...value, headers, timestamp, partition }))

const records = fc.array(record, { minLength: 20, maxLength: 400 })

/** A topic as `cat -J` prints it, without what a copy may change: topic and offset. */
function content(lines: Buffer): JsonRecord[] {
  return lines
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { topic: _topic, offset: _offset, ...rest } = JSON.parse(line) as JsonRecord
      return rest
    })
}

test('cat -J | produce -J --keep partition copies a topic, whatever its keys, values, headers and timestamps hold', async (t) => {
  await fc.assert(
    fc.asyncProperty(records, fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd'), async (given, codec) => {
      const cli = makeCli(t)
      const input = `${given.map((one) => JSON.stringify(one)).join('\n')}\n`
      const done = await cli.shell(
        `logq produce a -J --keep partition --partitions 3 -z ${codec} --batch-bytes 2000 &&
         logq cat a -J | logq produce b -J --keep partition --partitions 3 && logq cat a -J > a.json && logq cat b -J > b.json`,
        { stdin: input },
      )
      t.is(done.stderr, '')
      t.is(done.status, 0)
      const a = content((await cli.shell('cat a.json')).stdout)
      const b = content((await cli.shell('cat b.json')).stdout)
      t.is(a.length, given.length)
      t.deepEqual(b, a)
      for (const partition of [0, 1, 2]) {
        const wanted = given.filter((one) => one.partition === partition).map(normal)
        t.deepEqual(a.filter((one) => one.partition === partition).map(normal), wanted)
      }
    }),
    runs,
  )
})

/** Text and base64 of the same bytes are the same. */
function normal(one: object): unknown {
  const bytesOf = (text: unknown, encoding: unknown) =>
    typeof text !== 'string' ? null : Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8').toString('hex')
  const fields = new Map<string, unknown>(Object.entries(one))
  const headers = (fields.get('headers') as Record<string, unknown>[]).map(({ key, value, valueEncoding }) => [
    key,
    bytesOf(value, valueEncoding),
  ])
  return {
    key: bytesOf(fields.get('key'), fields.get('keyEncoding')),
    value: bytesOf(fields.get('value'), fields.get('valueEncoding')),
    headers,
    timestamp: fields.get('timestamp'),
  }
}

test('cat --format batch | produce --format batch copies a partition, in every codec', async (t) => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    await fc.assert(
      fc.asyncProperty(records, async (given) => {
        const cli = makeCli(t)
        const input = `${given.map((one) => JSON.stringify(one)).join('\n')}\n`
        const done = await cli.shell(
          `logq produce a -J -z ${codec} --batch-bytes 1500 && logq cat a --format batch > raw && logq produce b --format batch raw &&
           cat raw | logq produce c --format batch && logq cat b --format batch | cmp - raw &&
           for topic in a b c; do logq cat $topic -J | sed 's/^{"topic":"."/{/' > $topic.json; done; cmp a.json b.json && cmp a.json c.json`,
          { stdin: input },
        )
        t.is(done.stderr, '')
        t.is(done.status, 0)
        t.is((await cli.shell('wc -l < c.json')).stdout.toString().trim(), String(given.length))
      }),
      { ...runs, numRuns: 1 },
    )
  }
})

/** As -D takes them, and their bytes. */
const delimiters = [
  ['\\0', '\0'],
  ['\\n', '\n'],
  ['ab', 'ab'],
  ['\\xff\\xfe\\xff', '\xff\xfe\xff'],
  ['\\x0d\\n', '\r\n'],
] as const

test('any bytes between delimiters come back the same, for any delimiter', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ minLength: 2000, maxLength: 9000 })), {
        minLength: 1,
        maxLength: 300,
      }),
      fc.constantFrom(...delimiters),
      fc.boolean(),
      async (given, [delimiter, text], ended) => {
        const cli = makeCli(t)
        const bytes = Buffer.from(text, 'latin1')
        const input = Buffer.concat(given.flatMap((one, n) => (n < given.length - 1 || ended ? [one, bytes] : [one])))
        writeFileSync(join(cli.directory, 'in'), input)
        const done = await cli.shell(
          `logq produce f -D '${delimiter}' --batch-bytes 5000 in && cat in | logq produce p -D '${delimiter}' &&
           logq cat f -D '${delimiter}' > f.out && logq cat p -D '${delimiter}' > p.out; cmp f.out p.out; cat f.out`,
        )
        t.is(done.stderr, '')
        t.is(done.status, 0)
        // What stands after the last delimiter counts as a record, and gets a delimiter of its own.
        const rest = input.toString('latin1').split(text).at(-1)
        t.deepEqual(done.stdout, rest === '' ? input : Buffer.concat([input, bytes]))
      },
    ),
    runs,
  )
})

test('a template reads what the same template prints', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'k1\\tv1\\n\\tv2\\nk3\\t\\n' | logq produce a -F '%k\\t%v\\n' && logq cat a -F '%k\\t%v\\n' | logq produce b -F '%k\\t%v\\n' &&
     logq cat b -F '%k\\t%v\\n'`,
  )
  t.is(done.stdout.toString(), 'k1\tv1\n\tv2\nk3\t\n')
  t.is(done.stderr, '')
})

test('-0 keeps newlines in values, and an empty value is a record', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'a\\nb\\0\\0c' | logq produce t -0 && logq cat t -0 | od -An -c && logq cat t -J | wc -l`,
  )
  t.is(done.stdout.toString().replaceAll(/ +/g, ' '), ' a \\n b \\0 \\0 c \\0\n3\n')
})
