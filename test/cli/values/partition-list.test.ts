import test from 'ava'
import { parsePartitionList, selectPartitions } from '../../../cli/values/partition-list.js'
import { isLogqError } from '../../../lib/errors.js'

test('selectPartitions() gives the listed partitions, ascending and each once', (t) => {
  const cases: [text: string, partitions: number[]][] = [
    ['0', [0]],
    ['0,2-5', [0, 2, 3, 4, 5]],
    ['5,0', [0, 5]],
    ['2-3,3-4,1', [1, 2, 3, 4]],
    ['0-9,3', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['7,7,7', [7]],
  ]
  for (const [text, partitions] of cases) t.deepEqual(selectPartitions(parsePartitionList(text), 't', 10), partitions, text)
})

test('selectPartitions() refuses a partition that the topic does not have, without listing a huge range', (t) => {
  const error = t.throws(() => selectPartitions(parsePartitionList('0-2147483647'), 'orders', 3))
  t.true(isLogqError(error, 'LOGQ_UNKNOWN_PARTITION'))
  t.is(error.message, "topic 'orders' has no partition 2147483647")
})

test('parsePartitionList() refuses what is not a list of partitions', (t) => {
  for (const text of ['', ',', '1,', '-1', '1-', '5-2', '01', '1e3', 'all', '0 1', '2147483648', '1--2', '0;1']) {
    const error = t.throws(() => parsePartitionList(text), undefined, text)
    t.true(isLogqError(error, 'LOGQ_USAGE'))
    t.is(error.message, `invalid partitions '${text}'`)
  }
})
