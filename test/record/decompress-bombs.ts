/**
 * A process that decompresses, with a limit of 1,000,000 bytes, what would become 128 MiB; for compression.test.ts. Prints a JSON
 * array: codec, message of the error, and how far the process's peak memory rose.
 */

import { CODECS, compress, decompress, loadCodec, type Codec } from '../../lib/record/compression.js'

export interface BombResult {
  readonly codec: Codec
  readonly message: string
  readonly grownMiB: number
}

const CONTENT_BYTES = 128 * 1024 * 1024

// All are made first: making them takes memory too. Pieces, where the format lets streams follow one another, so that it takes little.
const bombs: [Codec, Uint8Array][] = []
for (const codec of CODECS) {
  if (codec === 'none') continue
  await loadCodec(codec)
  bombs.push([
    codec,
    codec === 'lz4' ? lz4Bomb() : repeated(compress(codec, new Uint8Array(1024 * 1024)), CONTENT_BYTES / 1024 / 1024),
  ])
}

const results: BombResult[] = []
for (const [codec, bomb] of bombs) {
  const before = process.resourceUsage().maxRSS
  let message = 'no error'
  try {
    decompress(codec, bomb, 1_000_000)
  } catch (error) {
    message = String(error instanceof Error ? error.message : error)
  }
  results.push({ codec, message, grownMiB: Math.round((process.resourceUsage().maxRSS - before) / 1024) })
}
console.log(JSON.stringify(results))

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => bytes))
}

/** One frame with the blocks of a small one many times over: lz4 frames do not follow one another. */
function lz4Bomb(): Uint8Array {
  const small = compress('lz4', new Uint8Array(64 * 1024))
  const block = small.subarray(7, small.length - 4)
  return Buffer.concat([small.subarray(0, 7), repeated(block, CONTENT_BYTES / 64 / 1024), small.subarray(small.length - 4)])
}
