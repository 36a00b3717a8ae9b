/** Flips the bits of a segment one by one, and holds the check and the repair to account for each. */
import { BatchPlaces } from '../../lib/log/batch-places.js'
import { BATCH_HEADER_BYTES } from '../../lib/record/batch.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'
import { createTiny, fill, overwrite, pathOf, readAll, readFile, tinyContext } from '../log/tiny-log.js'
import { check, copyOf, flipBit, isClean, judgeRepair, type Config } from './damaged-partition.js'

export const THREE = [['a', 'b'], ['c'], ['d', 'e']]
export const ROLLING: Config = { segmentBytes: 250 }

interface Placed {
  readonly position: number
  readonly sizeBytes: number
  readonly baseOffset: number
  readonly lastOffset: number
}

export interface Prepared {
  readonly system: FakeSystem
  readonly original: readonly string[]
  readonly config: Config
}

export async function prepare(config: Config = {}, batches: readonly (readonly string[])[] = THREE): Promise<Prepared> {
  const system = createFakeSystem()
  createTiny(system, config)
  await fill(tinyContext(system, config), batches)
  return { system, config, original: await readAll(tinyContext(system, config)) }
}

/** Base offset and leader epoch: no CRC covers them. */
export function isUncovered(byteInBatch: number): boolean {
  return byteInBatch < 8 || (byteInBatch >= 12 && byteInBatch < 16)
}

/**
 * Checks after every flip, and repairs a copy where `isRepaired` says so. Throws when a flip is not found, or costs more than the
 * records of its batch, or any where no CRC covers it. Returns how many repairs lost records.
 */
export async function everyFlip(
  { system, original, config }: Prepared,
  base: number,
  isRepaired: (bit: number, byteInBatch: number) => boolean,
): Promise<number> {
  const bytes = readFile(system, pathOf(base))
  const places = placesOf(system, base)
  let lossy = 0
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const place = places.find(({ position, sizeBytes }) => bit >> 3 < position + sizeBytes)
    if (place === undefined) throw new Error('the log has bytes that are no batch')
    const byteInBatch = (bit >> 3) - place.position
    try {
      overwrite(system, pathOf(base), flipBit(bytes, bit))
      if (isClean(await check(system))) throw new Error('not found')
      if (isRepaired(bit, byteInBatch) && (await repairCopy({ system, original, config }, place, byteInBatch))) lossy += 1
    } catch (error) {
      const what = `bit ${bit & 7} of byte ${byteInBatch} of the batch at ${place.baseOffset}`
      throw new Error(`${what}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  overwrite(system, pathOf(base), bytes)
  return lossy
}

/** Whether records were lost. */
async function repairCopy({ system, original, config }: Prepared, place: Placed, byteInBatch: number): Promise<boolean> {
  const kept = original.filter((record) => {
    const offset = Number.parseInt(record, 10)
    return offset < place.baseOffset || offset > place.lastOffset
  })
  const rules = { original, kept, endOffset: original.length, config }
  const { before, records } = await judgeRepair(copyOf(system), rules)
  const isLossy = records.length < original.length
  if (isLossy && byteInBatch < BATCH_HEADER_BYTES && isUncovered(byteInBatch))
    throw new Error(`not restored: ${JSON.stringify(before.findings)}`)
  return isLossy
}

function placesOf(system: FakeSystem, base: number): Placed[] {
  const fd = system.fs.open(pathOf(base), 'read')
  try {
    return [...new BatchPlaces(system.fs, fd).from(0)]
  } finally {
    system.fs.close(fd)
  }
}
