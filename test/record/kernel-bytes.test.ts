import test from 'ava'
import { readFileSync, writeFileSync } from 'node:fs'
import { compileKernel, kernelBytesPath } from './compile-kernel.js'

test('lib/record/kernel-bytes.ts is what kernel-wasm/kernel.ts compiles to', async (t) => {
  const compiled = await compileKernel()
  if (process.env['LOGQ_WRITE_KERNEL'] === '1') writeFileSync(kernelBytesPath, compiled)
  t.is(readFileSync(kernelBytesPath, 'utf8'), compiled)
})
