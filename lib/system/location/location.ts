/**
 * A place outside of a store that keeps files as wholes: a directory, or a prefix in an S3 bucket. Names are relative paths with `/`
 * between their parts; whoever builds one builds it from checked parts.
 */
export interface Location {
  /** As messages name it: an absolute path, or s3://BUCKET/PREFIX. */
  readonly name: string
  /** All files below a folder, by their paths from the top, sorted; '' is the top. Those under way are left out. */
  list(folder: string, signal?: AbortSignal): Promise<string[]>
  /** Undefined when there is no such file. */
  sizeOf(file: string, signal?: AbortSignal): Promise<number | undefined>
  /** Bytes of a file, fewer than asked for only where it ends. */
  read(file: string, position: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>
  /** Puts a file in place as a whole, or nothing; durable on return. A piece may be reused once the next one is asked for. */
  put(file: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, signal?: AbortSignal): Promise<void>
  /** Durable on return. It is no error that there is no such file. */
  remove(file: string, signal?: AbortSignal): Promise<void>
  /** Removes what writers that were killed left in a folder. The caller is the only writer there. */
  sweep(folder: string): void
  close(): void
}
