import test from 'ava'
import { decodeSyncedLength, encodeSyncedLength, type SyncedLength } from '../../lib/store/group/group-lock.js'
import {
  formatGroupState,
  groupStateName,
  parseGroupState,
  type GroupState,
  type GroupStateName,
} from '../../lib/store/group/group-state.js'
import { hex } from './partition-in-memory.js'
import { tableBelow } from '../helpers/markdown.js'
import { readPage, readTextExamples } from './text-examples.js'
import { readWorkedExamples } from './worked-examples.js'

for (const { text, expected } of readTextExamples('group.md')) {
  test('group.md: the text is read as what the page says', (t) => {
    t.deepEqual(parseGroupState(Buffer.from(text), 'group.json'), expected as GroupState)
  })

  test('group.md: what the page says is written as the text', (t) => {
    t.is(Buffer.from(formatGroupState(expected as GroupState)).toString(), text)
  })
}

const [lock] = readWorkedExamples('group.md')

test('group.md: the slots of the lock file decode and encode', (t) => {
  const bytes = lock?.bytes ?? new Uint8Array()
  const expected = lock?.expected as SyncedLength
  t.deepEqual(decodeSyncedLength(bytes), expected)
  t.is(hex(Buffer.concat([encodeSyncedLength(2, expected), encodeSyncedLength(1, { inode: 131, sizeBytes: 80 })])), hex(bytes))
  const torn = bytes.slice()
  torn[0] = 1
  t.deepEqual(decodeSyncedLength(torn), { inode: 131, sizeBytes: 80 }, 'the older slot counts')
})

test('group.md: the states are those of the table', (t) => {
  const member = (generation: number) => ({ generation, topics: ['t'] })
  const base = { assignor: 'range', others: {}, generation: 2 }
  const states: GroupState[] = [
    { ...base, members: {}, assignment: {}, owners: {} },
    { ...base, members: { a: member(2), b: member(2) }, assignment: { t: ['b'] }, owners: { t: ['a'] } },
    { ...base, members: { a: member(1) }, assignment: { t: ['a'] }, owners: { t: ['a'] } },
    { ...base, members: { a: member(2) }, assignment: { t: ['a'] }, owners: { t: ['a'] } },
  ]
  const named = tableBelow(readPage('group.md'), '### States').map(([name]) => name?.replaceAll('`', '') as GroupStateName)
  t.deepEqual(states.map(groupStateName), named)
})

test('group.md: what a newer logq wrote beside is kept', (t) => {
  const text =
    '{"type":"consumer","formatVersion":1,"generation":1,"assignor":"range","members":{},"assignment":{},"owners":{},"color":"red"}'
  const state = parseGroupState(Buffer.from(text), 'group.json')
  t.deepEqual(state?.others, { color: 'red' })
  t.regex(Buffer.from(formatGroupState(state as GroupState)).toString(), /"color": "red"/)
})

test('group.md: a newer format, and another type, is refused; what is damaged is nothing', (t) => {
  const read = (text: string) => parseGroupState(Buffer.from(text), 'group.json')
  t.throws(() => read('{"type":"consumer","formatVersion":2}'), { code: 'LOGQ_NEWER_FORMAT' })
  t.throws(() => read('{"type":"share","formatVersion":1}'), { code: 'LOGQ_NEWER_FORMAT' })
  for (const text of ['', '{', '[]', 'null', '{"type":"consumer"}', '{"type":"consumer","formatVersion":1,"generation":-1}'])
    t.is(read(text), undefined, text)
  // An owner that is no member would have its partition for ever.
  t.is(
    read(
      '{"type":"consumer","formatVersion":1,"generation":1,"assignor":"range","members":{},"assignment":{},"owners":{"t":["a"]}}',
    ),
    undefined,
  )
})
