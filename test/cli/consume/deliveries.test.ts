/** What may be committed of what was printed. */
import test from 'ava'
import { Deliveries } from '../../../cli/consume/deliveries.js'

function world() {
  const delivered: string[] = []
  const output = { writtenBytes: 0, acceptedBytes: 0, flush: () => Promise.resolve() }
  const consumer = {
    delivered: (topic: string, partition: number, offset: number) => delivered.push(`${topic}:${partition}@${offset}`),
  }
  const deliveries = new Deliveries(consumer as never, output as never)
  const print = (topic: string, offset: number): void => {
    output.writtenBytes += 10
    deliveries.printed(topic, 0, offset, 0)
  }
  return { delivered, output, deliveries, print }
}

test('what standard output has not taken yet is not delivered', (t) => {
  const { delivered, output, deliveries, print } = world()
  print('t', 1)
  print('t', 2)
  output.acceptedBytes = 19
  deliveries.settle()
  t.deepEqual(delivered, ['t:0@1'])
  output.acceptedBytes = 20
  deliveries.settle()
  t.deepEqual(delivered, ['t:0@1', 't:0@2'])
})

test('what was printed of a topic that was made anew since, or before this member was taken out, is not taken for delivered', async (t) => {
  const { delivered, output, deliveries, print } = world()
  print('t', 7)
  print('u', 8)
  deliveries.forget('t')
  output.acceptedBytes = 20
  await deliveries.flush()
  t.deepEqual(delivered, ['u:0@8'])
  print('u', 9)
  deliveries.forget()
  output.acceptedBytes = 30
  await deliveries.flush()
  t.deepEqual(delivered, ['u:0@8'])
})
