/** Which partition a key belongs to, without a record of it. */
import { partitionOfKey } from '../bytes/murmur2.js'
import { LogqError } from '../errors.js'
import { compileNumberExpression } from '../record/expression.js'
import { isNamedPartitioner, type TopicFile } from '../store/topic-file.js'

/**
 * Gives the partition number of keys by the topic's partitioner, for as many partitions as `topic` says. Rejects with LOGQ_USAGE where
 * no key has a partition (random, roundrobin), and for an expression that cannot be used. The function throws LOGQ_INVALID_RECORD
 * when an expression fails on a key, or asks for more of a record than its key.
 */
export async function keyPartitioner(
  topic: Pick<TopicFile, 'topic' | 'partitioner' | 'partitions'>,
): Promise<(key: Uint8Array) => number> {
  const { partitioner, partitions } = topic
  if (partitioner === 'murmur2') return (key) => partitionOfKey(key, partitions)
  if (isNamedPartitioner(partitioner)) {
    throw new LogqError('LOGQ_USAGE', `no key has a partition in topic '${topic.topic}': its partitioner is ${partitioner}`, {
      hint: 'records of one key are in any of its partitions',
    })
  }
  const expression = await compileNumberExpression(partitioner)
  return (key) => {
    const number = expression.evaluate(new KeyOnly(topic.topic, key, partitioner))
    return ((number % partitions) + partitions) % partitions
  }
}

/** A record of which only topic and key are known. */
class KeyOnly {
  constructor(
    readonly topic: string,
    readonly key: Uint8Array,
    private readonly partitioner: string,
  ) {}

  get value(): never {
    return this.#refuse('value')
  }

  get headers(): never {
    return this.#refuse('headers')
  }

  get timestampMs(): never {
    return this.#refuse('timestamp')
  }

  #refuse(what: string): never {
    throw new LogqError(
      'LOGQ_INVALID_RECORD',
      `the partitioner '${this.partitioner}' asks for the ${what} of a record, not its key alone`,
    )
  }
}
