/**
 * The corpus of a target: what was found once, and what is worth beginning from. A line of corpus/NAME.jsonl is a case:
 *
 *     {"why":"one line: what went wrong","text":"…"}    or "hex", or "base64"
 *     {"why":"…","before":"[","text":"{","times":100000,"after":"]"}
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../helpers/project.js'

export interface CorpusCase {
  readonly why: string
  readonly input: Uint8Array
}

interface Line {
  readonly why: string
  readonly text?: string
  readonly hex?: string
  readonly base64?: string
  readonly before?: string
  readonly times?: number
  readonly after?: string
}

export function readCorpus(target: string): CorpusCase[] {
  const path = join(projectRoot, 'test', 'fuzz', 'corpus', `${target}.jsonl`)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const given = JSON.parse(line) as Line
    const once =
      given.hex !== undefined
        ? Buffer.from(given.hex, 'hex')
        : Buffer.from(given.base64 ?? given.text ?? '', given.base64 === undefined ? 'utf8' : 'base64')
    const parts = Array.from({ length: given.times ?? 1 }, () => once)
    return { why: given.why, input: Buffer.concat([Buffer.from(given.before ?? ''), ...parts, Buffer.from(given.after ?? '')]) }
  })
}

/** An input as a line that can be added to the corpus. */
export function corpusLine(why: string, input: Uint8Array): string {
  const bytes = Buffer.from(input)
  const text = bytes.toString('utf8')
  return JSON.stringify(Buffer.from(text, 'utf8').equals(bytes) ? { why, text } : { why, hex: bytes.toString('hex') })
}
