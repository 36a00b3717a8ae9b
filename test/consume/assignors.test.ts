import test from 'ava'
import fc from 'fast-check'
import { type AssignorName, assign, type GroupSubscription, type TopicPartition } from '../../lib/consume/assignors.js'

const assignorNames: readonly AssignorName[] = ['range', 'roundrobin', 'cooperative-sticky']

type Assignment = Map<string, TopicPartition[]>

/** `t0-1` is partition 1 of t0. */
function parse(text: string): TopicPartition[] {
  return text
    .split(' ')
    .filter((one) => one !== '')
    .map((one) => ({ topic: one.slice(0, one.lastIndexOf('-')), partition: Number(one.slice(one.lastIndexOf('-') + 1)) }))
}

function show(assignment: Assignment): Record<string, string> {
  return Object.fromEntries([...assignment].map(([member, share]) => [member, share.map(key).join(' ')]))
}

function key({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function member(name: string, topics: string, owned = ''): GroupSubscription {
  return { member: name, topics: topics.split(' '), owned: parse(owned) }
}

/** The examples of Kafka's documentation. */
const documented: readonly [AssignorName, Record<string, number>, GroupSubscription[], Record<string, string>][] = [
  ['range', { t0: 3, t1: 3 }, [member('c0', 't0 t1'), member('c1', 't0 t1')], { c0: 't0-0 t0-1 t1-0 t1-1', c1: 't0-2 t1-2' }],
  [
    'roundrobin',
    { t0: 3, t1: 3 },
    [member('c0', 't0 t1'), member('c1', 't0 t1')],
    { c0: 't0-0 t0-2 t1-1', c1: 't0-1 t1-0 t1-2' },
  ],
  [
    'roundrobin',
    { t0: 1, t1: 2, t2: 3 },
    [member('c0', 't0'), member('c1', 't0 t1'), member('c2', 't0 t1 t2')],
    { c0: 't0-0', c1: 't1-0', c2: 't1-1 t2-0 t2-1 t2-2' },
  ],
  [
    'cooperative-sticky',
    { t0: 2, t1: 2, t2: 2, t3: 2 },
    [member('c0', 't0 t1 t2 t3', 't0-0 t1-1 t3-0'), member('c2', 't0 t1 t2 t3', 't1-0 t2-1')],
    { c0: 't0-0 t1-1 t2-0 t3-0', c2: 't0-1 t1-0 t2-1 t3-1' },
  ],
  [
    'cooperative-sticky',
    { t0: 1, t1: 2, t2: 3 },
    [member('c1', 't0 t1', 't1-0'), member('c2', 't0 t1 t2', 't1-1 t2-0 t2-1 t2-2')],
    { c1: 't0-0 t1-0 t1-1', c2: 't2-0 t2-1 t2-2' },
  ],
]

for (const [name, counts, members, wanted] of documented) {
  test(`${name}: ${members.map((one) => `${one.member} ${one.topics.join('+')}`).join(', ')}`, (t) => {
    t.deepEqual(show(assign(name, new Map(Object.entries(counts)), members)), wanted)
  })
}

test('a member with nothing to read is there, and a topic that is not is left out', (t) => {
  for (const name of assignorNames) {
    const members = [member('b', 't unknown'), member('a', 'unknown empty'), member('c', 't')]
    const counts = new Map(Object.entries({ t: 1, empty: 0, other: 5 }))
    t.deepEqual(show(assign(name, counts, members)), { a: '', b: 't-0', c: '' })
    t.deepEqual(show(assign(name, counts, [])), {})
  }
})

test('cooperative-sticky: what is owned twice, out of range, or not subscribed any more is no obstacle', (t) => {
  const members = [
    member('b', 't', 't-0 t-1 t-7 gone-0'),
    member('a', 't', 't-0 t-0 u-0'),
    { member: 'c', topics: ['u'], owned: [{ topic: 'u', partition: -1 }] },
  ]
  const counts = new Map(Object.entries({ t: 3, u: 1 }))
  t.deepEqual(show(assign('cooperative-sticky', counts, members)), { a: 't-0 t-2', b: 't-1', c: 'u-0' })
})

test('cooperative-sticky: who has too much keeps some of each topic', (t) => {
  const owned = 't0-0 t0-1 t0-2 t0-3 t1-0 t1-1 t1-2 t1-3'
  const members = [member('a', 't0 t1', owned), member('b', 't0 t1')]
  t.deepEqual(show(assign('cooperative-sticky', new Map(Object.entries({ t0: 4, t1: 4 })), members)), {
    a: 't0-0 t0-1 t1-0 t1-1',
    b: 't0-2 t0-3 t1-2 t1-3',
  })
})

test('cooperative-sticky: loads become even by way of a member in between', (t) => {
  const members = [member('a', 'x', 'x-0 x-1 x-2'), member('b', 'x y', 'x-3 y-0'), member('c', 'y', 'y-1')]
  const result = assign('cooperative-sticky', new Map(Object.entries({ x: 4, y: 2 })), members)
  t.deepEqual(
    [...result.values()].map((share) => share.length),
    [2, 2, 2],
  )
})

interface Group {
  readonly counts: ReadonlyMap<string, number>
  readonly members: readonly GroupSubscription[]
}

/** Subscriptions and claims of every sort, also of topics and partitions that are not there. */
function anyGroup(limits: { topics: number; partitions: number; members: number }): fc.Arbitrary<Group> {
  const topic = fc.integer({ min: 0, max: limits.topics }).map((n) => `t${n}`)
  const partition = fc.record({ topic, partition: fc.integer({ min: 0, max: limits.partitions }) })
  const subscription = fc.record({
    member: fc.string({ maxLength: 5 }),
    topics: fc.array(topic, { maxLength: limits.topics }),
    owned: fc.array(partition, { maxLength: 2 * limits.partitions }),
  })
  return fc.record({
    counts: fc
      .array(fc.integer({ min: 0, max: limits.partitions }), { maxLength: limits.topics })
      .map((counts) => new Map(counts.map((count, n) => [`t${n}`, count]))),
    members: fc.uniqueArray(subscription, { selector: (one) => one.member, maxLength: limits.members }),
  })
}

const groups = anyGroup({ topics: 6, partitions: 8, members: 8 })

for (const name of assignorNames) {
  test(`${name}: every subscribed partition has one owner, who subscribes to it, in whatever order members come`, (t) => {
    fc.assert(
      fc.property(groups, fc.array(fc.nat(), { minLength: 8, maxLength: 8 }), ({ counts, members }, order) => {
        const result = assign(name, counts, members)
        const shuffled = members
          .map((one, index) => ({
            ...one,
            topics: one.topics.toReversed(),
            owned: one.owned.toReversed(),
            at: order[index] ?? 0,
          }))
          .sort((x, y) => x.at - y.at)
        assertSame(show(assign(name, new Map([...counts].reverse()), shuffled)), show(result))
        assertSame([...result.keys()].sort(), members.map((one) => one.member).sort())
        const wanted = [...counts]
          .filter(([topic]) => members.some(({ topics }) => topics.includes(topic)))
          .flatMap(([topic, count]) => Array.from({ length: count }, (_, n) => `${topic}-${n}`))
        assertSame([...result.values()].flat().map(key).sort(), wanted.sort())
        for (const { member: owner, topics } of members) {
          for (const { topic } of result.get(owner) ?? []) assertSame(topics.includes(topic), true)
        }
      }),
    )
    t.pass()
  })
}

test('cooperative-sticky: members with equal subscriptions differ by one at most, and an assignment is left as it is', (t) => {
  fc.assert(
    fc.property(groups, ({ counts, members }) => {
      const result = assign('cooperative-sticky', counts, members)
      const loads = new Map<string, number[]>()
      for (const { member: name, topics } of members) {
        const known = [...new Set(topics)]
          .filter((topic) => counts.has(topic))
          .sort()
          .join()
        loads.set(known, [...(loads.get(known) ?? []), result.get(name)?.length ?? 0])
      }
      for (const equals of loads.values()) assertSame(Math.max(...equals) - Math.min(...equals) <= 1, true)
      assertSame(show(assign('cooperative-sticky', counts, owning(members, result))), show(result))
    }),
  )
  t.pass()
})

test('cooperative-sticky: no other assignment is more even', (t) => {
  fc.assert(
    fc.property(anyGroup({ topics: 3, partitions: 2, members: 3 }), ({ counts, members }) => {
      const loads = [...assign('cooperative-sticky', counts, members).values()].map((share) => share.length)
      const choices = [...counts].flatMap(([topic, count]) => {
        const readers = members.flatMap(({ topics }, index) => (topics.includes(topic) ? [index] : []))
        return readers.length === 0 ? [] : Array.from({ length: count }, () => readers)
      })
      assertSame(unevenness(loads), leastUnevenness(choices, new Array<number>(members.length).fill(0)))
    }),
  )
  t.pass()
})

/** n members that read the same topics, with what they own after one, two … of them came. */
const equalGroups = fc
  .record({
    counts: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
    memberCount: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ counts, memberCount }) => {
    const topics = counts.map((_, n) => `t${n}`)
    const countOf = new Map(counts.map((count, n) => [`t${n}`, count]))
    let members: GroupSubscription[] = []
    for (let n = 0; n < memberCount; n += 1) {
      // Not in the order of their names.
      members = owning([...members, { member: `m${(n * 5) % 11}`, topics, owned: [] }], new Map())
      members = owning(members, assign('cooperative-sticky', countOf, members))
    }
    return { counts: countOf, members, partitionCount: counts.reduce((sum, count) => sum + count, 0) }
  })

test('cooperative-sticky: a new member takes its share and nothing else moves', (t) => {
  fc.assert(
    fc.property(equalGroups, fc.constantFrom('a', 'm55', 'z'), ({ counts, members, partitionCount }, name) => {
      const topics = [...counts.keys()]
      const result = assign('cooperative-sticky', counts, [...members, { member: name, topics, owned: [] }])
      const moved = result.get(name) ?? []
      assertSame(moved.length <= Math.ceil(partitionCount / (members.length + 1)), true)
      assertOnlyLost(members, result)
    }),
  )
  t.pass()
})

test('cooperative-sticky: when a member leaves, what it had moves and nothing else', (t) => {
  fc.assert(
    fc.property(equalGroups, fc.nat(), ({ counts, members }, choice) => {
      const left = members.filter((_, index) => index !== choice % members.length)
      const result = assign('cooperative-sticky', counts, left)
      for (const { member: name, owned } of left) {
        const share = new Set(result.get(name)?.map(key))
        for (const partition of owned) assertSame(share.has(key(partition)), true)
      }
    }),
  )
  t.pass()
})

test('cooperative-sticky: members that read the same give up no more than what an even share takes', (t) => {
  const claims = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(claims, fc.integer({ min: 1, max: 6 }), (owners, memberCount) => {
      // Owner number 6, and those that have gone, are nobody.
      const members = Array.from({ length: memberCount }, (_, index) => ({
        member: `m${index}`,
        topics: ['t'],
        owned: owners.flatMap((owner, partition) => (owner === index ? [{ topic: 't', partition }] : [])),
      }))
      const result = assign('cooperative-sticky', new Map([['t', owners.length]]), members)
      const kept = members.flatMap(({ member: name, owned }) => {
        const share = new Set(result.get(name)?.map(key))
        return owned.filter((partition) => share.has(key(partition)))
      }).length
      const share = Math.floor(owners.length / memberCount)
      const mayHaveMore = owners.length % memberCount
      const haveMore = members.filter(({ owned }) => owned.length > share).length
      const atMost =
        members.reduce((sum, { owned }) => sum + Math.min(owned.length, share), 0) + Math.min(haveMore, mayHaveMore)
      assertSame(kept, atMost)
    }),
  )
  t.pass()
})

test('10,000 partitions of 1,000 topics among 64 members, who come one by one, read different things and go', (t) => {
  const counts = new Map(Array.from({ length: 1000 }, (_, n) => [`topic-${n}`, 10]))
  const topics = [...counts.keys()]
  const times: Record<string, number> = {}
  const run = (what: string, name: AssignorName, members: readonly GroupSubscription[]): Assignment => {
    const start = process.cpuUsage()
    const result = assign(name, counts, members)
    times[`${name}, ${what}`] = Math.round(process.cpuUsage(start).user / 1000)
    return result
  }
  for (const [what, isRead] of [
    ['equal', () => true],
    ['all different', (n: number, m: number) => (n * 31 + m * 17 + ((n * m) % 7)) % 3 !== 0],
  ] as const) {
    let members = Array.from({ length: 64 }, (_, m): GroupSubscription => {
      return { member: `member-${m}`, topics: topics.filter((_topic, n) => isRead(n, m)), owned: [] }
    })
    for (const name of assignorNames) run(what, name, members)
    members = owning(members, run(what, 'cooperative-sticky', members))
    run(`${what}, again`, 'cooperative-sticky', members)
    run(`${what}, one left`, 'cooperative-sticky', members.slice(1))
    run(`${what}, one came`, 'cooperative-sticky', [...members, { member: 'new', topics, owned: [] }])
    const [first] = members
    if (first === undefined) return
    const everything = topics.flatMap((topic) => Array.from({ length: 10 }, (_, partition) => ({ topic, partition })))
    const alone = members.map((one, index) => ({ ...one, owned: index === 0 ? everything : [] }))
    const spread = run(`${what}, 63 came at once`, 'cooperative-sticky', alone)
    t.true((spread.get(first.member)?.length ?? 0) < 200)
  }
  t.log('ms of CPU time', times)
  // Some 10 ms when nothing else runs; a way that is quadratic in partitions would take minutes.
  t.true(Object.values(times).every((ms) => ms < 5000))
})

function owning(members: readonly GroupSubscription[], assignment: Assignment): GroupSubscription[] {
  return members.map((one) => ({ ...one, owned: assignment.get(one.member) ?? one.owned }))
}

/** Nobody of `members` has something that it did not have before. */
function assertOnlyLost(members: readonly GroupSubscription[], assignment: Assignment): void {
  for (const { member: name, owned } of members) {
    const before = new Set(owned.map(key))
    for (const partition of assignment.get(name) ?? []) assertSame(before.has(key(partition)), true)
  }
}

function unevenness(loads: readonly number[]): number {
  return loads.reduce((sum, load) => sum + load * load, 0)
}

/** Of all ways to choose one for each. */
function leastUnevenness(choices: readonly (readonly number[])[], loads: number[]): number {
  const [first, ...others] = choices
  if (first === undefined) return unevenness(loads)
  return Math.min(
    ...first.map((index) =>
      leastUnevenness(
        others,
        loads.map((load, at) => (at === index ? load + 1 : load)),
      ),
    ),
  )
}

function assertSame(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${a} is not ${b}`)
}
