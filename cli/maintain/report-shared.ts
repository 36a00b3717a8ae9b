/** What is said of a topic that was shared by hard links, in a snapshot or a clone. */
import type { SharedTopic } from '../../lib/maintain/snapshot/share-topic.js'
import type { Io } from '../io.js'
import { roundSize } from '../values/units.js'

export async function reportShared({ topic, partitions }: SharedTopic, json: boolean, io: Io): Promise<void> {
  for (const shared of partitions) {
    const { partition, logStartOffset, logEndOffset, segmentCount, sizeBytes, copiedBytes, linkRefusal } = shared
    const name = `${topic}-${partition}`
    if (linkRefusal !== undefined)
      await io.say(`'${name}': no hard links can be made here (${linkRefusal}): ${roundSize(copiedBytes)} were copied`)
    const offsets = logEndOffset === logStartOffset ? 'empty' : `offsets ${logStartOffset} to ${logEndOffset - 1}`
    await io.explain(
      `'${name}': ${offsets}, ${segmentCount} segments, ${roundSize(sizeBytes)}, of which ${roundSize(copiedBytes)} were copied`,
    )
    if (!json) continue
    const { linkRefusal: refusal = null, ...figures } = shared
    await io.output().writeLine(JSON.stringify({ topic, ...figures, linkRefusal: refusal }))
  }
}
