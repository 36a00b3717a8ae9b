/** What `tail -f` says on stderr while it follows a topic. */
import type { FollowNotice } from '../../lib/consume/follow-topic.js'

export function describeNotice(topic: string, notice: FollowNotice): string {
  switch (notice.kind) {
    case 'absent':
      return `topic '${topic}' does not exist yet; waiting for it`
    case 'created':
      return `topic '${topic}' was created; following it from its start`
    case 'removed':
      return `topic '${topic}' was removed; waiting for one of that name`
    case 'recreated':
      return `topic '${topic}' was created anew; following it from its start`
    case 'unreachable': {
      const what = notice.reason === 'missing' ? 'has no directory any more' : 'is marked as removed, though its topic is not'
      return `'${topic}-${notice.partition}' ${what}; waiting for it to be restored`
    }
    case 'restored':
      return `topic '${topic}' is there again; going on where it was left`
    case 'skipped':
      return `'${topic}-${notice.partition}': ${offsets(notice.fromOffset, notice.toOffset)} deleted before being read; going on at offset ${notice.toOffset}`
    case 'ahead':
      return `'${topic}-${notice.partition}' ends at offset ${notice.logEndOffset}; waiting for offset ${notice.fromOffset}`
    case 'shortened':
      return `'${topic}-${notice.partition}' was read up to offset ${notice.fromOffset - 1} and now ends at ${notice.logEndOffset}; going on from there`
  }
}

function offsets(from: number, to: number): string {
  return to - from === 1 ? `offset ${from} was` : `offsets ${from} to ${to - 1} were`
}
