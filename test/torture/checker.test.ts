/** The checker of the torture runs: a history in which nothing is wrong passes, and one for each thing that can be wrong does not. */
import test from 'ava'
import { check } from './checker/check.js'
import { history, type Loose } from './loose-history.js'

const send = (process: string, values: readonly string[], more: object = {}): Loose => ({
  operation: 'send',
  type: 'invoke',
  process,
  topic: 't',
  topicId: 'A',
  acks: 1,
  values,
  ...more,
})
const ok = (process: string, values: readonly string[], places?: readonly number[], more: object = {}): Loose => ({
  operation: 'send',
  type: 'ok',
  process,
  topic: 't',
  values,
  ...(places === undefined ? {} : { places }),
  ...more,
})
const read = (process: string, records: readonly (number | string)[], more: object = {}, end: object = {}): Loose[] => [
  { operation: 'read', type: 'invoke', process, topic: 't', topicId: 'A', kind: 'all', ...more },
  { operation: 'read', type: 'info', process, topic: 't', records },
  { operation: 'read', type: 'ok', process, topic: 't', topicId: 'A', ...end },
]
const final = (records: readonly (number | string)[], end: object = {}): Loose[] => read('last', records, { final: true }, end)
const process = (name: string, end: object, command = 'cat t'): Loose[] => [
  { operation: 'process', type: 'invoke', process: name, command },
  { operation: 'process', type: 'ok', process: name, command, status: 0, signal: null, stderr: '', ...end },
]
const remove = (type: string): Loose => ({ operation: 'rm', type, process: 'rm', topic: 't' })
const nemesis = (name: string, type: string, what?: string): Loose => ({ operation: 'nemesis', type, process: name, what })
const damage: Loose = { operation: 'damage', type: 'ok', process: 'd', topic: 't', partition: 0, file: 'f', from: 1, to: 2 }
const fsck = (status: number, findings: readonly object[], more: object = {}): Loose => ({
  operation: 'fsck',
  type: 'ok',
  process: 'fsck',
  status,
  repair: false,
  findings,
  ...more,
})

const compacted: Loose = { operation: 'create', type: 'invoke', process: 'c', topic: 't', isCompacted: true }
const sentOf = (values: readonly string[]): Loose[] => [
  send('p', values),
  ok(
    'p',
    values,
    values.flatMap((_, n) => [0, n]),
  ),
]
const hygiene = (more: object): Loose => ({
  operation: 'hygiene',
  process: 'd',
  litter: [],
  storeBytes: 1,
  recordCount: 1,
  segmentCount: 1,
  leftProcesses: [],
  retained: [],
  ...more,
})
const retained = (segmentBytes: readonly number[], isCut: boolean) => ({
  partition: 't-0',
  limitBytes: 32_768,
  segmentBytes,
  isCut,
})

const three = [0, 0, 'a-0', 0, 1, 'a-1', 0, 2, 'a-2']
const sent = [send('p', ['a-0', 'a-1', 'a-2']), ok('p', ['a-0', 'a-1', 'a-2'], [0, 0, 0, 1, 0, 2])]

const clean: Readonly<Record<string, readonly Loose[]>> = {
  'a producer, a reader, the last look': [...sent, ...read('r', three), ...final(three)],
  'a killed producer of which a part is there': [send('p', ['a-0', 'a-1']), ...final([0, 0, 'a-0'])],
  'a reader that was too early': [send('p', ['a-0']), ...read('r', []), ok('p', ['a-0']), ...final([0, 0, 'a-0'])],
  'what was sent to a topic that was then removed': [
    ...sent,
    remove('invoke'),
    remove('ok'),
    ...read('last', [], { final: true, topicId: 'B' }, { topicId: 'B' }),
  ],
  'a follower across two lives of a topic': [
    ...sent,
    { operation: 'read', type: 'invoke', process: 'f', topic: 't', topicId: 'A', kind: 'follow', from: 0 },
    { operation: 'read', type: 'info', process: 'f', topic: 't', records: three },
    remove('invoke'),
    remove('ok'),
    send('q', ['b-0'], { topicId: 'B' }),
    ok('q', ['b-0'], [0, 0]),
    { operation: 'read', type: 'info', process: 'f', topic: 't', records: [0, 0, 'b-0'] },
    { operation: 'read', type: 'ok', process: 'f', topic: 't', topicId: 'B' },
    ...read('last', [0, 0, 'b-0'], { final: true, topicId: 'B' }, { topicId: 'B' }),
  ],
  'two followers that were killed before their topic was removed': [
    send('p', ['a-0', 'a-1', 'a-2']),
    ...['f', 'g'].flatMap((process): Loose[] => [
      { operation: 'read', type: 'invoke', process, topic: 't', topicId: 'A', kind: 'follow' },
      { operation: 'read', type: 'info', process, topic: 't', records: process === 'f' ? three.slice(0, 6) : three },
    ]),
    ok('p', ['a-0', 'a-1', 'a-2'], [0, 0, 0, 1, 0, 2]),
    remove('invoke'),
    remove('ok'),
    ...read('last', [], { final: true, topicId: 'B' }, { topicId: 'B' }),
  ],
  'followers in doubt, of which the last knows what joins the others': [
    send('p', ['a-0', 'a-1', 'a-2']),
    remove('invoke'),
    ...[three.slice(0, 3), three.slice(6), three].flatMap((records, n): Loose[] => [
      { operation: 'read', type: 'invoke', process: `f${n}`, topic: 't', kind: 'follow' },
      { operation: 'read', type: 'info', process: `f${n}`, topic: 't', records },
    ]),
    remove('ok'),
    ...read('last', [], { final: true, topicId: 'B' }, { topicId: 'B' }),
  ],
  'a list that is sent twice, by those who look for duplicates': [
    send('p', ['a-0', 'a-1'], { dedupe: true }),
    send('q', ['a-0', 'a-1'], { dedupe: true }),
    ok('q', ['a-0', 'a-1'], [0, 0, 0, 1]),
    ...final([0, 0, 'a-0', 0, 1, 'a-1']),
  ],
  'a compacted topic: the last record of each key is left': [
    compacted,
    ...sentOf(['a-0', 'a-1', 'a-4', 'a-5', 'a-6']),
    ...read('r', [0, 0, 'a-0', 0, 1, 'a-1', 0, 4, 'a-6']),
    ...final([0, 2, 'a-4', 0, 3, 'a-5', 0, 4, 'a-6']),
  ],
  'a compacted topic: a record that nobody saw went for a later one': [
    compacted,
    send('p', ['a-0', 'a-4']),
    ok('p', ['a-0', 'a-4']),
    ...final([0, 1, 'a-4']),
  ],
  'what is kept, and less where nothing was removed': [
    hygiene({ retained: [retained([20_000, 5000], true), retained([300], false), retained([30_000, 9000], true)] }),
  ],
  'a damaged record that is missing, and reported': [
    ...sent,
    damage,
    ...process('fsck', { status: 5 }, 'fsck'),
    fsck(5, [{ kind: 'damage', file: 'f', message: 'bad' }]),
    ...final([0, 0, 'a-0', 0, 2, 'a-2']),
  ],
  'caches that are missing, after they were removed': [
    nemesis('caches', 'info', 'caches: removes 3'),
    fsck(5, [{ kind: 'cache', file: 'f', message: 'missing' }]),
  ],
  'fsck --repair on a full disk': [
    nemesis('full-disk', 'invoke'),
    damage,
    ...process('fsck', { status: 1, stderr: 'cannot write: no space left on device' }, 'fsck --repair'),
    fsck(1, [], { repair: true }),
  ],
  'a full disk, and no space': [
    nemesis('full-disk', 'invoke'),
    ...process('p', { status: 1, stderr: 'cannot append: no space left on device' }),
  ],
}

for (const [title, events] of Object.entries(clean)) {
  test(`nothing is wrong: ${title}`, (t) => {
    t.deepEqual(check(history(...events)), [])
  })
}

const wrong: readonly (readonly [string, string, readonly Loose[]])[] = [
  ['I1 lost write', 'the newest acknowledged record is not there', [...sent, ...final(three.slice(0, 6))]],
  ['I1 lost write', 'one without a printed offset', [send('p', ['a-0']), ok('p', ['a-0']), ...final([])]],
  ['I1 lost write', 'acks 0, without a power cut', [send('p', ['a-0'], { acks: 0 }), ok('p', ['a-0']), ...final([])]],
  ['I1 lost write', 'nobody read the topic at the end', sent],
  [
    'I1 lost write',
    'sent after the topic was made anew',
    [remove('invoke'), remove('ok'), send('p', ['a-0']), ok('p', ['a-0']), ...final([])],
  ],
  ['I1 lost write', 'more than was damaged', [...sent, damage, ...final([0, 2, 'a-2'])]],
  ['I2 duplicate', 'a value at two offsets', [...sent, ...final([...three, 0, 3, 'a-1'])]],
  [
    'I2 duplicate',
    'a duplicate that was looked for',
    [send('p', ['a-0'], { dedupe: true }), send('q', ['a-0'], { dedupe: true }), ...final([0, 0, 'a-0', 0, 1, 'a-0'])],
  ],
  ['I3 inconsistent offset', 'two readers differ', [...sent, ...read('r', [0, 0, 'a-1']), ...final(three)]],
  [
    'I3 inconsistent offset',
    'a printed offset is another one than is read',
    [send('p', ['a-0']), ok('p', ['a-0'], [0, 1]), ...final([0, 0, 'a-0'])],
  ],
  ['I3 inconsistent offset', 'a value that nobody sent', [...final([0, 0, 'a-0'])]],
  ['I3 inconsistent offset', 'a value of another topic', [send('p', ['a-0'], { topic: 'u' }), ...final([0, 0, 'a-0'])]],
  ['I3 inconsistent offset', 'a value that was read before it was sent', [...read('r', [0, 0, 'a-0']), send('p', ['a-0'])]],
  [
    'I3 inconsistent offset',
    'a value in two lives of a topic',
    [
      send('p', ['a-0']),
      ...read('r', [0, 0, 'a-0']),
      remove('invoke'),
      remove('ok'),
      ...read('last', [0, 0, 'a-0'], { final: true, topicId: 'B' }, { topicId: 'B' }),
    ],
  ],
  [
    'I4 failed write seen',
    'a value that was not written',
    [send('p', ['a-0']), { ...ok('p', ['a-0']), type: 'fail' }, ...final([0, 0, 'a-0'])],
  ],
  ['I6 reader order', 'an offset is skipped', [...sent, ...read('r', [0, 0, 'a-0', 0, 2, 'a-2']), ...final(three)]],
  ['I6 reader order', 'an offset comes twice', [...sent, ...read('r', [...three, 0, 2, 'a-2']), ...final(three)]],
  ['I6 reader order', 'it begins too late', [...sent, ...read('r', [0, 1, 'a-1', 0, 2, 'a-2']), ...final(three)]],
  [
    'I6 reader order',
    'more than was asked for',
    [...sent, ...read('r', [0, 1, 'a-1', 0, 2, 'a-2'], { kind: 'range', partition: 0, from: 1, to: 2 }), ...final(three)],
  ],
  [
    'I6 reader order',
    'a follower goes back',
    [...sent, ...read('f', [...three, 0, 0, 'a-0'], { kind: 'follow', from: 0 }), ...final(three)],
  ],
  ['I7 send order', 'two values of one producer', [send('p', ['a-0', 'a-1']), ...final([0, 0, 'a-1', 0, 1, 'a-0'])]],
  [
    'I8 real time',
    'a later send has a lower offset',
    [send('p', ['a-0']), ok('p', ['a-0']), send('q', ['b-0']), ok('q', ['b-0']), ...final([0, 0, 'b-0', 0, 1, 'a-0'])],
  ],
  ['I8 stale read', 'a reader misses what was acknowledged', [...sent, ...read('r', three.slice(0, 6)), ...final(three)]],
  ['I8 stale read', 'a reader sees nothing', [...sent, ...read('r', []), ...final(three)]],
  [
    'I8 stale read',
    'a reader misses what another one has read',
    [send('p', ['a-0', 'a-1', 'a-2']), ...read('q', three), ...read('r', three.slice(0, 3)), ...final(three)],
  ],
  [
    'I8 follower',
    'a follower never sees a record',
    [...sent, ...read('f', three.slice(0, 6), { kind: 'follow', from: 0 }), ...final(three)],
  ],
  [
    'I8 follower',
    'a follower sees a record late',
    [
      { operation: 'read', type: 'invoke', process: 'f', topic: 't', topicId: 'A', kind: 'follow', from: 0 },
      { ...send('p', ['a-0']), timeNs: 100e9 },
      { ...ok('p', ['a-0']), timeNs: 101e9 },
      { operation: 'read', type: 'info', process: 'f', topic: 't', records: [0, 0, 'a-0'], timeNs: 140e9 },
      { operation: 'read', type: 'ok', process: 'f', topic: 't', topicId: 'A', timeNs: 150e9 },
      ...final([0, 0, 'a-0']).map((event) => ({ ...event, timeNs: 160e9 })),
    ],
  ],
  [
    'I9 vanished',
    'what a reader saw is gone',
    [send('p', ['a-0', 'a-1']), ...read('r', [0, 0, 'a-0', 0, 1, 'a-1']), ...final([0, 0, 'a-0'])],
  ],
  ['I17 fsck', 'a false alarm', [fsck(5, [{ kind: 'damage', file: 'g', message: 'bad' }])]],
  ['I17 fsck', 'a cache that nobody touched', [fsck(5, [{ kind: 'cache', file: 'g', message: 'bad' }])]],
  ['I17 fsck', 'a false clean', [damage, ...process('fsck', {}, 'fsck'), fsck(0, [])]],
  ['I17 fsck', 'damage, and exit status 0', [damage, fsck(0, [{ kind: 'damage', file: 'f', message: 'bad' }])]],
  ['I10 compaction', 'a key is left twice', [compacted, ...sentOf(['a-0', 'a-4']), ...final([0, 0, 'a-0', 0, 1, 'a-4'])]],
  ['I1 lost write', 'the last record of a key went', [compacted, ...sentOf(['a-0', 'a-4']), ...final([0, 0, 'a-0'])]],
  [
    'I9 vanished',
    'a key went',
    [compacted, ...sentOf(['a-0', 'a-1']), ...read('r', [0, 0, 'a-0', 0, 1, 'a-1']), ...final([0, 1, 'a-1'])],
  ],
  ['I3 inconsistent offset', 'a key came back', [compacted, ...sentOf(['a-0', 'a-4']), ...final([0, 1, 'a-4', 0, 2, 'a-0'])]],
  ['I11 retention', 'less is left than is kept', [hygiene({ retained: [retained([8000, 7000], true)] })]],
  ['I11 retention', 'more is left than a segment', [hygiene({ retained: [retained([30_000, 20_000], true)] })]],
  ['I18 hygiene', 'a temporary file', [hygiene({ litter: ['.tmp-1'] })]],
  ['I18 hygiene', 'a process', [hygiene({ leftProcesses: ['logq'] })]],
  ['I18 hygiene', 'a store that is too large', [hygiene({ storeBytes: 1e9 })]],
  ['I18 hygiene', 'memory', [{ operation: 'resources', process: 'p', rssBytes: 1e9, descriptors: 1 }]],
  ['I18 hygiene', 'descriptors', [{ operation: 'resources', process: 'p', rssBytes: 1, descriptors: 1e4 }]],
  [
    'I19 same answers',
    'another answer',
    [{ operation: 'compare', process: 'd', what: 'w', question: 'q', before: 'a', after: 'b' }],
  ],
  [
    'expectation',
    'appended elsewhere',
    [send('p', ['a-0']), send('q', ['b-0'], { expectOffset: 0 }), ok('q', ['b-0']), ...final([0, 0, 'a-0', 0, 1, 'b-0'])],
  ],
  [
    'printed offsets',
    'one is missing',
    [send('p', ['a-0', 'a-1']), ok('p', ['a-0'], [0, 0]), ok('p', ['a-1']), ...final([0, 0, 'a-0', 0, 1, 'a-1'])],
  ],
  ['exit status', 'no reason', process('p', { status: 1, stderr: 'cannot append' })],
  ['exit status', 'a full disk, where none was', process('p', { status: 1, stderr: 'no space left on device' })],
  ['exit status', 'a removed topic, where none was', process('p', { status: 1, stderr: "topic 't' was removed" })],
  ['exit status', 'corruption', process('p', { status: 5, stderr: "'t-0' is damaged" })],
  ['exit status', 'usage', process('p', { status: 2 })],
  ['exit status', 'a crash', process('p', { status: null, signal: 'SIGSEGV' })],
  ['exit status', 'a defect', process('p', { status: 1, stderr: 'logq produce: unexpected error: x' })],
  ['exit status', 'it did not end', process('p', { type: 'fail' })],
]

for (const [invariant, title, events] of wrong) {
  test(`${invariant}: ${title}`, (t) => {
    const violated = new Set(check(history(...events)).map((violation) => violation.invariant))
    t.true(violated.has(invariant as never), `found: ${[...violated].join(', ') || 'nothing'}`)
  })
}
