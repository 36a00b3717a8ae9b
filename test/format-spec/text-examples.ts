/** The worked examples of pages whose format is text: every ```text fence, and the ```json fence that follows it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fencesOf } from '../helpers/markdown.js'
import { projectRoot } from '../helpers/project.js'

export interface TextExample {
  /** The heading above it. */
  readonly title: string
  readonly text: string
  readonly expected: unknown
}

export function readPage(page: string): string {
  return readFileSync(join(projectRoot, 'format-spec', page), 'utf8')
}

/** Throws when the page has none. */
export function readTextExamples(page: string): TextExample[] {
  const fences = fencesOf(readPage(page))
  const examples = fences.flatMap(({ title, language, text }, n) => {
    if (language !== 'text') return []
    const next = fences.slice(n + 1).find((fence) => ['text', 'json'].includes(fence.language))
    return [{ title, text, expected: next?.language === 'json' ? (JSON.parse(next.text) as unknown) : undefined }]
  })
  if (examples.length === 0) throw new Error(`format-spec/${page} has no text fence`)
  return examples
}
