/**
 * A short torture run (README.md): every kind of client, some nemeses, and no invariant violated. LOGQ_BUNDLE names another program to
 * drive, such as a mutant.
 */
import test from 'ava'
import { runMain } from './run-main.js'

/** Where a program may be broken, it is met at the places where that shows. */
const nemeses = process.env['LOGQ_BUNDLE'] === undefined ? [] : ['--nemeses', 'critical,kill,caches', '--seconds', '20']

test('many processes, disturbed: no invariant is violated', async (t) => {
  // Half a minute, and more on a machine with much else to do.
  t.timeout(300_000)
  const { status, output } = await runMain(['--seconds', '9', '--disk', 'small', ...nemeses])
  for (const line of output.split('\n').filter((one) => /^(torture|left out|\d+ processes)/.test(one))) t.log(line)
  t.is(status, 0, output)
  t.regex(output, /no invariant is violated\n$/)
  const [, sent = '0', acknowledged = '0'] = /; (\d+) values sent: (\d+) acknowledged/.exec(output) ?? []
  t.true(Number(sent) > 100 && Number(acknowledged) > 50, output)
})
