/**
 * Standard streams that are safe to share (DESIGN: never `process.stdin/stdout/stderr` on a pipe, never a blocking call on the
 * thread pool). The interface that commands get; the real ones are in standard-streams.ts.
 */

export interface InputStream {
  readonly isTerminal: boolean
  /**
   * Reads what is there into `buffer`, waiting for at least one byte; 0 at the end of the input. `signal` ends the wait: then
   * undefined. A message for the user names `name`.
   */
  read(buffer: Uint8Array, signal?: AbortSignal): Promise<number | undefined>
  /** True when a `read` would probably return at once (a file, or bytes already waiting). */
  hasDataReady(): boolean
  /** Bytes of the file that was named as input, when it is a file; undefined for everything that ends when it ends. */
  sizeBytes?(): number | undefined
  readonly name: string
  close(): void
}

export interface OutputStream {
  readonly isTerminal: boolean
  /** Columns of the terminal, undefined when it is not one. */
  readonly columns: number | undefined
  /**
   * Resolves when the operating system accepted every byte; `bytes` must not change until then. Rejects with the system error:
   * EPIPE when the reader is gone, ENOSPC on a full disk.
   */
  write(bytes: Uint8Array): Promise<void>
  /** Bytes accepted so far. */
  readonly acceptedBytes: number
  close(): Promise<void>
}

export interface StandardStreams {
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
}
