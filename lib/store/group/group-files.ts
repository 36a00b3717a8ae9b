/**
 * A consumer group on disk, opened by one process: state, committed offsets and history, read at any time and changed under the group's
 * lock (format-spec/group.md). What a change means is decided above; here it becomes durable.
 */
import { LogqError } from '../../errors.js'
import { openOrCreateFile, readSmallFile, replaceFile } from '../../system/durable.js'
import type { LockWait } from '../../system/lock-wait.js'
import { twinOf } from '../names.js'
import { makeDirectory, requireWritable, type Store } from '../store.js'
import type { Commit, CommittedOffsets } from './committed-offsets.js'
import { GroupLock } from './group-lock.js'
import {
  GROUP_FILE,
  GROUP_LOCK_FILE,
  HISTORY_FILE,
  MEMBERS_DIRECTORY,
  OFFSETS_FILE,
  groupDirectory,
  groupExists,
  groupsDirectory,
  listGroups,
  requireGroup,
} from './group-paths.js'
import type { GroupState } from './group-state.js'
import { HistoryFile } from './history-file.js'
import { OffsetsFile, type OffsetsDamage } from './offsets-file.js'
import { StateFile } from './state-file.js'

/** What a change of a group works on; valid only until it returns. */
export interface LockedGroup {
  readonly state: GroupState
  readonly offsets: CommittedOffsets
  /** The same for those who go by them. Throws LOGQ_CORRUPT where commits that were promised cannot be read. */
  readonly requireOffsets: () => CommittedOffsets
  readonly history: HistoryFile
  /** Replaces the state, durably. */
  readonly saveState: (state: GroupState) => void
  /** Appends a commit; `sync` makes it durable. Throws as `requireOffsets`. */
  readonly commit: (commit: Commit) => void
  /** Writes the offsets file anew, without damaged lines, of which a copy is kept. Returns the path of the copy. */
  readonly salvageOffsets: () => string
}

/** What is known of a group without holding its lock. */
export interface GroupSnapshot {
  readonly state: GroupState
  /** Whether group.json was missing or damaged: the state is then that of an empty group. */
  readonly isStateDamaged: boolean
  readonly offsets: CommittedOffsets
  readonly damage: readonly OffsetsDamage[]
}

export class GroupFiles {
  readonly directory: string
  readonly #lock: GroupLock
  readonly #offsets: OffsetsFile
  readonly #history: HistoryFile
  readonly #state: StateFile

  private constructor(
    readonly store: Store,
    readonly group: string,
  ) {
    const { system, ownership } = store
    this.directory = groupDirectory(store, group)
    this.#lock = GroupLock.open(system, this.directory, group)
    this.#offsets = new OffsetsFile(system, this.directory, OFFSETS_FILE, ownership)
    this.#state = new StateFile(system, `${this.directory}/${GROUP_FILE}`, ownership)
    this.#history = new HistoryFile(system, `${this.directory}/${HISTORY_FILE}`, ownership)
  }

  /** Throws LOGQ_UNKNOWN_GROUP, or LOGQ_USAGE for a name that cannot be one. */
  static open(store: Store, group: string): GroupFiles {
    requireGroup(store, group)
    return new GroupFiles(store, group)
  }

  /**
   * 1 directories; 2 the lock file: the group exists from here on. Crash before 2: the next creation goes on. Throws LOGQ_USAGE for a
   * name that cannot be one, LOGQ_CONFLICT for one that is too like another, LOGQ_READ_ONLY_STORE, or a system error.
   */
  static openOrCreate(store: Store, group: string): GroupFiles {
    if (!groupExists(store, group)) create(store, group)
    const members = `${groupDirectory(store, group)}/${MEMBERS_DIRECTORY}`
    if (store.system.fs.pathStatus(members) === undefined) makeDirectory(store.system, members, store.ownership)
    return new GroupFiles(store, group)
  }

  /** Runs `change`, which must not wait for anything, under the group's lock. Throws what GroupLock.run throws. */
  change<Result>(change: (locked: LockedGroup) => Result, wait: LockWait = {}): Promise<Result> {
    return this.#lock.run(() => {
      this.#state.refresh()
      this.#offsets.refresh()
      const { generation } = this.#offsets.offsets
      const saved = this.#state.state
      // A generation never comes twice, also after group.json was lost.
      const state = generation > saved.generation ? { ...saved, generation } : saved
      return change({
        state,
        offsets: this.#offsets.offsets,
        requireOffsets: () => {
          this.#refuseDamage()
          return this.#offsets.offsets
        },
        history: this.#history,
        saveState: (next) => this.#state.save(next),
        commit: (commit) => {
          this.#refuseDamage()
          this.#offsets.append(commit, this.#lock)
          this.#offsets.rewriteWhenLarge(this.#lock)
        },
        salvageOffsets: () => this.#salvage(),
      })
    }, wait)
  }

  /** Makes all commits of this process durable. */
  sync(): Promise<void> {
    return this.#offsets.sync(this.#lock)
  }

  /** A look without the lock. Throws LOGQ_NEWER_FORMAT. */
  read(): GroupSnapshot {
    this.#state.refresh()
    const { state, isDamaged: isStateDamaged } = this.#state
    this.#offsets.refresh()
    const damage = this.#offsets.damage(this.#lock.readSyncedLength())
    return { state, isStateDamaged, offsets: this.#offsets.offsets, damage }
  }

  /** The same for those who go by the offsets: LOGQ_CORRUPT where commits that were promised cannot be read. */
  readSurely(): GroupSnapshot {
    const snapshot = this.read()
    this.#refuseDamage()
    return snapshot
  }

  /** Bytes of the offsets file. */
  get offsetsBytes(): number {
    return this.#offsets.sizeBytes
  }

  close(): void {
    this.#offsets.close()
    this.#state.close()
    this.#lock.close()
  }

  #salvage(): string {
    const { system, ownership } = this.store
    const path = `${this.directory}/${OFFSETS_FILE}`
    const copy = `${path}.damaged-${system.clock.nowMs()}`
    replaceFile(system, copy, readSmallFile(system.fs, path, Number.MAX_SAFE_INTEGER) ?? new Uint8Array(0), ownership)
    this.#offsets.rewrite(this.#lock)
    return copy
  }

  #refuseDamage(): void {
    this.#offsets.refuseDamage(this.#lock.readSyncedLength(), this.group)
  }
}

function create(store: Store, group: string): void {
  requireWritable(store, { allowNetworkFileSystem: true })
  const twin = twinOf(group, listGroups(store))
  if (twin !== undefined)
    throw new LogqError('LOGQ_CONFLICT', `group '${group}' is too like the group '${twin}'`, { hint: 'choose another name' })
  const { system, ownership } = store
  const directory = groupDirectory(store, group)
  makeDirectory(system, groupsDirectory(store), ownership) // 1
  system.fs.syncDirectory(store.path)
  makeDirectory(system, directory, ownership)
  makeDirectory(system, `${directory}/${MEMBERS_DIRECTORY}`, ownership)
  system.fs.syncDirectory(groupsDirectory(store))
  system.failpoint('group-create.before-lock')
  system.fs.close(openOrCreateFile(system, `${directory}/${GROUP_LOCK_FILE}`, ownership)) // 2
  system.fs.syncDirectory(directory)
}
