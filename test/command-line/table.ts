/**
 * The form of the tables in tables/: what DESIGN's description of the command line promises, a row each, beside a command line
 * that shows it and everything that can be seen of its run. table.test.ts runs them all; complete.test.ts looks whether anything
 * that a command declares is missing from them.
 */

/**
 * What is promised; the line as it is typed into bash; what it prints. A text alone is all of standard output, with nothing on
 * standard error and status 0. `$T` is a topic name that no other row has.
 */
export type Row = readonly [promise: string, line: string, seen: string | Seen]

export interface Seen {
  /** All of standard output, or what it must match. Nothing when left out. */
  readonly stdout?: string | RegExp
  /** All of standard error, or what it must match. Nothing when left out. */
  readonly stderr?: string | RegExp
  /** What the line exits with: 0 when left out. It is taken for the status of the last logq on the line, or of the one named here. */
  readonly status?: number
  readonly statusOf?: string
  readonly stdin?: string | Uint8Array
}

export interface Table {
  readonly title: string
  /**
   * Makes what the rows read, in a store that only this table has. Rows change nothing of it, and run beside each other. The
   * folder test/fixtures is `$FIXTURES`.
   */
  readonly before?: string
  readonly rows: readonly Row[]
}

/** `'a b'` is what a command prints that prints a and b. */
export function lines(words: string): string {
  return words.replaceAll(' ', '\n') + (words === '' ? '' : '\n')
}

/** A usage error: status 2, the text somewhere on standard error, nothing on standard output. */
export function refused(stderr: RegExp, status = 2): Seen {
  return { status, stderr }
}

/** A line that runs while another process is stopped at a failpoint of this one, and ends as that line does. */
export function besideStopped(failpoint: string, other: string, line: string): string {
  return `{ LOGQ_FAILPOINT=${failpoint}=stop ${other} < /dev/null > /dev/null 2>&1 & p=$!; until grep -q "State:.T" /proc/$p/status; do sleep 0.05; done; ${line}; s=$?; kill -9 $p; exit $s; }`
}
