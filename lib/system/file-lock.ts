/** A lock file that nothing is written into: its kernel lock says that its holder is at work, and goes with the process. */
import { LogqError, type ErrorCode } from '../errors.js'
import { openOrCreateFile, type Ownership } from './durable.js'
import { lockIsBusy, waitForLock, type LockWait } from './lock-wait.js'
import type { System } from './system.js'

/**
 * Runs `work` while no other process has the exclusive lock of the file at `path`, which is created when it is missing. Throws
 * LOGQ_BUSY, LOGQ_ABORTED when the signal ends the wait, or `whenGone` when the file is another one by then; `work` itself is
 * not interrupted, and can ask with its argument, which throws the same, whether the file still is the one that is locked.
 */
export async function withFileLock<Result>(
  system: System,
  path: string,
  ownership: Ownership,
  work: (checkLock: () => void) => Result | Promise<Result>,
  wait: LockWait = {},
  whenGone: ErrorCode = 'LOGQ_TOPIC_REMOVED',
): Promise<Result> {
  // The file is empty: its holder is not known.
  const lock = { path, readHolderPid: () => 0 }
  const fd = openOrCreateFile(system, path, ownership)
  if (!system.locks.tryLock(fd, false)) {
    if (wait.wait === 'no') {
      system.fs.close(fd)
      throw lockIsBusy(lock)
    }
    await waitForLock(system, fd, lock, wait)
  }
  // A file that was removed with its directory guards nothing, and the directory may be another topic's by now.
  const checkLock = () => {
    if (system.fs.pathStatus(path)?.inode !== system.fs.fileStatus(fd).inode)
      throw new LogqError(whenGone, `'${path}' was removed while it was in use, or waited for`, {
        hint: 'run the command again',
      })
  }
  try {
    checkLock()
    return await work(checkLock)
  } finally {
    // A child that is being forked just now shares the description for a moment, and closing alone would not let go.
    system.locks.unlock(fd)
    system.fs.close(fd)
  }
}
