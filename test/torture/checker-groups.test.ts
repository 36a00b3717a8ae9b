/** The checker of the torture runs, for consumer groups: what may be passes, and each thing that must not be is named. */
import test from 'ava'
import { check } from './checker/check.js'
import { history, type Loose } from './loose-history.js'

const three = ['a-0', 'a-1', 'a-2']
const sent: readonly Loose[] = [
  { operation: 'send', type: 'invoke', process: 'p', topic: 't', topicId: 'A', acks: 1, values: three },
  { operation: 'send', type: 'ok', process: 'p', topic: 't', values: three, places: [0, 0, 0, 1, 0, 2] },
]
const last: readonly Loose[] = [
  { operation: 'read', type: 'invoke', process: 'last', topic: 't', topicId: 'A', kind: 'all', final: true },
  {
    operation: 'read',
    type: 'info',
    process: 'last',
    topic: 't',
    records: three.flatMap((id, offset) => [0, offset, id]),
  },
  { operation: 'read', type: 'ok', process: 'last', topic: 't', topicId: 'A' },
]
const rest = (more: object = {}): Loose => ({
  operation: 'group',
  type: 'ok',
  process: 'driver',
  group: 'g',
  topics: ['t'],
  isAtMostOnce: false,
  ...more,
})
const deliver = (process: string, offsets: readonly number[], more: object = {}): Loose => ({
  operation: 'deliver',
  type: 'info',
  process,
  group: 'g',
  records: offsets.flatMap((offset) => ['t', 0, offset, `a-${offset}`]),
  ...more,
})
/** Each line: the generation, the member, and the offset of partition 0. */
const commits = (lines: readonly (readonly [number, string, number | null])[], more: object = {}): Loose => ({
  operation: 'commits',
  type: 'info',
  process: 'driver',
  group: 'g',
  isWhole: false,
  damagedCount: 0,
  lines: lines.map(([generation, member, offset]) => [generation, member, ['t', 'A', 0, offset]]),
  ...more,
})
const ended = (process: string, end: object): Loose => ({
  operation: 'process',
  type: 'info',
  process,
  command: 'consume t -g g',
  status: null,
  signal: null,
  stderr: '',
  ...end,
})
const killed = (process: string): Loose => ended(process, { signal: 'SIGKILL' })
const nemesis = (what: string): Loose => ({ operation: 'nemesis', type: 'info', process: 'n', what })
const run = (...events: readonly Loose[]): Loose[] => [...sent, ...events, ...last]
const atMostOnce = rest({ isAtMostOnce: true })
const all = commits([[1, 'm', 3]])

const clean: Readonly<Record<string, readonly Loose[]>> = {
  'a member, and what it commits': run(deliver('m.1', [0, 1, 2]), all, rest()),
  'what one that was killed had not committed comes again': run(
    deliver('m.1', [0, 1]),
    killed('m.1'),
    commits([[1, 'm', 1]]),
    deliver('m.2', [1, 2]),
    commits([[2, 'n', 3]]),
    rest(),
  ),
  'what one that was stopped had in its hands comes again': run(
    deliver('m.1', [0]),
    nemesis('stopped m.1'),
    deliver('m.2', [0, 1, 2]),
    nemesis('continued m.1'),
    deliver('m.1', [1]),
    commits([[2, 'n', 3]]),
    rest(),
  ),
  'at most once, what one that was killed had committed is missing': run(
    commits([[1, 'm', 2]]),
    deliver('m.1', [0]),
    killed('m.1'),
    commits([[2, 'n', 3]]),
    deliver('m.2', [2]),
    atMostOnce,
  ),
  'offsets that are written anew say the same': run(
    deliver('m.1', [0, 1, 2]),
    commits([
      [1, 'm', 1],
      [2, 'm', 3],
    ]),
    commits([[2, 'm', 3]], { isWhole: true }),
    rest(),
  ),
}

for (const [title, events] of Object.entries(clean)) {
  test(`nothing is wrong: ${title}`, (t) => {
    t.deepEqual(check(history(...events)), [])
  })
}

const wrong: readonly (readonly [string, string, readonly Loose[]])[] = [
  ['I12 delivery', 'a record that nobody got', run(deliver('m.1', [0, 2]), all, rest())],
  [
    'I12 delivery',
    'a record at another place',
    run(deliver('m.1', [0, 1, 2]), deliver('m.1', [], { records: ['t', 0, 1, 'a-2'] }), all, rest()),
  ],
  [
    'I12 delivery',
    'half a record',
    run(deliver('m.1', [0, 1, 2]), deliver('m.1', [], { records: ['t', 0, 1, 'damaged: a'] }), all, rest()),
  ],
  ['I12 repeated', 'twice, and nobody was disturbed', run(deliver('m.1', [0, 1]), deliver('m.2', [1, 2]), all, rest())],
  [
    'I12 repeated',
    'twice by one that ended in order',
    run(deliver('m.1', [0, 1]), ended('m.1', { signal: 'SIGTERM' }), deliver('m.2', [1, 2]), all, rest()),
  ],
  [
    'I12 repeated',
    'by one that was taken out, long after it went on',
    run(
      deliver('m.1', [0]),
      nemesis('stopped m.1'),
      deliver('m.2', [0, 1, 2]),
      nemesis('continued m.1'),
      deliver('m.1', [1], { timeNs: 60e9 }),
      all,
      rest(),
    ),
  ],
  [
    'I12 repeated',
    'twice where it was to be at most once',
    run(deliver('m.1', [0, 1]), killed('m.1'), deliver('m.2', [1, 2]), all, atMostOnce),
  ],
  ['I12 commits', 'at most once, and not committed', run(deliver('m.1', [0, 1, 2]), commits([[1, 'm', 2]]), atMostOnce)],
  ['I12 commits', 'not committed to the end', run(deliver('m.1', [0, 1, 2]), commits([[1, 'm', 2]]), rest())],
  ['I12 commits', 'beyond the end', run(deliver('m.1', [0, 1, 2]), commits([[1, 'm', 4]]), rest())],
  [
    'I12 commits',
    'backwards',
    run(
      deliver('m.1', [0, 1, 2]),
      commits([
        [1, 'm', 3],
        [1, 'm', 2],
        [1, 'm', 3],
      ]),
      rest(),
    ),
  ],
  [
    'I12 commits',
    'of an earlier generation',
    run(
      deliver('m.1', [0, 1, 2]),
      commits([
        [2, 'm', 2],
        [1, 'n', 3],
      ]),
      rest(),
    ),
  ],
  [
    'I12 commits',
    'taken away',
    run(
      deliver('m.1', [0, 1, 2]),
      commits([
        [1, 'm', 3],
        [1, 'm', null],
        [1, 'm', 3],
      ]),
      rest(),
    ),
  ],
  [
    'I12 commits',
    'lost when the file was written anew',
    run(deliver('m.1', [0, 1, 2]), all, commits([], { isWhole: true }), all, rest()),
  ],
  ['I12 commits', 'a line that says nothing', run(deliver('m.1', [0, 1, 2]), all, commits([], { damagedCount: 1 }), rest())],
  [
    'I12 rest',
    'it does not come to rest',
    run(deliver('m.1', [0, 1, 2]), all, rest({ type: 'fail', what: 'it is PreparingRebalance' })),
  ],
]

for (const [invariant, title, events] of wrong) {
  test(`${invariant}: ${title}`, (t) => {
    const violated = [...new Set(check(history(...events)).map((violation) => violation.invariant))]
    t.deepEqual(violated, [invariant as never])
  })
}
