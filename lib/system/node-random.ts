/**
 * Random bytes and integers from the operating system.
 *
 * They are read from /dev/urandom: the first call into node:crypto sets up OpenSSL, which takes 4 ms of a program that shall start in
 * 40. It remains the way where there is no such device.
 */
import fs from 'node:fs'
import type { Random } from './system.js'

export const nodeRandom: Random = {
  bytes(count) {
    return count <= POOL_BYTES ? fromPool(count) : fromSystem(count)
  },

  integer(bound) {
    // 48 bits, so that no bound in use comes near; what lies above the last whole multiple of it would make small numbers likelier.
    const limit = 2 ** 48 - (2 ** 48 % bound)
    for (;;) {
      const bytes = fromPool(6)
      const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
      if (number < limit) return number % bound
    }
  },
}

const POOL_BYTES = 256

let pool = new Uint8Array(0)

/** One call to the system serves many small wishes. Bytes are given out once. */
function fromPool(count: number): Uint8Array {
  if (pool.length < count) pool = fromSystem(POOL_BYTES)
  const bytes = pool.slice(0, count)
  pool = pool.subarray(count)
  return bytes
}

function fromSystem(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count)
  if (!fillFromDevice(bytes)) process.getBuiltinModule('node:crypto').randomFillSync(bytes)
  return bytes
}

function fillFromDevice(bytes: Uint8Array): boolean {
  let fd: number
  try {
    fd = fs.openSync('/dev/urandom', fs.constants.O_RDONLY)
  } catch {
    return false
  }
  try {
    // A plain file in its place would give the same bytes every time.
    return fs.fstatSync(fd).isCharacterDevice() && fs.readSync(fd, bytes, 0, bytes.length, null) === bytes.length
  } catch {
    return false
  } finally {
    fs.closeSync(fd)
  }
}
