/** Plain text for --help: wrapped lines and two columns. */

/** Breaks text into lines of at most `width` characters at spaces; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/**
 * Rows of a term and its meaning: meanings begin in one column, under a term that is too long for the first column on the next
 * line.
 */
export function twoColumns(rows: readonly (readonly [term: string, meaning: string])[], width = 80, indent = 2): string[] {
  const longest = Math.max(0, ...rows.map(([term]) => term.length))
  const column = Math.min(longest, 26) + indent + 2
  return rows.flatMap(([term, meaning]) => {
    const [first = '', ...rest] = wrap(meaning, width - column).map((line) => ' '.repeat(column) + line)
    const head = ' '.repeat(indent) + term
    const lines = head.length + 2 <= column ? [head.padEnd(column) + first.slice(column), ...rest] : [head, first, ...rest]
    return lines.map((line) => line.trimEnd())
  })
}
