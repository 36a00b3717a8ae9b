/**
 * What a fault may take of records that were acknowledged, at each level of --acks: the one table that logq-produce(1) shows and
 * format-spec/ordering.md has. test/acks/ checks each row.
 */
export interface AcksCost {
  /** What happens. */
  readonly fault: string
  readonly acks0: string
  readonly acks1: string
}

const NOTHING = 'nothing'
const LAST_RECORDS = 'the last records, from some offset on'

export const acksCosts: readonly AcksCost[] = [
  { fault: 'the producer is killed (kill -9)', acks0: NOTHING, acks1: NOTHING },
  { fault: 'another process that uses the store is killed', acks0: NOTHING, acks1: NOTHING },
  { fault: 'memory runs out and the kernel kills processes', acks0: NOTHING, acks1: NOTHING },
  { fault: 'the power is cut', acks0: LAST_RECORDS, acks1: NOTHING },
  { fault: 'the disk is full', acks0: NOTHING, acks1: NOTHING },
  { fault: 'an fsync fails (EIO)', acks0: 'the last records, from the synced offset on', acks1: NOTHING },
  { fault: 'the disk says that it has synced, the power is cut', acks0: LAST_RECORDS, acks1: LAST_RECORDS },
  {
    fault: 'bytes on the disk are damaged',
    acks0: 'the damaged batches, and unsynced ones behind them',
    acks1: 'the damaged batches',
  },
]

/** For the manual page: one fault, and below it what it costs. */
export function describeAcksCosts(): string[] {
  return acksCosts.map(({ fault, acks0, acks1 }) => {
    const costs = acks0 === acks1 ? [acks0] : [`--acks 0: ${acks0}`, `--acks 1: ${acks1}`]
    return [`    ${fault}`, ...costs.map((cost) => `        ${cost}`)].join('\n')
  })
}
