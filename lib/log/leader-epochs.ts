/**
 * Leader epochs: which epoch began at which offset (format-spec/leader-epoch-checkpoint.md).
 *
 * `leader-epoch-checkpoint` is Kafka's text form: version 0, number of entries, one `epoch startOffset` a line. Beside it, in a file
 * of logq's own and in the same form, `leader-epoch-ids` gives each epoch a random id, so that two leaders that both
 * started epoch 5 can be told apart.
 */

export interface LeaderEpoch {
  readonly epoch: number
  readonly startOffset: number
  /** 16 hexadecimal digits; undefined where Kafka began the epoch. */
  readonly id?: string
}

const VERSION = '0'

export function formatLeaderEpochCheckpoint(epochs: readonly LeaderEpoch[]): Uint8Array {
  const lines = epochs.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)
  return Buffer.from(`${[VERSION, String(epochs.length), ...lines].join('\n')}\n`, 'ascii')
}

export function formatLeaderEpochIds(epochs: readonly LeaderEpoch[]): Uint8Array {
  const lines = epochs.flatMap(({ epoch, id }) => (id === undefined ? [] : [`${epoch} ${id}`]))
  return Buffer.from(`${[VERSION, String(lines.length), ...lines].join('\n')}\n`, 'ascii')
}

/** Undefined when the checkpoint is damaged: wrong version, count, or an epoch or offset that does not rise. */
export function parseLeaderEpochs(checkpoint: Uint8Array, ids?: Uint8Array): LeaderEpoch[] | undefined {
  const lines = entryLines(checkpoint)
  if (lines === undefined) return undefined
  const idByEpoch = parseIds(ids)
  const epochs: LeaderEpoch[] = []
  for (const line of lines) {
    const match = /^(0|[1-9]\d*) (0|[1-9]\d*)$/.exec(line)
    if (match === null) return undefined
    const epoch = Number(match[1])
    const startOffset = Number(match[2])
    const previous = epochs.at(-1)
    const rises = previous === undefined || (epoch > previous.epoch && startOffset >= previous.startOffset)
    if (!rises || !Number.isSafeInteger(startOffset) || epoch > 0x7fffffff) return undefined
    const id = idByEpoch.get(epoch)
    epochs.push(id === undefined ? { epoch, startOffset } : { epoch, startOffset, id })
  }
  return epochs
}

function parseIds(ids: Uint8Array | undefined): Map<number, string> {
  const entries = (ids === undefined ? undefined : entryLines(ids)) ?? []
  return new Map(entries.map(parseId).flatMap((id) => (id === undefined ? [] : [[id.epoch, id.id]])))
}

/** Undefined when the file of ids is damaged: wrong version or count, or a line that gives no id. */
export function parseLeaderEpochIds(ids: Uint8Array): Required<Pick<LeaderEpoch, 'epoch' | 'id'>>[] | undefined {
  const parsed = entryLines(ids)?.map(parseId)
  return parsed?.every((id) => id !== undefined) === true ? parsed : undefined
}

function parseId(line: string): { epoch: number; id: string } | undefined {
  const match = /^(0|[1-9]\d*) ([0-9a-f]{16})$/.exec(line)
  return match?.[2] === undefined ? undefined : { epoch: Number(match[1]), id: match[2] }
}

function entryLines(file: Uint8Array): string[] | undefined {
  const lines = Buffer.from(file).toString('latin1').trimEnd().split('\n')
  const [version, count, ...entries] = lines
  if (version !== VERSION || count === undefined || !/^\d+$/.test(count) || Number(count) !== entries.length) return undefined
  return entries
}
