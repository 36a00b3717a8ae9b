import test from 'ava'
import type { Io } from '../../../cli/io.js'
import { compileWhere } from '../../../cli/reading/where.js'
import { MAX_TEXT_BYTES } from '../../../lib/record/expression.js'
import type { LentRecord } from '../../../lib/record/lent-record.js'

/** The part of an Io that is used here, and what was said. */
function fakeIo(): { io: Io; said: string[] } {
  const said: string[] = []
  const io = {
    merge: (status: string) => void said.push(`status ${status}`),
    failItem: (message: string) => {
      said.push(`failed: ${message}`)
      return Promise.resolve()
    },
    warn: (message: string) => {
      said.push(`warned: ${message}`)
      return Promise.resolve()
    },
  }
  return { io: io as unknown as Io, said }
}

function record(offset: number, value: Uint8Array | null): LentRecord {
  return { offset, timestampMs: 1, timestampType: 'CreateTime', key: null, value, headers: [] }
}

test('-w: what fails is no match and is said at the end, once; what is looked at again is not counted again', async (t) => {
  const { io, said } = fakeIo()
  const where = await compileWhere('value.a > 1', io)
  const json = (text: string) => Buffer.from(text)
  t.deepEqual(
    ['{"a":2}', '{"a":1}', '{}', 'x'].map((text, offset) => where.matches('t', 0, record(offset, json(text)))),
    [true, false, false, false],
  )
  t.false(where.matchesAgain('t', 0, record(3, json('x'))))
  t.deepEqual(said, [])
  await where.report()
  t.is(said.length, 1)
  t.regex(said[0] ?? '', /^warned: -w failed on 2 records, which do not match; the first was t:0@2: /)
})

test('-w names a record that is too large to be text, which makes the status 1, and goes on', async (t) => {
  const { io, said } = fakeIo()
  const where = await compileWhere('text == "yes"', io)
  const large = new Uint8Array(MAX_TEXT_BYTES + 1)
  t.false(where.matches('t', 2, record(5, large)))
  t.false(where.matchesAgain('t', 2, record(5, large)))
  t.true(where.matches('t', 2, record(6, Buffer.from('yes'))))
  await where.report()
  t.deepEqual(said, ['status failed', `failed: t:2@5: ${MAX_TEXT_BYTES + 1} bytes are too large for an expression`])
})

test('without -w there is nothing to ask', async (t) => {
  t.is(await compileWhere(undefined, fakeIo().io), undefined)
})
