/** Runs main.ts as a process, for the tests. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from '../helpers/project.js'

const program = join(projectRoot, 'dist', 'test-build', 'test', 'torture', 'main.js')

export async function runMain(args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, ['--enable-source-maps', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { status, output }
}
