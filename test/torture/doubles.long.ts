/** Programs that do wrong on purpose: driver and checker notice each of them. */
import { rmSync } from 'node:fs'
import test from 'ava'
import { atMost } from '../helpers/at-most.js'
import type { doubles } from './doubles.js'
import { runMain } from './run-main.js'

/** What each of them has to be found out by. */
const expected: Readonly<Record<keyof typeof doubles, RegExp>> = {
  'drop-line': /VIOLATED (I1 lost write|printed offsets)/,
  'lie-offset': /VIOLATED I3 inconsistent offset/,
  'second-store': /VIOLATED I1 lost write/,
  'stale-reader': /VIOLATED I8 stale read/,
  'repeat-line': /VIOLATED I2 duplicate/,
  'blind-fsck': /VIOLATED I17 fsck/,
  'drop-delivery': /VIOLATED I12 delivery/,
  'forget-commits': /VIOLATED I12 (repeated|commits)|exit status/,
}

const oneByOne = atMost(1)

for (const [name, violation] of Object.entries(expected)) {
  test(`${name} is noticed`, (t) =>
    oneByOne(async () => {
      const { status, output } = await runDouble(name)
      t.is(status, 1, output)
      t.regex(output, violation)
    }))
}

async function runDouble(name: string): Promise<{ status: number | null; output: string }> {
  const { status, output } = await runMain(['--seconds', '12', '--nemeses', 'damage', '--double', name])
  const kept = /^kept: (.*)$/m.exec(output)?.[1]
  if (kept !== undefined) rmSync(kept, { recursive: true, force: true })
  return { status, output }
}
