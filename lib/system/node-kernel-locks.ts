/**
 * Open file description locks through the native package fs-native-extensions. This is its only importer.
 *
 * Node.js has no call for kernel locks. The package brings compiled code for glibc Linux and macOS; elsewhere reading works and
 * the first lock call says what is missing. Locks cover the whole file (offset 0, length 0), because macOS has no other kind.
 */
import { createRequire } from 'node:module'
import { LogqError, systemErrorCode } from '../errors.js'
import type { KernelLocks } from './system.js'

export function createNodeKernelLocks(): KernelLocks {
  return {
    tryLock: (fd, shared) => loadQuickLocks().tryLock(fd, shared),
    // An async function, so that a missing package is a rejection like every other failure.
    waitForLock: async (fd, shared) => loadPackage().waitForLock(fd, 0, 0, { shared }),
    unlock: (fd) => loadQuickLocks().unlock(fd),
  }
}

/** What nearly every command needs; waiting is left to the package as a whole. */
type QuickLocks = Pick<KernelLocks, 'tryLock' | 'unlock'>

/** The package as documented. */
interface LockPackage {
  tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean
  waitForLock(fd: number, offset: number, length: number, options: { shared: boolean }): Promise<void>
  unlock(fd: number, offset: number, length: number): void
}

/** The compiled code inside the package. */
interface LockBinding {
  tryLock(fd: number, offset: number, length: number, exclusive: boolean): void
  unlock(fd: number, offset: number, length: number): void
}

const PACKAGE_NAME = 'fs-native-extensions'

// The version whose compiled code was seen to take the arguments of LockBinding: it aborts the process when given others.
export const KNOWN_VERSION = '1.5.1'

let quickLocks: QuickLocks | undefined
let lockPackage: LockPackage | undefined

/**
 * The package takes 11 ms to find its compiled code among its platforms, opening that file directly takes 1.6 ms: a good part of
 * what one `echo x | logq produce` may cost. So the direct way is taken for the known version, and the documented one otherwise.
 */
function loadQuickLocks(): QuickLocks {
  quickLocks ??= bindingLocks() ?? packageLocks()
  return quickLocks
}

function bindingLocks(): QuickLocks | undefined {
  const require = createRequire(import.meta.url)
  let binding: LockBinding
  try {
    const { version } = require(`${PACKAGE_NAME}/package.json`) as { version: string }
    if (version !== KNOWN_VERSION) return undefined
    const platform = `${process.platform}-${process.arch}`
    binding = require(`${PACKAGE_NAME}/prebuilds/${platform}/${PACKAGE_NAME}.node`) as LockBinding
  } catch {
    return undefined
  }
  return {
    tryLock(fd, shared) {
      try {
        binding.tryLock(fd, 0, 0, !shared)
        return true
      } catch (error) {
        if (systemErrorCode(error) === 'EAGAIN') return false
        throw error
      }
    },
    unlock: (fd) => binding.unlock(fd, 0, 0),
  }
}

function packageLocks(): QuickLocks {
  const locks = loadPackage()
  return {
    tryLock: (fd, shared) => locks.tryLock(fd, 0, 0, { shared }),
    unlock: (fd) => locks.unlock(fd, 0, 0),
  }
}

function loadPackage(): LockPackage {
  try {
    lockPackage ??= createRequire(import.meta.url)(PACKAGE_NAME) as LockPackage
    return lockPackage
  } catch (cause) {
    throw new LogqError('LOGQ_IO', `kernel locks are not available on '${process.platform}-${process.arch}'`, {
      hint: 'writing needs glibc Linux or macOS; reading works everywhere',
      cause,
    })
  }
}
