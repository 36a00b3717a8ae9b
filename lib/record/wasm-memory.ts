/**
 * The WebAssembly module of the line kernel and its memory. Instantiated when first asked for: a run that encodes ten lines does
 * without.
 *
 * The memory has a fixed size and never grows, so that views of it stay valid.
 */

import { KERNEL_BASE64 } from './kernel-bytes.js'

/** Regions of the memory, as kernel-wasm/kernel.ts is handed them; it may touch 16 bytes beyond each. */
const SLACK_BYTES = 64
export const SMALL_BYTES = 256
export const DELIMITER_ADDRESS = 64
export const TEXT_ADDRESS = DELIMITER_ADDRESS + SMALL_BYTES + SLACK_BYTES
export const INPUT_ADDRESS = TEXT_ADDRESS + SMALL_BYTES + SLACK_BYTES
export const INPUT_BYTES = 128 * 1024
export const OUTPUT_ADDRESS = INPUT_ADDRESS + INPUT_BYTES + SLACK_BYTES
/** Larger than what any record from the input region becomes. */
export const OUTPUT_BYTES = 2 * INPUT_BYTES

// What a call leaves at the beginning of the memory.
export const POSITION_RESULT = 0
export const RECORD_COUNT_RESULT = 4
export const OUTPUT_END_RESULT = 8
export const PREVIOUS_DELTA_RESULT = 12
export const WRITTEN_COUNT_RESULT = 16

export interface KernelInstance {
  /** The memory. */
  readonly bytes: Uint8Array
  /** One of the results of the last call. */
  result(place: number): number
  encodeLines(
    from: number,
    end: number,
    delimiter: number,
    delimiterBytes: number,
    prefix: number,
    prefixBytes: number,
    firstOffsetDelta: number,
    maxValueBytes: number,
    out: number,
    outEnd: number,
    roomBytes: number,
  ): number
  joinValues(
    from: number,
    end: number,
    recordCount: number,
    previousDelta: number,
    lastOffsetDelta: number,
    fromDelta: number,
    toDelta: number,
    delimiter: number,
    delimiterBytes: number,
    nullText: number,
    nullBytes: number,
    out: number,
    outEnd: number,
  ): number
}

let instance: KernelInstance | undefined

/** The one instance. Throws where WebAssembly or its SIMD instructions are not to be had. */
export function kernelInstance(): KernelInstance {
  instance ??= instantiate()
  return instance
}

/** What of the WebAssembly interface is used; the types of Node.js leave it to those of browsers. */
interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: Record<string, unknown> }
}

function instantiate(): KernelInstance {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }
  const module = new WebAssembly.Module(Buffer.from(KERNEL_BASE64, 'base64'))
  const exports = new WebAssembly.Instance(module).exports as unknown as Pick<KernelInstance, 'encodeLines' | 'joinValues'> & {
    readonly memory: { readonly buffer: ArrayBuffer }
  }
  const bytes = new Uint8Array(exports.memory.buffer)
  if (OUTPUT_ADDRESS + OUTPUT_BYTES + SLACK_BYTES > bytes.length) throw new RangeError('the kernel has too little memory')
  const results = new DataView(exports.memory.buffer)
  return {
    bytes,
    result: (place) => results.getInt32(place, true),
    encodeLines: exports.encodeLines,
    joinValues: exports.joinValues,
  }
}
