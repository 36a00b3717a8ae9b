/**
 * --print-offsets: one line for each record, `TOPIC:PARTITION@OFFSET`, in the order of the input, after the record was synced.
 * Records of
 * different partitions are appended in another order than they came, so each waits for those before it.
 */
import type { AppendedRecords } from '../../lib/produce/producer.js'
import type { OutputWriter } from '../output.js'

interface AppendedRun {
  nextOffset: number
  recordCount: number
}

/** Of one partition. There may be a run for each record (duplicates): what was printed is passed over, and taken out once a print. */
interface AppendedRuns {
  readonly runs: AppendedRun[]
  from: number
}

export class Acknowledgements {
  /** Partitions of records that were taken and not printed yet, in input order, as runs. */
  readonly #taken: { readonly partition: number; recordCount: number }[] = []
  readonly #appended = new Map<number, AppendedRuns>()
  #takenFrom = 0

  constructor(
    private readonly topic: string,
    private readonly output: OutputWriter,
  ) {}

  take(partition: number, recordCount: number): void {
    if (recordCount === 0) return
    const last = this.#taken.at(-1)
    if (last?.partition === partition && this.#taken.length > this.#takenFrom) last.recordCount += recordCount
    else this.#taken.push({ partition, recordCount })
  }

  append({ partition, baseOffset, recordCount }: AppendedRecords): void {
    const appended = this.#appended.get(partition) ?? { runs: [], from: 0 }
    appended.runs.push({ nextOffset: baseOffset, recordCount })
    this.#appended.set(partition, appended)
  }

  /** Prints what was appended, as far as the input's order goes. The caller has synced. */
  async print(): Promise<void> {
    for (; this.#takenFrom < this.#taken.length; this.#takenFrom += 1) {
      const run = this.#taken[this.#takenFrom]
      if (run === undefined || !(await this.#printRun(run))) break
    }
    this.#taken.splice(0, this.#takenFrom)
    this.#takenFrom = 0
    for (const appended of this.#appended.values()) {
      appended.runs.splice(0, appended.from)
      appended.from = 0
    }
    await this.output.flush()
  }

  async #printRun(run: { readonly partition: number; recordCount: number }): Promise<boolean> {
    const appended = this.#appended.get(run.partition)
    while (run.recordCount > 0) {
      const range = appended?.runs[appended.from]
      if (appended === undefined || range === undefined) return false
      const count = Math.min(run.recordCount, range.recordCount)
      for (let n = 0; n < count; n += 1) {
        const wait = this.output.writeLine(`${this.topic}:${run.partition}@${range.nextOffset + n}`)
        if (wait !== undefined) await wait
      }
      run.recordCount -= count
      range.nextOffset += count
      range.recordCount -= count
      if (range.recordCount === 0) appended.from += 1
    }
    return true
  }
}
