/** `group seek --from-file`: lines TOPIC,PARTITION,OFFSET, as kafka-consumer-groups exports them. */
import type { Store } from '../../lib/store/store.js'
import { usageError } from '../errors.js'
import type { Io } from '../io.js'
import { parseWholeNumber } from '../values/units.js'
import { chosenPartitions, parsePartitionChoice } from './partition-choice.js'

export interface GivenOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

const MAX_BYTES = 64 << 20

/** Throws a usage error that names the line, LOGQ_UNKNOWN_TOPIC, LOGQ_UNKNOWN_PARTITION, or what opening the file throws. */
export async function readOffsetsFile(store: Store, path: string, io: Io): Promise<GivenOffset[]> {
  const lines = (await readText(path, io)).split('\n')
  const wanted = new Map<string, GivenOffset>()
  for (const [n, line] of lines.entries()) {
    if (line.trim() === '') continue
    const [, topic, partition, offset] = /^"?([^",]+)"?,(\d+),(\d+)\r?$/.exec(line) ?? []
    if (topic === undefined || partition === undefined || offset === undefined)
      throw usageError(`'${path}' line ${n + 1}: '${line}' is not TOPIC,PARTITION,OFFSET`, 'for example: orders,0,42')
    const place = `${topic}:${partition}`
    if (wanted.has(place)) throw usageError(`'${path}' line ${n + 1}: '${place}' is given twice`)
    chosenPartitions(store, parsePartitionChoice(place))
    wanted.set(place, { topic, partition: Number(partition), offset: parseWholeNumber(offset) })
  }
  return [...wanted.values()]
}

async function readText(path: string, io: Io): Promise<string> {
  const input = await io.openInput(path)
  const chunks: Buffer[] = []
  let sizeBytes = 0
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(64 << 10)
      const count = await input.read(buffer, io.signal)
      if (count === undefined || count === 0) break
      sizeBytes += count
      if (sizeBytes > MAX_BYTES) throw usageError(`'${path}' is too large to be a list of offsets`)
      chunks.push(buffer.subarray(0, count))
    }
  } finally {
    input.close()
  }
  return Buffer.concat(chunks).toString('utf8')
}
