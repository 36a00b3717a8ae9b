import test from 'ava'
import { Log } from '../../lib/log/log.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { batch, createTiny, readAll } from './tiny-log.js'

test('Log.append() stamps offsets in order, and readers see the records', async (t) => {
  const system = createFakeSystem()
  const context = createTiny(system)
  const log = Log.open(context)
  t.deepEqual(await log.append(batch(['a', 'b'])), { baseOffset: 0, lastOffset: 1 })
  t.deepEqual(await log.append(batch(['c'])), { baseOffset: 2, lastOffset: 2 })
  t.deepEqual(await readAll(context), ['0:a', '1:b', '2:c'])
  await log.close()
})
