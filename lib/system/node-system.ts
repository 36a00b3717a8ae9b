/** The real world, put together once at the top of a command. Making it costs next to nothing: its parts load what they need late. */
import { createFailpoints } from './failpoints.js'
import { nodeClock } from './node-clock.js'
import { createNodeFileSystem } from './node-file-system.js'
import { createNodeIdentity } from './node-identity.js'
import { createNodeKernelLocks } from './node-kernel-locks.js'
import { createNodeLeases } from './node-leases.js'
import { createNodeProcesses } from './node-processes.js'
import { nodeRandom } from './node-random.js'
import type { System } from './system.js'
import { createNodeChangeHints } from './watch.js'

/** `env` gives LOGQ_FAILPOINT, which a library user leaves out. Throws LOGQ_USAGE when that is not understood. */
export function createNodeSystem(env: Readonly<Record<string, string | undefined>> = {}): System {
  return {
    fs: createNodeFileSystem(),
    locks: createNodeKernelLocks(),
    leases: createNodeLeases(),
    clock: nodeClock,
    random: nodeRandom,
    hints: createNodeChangeHints(),
    self: createNodeIdentity(),
    processes: createNodeProcesses(),
    failpoint: createFailpoints(env['LOGQ_FAILPOINT']),
  }
}
