/** What must hold of a store after any crash of a producer: every printed offset is there with that content, and work goes on. */
import type { Cli } from './run-cli.js'

/**
 * What is wrong, or undefined. `acknowledged`: lines `topic:partition@offset`, one for each line of the input `lines` in order.
 * After that `produce` and `cat` must work without help, offsets must be contiguous, and no line may be there twice or out of
 * order.
 */
export async function judge(
  cli: Cli,
  topic: string,
  acknowledged: readonly string[],
  lines: readonly string[],
): Promise<string | undefined> {
  const next = await cli.shell(`echo afterwards | logq produce ${topic} && logq cat ${topic} -F '${topic}:%p@%o %v\\n'`)
  if (next.status !== 0 || next.stderr !== '') return `the next command ended with ${String(next.status)}: ${next.stderr}`
  const records = next.stdout.toString().trimEnd().split('\n')
  const present = new Map(
    records.map((record) => [record.slice(0, record.indexOf(' ')), record.slice(record.indexOf(' ') + 1)]),
  )
  for (const [n, place] of acknowledged.entries()) {
    if (present.get(place) !== lines[n])
      return `${place} was printed for '${String(lines[n])}', and is '${String(present.get(place))}'`
  }
  const values = records.map((record) => record.slice(record.indexOf(' ') + 1))
  if (values.at(-1) !== 'afterwards') return `the last record is '${String(values.at(-1))}'`
  for (const [n, record] of records.entries()) {
    if (!record.startsWith(`${topic}:0@${n} `)) return `record ${n} is '${record}'`
  }
  const written = values.filter((value) => value !== 'afterwards')
  for (const [n, value] of written.entries()) {
    if (value !== lines[n]) return `line ${n} is '${value}', not '${String(lines[n])}'`
  }
  return undefined
}

/** The whole lines of what a producer printed before it died: a last one without line end may be cut. */
export function wholeLines(output: Buffer): string[] {
  return output.toString().split('\n').slice(0, -1)
}
