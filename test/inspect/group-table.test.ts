import test from 'ava'
import fc from 'fast-check'
import { GroupTable, HASHES, type GroupBy } from '../../lib/inspect/group-table.js'
import type { LentRecord } from '../../lib/record/lent-record.js'

function record(fields: Partial<LentRecord>): LentRecord {
  return {
    offset: 0,
    timestampMs: 1000,
    timestampType: 'CreateTime',
    key: null,
    value: Buffer.from('v'),
    headers: [],
    ...fields,
  }
}

function groupOf(by: GroupBy, fields: Partial<LentRecord>): string | number | null {
  const table = new GroupTable(by, 0, { groups: 10, idBytes: 1000 })
  table.add(3, record(fields))
  return table.id(0)
}

const minute: GroupBy = { kind: 'time', durationMs: 60_000 }
const level: GroupBy = { kind: 'header', name: 'level' }
const header = (key: string, value: string | null) => ({ key, value: value === null ? null : Buffer.from(value) })

const groups: readonly [name: string, by: GroupBy, fields: Partial<LentRecord>, id: string | number | null][] = [
  ['a partition', { kind: 'partition' }, {}, 3],
  ['a key', { kind: 'key' }, { key: Buffer.from('k') }, 'k'],
  ['an empty key', { kind: 'key' }, { key: Buffer.from('') }, ''],
  ['a null key', { kind: 'key' }, { key: null }, null],
  ['a key that is no text', { kind: 'key' }, { key: Uint8Array.of(0xff, 0) }, '\xff\0'],
  ['a header', level, { headers: [header('level', 'info'), header('other', 'x')] }, 'info'],
  ['the last header of a name', level, { headers: [header('level', 'info'), header('level', 'warn')] }, 'warn'],
  ['a null header', level, { headers: [header('level', null)] }, null],
  ['an absent header', level, { headers: [header('Level', 'x')] }, null],
  ['the first ms of a minute', minute, { timestampMs: 120_000 }, 120_000],
  ['the last ms of a minute', minute, { timestampMs: 179_999 }, 120_000],
  ['no timestamp', minute, { timestampMs: -1 }, null],
]

for (const [name, by, fields, id] of groups) {
  test(`the group of ${name} is ${JSON.stringify(id)}`, (t) => {
    t.is(groupOf(by, fields), id)
  })
}

test('grouping by key or header touches nothing of a value but its length', (t) => {
  const touched: unknown[] = []
  const value = new Proxy(Buffer.from('secret'), {
    get(target, name) {
      if (name === 'length') return target.length
      touched.push(name)
      return Reflect.get(target, name, target) as unknown
    },
  })
  for (const by of [{ kind: 'key' }, level, minute, { kind: 'partition' }] as const) {
    const table = new GroupTable(by, 0, { groups: 10, idBytes: 1000 })
    table.add(0, record({ value, key: Buffer.from('k'), headers: [header('level', 'info')] }))
    t.is(table.size, 1)
    t.is(table.tally(0).sizeBytes, 7)
  }
  t.deepEqual(touched, [])
})

test('a tally keeps the first and last by timestamp; records without one come into it only where none has one', (t) => {
  const times = (list: readonly number[]) => {
    const table = new GroupTable({ kind: 'partition' }, 0, { groups: 10, idBytes: 1000 })
    list.forEach((timestampMs, offset) => {
      table.add(3, record({ timestampMs, offset }))
    })
    const tally = table.tally(0)
    return [tally.firstTimestampMs, tally.lastTimestampMs, tally.first?.offset, tally.last?.offset, tally.recordCount]
  }
  t.deepEqual(times([5, 3, 9, 7]), [3, 9, 1, 2, 4])
  t.deepEqual(times([5, 5, 5]), [5, 5, 0, 2, 3])
  t.deepEqual(times([-1, 5, -1, 4, -1]), [4, 5, 3, 1, 5])
  t.deepEqual(times([-1, -1, -1]), [-1, -1, 0, 2, 3])
  t.deepEqual(times([-1, 5]), [5, 5, 1, 1, 2])
  t.deepEqual(times([0]), [0, 0, 0, 0, 1])
})

test('a table that holds few groups counts each group once and wholly, reading by reading', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(60).map(String), fc.constant(null), fc.string({ maxLength: 30 })), { maxLength: 300 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 200 }),
      (keys, maxGroups, idBytes) => {
        const expected = new Map<string | null, number>()
        for (const key of keys) {
          const id = key === null ? null : Buffer.from(key).toString('latin1')
          expected.set(id, (expected.get(id) ?? 0) + 1)
        }
        const counted = new Map<string | number | null, number>()
        const table = new GroupTable({ kind: 'key' }, 0, { groups: maxGroups, idBytes })
        let reading = 1
        for (let isOver = false; !isOver; reading += 1) {
          for (const key of keys) table.add(0, record({ key: key === null ? null : Buffer.from(key) }))
          t.true(table.size <= maxGroups)
          for (let index = 0; index < table.size; index += 1) {
            const id = table.id(index)
            t.false(counted.has(id))
            counted.set(id, table.tally(index).recordCount)
          }
          isOver = table.endHash === HASHES
          table.goOn()
        }
        t.is(counted.size, expected.size)
        for (const [id, count] of expected) t.is(counted.get(id), count)
        t.true(reading <= expected.size * 20 + 2)
      },
    ),
    { numRuns: 300 },
  )
})
