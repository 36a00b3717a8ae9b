/** What the tests of the public API share: a store in a temporary directory, and text for bytes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createNodeSystem,
  openOrCreateStore,
  readRecords,
  type ReadOptions,
  type Store,
  type TopicRecord,
} from '../../lib/index.js'
import type { TestLike } from '../helpers/run-cli.js'

export async function temporaryStore(t: TestLike): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), 'logq-library-'))
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true })
  })
  return openOrCreateStore(createNodeSystem(), join(directory, 'store'))
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function text(part: Uint8Array | null): string {
  return part === null ? 'null' : new TextDecoder().decode(part)
}

export async function valuesOf(store: Store, topic: string, options: ReadOptions = {}): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of readRecords(store, topic, options)) values.push(text(value))
  return values
}

/** The next `count` of what an iteration gives. */
export async function take(records: AsyncIterator<TopicRecord>, count: number): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const next = await records.next()
    if (next.done === true) break
    values.push(text(next.value.value))
  }
  return values
}
