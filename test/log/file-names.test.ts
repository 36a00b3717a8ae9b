import test from 'ava'
import fc from 'fast-check'
import {
  LOG_SUFFIX,
  OFFSET_INDEX_SUFFIX,
  TIME_INDEX_SUFFIX,
  parsePartitionDirectoryName,
  parseSegmentFileName,
  partitionDirectoryName,
  segmentBaseOffsets,
  segmentFileName,
} from '../../lib/log/file-names.js'

test('segmentFileName() has 20 digits, and parseSegmentFileName() reads them back', (t) => {
  t.is(segmentFileName(0, LOG_SUFFIX), '00000000000000000000.log')
  t.is(segmentFileName(1234, OFFSET_INDEX_SUFFIX), '00000000000000001234.index')
  t.is(segmentFileName(Number.MAX_SAFE_INTEGER, TIME_INDEX_SUFFIX), '00009007199254740991.timeindex')
  fc.assert(
    fc.property(fc.maxSafeNat(), (base) => {
      t.is(parseSegmentFileName(segmentFileName(base, LOG_SUFFIX), LOG_SUFFIX), base)
    }),
  )
})

for (const name of [
  '',
  '.log',
  '0.log',
  '0000000000000000000.log',
  '000000000000000000000.log',
  '00000000000000000000.LOG',
  '00000000000000000000.log.swap',
  '00000000000000000000.log.cleaned',
  '00000000000000000000.log.deleted',
  '00000000000000000000.index',
  '-0000000000000000001.log',
  '0000000000000000000x.log',
  '0000000000000000 000.log',
  '00009007199254740992.log',
  '99999999999999999999.log',
]) {
  test(`parseSegmentFileName() does not take '${name}' for a log`, (t) => {
    t.is(parseSegmentFileName(name, LOG_SUFFIX), undefined)
  })
}

test('segmentBaseOffsets() gives the logs of a listing by number', (t) => {
  const names = ['lock', '00000000000000000010.log', '00000000000000000009.log', '00000000000000000009.index', 'x.log']
  t.deepEqual(segmentBaseOffsets(names), [9, 10])
})

test('the partition is what stands after the last hyphen', (t) => {
  t.deepEqual(parsePartitionDirectoryName('a-b-12'), { topic: 'a-b', partition: 12 })
  t.deepEqual(parsePartitionDirectoryName('x-0-0'), { topic: 'x-0', partition: 0 })
  t.deepEqual(parsePartitionDirectoryName(partitionDirectoryName('t', 7)), { topic: 't', partition: 7 })
  for (const name of ['', 'a', 'a-', '-1', 'a-01', 'a--', 'a-1x', 'a-12345678901', 'a-1.5', 't-0-delete', 't-0.abc-future']) {
    t.is(parsePartitionDirectoryName(name), undefined, name)
  }
})
