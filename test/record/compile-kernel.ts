/** Compiles lib/record/kernel-wasm/kernel.ts, and knows how lib/record/kernel-bytes.ts is made of it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../helpers/project.js'

/** Where the compiled module is committed. */
export const kernelBytesPath = join(projectRoot, 'lib', 'record', 'kernel-bytes.ts')

/** Eight pages of 64 KiB hold the regions of wasm-memory.ts. */
const OPTIONS = [
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '-O3',
  '--noAssert',
  '--converge',
  '--initialMemory',
  '8',
  '--maximumMemory',
  '8',
]

/** What is used of the compiler. Its own declarations change those of Array for the whole project: `at()` would never be undefined. */
interface Compiler {
  readonly main: (
    args: readonly string[],
    io: {
      readFile(name: string): string | null
      writeFile(name: string, contents: Uint8Array | string): void
      listFiles(): readonly string[]
    },
  ) => Promise<{ readonly error: Error | null }>
}

/** The text that kernel-bytes.ts should have. */
export async function compileKernel(): Promise<string> {
  const compilerName: string = 'assemblyscript/asc'
  const { main } = (await import(compilerName)) as Compiler
  const source = readFileSync(join(projectRoot, 'lib', 'record', 'kernel-wasm', 'kernel.ts'), 'utf8')
  let compiled: Uint8Array | undefined
  const { error } = await main(['kernel.ts', '--outFile', 'kernel.wasm', ...OPTIONS], {
    readFile: (name) => (name === 'kernel.ts' ? source : null),
    writeFile: (name, contents) => {
      if (name === 'kernel.wasm' && typeof contents !== 'string') compiled = contents
    },
    listFiles: () => [],
  })
  if (error !== null || compiled === undefined) throw new Error('the kernel does not compile', { cause: error })
  return moduleText(Buffer.from(compiled).toString('base64'))
}

function moduleText(base64: string): string {
  const lines = base64.match(/.{1,120}/g) ?? []
  const header = [
    '/**',
    ' * The line kernel as compiled from kernel-wasm/kernel.ts. Generated: after a change there, run the tests once with LOGQ_WRITE_KERNEL=1',
    ' * (test/record/kernel-bytes.test.ts).',
    ' */',
    '',
    'export const KERNEL_BASE64 =',
  ]
  return [...header, ...lines.map((line, index) => `  '${line}'${index < lines.length - 1 ? ' +' : ''}`), ''].join('\n')
}
