/** The worked examples of the pages about the files of a group that are lines or small JSON files. */
import test from 'ava'
import { checkedLines, formatCheckedLine } from '../../lib/store/group/checked-line.js'
import { CommittedOffsets, commitFromJson, commitToJson } from '../../lib/store/group/committed-offsets.js'
import { HistoryFile } from '../../lib/store/group/history-file.js'
import { readMemberFile, writeMemberFile, type MemberFile } from '../../lib/store/group/member-file.js'
import type { Ownership } from '../../lib/system/durable.js'
import { createFakeSystem } from '../helpers/fake-system.js'
import { readTextExamples } from './text-examples.js'

const OWNERSHIP: Ownership = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }

const [offsets] = readTextExamples('group-offsets.md')

test('group-offsets.md: the lines say what the page says', (t) => {
  const known = new CommittedOffsets()
  for (const { content } of checkedLines(Buffer.from(offsets?.text ?? ''))) {
    const commit = content === undefined ? undefined : commitFromJson(content)
    if (commit !== undefined) known.apply(commit)
  }
  const all = known
    .topics()
    .flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, topicId, partition, ...known.get(topic, topicId, partition) })),
    )
  t.deepEqual(all, offsets?.expected as typeof all)
})

test('group-offsets.md: each line is written as it stands there', (t) => {
  for (const { content } of checkedLines(Buffer.from(offsets?.text ?? ''))) {
    const commit = content === undefined ? undefined : commitFromJson(content)
    t.truthy(commit)
    if (commit !== undefined) t.true(offsets?.text.includes(Buffer.from(formatCheckedLine(commitToJson(commit))).toString()))
  }
})

const [history] = readTextExamples('group-history.md')

test('group-history.md: the lines are read as what the page says, and written as they stand there', (t) => {
  const system = createFakeSystem()
  system.fs.makeDirectory('/h')
  const fd = system.fs.open('/h/history', 'create-new')
  const bytes = Buffer.from(history?.text ?? '')
  system.fs.write(fd, bytes, 0, bytes.length, 0)
  system.fs.close(fd)
  const file = new HistoryFile(system, '/h/history', OWNERSHIP)
  const entries = file.entries()
  t.deepEqual(entries, history?.expected as typeof entries)
  t.is(entries.map((entry) => Buffer.from(formatCheckedLine({ ...entry })).toString()).join(''), history?.text ?? '')
  // The skip was taken back.
  t.is(file.lastToUndo(), undefined)
})

const [member] = readTextExamples('group-members.md')

test('group-members.md: the file is read as what the page says, and written as it stands there', (t) => {
  const system = createFakeSystem()
  for (const directory of ['/g', '/g/members']) system.fs.makeDirectory(directory)
  const expected = member?.expected as MemberFile
  writeMemberFile(system, '/g', expected, OWNERSHIP)
  const { formatVersion, ...read } = readMemberFile(system, '/g', expected.member) as MemberFile & { formatVersion: number }
  t.is(formatVersion, 1)
  t.deepEqual(read, expected)
  const fd = system.fs.open(`/g/members/${expected.member}.json`, 'read')
  const buffer = new Uint8Array(4096)
  const count = system.fs.read(fd, buffer, 0, buffer.length, 0)
  t.is(Buffer.from(buffer.subarray(0, count)).toString(), member?.text ?? '')
})
