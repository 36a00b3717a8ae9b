import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { codeOf, storeAndRead, takesLease } from './consumer.js'

test('a program that uses the library reads back what it stored, and knows errors by their code', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'logq-consumer-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  t.deepEqual(await storeAndRead(join(directory, 'store'), ['a', 'b']), ['a', 'b'])
  t.is(await codeOf(() => storeAndRead(join(directory, 'store'), [])), 'LOGQ_TOPIC_EXISTS')
  t.true(await takesLease(join(directory, 'lease')))
})
