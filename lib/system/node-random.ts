/** Random bytes and integers from the operating system (node:crypto, loaded at the first use). */
import type { Random } from './system.js'

export const nodeRandom: Random = {
  bytes: (count) => new Uint8Array(process.getBuiltinModule('node:crypto').randomBytes(count)),
  integer: (bound) => process.getBuiltinModule('node:crypto').randomInt(bound),
}
