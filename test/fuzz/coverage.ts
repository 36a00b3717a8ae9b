/** What of the program ran, as V8 counts it: an input that makes something run for the first time is worth mutating further. */
import { type Profiler, Session } from 'node:inspector'

export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get blockCount(): number {
    return this.#seen.size
  }

  /** Blocks that ran since the last call and never before; they count as seen only when `note` was told of them. */
  take(): string[] {
    let fresh: string[] = []
    this.#session.post('Profiler.takePreciseCoverage', (error, coverage) => {
      if (error === null) fresh = this.#freshIn(coverage.result)
    })
    return fresh
  }

  note(blocks: readonly string[]): void {
    for (const block of blocks) this.#seen.add(block)
  }

  #freshIn(scripts: readonly Profiler.ScriptCoverage[]): string[] {
    const fresh: string[] = []
    for (const { url, scriptId, functions } of scripts) {
      if (!url.startsWith('file:') || url.includes('/test-build/test/')) continue
      for (const { ranges } of functions) {
        for (const { count, startOffset, endOffset } of ranges) {
          const block = `${scriptId}:${startOffset}:${endOffset}`
          if (count > 0 && !this.#seen.has(block)) fresh.push(block)
        }
      }
    }
    return fresh
  }
}
