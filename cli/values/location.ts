/** Where an archive is, as it is typed: a directory, from here, or s3://BUCKET/PREFIX. */
import { resolve } from 'node:path'
import { usageError } from '../errors.js'

export function parseLocation(text: string, cwd: string): string {
  if (text === '') throw usageError('the location is empty', 'a directory, or s3://BUCKET/PREFIX')
  return text.startsWith('s3://') ? text : resolve(cwd, text)
}
