/**
 * Codec lz4: one LZ4 frame with independent blocks, the only kind that Kafka reads. See format-spec/compression.md.
 *
 * lz4-napi does the work. It neither limits its output nor minds a cut or overlong frame, so lz4-frame.ts reads the frame's structure
 * first.
 */

import type * as Lz4 from 'lz4-napi'
import { asBuffer, damaged, loadCodecPackage, reasonOf, type CodecPackage } from './codec-package.js'
import { measureLz4Frame } from './lz4-frame.js'

export function loadLz4(): CodecPackage {
  const lz4 = loadCodecPackage('lz4', 'lz4-napi') as typeof Lz4
  return {
    compress: (bytes) => lz4.compressFrameSync(asBuffer(bytes)),
    decompress: (bytes, maxBytes) => {
      const expectedBytes = measureLz4Frame(bytes, maxBytes)
      let result: Uint8Array
      try {
        result = lz4.decompressFrameSync(asBuffer(bytes))
      } catch (error) {
        throw damaged('lz4', reasonOf(error), error)
      }
      if (result.length !== expectedBytes) throw damaged('lz4', `${result.length} bytes where ${expectedBytes} were expected`)
      return result
    },
  }
}
