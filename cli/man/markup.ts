/**
 * Prose in declarations: `**bold**` and `_italic_`, nothing else. An underscore counts only at the edge of a word, so that
 * LOGQ_STORE and read_committed stay as they are.
 */

export interface Span {
  readonly style: 'plain' | 'bold' | 'italic'
  readonly text: string
}

export function spansOf(text: string): Span[] {
  const spans: Span[] = []
  let start = 0
  for (const match of text.matchAll(/\*\*([^*]+)\*\*|(?<![\w_])_([^_\s](?:[^_]*[^_\s])?)_(?![\w_])/g)) {
    if (match.index > start) spans.push({ style: 'plain', text: text.slice(start, match.index) })
    const [whole, bold, italic] = match
    spans.push(bold === undefined ? { style: 'italic', text: italic ?? '' } : { style: 'bold', text: bold })
    start = match.index + whole.length
  }
  if (start < text.length) spans.push({ style: 'plain', text: text.slice(start) })
  return spans
}

export function withoutMarkup(text: string): string {
  return spansOf(text)
    .map((span) => span.text)
    .join('')
}
