/** What `produce` and `import` do, from arguments to records on the device: check, look at the inputs, open or make the topic, append. */
import { checkTopicName } from '../../lib/store/names.js'
import { checkPartitioner } from '../../lib/store/topics.js'
import type { Io } from '../io.js'
import { checkCombinations } from './combinations.js'
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
  const store = await openForWriting(args, io)
  const file = await topicFor(store, topic, args, io)
  checkTopic(file, args)
  await produceInputs(store, file.topic, inputs, timestampMs, args, io)
}

function resolveTimestamp(args: ProduceArguments, io: Io): number | undefined {
  const { timestamp } = args.options
  if (timestamp === undefined) return undefined
  return timestamp.kind === 'absolute' ? timestamp.timestampMs : io.system.clock.nowMs() + timestamp.ms
}
