/** What a check found, as one line: fsck and dump say it in the same words. */
import type { Finding } from '../lib/maintain/finding.js'

export function findingText({ kind, file, position, offset, message }: Finding): string {
  const at = position === undefined ? '' : ` position ${position}`
  const from = offset === undefined ? '' : ` offset ${offset}`
  return `${kind} ${file}${at}${from}: ${message}`
}
