/** The files of a consumer group: state, commits, what was changed by hand, members, and how much of the commits is on the device. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { crc32c } from '../../../lib/bytes/crc32c.js'
import { formatCheckedLine } from '../../../lib/store/group/checked-line.js'
import { commitToJson, type Commit, type CommittedOffsets } from '../../../lib/store/group/committed-offsets.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { decodeSyncedLength, encodeSyncedLength } from '../../../lib/store/group/group-lock.js'
import { formatGroupState, groupStateName, parseGroupState } from '../../../lib/store/group/group-state.js'
import { HistoryFile } from '../../../lib/store/group/history-file.js'
import { readMemberFile, writeMemberFile, type MemberFile } from '../../../lib/store/group/member-file.js'
import { openOrCreateStore, type Store } from '../../../lib/store/store.js'
import { createFakeSystem } from '../../helpers/fake-system.js'
import { bytesOf, chosen, unlessRefused, type FuzzTarget } from '../target.js'

const GROUP = '/s/groups/g'
const commit: Commit = {
  ...{ generation: 3, member: 'm', timeMs: 5 },
  topics: [{ topic: 'orders', topicId: 'id', offsets: new Map([[0, { offset: 7, leaderEpoch: 0 }]]) }],
}
const member: MemberFile = {
  ...{ member: 'm', subscription: ['orders', 'a*'], host: 'h', pid: 1, startTicks: 2, bootId: '00', command: 'logq consume' },
  ...{ joined: '2026-11-20T00:00:00Z', sessionTimeoutMs: 45_000 },
}

/** Each reads a kind of file; throws where it does not hold. */
const kinds: readonly ((bytes: Uint8Array) => Promise<void>)[] = [state, offsets, history, members, syncedLength]

export const groupFiles: FuzzTarget = {
  name: 'group-files',
  inputs: fc.constantFrom(
    bytesOf(
      `\x00{"type":"consumer","formatVersion":1,"state":"Stable","generation":2,"assignor":"range","members":{"m":{"generation":2,"topics":["orders"],"instanceId":"i","graceMs":5,"isAway":true}},"assignment":{"orders":["m",null]},"owners":{"orders":["m",null]},"more":1}`,
    ),
    Buffer.concat([Uint8Array.of(1), formatCheckedLine(commitToJson(commit)), formatCheckedLine(commitToJson(commit))]),
    bytesOf(
      `\x0100000000 {"generation":1,"member":"n","timeMs":5,"offsets":{"a":{"topicId":"x","partitions":{"0":[1,0,"text"],"3":null}}}}\n`,
    ),
    bytesOf(
      `\x0200000000 {"number":1,"timeMs":5,"userId":0,"pid":9,"command":"skip","reason":"r","changes":[{"topic":"t","topicId":"i","partition":0,"from":null,"to":3}]}\n00000000 {"number":2,"timeMs":6,"userId":0,"pid":9,"command":"undo","undoes":1,"changes":[]}\n`,
    ),
    bytesOf(`\x03${JSON.stringify(member)}`),
    Buffer.concat([
      Uint8Array.of(4),
      encodeSyncedLength(4, { inode: 2, sizeBytes: 80 }),
      encodeSyncedLength(5, { inode: 2 ** 40, sizeBytes: 159 }),
    ]),
  ),
  words: [
    '"__proto__":',
    '"generation":',
    '9007199254740993',
    '-1',
    '1e999',
    'null',
    '"0":',
    '[',
    ']',
    '{',
    '}',
    '\n',
    '00000000 {',
    '[1,0]',
  ],
  async check(input) {
    const [check, bytes] = chosen(input, kinds)
    await check(bytes)
    if (check === offsets || check === history) await check(withChecksums(bytes))
  },
}

/** Lines that are long enough are given the checksum of what they say. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('latin1').split('\n')
  const mended = lines.map((line) => {
    if (line.length < 9) return line
    const text = line.slice(9)
    return `${crc32c(Buffer.from(text, 'latin1')).toString(16).padStart(8, '0')} ${text}`
  })
  return Buffer.from(mended.join('\n'), 'latin1')
}

function state(bytes: Uint8Array): Promise<void> {
  const first = unlessRefused(() => parseGroupState(bytes, 'group.json'))
  if (first !== undefined) {
    assert.equal(typeof groupStateName(first), 'string')
    const written = formatGroupState(first)
    const second = parseGroupState(written, 'group.json')
    // What a newer logq wrote beside them may be a number that JSON cannot write again.
    assert.deepEqual({ ...second, others: {} }, { ...first, others: {} })
    assert.deepEqual(formatGroupState(second ?? first), written)
  }
  return Promise.resolve()
}

async function groupWith(fileName: string, bytes: Uint8Array): Promise<{ store: Store; files: GroupFiles }> {
  const store = await openOrCreateStore(createFakeSystem(), '/s')
  const files = GroupFiles.openOrCreate(store, 'g')
  if (fileName !== '') append(store, fileName, bytes)
  return { store, files }
}

function append({ system: { fs } }: Store, fileName: string, bytes: Uint8Array): void {
  const path = `${GROUP}/${fileName}`
  const fd = fs.pathStatus(path) === undefined ? fs.open(path, 'create') : fs.open(path, 'read-write')
  fs.write(fd, bytes, 0, bytes.length, fs.fileStatus(fd).sizeBytes)
  fs.close(fd)
}

/** However it grows, the same is read; the next commit is there, and nothing else is lost by it or by writing the file anew. */
async function offsets(bytes: Uint8Array): Promise<void> {
  const { store, files } = await groupWith('offsets', bytes)
  const before = plain(files.read().offsets)
  const grown = await groupWith('offsets', bytes.subarray(0, bytes.length >> 1))
  grown.files.read()
  append(grown.store, 'offsets', bytes.subarray(bytes.length >> 1))
  assert.deepEqual(plain(grown.files.read().offsets), before)

  if (files.read().damage.length > 0) {
    await files.change(({ salvageOffsets }) => salvageOffsets())
    assert.deepEqual(plain(files.read().offsets), before)
  }
  await files.change(({ commit: append }) => {
    append(commit)
  })
  await files.sync()
  const after = GroupFiles.open(store, 'g').read()
  assert.deepEqual(after.damage, [])
  assert.equal(after.offsets.get('orders', 'id', 0)?.offset, 7)
  const others = (all: ReturnType<typeof plain>) => all.filter(({ topic }) => topic !== 'orders')
  assert.deepEqual(others(plain(after.offsets)), others(before))
  assert.deepEqual(plain(files.read().offsets), plain(after.offsets))
}

function plain(all: CommittedOffsets) {
  return all
    .topics()
    .flatMap(({ topic, topicId, partitions }) =>
      partitions.map((partition) => ({ topic, partition, stored: all.get(topic, topicId, partition) })),
    )
}

/** What can be undone can be, and the next change has a number of its own. */
async function history(bytes: Uint8Array): Promise<void> {
  const { store } = await groupWith('history', bytes)
  const file = new HistoryFile(store.system, `${GROUP}/history`, store.ownership)
  const before = file.entries()
  for (const { changes } of before) {
    for (const { topic, topicId, partition, from, to } of changes) {
      assert([topic, topicId].every((text) => typeof text === 'string'))
      for (const offset of [partition, from ?? 0, to ?? 0]) assert(Number.isSafeInteger(offset) && offset >= 0)
    }
  }
  const added = file.add({ command: 'seek', changes: [] })
  assert.deepEqual(file.entries(), [...before, added])
  assert(before.every(({ number }) => number !== added.number))
  assert.deepEqual(file.lastToUndo(), added)
}

async function members(bytes: Uint8Array): Promise<void> {
  const { store } = await groupWith('members/m.json', bytes)
  const first = readMemberFile(store.system, GROUP, 'm')
  if (first === undefined) return
  const { system, ownership } = store
  system.fs.unlink(`${GROUP}/members/m.json`)
  writeMemberFile(system, GROUP, { ...first, member: 'm' }, ownership)
  assert.deepEqual(readMemberFile(system, GROUP, 'm'), { formatVersion: 1, ...first, member: 'm' })
}

function syncedLength(bytes: Uint8Array): Promise<void> {
  const mended = Buffer.concat(
    [0, 28].map((start) => {
      const slot = Buffer.from(bytes.subarray(start, start + 28))
      if (slot.length === 28) slot.writeUInt32BE(crc32c(slot, 0, 24), 24)
      return slot
    }),
  )
  for (const slots of [bytes, mended]) {
    const length = decodeSyncedLength(slots)
    if (length === undefined) continue
    assert([length.inode, length.sizeBytes].every((number) => Number.isSafeInteger(number) && number >= 0))
    assert.deepEqual(decodeSyncedLength(encodeSyncedLength(1, length)), length)
  }
  return Promise.resolve()
}
