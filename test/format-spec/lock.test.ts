import test from 'ava'
import { HOLDER_NOTE_BYTES, HOLDER_NOTE_POSITION } from '../../lib/log/partition-lock.js'
import { PARTITION_STATUS, STATE_BLOCK_BYTES, decodeStateBlock, encodeStateBlock } from '../../lib/log/state-block.js'
import { tableBelow } from '../helpers/markdown.js'
import { hex } from './partition-in-memory.js'
import { readPage } from './text-examples.js'
import { readWorkedExamples } from './worked-examples.js'

const page = readPage('lock.md')
const [example] = readWorkedExamples('lock.md')
const bytes = example?.bytes ?? new Uint8Array()

test('lock.md: the bytes decode to what the page says', (t) => {
  const block = decodeStateBlock(bytes)
  t.deepEqual({ ...block, bootId: hex(block?.bootId) }, example?.expected as object)
})

test('lock.md: what the page says encodes to the bytes', (t) => {
  const described = example?.expected as ReturnType<typeof decodeStateBlock> & { bootId: string }
  const bootId = Uint8Array.from(Buffer.from(described.bootId, 'hex'))
  t.is(hex(encodeStateBlock({ ...described, bootId })), hex(bytes))
})

test('lock.md: the layout table is whole: every field begins where the one before it ends', (t) => {
  let place = 0
  for (const [position, length] of tableBelow(page, '## Layout')) {
    t.is(Number(position), place)
    place += Number(length)
  }
  t.is(place, STATE_BLOCK_BYTES)
  t.true(page.includes(`At ${HOLDER_NOTE_POSITION},`))
  t.true(page.includes(`note, ${HOLDER_NOTE_BYTES} bytes`))
})

test('lock.md: the numbers of the statuses are those of the code', (t) => {
  const numbers = Object.entries(PARTITION_STATUS).map(([name, number]) => `${number} ${name}`)
  t.true(page.includes(numbers.join(', ')))
  t.deepEqual(
    tableBelow(page, '### Status').map(([name]) => name),
    Object.keys(PARTITION_STATUS),
  )
})

test('lock.md: a block with any bit flipped is none', (t) => {
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const flipped = bytes.slice()
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.is(decodeStateBlock(flipped), undefined)
  }
})
