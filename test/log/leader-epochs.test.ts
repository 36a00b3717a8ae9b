import test from 'ava'
import fc from 'fast-check'
import {
  formatLeaderEpochCheckpoint,
  formatLeaderEpochIds,
  parseLeaderEpochs,
  type LeaderEpoch,
} from '../../lib/log/leader-epochs.js'

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const parse = (checkpoint: string, ids?: string) =>
  parseLeaderEpochs(Buffer.from(checkpoint), ids === undefined ? undefined : Buffer.from(ids))

const epochs: readonly LeaderEpoch[] = [
  { epoch: 0, startOffset: 0, id: '0123456789abcdef' },
  { epoch: 3, startOffset: 10 },
  { epoch: 4, startOffset: 10, id: 'fedcba9876543210' },
]

test('leader epochs are written in the form of Kafka, and their ids beside it', (t) => {
  t.is(text(formatLeaderEpochCheckpoint(epochs)), '0\n3\n0 0\n3 10\n4 10\n')
  t.is(text(formatLeaderEpochIds(epochs)), '0\n2\n0 0123456789abcdef\n4 fedcba9876543210\n')
  t.deepEqual(parseLeaderEpochs(formatLeaderEpochCheckpoint(epochs), formatLeaderEpochIds(epochs)), epochs)
})

test('leader epochs of any numbers that rise are read back', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(0x7fff_ffff)), fc.array(fc.maxSafeNat()), (numbers, offsets) => {
      const sorted = numbers.sort((a, b) => a - b).slice(0, offsets.length)
      const starts = offsets.sort((a, b) => a - b)
      const list = sorted.map((epoch, n) => ({ epoch, startOffset: starts[n] ?? 0 }))
      t.deepEqual(parseLeaderEpochs(formatLeaderEpochCheckpoint(list)), list)
    }),
  )
})

const TABLE: readonly (readonly [string, string, readonly LeaderEpoch[] | undefined])[] = [
  ['no epoch yet', '0\n0\n', []],
  ['no line end at the end', '0\n1\n5 7', [{ epoch: 5, startOffset: 7 }]],
  ['an empty file', '', undefined],
  ['another version', '1\n1\n5 7\n', undefined],
  ['a count that is too small', '0\n1\n5 7\n6 8\n', undefined],
  ['a count that is too large', '0\n3\n5 7\n6 8\n', undefined],
  ['no count', '0\n', undefined],
  ['a count that is no number', '0\nx\n5 7\n', undefined],
  ['an epoch that does not rise', '0\n2\n5 7\n5 8\n', undefined],
  ['an offset that falls', '0\n2\n5 7\n6 6\n', undefined],
  ['a negative epoch', '0\n1\n-1 7\n', undefined],
  ['an epoch of more than 31 bits', '0\n1\n2147483648 7\n', undefined],
  ['an offset of more than 53 bits', '0\n1\n5 9007199254740992\n', undefined],
  ['leading zeros', '0\n1\n05 7\n', undefined],
  ['a third number', '0\n1\n5 7 9\n', undefined],
  ['two spaces', '0\n1\n5  7\n', undefined],
  ['bytes that are no text', '0\n1\n5 \x00\n', undefined],
]

for (const [what, file, expected] of TABLE) {
  test(`a leader epoch checkpoint with ${what} ${expected === undefined ? 'is damaged' : 'is read'}`, (t) => {
    t.deepEqual(parse(file), expected === undefined ? undefined : [...expected])
  })
}

test('ids that are damaged or belong to no epoch are left out', (t) => {
  const checkpoint = '0\n2\n1 0\n2 5\n'
  const bare = [
    { epoch: 1, startOffset: 0 },
    { epoch: 2, startOffset: 5 },
  ]
  t.deepEqual(parse(checkpoint), bare)
  t.deepEqual(parse(checkpoint, 'rubbish'), bare)
  t.deepEqual(parse(checkpoint, '0\n2\n1 0123456789abcdef\n'), bare)
  t.deepEqual(parse(checkpoint, '0\n2\n1 short\n9 0123456789abcdef\n'), bare)
  t.is(parse(checkpoint, '0\n1\n2 0123456789abcdef\n')?.[1]?.id, '0123456789abcdef')
})
