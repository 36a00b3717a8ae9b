/**
 * Names of files that keys, topics and partitions give. A key can be any bytes: what is not a letter, a digit, `_`, `-` or a dot within
 * is %XX, so that no name leaves the directory, is hidden, or stands for two keys; `~`, which never comes from a key that way,
 * begins what is named otherwise.
 */
import { createHash } from 'node:crypto'

/** NAME_MAX is 255, and an extension and a temporary name need room. */
const MAX_NAME_CHARACTERS = 200

export function fileNameOfKey(key: Uint8Array | null): string {
  if (key === null) return '~null'
  if (key.length === 0) return '~empty'
  const name = Buffer.from(key.buffer, key.byteOffset, key.length)
    .subarray(0, MAX_NAME_CHARACTERS + 1)
    .toString('latin1')
    .replace(/[^A-Za-z0-9_.-]|^[.-]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  if (name.length <= MAX_NAME_CHARACTERS) return name
  // The digest tells apart what begins alike.
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 32)
  return `${name.slice(0, MAX_NAME_CHARACTERS - digest.length - 1)}~${digest}`
}

export function fileNameOfPartition(topic: string, partition: number): string {
  return `${topic}-${partition}`
}
