/** Columns for people: a heading, numbers to the right, the last column as it is. */

export interface TableOptions {
  /** The last column is text, and begins at one place. */
  readonly lastIsText?: boolean
  /** One blank between columns, for tables that would be too wide otherwise. */
  readonly isNarrow?: boolean
}

/** Lines of cells under `head`, each column as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], options: TableOptions = {}): string[] {
  const widths = head.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length),
  )
  const last = head.length - 1
  const gap = options.isNarrow === true ? ' ' : '  '
  const line = (cells: readonly string[]) =>
    cells.map((cell, n) => (options.lastIsText === true && n === last ? cell : cell.padStart(widths[n] ?? 0))).join(gap)
  return [head, ...rows].map(line)
}
