import test from 'ava'
import { Acknowledgements } from '../../../cli/input/acknowledgements.js'
import type { OutputWriter } from '../../../cli/output.js'

function recorder(): { readonly lines: string[]; readonly output: OutputWriter } {
  const lines: string[] = []
  const output = {
    writeLine: (line: string) => {
      lines.push(line)
    },
    flush: () => Promise.resolve(),
  }
  return { lines, output: output as unknown as OutputWriter }
}

test('places come in the order of the input, each once, over several prints', async (t) => {
  const { lines, output } = recorder()
  const acknowledgements = new Acknowledgements('t', output)
  acknowledgements.take(0, 2)
  acknowledgements.take(1, 1)
  acknowledgements.take(0, 2)
  acknowledgements.append({ partition: 0, baseOffset: 10, recordCount: 3 })
  await acknowledgements.print()
  t.deepEqual(lines, ['t:0@10', 't:0@11'])
  acknowledgements.append({ partition: 1, baseOffset: 5, recordCount: 1 })
  await acknowledgements.print()
  t.deepEqual(lines.splice(0), ['t:0@10', 't:0@11', 't:1@5', 't:0@12'])
  acknowledgements.append({ partition: 0, baseOffset: 3, recordCount: 1 })
  await acknowledgements.print()
  await acknowledgements.print()
  t.deepEqual(lines, ['t:0@3'])
})

test('hundreds of thousands of duplicates, each a run of its own, cost no more than their number', async (t) => {
  const { lines, output } = recorder()
  const acknowledgements = new Acknowledgements('t', output)
  const count = 300_000
  acknowledgements.take(0, count)
  for (let n = 0; n < count; n += 1) acknowledgements.append({ partition: 0, baseOffset: 7, recordCount: 1 })
  const fromMs = performance.now()
  await acknowledgements.print()
  t.is(lines.length, count)
  // Taken from the front of an array one by one, these are a minute.
  t.true(performance.now() - fromMs < 15_000)
})
