/**
 * The buffered writer on standard output: collects bytes in one buffer while the other is being written, so that encoding overlaps
 * the write and memory stays bounded.
 */

export interface OutputWriter {
  readonly isTerminal: boolean
  /**
   * Copies `bytes` into the buffer. Returns undefined when there was room, else a promise to await before writing more:
   * `const wait = output.write(bytes); if (wait !== undefined) await wait`.
   */
  write(bytes: Uint8Array): Promise<void> | undefined
  /** The same for text, as UTF-8. */
  writeText(text: string): Promise<void> | undefined
  /**
   * Lends at least `sizeBytes` of the buffer to be filled in place; then `advance(n)` says how many bytes were. undefined when
   * there is not that much room: then await `flush()` and ask again. Room above the buffer's size is allocated for the purpose.
   */
  reserve(sizeBytes: number): { readonly buffer: Uint8Array; readonly start: number } | undefined
  advance(sizeBytes: number): void
  /** Starts writing what is buffered and waits until all of it was accepted. Call it when input pauses. */
  flush(): Promise<void>
  /** Bytes of everything written that the operating system has accepted. */
  readonly acceptedBytes: number
  /** Bytes handed over so far. */
  readonly writtenBytes: number
  /** The reader closed the pipe: nothing more can be delivered, and that is success. Writes are then ignored. */
  readonly readerClosed: boolean
}
