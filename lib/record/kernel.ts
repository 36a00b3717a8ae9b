/** Chooses the line kernel. */

import type { LineKernel } from './line-kernel.js'
import { plainKernel } from './plain-kernel.js'
import { wasmKernel } from './wasm-kernel.js'
import { kernelInstance } from './wasm-memory.js'

/**
 * 'auto' is the WebAssembly kernel where it runs and is worth its start, else the plain one. The others are for tests and
 * benchmarks.
 */
export type KernelChoice = 'auto' | 'plain' | 'wasm'

/** Below this the plain kernel is done before the WebAssembly one is instantiated (about half a millisecond). */
const WASM_FROM_BYTES = 32 * 1024

let wasmRuns: boolean | undefined

/** Throws for 'wasm' where WebAssembly SIMD is not to be had. */
export function selectLineKernel(choice: KernelChoice = 'auto'): LineKernel {
  if (choice === 'plain') return plainKernel
  if (choice === 'auto') return autoKernel
  kernelInstance()
  return wasmKernel
}

const autoKernel: LineKernel = {
  name: 'auto',
  encodeLines: (job) => kernelFor(job.to - job.from).encodeLines(job),
  joinValues: (job) => kernelFor(job.area.end - job.area.start).joinValues(job),
}

function kernelFor(inputBytes: number): LineKernel {
  if (wasmRuns === undefined && inputBytes >= WASM_FROM_BYTES) wasmRuns = canRunWasm()
  return wasmRuns === true ? wasmKernel : plainKernel
}

function canRunWasm(): boolean {
  try {
    kernelInstance()
    return true
  } catch {
    // No WebAssembly, or none with SIMD: the plain kernel gives the same bytes.
    return false
  }
}
