/** What `produce` and `import` do, from arguments to records on the device: check, look at the inputs, open or make the topic, append. */
import { whenThereIsSpace } from '../../lib/produce/wait-for-space.js'
import { checkTopicName } from '../../lib/store/names.js'
import { checkPartitioner } from '../../lib/store/topics.js'
import type { Io } from '../io.js'
import { storePath } from '../store-path.js'
import { checkCombinations } from './combinations.js'
import { fileSystemRoot } from './full-disk.js'
import { checkInputs } from './inputs.js'
import type { ProduceArguments } from './options.js'
import { produceInputs } from './run.js'
import { checkNewTopic, checkTopic, openForWriting, topicFor } from './topic.js'

export async function produceToTopic(args: ProduceArguments, io: Io): Promise<void> {
  const topic = args.operands.topic
  checkTopicName(topic)
  if (args.options.partitioner !== undefined) await checkPartitioner(args.options.partitioner)
  checkCombinations(args)
  const timestampMs = resolveTimestamp(args, io)
  const inputs = await checkInputs(args, io)
  if (inputs.files.length === 0) return
  checkNewTopic(args, io)
  const [store, file] = await whenDiskHasSpace(args, io, async () => {
    const opened = await openForWriting(args, io)
    return [opened, await topicFor(opened, topic, args, io)] as const
  })
  checkTopic(file, args)
  await produceInputs(store, file.topic, inputs, timestampMs, args, io)
}

/** With --on-full block a topic that cannot be made on a full disk is waited for, as an append is. */
async function whenDiskHasSpace<Result>(args: ProduceArguments, io: Io, make: () => Promise<Result>): Promise<Result> {
  const { onFull, store } = args.options
  if (onFull !== 'block') return await make()
  const { signal, system } = io
  const sayFull = () => {
    const disk = fileSystemRoot(system.fs, io.cwd, storePath(store, io))
    void io.warn(`no space on the file system '${disk}': waiting for some, to create topic '${args.operands.topic}'`)
  }
  return await whenThereIsSpace(make, { clock: system.clock, signal, onFull: sayFull })
}

function resolveTimestamp(args: ProduceArguments, io: Io): number | undefined {
  const { timestamp } = args.options
  if (timestamp === undefined) return undefined
  return timestamp.kind === 'absolute' ? timestamp.timestampMs : io.system.clock.nowMs() + timestamp.ms
}
