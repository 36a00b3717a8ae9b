/** How the producer of the library is to work, from what the user asked for. */
import type { ProducerOptions } from '../../lib/produce/producer.js'
import type { Codec } from '../../lib/record/codec.js'
import type { Store } from '../../lib/store/store.js'
import type { Acknowledgements } from '../input/acknowledgements.js'
import type { Io } from '../io.js'
import { roundSize } from '../values/units.js'
import { dedupeOf } from './dedupe.js'
import { fileSystemRoot } from './full-disk.js'
import type { ProduceArguments } from './options.js'

/** After a signal, how long an append lock that another process holds is waited for. */
const LOCK_GRACE_MS = 1_000

export function producerOptions(
  args: ProduceArguments,
  io: Io,
  acknowledgements: Acknowledgements | undefined,
  store: Store,
  topic: string,
): ProducerOptions {
  const { partition, compression, batchBytes, acks, onFull, allowNetworkFileSystem } = args.options
  const dedupe = dedupeOf(args.options)
  return {
    ...(dedupe === undefined ? {} : { dedupe }),
    ...(partition === undefined ? {} : { partition }),
    ...(compression === undefined ? {} : { codec: compression satisfies Codec }),
    batchBytes,
    acks: acks === '0' ? 0 : 1,
    allowNetworkFileSystem,
    signal: afterGrace(io),
    onLongWait: (waitingFor, holderPid, held) => {
      void io.warn(`waiting for the ${held} of '${topic}-${waitingFor}', held by process ${holderPid}`)
    },
    onFull,
    onDropped: ({ partition: from, fromOffset, toOffset, removedBytes }) => {
      void io.say(
        `no space: removed offsets ${fromOffset} to ${toOffset - 1} of '${topic}-${from}', ${roundSize(removedBytes)}`,
      )
    },
    onWaitForSpace: (target) => {
      const disk = fileSystemRoot(io.system.fs, io.cwd, store.path)
      void io.warn(`no space on the file system '${disk}': waiting for some, to append to '${topic}-${target}'`)
    },
    ...(acknowledgements === undefined
      ? {}
      : {
          onAppended: (range) => {
            acknowledgements.append(range)
          },
          onDuplicate: (there, baseOffset) => {
            acknowledgements.append({ partition: there, baseOffset, recordCount: 1 })
          },
        }),
  }
}

/** Aborts a while after the signal: what was read should still be appended, but a lock may be held by a process that is stopped. */
function afterGrace(io: Io): AbortSignal {
  const impatient = new AbortController()
  const wait = async () => {
    await io.system.clock.sleep(LOCK_GRACE_MS)
    impatient.abort()
  }
  if (io.signal.aborted) void wait()
  else io.signal.addEventListener('abort', () => void wait(), { once: true })
  return impatient.signal
}
