import test from 'ava'
import {
  formatLeaderEpochCheckpoint,
  formatLeaderEpochIds,
  parseLeaderEpochs,
  type LeaderEpoch,
} from '../../lib/log/leader-epochs.js'
import { readTextExamples, type TextExample } from './text-examples.js'

const examples = new Map(readTextExamples('leader-epoch-checkpoint.md').map((example) => [example.title, example]))
const checkpoint = exampleOf('leader-epoch-checkpoint')
const ids = exampleOf('leader-epoch-ids')

function exampleOf(title: string): TextExample {
  const example = examples.get(title)
  if (example === undefined) throw new Error(`no example '${title}'`)
  return example
}

test('leader-epoch-checkpoint.md: the texts are read as what the page says', (t) => {
  t.deepEqual(parseLeaderEpochs(Buffer.from(checkpoint.text)), checkpoint.expected as LeaderEpoch[])
  t.deepEqual(parseLeaderEpochs(Buffer.from(checkpoint.text), Buffer.from(ids.text)), ids.expected as LeaderEpoch[])
})

test('leader-epoch-checkpoint.md: what the page says is written as the texts', (t) => {
  const epochs = ids.expected as LeaderEpoch[]
  t.is(Buffer.from(formatLeaderEpochCheckpoint(epochs)).toString(), checkpoint.text)
  t.is(Buffer.from(formatLeaderEpochIds(epochs)).toString(), ids.text)
})

test('leader-epoch-checkpoint.md: what the rules forbid is taken as damage', (t) => {
  for (const text of [
    '1\n1\n0 0\n',
    '0\n2\n0 0\n',
    '0\n2\n0 0\n0 5\n',
    '0\n2\n0 9\n1 5\n',
    '0\n1\n00 0\n',
    '0\n1\n0 x\n',
    '',
  ]) {
    t.is(parseLeaderEpochs(Buffer.from(text)), undefined, text)
  }
  t.deepEqual(parseLeaderEpochs(Buffer.from('0\n0\n')), [])
})
