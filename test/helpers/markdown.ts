/** The fenced blocks of a markdown page, for tests that execute what a page shows. */

export interface Fence {
  /** The heading above it. */
  readonly title: string
  readonly language: string
  readonly text: string
}

/** All fences of a page, in order. */
export function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = []
  let title = ''
  for (const match of markdown.matchAll(/^#+ (?<heading>[^\n]*)$|^```(?<language>\w*)\n(?<text>.*?)^```$/gms)) {
    const { heading, language, text = '' } = match.groups ?? {}
    if (heading !== undefined) title = heading
    if (language !== undefined) fences.push({ title, language, text })
  }
  return fences
}

/** The rows of the first table below a heading, cell by cell, without its head; backquotes are dropped. */
export function tableBelow(markdown: string, heading: string): string[][] {
  const start = markdown.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`no heading '${heading}'`)
  const lines = markdown.slice(start).split('\n')
  const first = lines.findIndex((line) => line.startsWith('|'))
  const length = lines.slice(first).findIndex((line) => !line.startsWith('|'))
  return lines.slice(first + 2, first + length).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}
