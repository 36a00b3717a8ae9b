/** JSON: the scanner against JSON.parse, paths into values, and the record that a line is. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseJsonPath } from '../../../cli/print/json-path.js'
import { jsonPrinter } from '../../../cli/print/json-print.js'
import { parseJsonRecord } from '../../../cli/print/json-parse.js'
import { findValue, scanArray, scanObject } from '../../../cli/print/json-scanner.js'
import type { ParsedRecord } from '../../../cli/print/parsed-record.js'
import { plain, printed, record, someRecord } from '../../cli/print/records.js'
import { bytesOf, textOf, unlessRefused, type FuzzTarget } from '../target.js'

const words = [
  '"__proto__":',
  '"value":',
  '"a":',
  '\\u0000',
  '\\ud800',
  '\\\\',
  '"',
  '{}',
  '[',
  ']',
  '{',
  '}',
  ',',
  '1e3',
  '-0',
  'null',
  '\ufeff',
  ' ',
]

export const jsonScanner: FuzzTarget = {
  name: 'json-scanner',
  inputs: fc.json({ maxDepth: 4 }).map(bytesOf),
  words,
  check(input) {
    const text = textOf(input)
    const value = parsed(text)
    const isArray = Array.isArray(value)
    const members = scanned(() => scanObject(text))
    assert.equal(members !== undefined, value !== undefined && typeof value === 'object' && value !== null && !isArray)
    assert.equal(scanned(() => scanArray(text)) !== undefined, isArray)
    if (members !== undefined) {
      const last = new Map(members.map(({ name, value: { source, string } }) => [name, { source, string }]))
      assert.deepEqual([...last.keys()].sort(), Object.keys(value as object).sort())
      for (const [name, { source, string }] of last) {
        const own: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
        assert.deepEqual(JSON.parse(source), own)
        assert.equal(string, typeof own === 'string' ? own : undefined)
        assert.deepEqual(
          scanned(() => findValue(text, [name])),
          { source, string },
        )
      }
    }
    if (isArray) {
      const elements = scanArray(text)
      assert.deepEqual(
        elements.map(({ source }): unknown => JSON.parse(source)),
        value,
      )
      const middle = elements.length >> 1
      assert.deepEqual(findValue(text, [middle]), elements[middle])
      assert.equal(findValue(text, [elements.length]), undefined)
    }
  },
}

/** Undefined for what is not JSON, which no JSON is. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function scanned<Parts>(scan: () => Parts): Parts | undefined {
  try {
    return scan()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** A line as a record; one that is taken is printed and read again. */
export const jsonRecord: FuzzTarget = {
  name: 'json-record',
  inputs: someRecord.map((one) => {
    const line = printed((out) => {
      jsonPrinter({ gate: (bytes) => bytes }).print('t', 3, one, out)
    })
    return bytesOf(line.trimEnd())
  }),
  words: [...words, '"headers":[', '"headers":{', '"key":', '"valueEncoding":"base64"', '"timestamp":', '"partition":'],
  check(input) {
    const first = unlessRefused(() => parseJsonRecord(input))
    if (first === undefined) return
    const line = printRecord(first)
    assert.deepEqual(plain(filled(parseJsonRecord(bytesOf(line)))), plain(filled(first)))
  },
}

function printRecord({ record: { key, value, headers, timestampMs }, partition }: ParsedRecord): string {
  return printed((out) => {
    const fields = { key: key ?? null, value: value ?? null, headers: [...(headers ?? [])], timestampMs: timestampMs ?? -1 }
    jsonPrinter({ gate: (bytes) => bytes }).print('t', partition ?? 0, record(fields), out)
  })
}

/** What was left out has the value that it is printed with. */
function filled({ record: { key, value, headers, timestampMs }, partition }: ParsedRecord): unknown {
  return {
    key: key ?? null,
    value: value ?? null,
    headers: headers ?? [],
    timestampMs: timestampMs ?? -1,
    partition: partition ?? 0,
  }
}

export const jsonPath: FuzzTarget = {
  name: 'json-path',
  inputs: fc.constantFrom('.', '.a', '.a.b_1', '.items[0].id', '."odd name".id', '.[3]["a\\"b"]', '.[0][1][2]').map(bytesOf),
  words: ['.', '[', ']', '"', '\\', '0', '01', '.a', '["', '"]', '9007199254740993'],
  check(input) {
    const path = unlessRefused(() => parseJsonPath(textOf(input)))
    if (path === undefined || path.steps.length === 0) return
    const again = path.steps.map((step) => (typeof step === 'number' ? `.[${step}]` : `.${JSON.stringify(step)}`)).join('')
    assert.deepEqual(parseJsonPath(again).steps, path.steps)
  },
}
