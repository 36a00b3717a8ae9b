/**
 * `group.json` as one process sees it: read again only when another file stands in its place (format-spec/group.md). Each commit of each
 * member asks for it, and in a large group it is large.
 */
import { LogqError } from '../../errors.js'
import { readUpTo, replaceFile, type Ownership } from '../../system/durable.js'
import { HeldFile } from '../../system/held-file.js'
import type { System } from '../../system/system.js'
import { EMPTY_GROUP, formatGroupState, parseGroupState, type GroupState } from './group-state.js'

const MAX_STATE_BYTES = 64 << 20

export class StateFile {
  readonly #file: HeldFile
  #bytes: Uint8Array | undefined
  #state: GroupState | undefined

  constructor(
    private readonly system: System,
    private readonly path: string,
    private readonly ownership: Ownership,
  ) {
    this.#file = new HeldFile(system.fs, path)
  }

  /** As of the last `refresh` or `save`. A group whose file is missing or damaged is taken for an empty one. */
  get state(): GroupState {
    return this.#state ?? EMPTY_GROUP
  }

  /** Whether the file was missing or damaged. */
  get isDamaged(): boolean {
    return this.#state === undefined
  }

  /** Throws LOGQ_NEWER_FORMAT, LOGQ_CORRUPT for a file that is far too large, or a system error. */
  refresh(): void {
    if (this.#file.isSame()) return
    const bytes = this.#read()
    // Who has the state goes by whether it is another one.
    if (bytes !== undefined && this.#bytes !== undefined && Buffer.compare(bytes, this.#bytes) === 0) return
    this.#state = bytes === undefined ? undefined : parseGroupState(bytes, this.path)
    this.#bytes = this.#state === undefined ? undefined : bytes
  }

  /** Replaces the file, durably. The caller holds the group's lock. */
  save(state: GroupState): void {
    const bytes = formatGroupState(state)
    replaceFile(this.system, this.path, bytes, this.ownership)
    this.#bytes = bytes
    this.#state = state
  }

  close(): void {
    this.#file.close()
  }

  #read(): Uint8Array | undefined {
    const file = this.#file.take()
    if (file === undefined) return undefined
    const { fd, sizeBytes } = file
    if (sizeBytes > MAX_STATE_BYTES) {
      this.#file.close()
      throw new LogqError('LOGQ_CORRUPT', `'${this.path}' has ${sizeBytes} bytes, at most ${MAX_STATE_BYTES} are expected`)
    }
    return readUpTo(this.system.fs, fd, 0, sizeBytes)
  }
}
