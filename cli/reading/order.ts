/** The options of cat and tail beside those of every command that prints records: in which order, how fast, and for how long. */
import type { OptionDeclarations } from '../command.js'
import { usageError } from '../errors.js'
import type { OutputFormat } from '../print/format.js'
import { parseSpeed, type Speed } from './replay.js'

export const orderOptions = {
  merge: {
    kind: 'flag',
    meaning:
      'Print the records of all partitions and topics in the order of their timestamps. Those of one partition stay in the order of their offsets; equal timestamps come in the order of the topics as given, then of the partitions.',
  },
  reverse: {
    kind: 'flag',
    meaning:
      'Print the newest record first: offsets descending, and the last topic and partition first; with --merge by timestamp.',
  },
  speed: {
    kind: 'parsed',
    valueName: 'SPEED',
    parse: parseSpeed,
    meaning:
      'Print in the rhythm of the timestamps: 1x as it was, 10x ten times as fast, 0.5x at half the speed; max does not wait. The first record comes at once. Implies --merge.',
  },
  idle: {
    kind: 'duration',
    valueName: 'DURATION',
    minimum: 1,
    meaning:
      'When following, give up with exit status 4 when no record was printed for so long. Reading what is there never waits.',
  },
  onCorrupt: {
    kind: 'choice',
    valueName: 'ACTION',
    choices: ['stop', 'skip'],
    default: 'stop',
    meaning:
      'At damaged bytes, stop; or name them, with the offsets that are passed over, and go on with the next records that can be read. The exit status is 5 either way. Bytes that the device cannot read (an i/o error) are passed over as damage too, and named as what they are; without **skip** they are an error with exit status 1.',
  },
  for: { kind: 'duration', valueName: 'DURATION', meaning: 'End after so much time, with exit status 0.' },
} as const satisfies OptionDeclarations

interface OrderArguments {
  readonly format: OutputFormat
  readonly where: string | undefined
  readonly merge: boolean
  readonly reverse: boolean
  readonly speed: Speed | undefined
  readonly follow?: boolean
}

/** Throws a usage error for options that make no sense together. */
export function refuseCombinations(given: OrderArguments): void {
  const { where, merge, reverse, speed, follow } = given
  const isBatch = given.format.kind === 'batch'
  const refused: readonly (readonly [isGiven: boolean, names: string, why: string])[] = [
    [isBatch && where !== undefined, '--format batch and -w', 'batches are copied whole'],
    [isBatch && merge, '--format batch and --merge', 'batches are copied whole, from one partition'],
    [isBatch && reverse, '--format batch and --reverse', 'batches are copied whole'],
    [isBatch && speed !== undefined, '--format batch and --speed', 'batches are copied whole'],
    [reverse && follow === true, '--reverse and -f', 'what is appended comes last: leave one of them out'],
    [reverse && speed !== undefined, '--reverse and --speed', 'time goes forwards: leave one of them out'],
  ]
  for (const [isGiven, names, why] of refused) if (isGiven) throw usageError(`${names} exclude each other`, why)
}
