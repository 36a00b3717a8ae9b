/**
 * The worked examples of the format-spec pages: the bytes of every ```hex fence, and the ```json fence that follows it.
 *
 * In a hex fence, `#` begins a comment that ends with its line, and space between digits is free.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../helpers/project.js'

export interface WorkedExample {
  /** The heading above it. */
  readonly title: string
  readonly bytes: Uint8Array
  /** The JSON fence between this hex fence and the next one; undefined when there is none. */
  readonly expected: unknown
}

/** All examples of a page, in order: `readWorkedExamples('record-batch.md')`. Throws when there is none, or one is not hex. */
export function readWorkedExamples(page: string): WorkedExample[] {
  const examples = parseWorkedExamples(readFileSync(join(projectRoot, 'format-spec', page), 'utf8'))
  if (examples.length === 0) throw new Error(`format-spec/${page} has no hex fence`)
  return examples
}

/** The same for the text of a page. */
export function parseWorkedExamples(markdown: string): WorkedExample[] {
  const examples: { title: string; bytes: Uint8Array; expected: unknown }[] = []
  let title = ''
  for (const match of markdown.matchAll(/^#+ (?<heading>[^\n]*)$|^```(?<language>\w+)\n(?<text>.*?)^```$/gms)) {
    const { heading, language, text = '' }: Partial<Record<string, string>> = match.groups ?? {}
    if (heading !== undefined) title = heading
    if (language === 'hex') examples.push({ title, bytes: parseHex(text), expected: undefined })
    const last = examples[examples.length - 1]
    if (language === 'json' && last !== undefined && last.expected === undefined) last.expected = JSON.parse(text)
  }
  return examples
}

function parseHex(text: string): Uint8Array {
  const digits = text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, '')
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not whole bytes in lower-case hex: ${digits}`)
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
