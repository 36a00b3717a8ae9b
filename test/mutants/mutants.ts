/**
 * The mutants: changes of the product that would lose, double or invent records, each with the test that has to notice
 * (README.md says how to add one). Their places in lib are exact texts, so that none can outlive the code that it changes.
 */
export interface Mutant {
  readonly name: string
  /** What goes wrong, in words. */
  readonly breaks: string
  readonly file: string
  /** Each text stands in the file once; it is replaced by the other. */
  readonly edits: readonly (readonly [original: string, replacement: string])[]
  /** The test that fails with it: its file, and its title. */
  readonly test: { readonly file: string; readonly title: string }
}

const LOG = 'lib/log/log.ts'
const RECOVERY = 'lib/log/recovery.ts'
const TOPICS = 'lib/store/topics.ts'

export const mutants: readonly Mutant[] = [
  {
    name: 'ack-before-fsync',
    breaks: 'a sync returns when fdatasync was begun, not when it was done',
    file: LOG,
    edits: [['await system.fs.fdatasync(files.logFd)', 'void system.fs.fdatasync(files.logFd).catch(() => undefined)']],
    test: {
      file: 'test/crash/append-crash.test.ts',
      title: 'Log.append() and sync() may die before any change of the disk',
    },
  },
  {
    name: 'printed-before-fsync',
    breaks: 'a producer gives offsets out before they are on the device',
    file: 'lib/produce/producer.ts',
    edits: [
      ['for (const log of this.#logs.values()) await log.sync()', 'for (const log of this.#logs.values()) void log.sync()'],
    ],
    test: {
      file: 'test/produce/producer.test.ts',
      title: 'sync() does not return before the device has the records',
    },
  },
  {
    name: 'offset-printed-before-sync',
    breaks: 'the program prints offsets of records that were appended and not synced',
    file: 'cli/input/pace.ts',
    edits: [
      [
        '    await this.producer.sync()\n    this.#collectedSinceMs',
        '    await this.producer.flush()\n    await this.acknowledgements?.print()\n    await this.producer.sync()\n    this.#collectedSinceMs',
      ],
    ],
    test: { file: 'test/processes/kill.test.ts', title: 'no offset is printed before its record was synced' },
  },
  {
    name: 'sync-acknowledges-too-much',
    breaks: 'a sync acknowledges what was appended after it had begun',
    file: LOG,
    edits: [
      [
        'this.#noteSynced(present, offset, position)',
        'this.#noteSynced(present, present.tail.logEndOffset, present.tail.logBytes)',
      ],
    ],
    test: {
      file: 'test/log/log.test.ts',
      title: 'a sync acknowledges what was written before it began and no more, whoever appends meanwhile',
    },
  },
  {
    name: 'no-directory-fsync-at-roll',
    breaks: 'a new segment is acknowledged before its name is durable',
    file: 'lib/log/segment-files.ts',
    edits: [
      [
        "system.failpoint('segment.after-create')\n    system.fs.syncDirectory(directory)",
        "system.failpoint('segment.after-create')",
      ],
    ],
    test: {
      file: 'test/crash/append-crash.test.ts',
      title: 'Log.append() with rolls may die before any change of the disk',
    },
  },
  {
    name: 'no-directory-fsync-of-small-files',
    breaks: 'a small file counts as replaced before its new name is durable',
    file: 'lib/system/durable.ts',
    edits: [['    throw error\n  }\n  fs.syncDirectory(directory)\n}', '    throw error\n  }\n}']],
    test: {
      file: 'test/crash/topics-crash.test.ts',
      title: 'alterTopic() may die before any change of the disk, and the topic has the old settings or the new ones',
    },
  },
  {
    name: 'no-fsync-before-rename',
    breaks: 'a small file is renamed before its bytes are durable',
    file: 'lib/system/durable.ts',
    edits: [
      [
        '      fs.fdatasyncBlocking(fd)\n    } finally {\n      fs.close(fd)\n    }\n    system',
        '    } finally {\n      fs.close(fd)\n    }\n    system',
      ],
    ],
    test: {
      file: 'test/crash/topics-crash.test.ts',
      title: 'alterTopic() may die before any change of the disk, and the topic has the old settings or the new ones',
    },
  },
  {
    name: 'state-block-before-the-batch',
    breaks: 'the state block speaks of a batch that is not written yet',
    file: LOG,
    edits: [
      ["      this.#write(files, batch.bytes, position)\n      this.context.system.failpoint('append.after-write')\n", ''],
      [
        "failpoint('append.after-index')\n      this.#writeState(end, true)",
        "failpoint('append.after-index')\n      this.#writeState(end, true)\n      this.#write(files, batch.bytes, position)\n      this.context.system.failpoint('append.after-write')",
      ],
    ],
    test: {
      file: 'test/format-spec/ordering.test.ts',
      title: 'ordering.md: appending and syncing make the calls that are listed',
    },
  },
  {
    name: 'closed-segment-not-synced',
    breaks: 'a roll creates the next segment before the old one is on the device',
    file: LOG,
    edits: [
      ['    this.#syncBlocking(end) // 3\n', ''],
      ['    this.#unsyncedBytes = 0\n    this.#writeState(next, true) // 5', '    this.#writeState(next, true) // 5'],
    ],
    test: {
      file: 'test/crash/append-crash.test.ts',
      title: 'Log.append() with rolls may die before any change of the disk',
    },
  },
  {
    name: 'append-without-the-lock',
    breaks: 'two processes append at the same place',
    file: LOG,
    edits: [
      [
        'if (!this.#lock.tryAcquire()) await this.#lock.acquire(wait)\n    let range: AppendedRange',
        'let range: AppendedRange',
      ],
    ],
    test: {
      file: 'test/processes/stopped-holder.test.ts',
      title: 'producers wait for one that is stopped at append.after-write, name its pid, and go on when it is killed',
    },
  },
  {
    name: 'state-block-trusted-blindly',
    breaks: 'the end of the log is where the state block says, whatever fstat says',
    file: LOG,
    edits: [['|| sizeBytes !== state.logBytes ||', '|| sizeBytes < 0 ||']],
    test: {
      file: 'test/crash/append-crash.test.ts',
      title: 'Log.append() step 2: a process that lives on notices that another one died when the batch was written',
    },
  },
  {
    name: 'tail-not-verified',
    breaks: 'a process goes on behind unsynced batches that it never looked at',
    file: LOG,
    edits: [['if (this.#isVerified || this.#verifyTail(end)) {', 'if (this.#isVerified || state?.valid === true) {']],
    test: {
      file: 'test/log/recovery.test.ts',
      title: 'recovery puts every unsynced batch from the first bad one on into quarantine',
    },
  },
  {
    name: 'roll-not-noticed',
    breaks: 'a process goes on in the segment that it knows, though another one has rolled',
    file: LOG,
    edits: [
      [
        '    const state = this.#lock.readState()\n    this.#refuse(state)\n    this.#lock.noteHolder(state)',
        '    const state = this.#lock.readState()\n    this.#refuse(state)\n    if (this.#end !== undefined && this.#isVerified) return this.#end\n    this.#lock.noteHolder(state)',
      ],
    ],
    test: { file: 'test/log/log.test.ts', title: 'Log.append() by several processes in turn leaves one contiguous log' },
  },
  {
    name: 'cut-below-the-recovery-point',
    breaks: 'recovery makes a shorter log of one that has lost synced records',
    file: RECOVERY,
    edits: [
      [
        '    if (recoveryPoint !== undefined && end.offset < recoveryPoint.offset) throw this.#corruptBelow(recoveryPoint.offset, end)\n',
        '',
      ],
      [
        'return { first, position: recoveryPoint.position, offset: recoveryPoint.offset }',
        'return { first, position: 0, offset: base }',
      ],
    ],
    test: {
      file: 'test/log/recovery.test.ts',
      title: 'recovery refuses a log that ends anywhere below its recovery point, and readers name the place',
    },
  },
  {
    name: 'recovery-point-before-the-sync',
    breaks: 'the recovery point names records that are not on the device yet',
    file: LOG,
    edits: [
      [
        "    system.failpoint('sync.before')\n",
        "    system.failpoint('sync.before')\n    writeRecoveryPoint(this.context, { offset, segmentBaseOffset: baseOffset, position })\n",
      ],
    ],
    test: {
      file: 'test/crash/append-crash.test.ts',
      title: 'Log.append() and sync() may die before any change of the disk',
    },
  },
  {
    name: 'failed-fsync-retried',
    breaks: 'a second fdatasync that succeeds counts for one that failed',
    file: LOG,
    edits: [
      [
        '      this.#syncFailure = syncFailed(this.context, error)\n    }\n    this.#syncing = undefined',
        '      await system.fs.fdatasync(files.logFd)\n    }\n    this.#syncing = undefined',
      ],
    ],
    test: {
      file: 'test/log/log-faults.test.ts',
      title: 'Log.sync() that fails fails for good, and is never acknowledged by a repeated one',
    },
  },
  {
    name: 'failed-fsync-kept-secret',
    breaks: 'other processes do not learn of an fdatasync that failed',
    file: LOG,
    edits: [
      [
        "      if (state !== undefined) this.#writeStatus({ ...state, status: 'sync-failed' })\n      throw this.#syncFailure",
        '      throw this.#syncFailure',
      ],
    ],
    test: {
      file: 'test/log/log-faults.test.ts',
      title: 'after a failed fsync other processes neither append nor acknowledge, though their own fsync succeeds',
    },
  },
  {
    name: 'shown-above-the-synced-offset',
    breaks: 'readers show what a failed fdatasync may have lost',
    file: 'lib/log/log-reader.ts',
    edits: [
      [
        "this.#limitOffset = state?.status === 'sync-failed' ? state.syncedOffset : Infinity",
        'this.#limitOffset = state === undefined ? 0 : Infinity',
      ],
    ],
    test: {
      file: 'test/log/log-reader.test.ts',
      title: 'LogReader stops at the synced offset when an fsync fails while it reads',
    },
  },
  {
    name: 'failed-write-not-cut-back',
    breaks: 'what was said not to be appended is there all the same',
    file: LOG,
    edits: [['      fs.truncate(files.logFd, position)\n      return true', '      return true']],
    test: {
      file: 'test/log/log-faults.test.ts',
      title: 'ENOSPC at any write to */lock: what failed is not there, what was acknowledged is, and the log goes on',
    },
  },
  {
    name: 'uncertain-append-repeated',
    breaks: 'a batch that may be in the log is appended once more',
    file: 'lib/produce/wait-for-space.ts',
    edits: [['  if (error instanceof UncertainAppendError) return false\n', '']],
    test: {
      file: 'test/produce/wait-for-space.test.ts',
      title: 'a batch that may be in the log is not appended again when there is space',
    },
  },
  {
    name: 'topic-before-its-partitions',
    breaks: 'a topic exists before its partitions do',
    file: TOPICS,
    edits: [
      ["      creation.place(partitions) // 2, 3\n      store.system.failpoint('topic-create.before-commit')\n", ''],
      [
        'store.system.fs.rename(creating, topicPath(store, topic)) // 4\n      store.system.fs.syncDirectory(topicsDirectory(store))',
        "store.system.fs.rename(creating, topicPath(store, topic)) // 4\n      store.system.fs.syncDirectory(topicsDirectory(store))\n      creation.place(partitions)\n      store.system.failpoint('topic-create.before-commit')",
      ],
    ],
    test: { file: 'test/crash/topics-crash.test.ts', title: 'createTopic() may die before any change of the disk' },
  },
  {
    name: 'removed-without-marking',
    breaks: 'a producer goes on appending to the files of a topic that was removed',
    file: TOPICS,
    edits: [['      if (!(await tryMarkDeleted(store, directory))) {', '      if (topic.length === 0) {']],
    test: {
      file: 'test/produce/producer.test.ts',
      title: 'a running producer finds its topic removed, also when one of that name was created',
    },
  },
  {
    name: 'quarantine-skipped',
    breaks: 'recovery cuts whole batches off without keeping a copy',
    file: RECOVERY,
    edits: [['  if (holdsOnlyTornBatch(context, end)) return undefined\n', '  if (end.position >= 0) return undefined\n']],
    test: {
      file: 'test/log/recovery.test.ts',
      title: 'recovery puts every unsynced batch from the first bad one on into quarantine',
    },
  },
  {
    name: 'cut-without-a-new-epoch',
    breaks: 'offsets that were cut are given out again in the same leader epoch',
    file: RECOVERY,
    edits: [
      [
        'settleEpochs(context, bases, end, quarantined !== undefined, previousLeaderEpoch ?? 0)',
        'settleEpochs(context, bases, end, false, previousLeaderEpoch ?? 0)',
      ],
    ],
    test: {
      file: 'test/log/recovery.test.ts',
      title: 'each cut begins an epoch of its own, and one that no record is in is replaced',
    },
  },
  {
    name: 'crc-not-checked',
    breaks: 'readers give out damaged records',
    file: 'lib/log/segment-reader.ts',
    edits: [['start.position, { checkCrc: true,', 'start.position, { checkCrc: false,']],
    test: {
      file: 'test/log/recovery.test.ts',
      title: 'a reader gives no wrong record for any wrong bit of synced batches, and the log is never cut',
    },
  },
  {
    name: 'index-entry-unchecked',
    breaks: 'an index is believed without a look at the batch that it names',
    file: 'lib/log/index-anchor.ts',
    edits: [
      ['if (batch?.lastOffset !== entry.offset) return undefined', 'return batch'],
      ['batch !== undefined && batch.lastOffset <= offset', 'batch !== undefined'],
    ],
    test: {
      file: 'test/log/log-view.test.ts',
      title: 'look-ups give the same answers with any byte of any index wrong, and with any index cut short or gone',
    },
  },
  {
    name: 'dedupe-index-over-the-log',
    breaks: 'a record is a duplicate because the index says so, whatever the log holds',
    file: 'lib/produce/deduplicator.ts',
    edits: [
      [
        'return record?.hash !== undefined && record.timestampMs >= fromMs && Buffer.compare(record.hash, hash) === 0',
        'return record?.hash !== undefined && record.timestampMs >= fromMs && hash.length > 0',
      ],
    ],
    test: {
      file: 'test/produce/dedupe.test.ts',
      title: 'a forged entry makes no record a duplicate: the log says what it holds',
    },
  },
  {
    name: 'duplicate-decided-for-another-end',
    breaks: 'what was appended between the look for duplicates and the append is not looked at',
    file: 'lib/produce/deduplicator.ts',
    edits: [['await log.append(batch, wait, this.#index.coveredTo)', 'await log.append(batch, wait)']],
    test: {
      file: 'test/produce/dedupe-model.test.ts',
      title: 'every verdict is that of a look through the whole log: few ids, small batches',
    },
  },
  {
    name: 'commit-without-owner',
    breaks: 'whoever asks may commit, also a member that was taken out while it stood still',
    file: 'lib/consume/group/group-member.ts',
    edits: [
      [
        '        if (locked.state.members[this.id] !== undefined) return change(locked)\n',
        '        if (this.id !== "") return change(locked)\n',
      ],
      ['    if (!owned) {\n', '    if (!owned && this.id === "") {\n'],
    ],
    test: {
      file: 'test/consume/group/membership.test.ts',
      title: 'the commit of a member that comes back late is refused, and says so',
    },
  },
  {
    name: 'commit-before-flush',
    breaks: 'what was printed is committed before standard output took it',
    file: 'cli/consume/deliveries.ts',
    edits: [['writtenBytes <= acceptedBytes)', 'writtenBytes <= acceptedBytes + (1 << 20))']],
    test: { file: 'test/cli/consume/deliveries.test.ts', title: 'what standard output has not taken yet is not delivered' },
  },
  {
    name: 'group-change-without-lock',
    breaks: 'a group is changed while somebody else changes it',
    file: 'lib/store/group/group-lock.ts',
    edits: [
      [
        '      if (!this.system.locks.tryLock(this.#fd, false)) await this.#waitForLock(wait)\n',
        '      if (!this.system.locks.tryLock(this.#fd, false) && wait.wait === "no") await this.#waitForLock(wait)\n',
      ],
    ],
    test: {
      file: 'test/processes/group-nemesis.test.ts',
      title: 'a member that is stopped while it changes the group: others wait for it, and nobody undoes what another one did',
    },
  },
  {
    name: 'hand-over-without-sync',
    breaks: 'a partition is handed over before its last commit is on the device',
    file: 'lib/consume/group/group-member.ts',
    edits: [['    await this.sync() // 2\n', '']],
    test: {
      file: 'test/crash/group-crash.test.ts',
      title: 'a power cut right after a partition was handed over takes nothing of its commits back',
    },
  },
  {
    name: 'damaged-offsets-taken-for-none',
    breaks: 'a group whose committed offsets cannot be read begins as one that committed nothing',
    file: 'lib/store/group/offsets-file.ts',
    edits: [['    if (first === undefined) return\n', '    if (first === undefined || first.position >= 0) return\n']],
    test: {
      file: 'test/store/group/damaged-files.test.ts',
      title: 'offsets with any byte wrong, or cut short: refused by name and position',
    },
  },
  {
    name: 'run-committed-beyond-its-input',
    breaks: 'a signal while CMD is fed commits what CMD was not given',
    file: 'cli/consume/run-command.ts',
    edits: [['limits.signal.aborted ? deliveredOffset : toOffset }', 'deliveredOffset < 0 ? deliveredOffset : toOffset }']],
    test: {
      file: 'test/processes/consume-command.test.ts',
      title: 'INT in the middle of the feed of a run: nothing is committed that CMD was not given',
    },
  },
]
