/** `logq dump` as people run it: every kind of file, whole and damaged, what it prints and what it ends with. */
import { appendFileSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { projectRoot } from '../helpers/project.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'
import { createSeededRandom } from '../helpers/seeded-random.js'

const kafka = (path: string) => join(projectRoot, 'test', 'fixtures', 'kafka', path)

type Line = Readonly<Record<string, unknown>>

/** A topic of several segments, with keys, headers and compressed batches. */
async function fill(cli: Cli): Promise<string> {
  const done = await cli.shell(
    `logq topic create a segment.bytes=600 index.interval.bytes=100 && seq 60 | logq produce a --batch-bytes 150 -k u -H h=1 &&
     seq 61 100 | logq produce a --batch-bytes 150 -z gzip && printf '0\\n1\\n500 510\\n' > store/a-0/known-gaps`,
  )
  if (done.status !== 0) throw new Error(done.stderr)
  return join(cli.store, 'a-0')
}

function flip(path: string, byte: number, bit = 4): void {
  const bytes = readFileSync(path)
  bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit)
  writeFileSync(path, bytes)
}

const jsonOf = (stdout: Buffer): Line[] =>
  stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)

const FIRST = '00000000000000000000'

/** Of each kind of file: the name of one, and a line that dump prints of a whole one. */
const kinds: readonly (readonly [name: string, line: RegExp])[] = [
  [
    `${FIRST}.log`,
    /^batch position=0 sizeBytes=\d+ offsets=0\.\.\d+ leaderEpoch=0 magic=2 crc=[0-9a-f]{8}\(ok\) codec=none timestampType=CreateTime baseTimestampMs=\d+ maxTimestampMs=\d+ recordCount=\d+$/m,
  ],
  [`${FIRST}.index`, /^offset-index-entry position=0 entry=0 offset=\d+ logPosition=\d+ matches=true$/m],
  [`${FIRST}.timeindex`, /^time-index-entry position=0 entry=0 timestampMs=\d{13} offset=\d+ matches=true$/m],
  ['lock', /^state-block status=live valid=true .*\blogEndOffset=100 syncedOffset=100 .* matchesLog=true$/m],
  [
    'recovery-point',
    /^recovery-point position=\d+ sequence=\d+ offset=100 segmentBaseOffset=\d+ segmentPosition=\d+ isNewest=true$/m,
  ],
  ['leader-epoch-checkpoint', /^leader-epoch leaderEpoch=0 startOffset=0$/m],
  ['leader-epoch-ids', /^leader-epoch-id leaderEpoch=0 id=[0-9a-f]{16}$/m],
  ['known-gaps', /^known-gap fromOffset=500 toOffset=510$/m],
  ['../topics/a.json', /^topic \{"formatVersion":1,"topic":"a",/m],
  ['../logq.json', /^store \{"formatVersion":1,"storeId":"/m],
]

test('every kind of file: shown while it is whole; damaged, it ends with 5, and the problem is on both outputs', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  for (const [name, line] of kinds) {
    const path = join(directory, name)
    const whole = await cli.logq(['dump', `store/a-0/${name}`])
    t.is(whole.status, 0, `${name}: ${whole.stderr}`)
    t.is(whole.stderr, '', name)
    t.regex(whole.stdout.toString(), /^file store\/.* \([a-z-]+, \d+ bytes\)\n/, name)
    t.regex(whole.stdout.toString(), line, name)
    const bytes = readFileSync(path)
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 7), Buffer.of(0x81, 0x82, 0x7b), bytes.subarray(10)]))
    if (name === 'recovery-point') flip(path, 40)
    const damaged = await cli.logq(['dump', `store/a-0/${name}`])
    t.is(damaged.status, 5, `${name}: ${damaged.stdout.toString()}`)
    const [, problem = 'none'] = /^((?:damage|cache) store\/.*)$/m.exec(damaged.stdout.toString()) ?? []
    t.true(damaged.stderr.includes(`logq dump: ${problem}\n`), `${name}: ${damaged.stderr}`)
    t.regex(damaged.stderr, /\nlogq dump: \d problems? in 1 file\n {2}hint: 'logq fsck --repair TOPIC' /, name)
    t.is((await cli.logq(['fsck', '-q'])).status, 5, name)
    writeFileSync(path, bytes)
  }
  t.is((await cli.logq(['fsck', '-q'])).status, 0)
})

test('what dump ends with', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  await cli.shell(
    `mkfifo pipe && mkdir dir && ln -s store/a-0/lock link && printf hello > notes.txt && : > empty.log && cp store/a-0/${FIRST}.log whole &&
     head -c 300 store/a-0/${FIRST}.log > torn.log && head -c 5000 /dev/urandom > noise.log && : > x.index && : > ${FIRST}.timeindex`,
  )
  for (const [operands, status, stderr] of [
    ['a', 0, /^$/],
    ['a:0', 0, /^$/],
    ["'?'", 0, /^$/],
    ['empty.log', 0, /^$/],
    ['x.index 00000000000000000000.timeindex', 0, /^$/],
    ['whole', 0, /^$/],
    ['torn.log', 5, /dump: damage \S*torn\.log position \d+ offset \d+: \d+ bytes are fewer than a batch header/],
    ['noise.log', 5, /dump: damage \S*noise\.log position 0 offset 0: /],
    ['torn.log nowhere/x.log', 5, /cannot open 'nowhere\/x\.log': no such file/],
    ['pipe', 1, /is a FIFO/],
    ['./dir', 1, /is a directory/],
    ['./link', 1, /is a symbolic link/],
    ['notes.txt', 1, /is no file that is known here\n {2}hint: files are told by their names/],
    ['./nothing.log', 1, /no such file or directory/],
    ['nothing', 1, /topic 'nothing' does not exist/],
    ['a:1', 1, /topic 'a' has no partition 1/],
    ['-p 3 a', 1, /has no partition 3/],
    ['nothing a', 1, /topic 'nothing' does not exist/],
    ['a:x', 2, /invalid partitions 'x'/],
    ['', 2, /FILE\|TOPIC/],
    ['a -o x', 2, /-o/],
    ['a -s nowhere', 1, /store 'nowhere' does not exist/],
  ] as const) {
    const done = await cli.shell(`timeout 20 logq dump ${operands}`)
    t.is(done.status, status, `${operands}: ${done.stderr}`)
    t.regex(done.stderr, stderr, operands)
  }
  t.regex((await cli.shell('logq dump nothing a')).stdout.toString(), /\nleader-epoch-id /)
  // The name of a file that is here is that file; a directory of a topic's name is none.
  await cli.shell('mkdir a')
  t.regex((await cli.shell('logq dump a')).stdout.toString(), /^file .*store\/a-0\/0+\.log /)
  await cli.shell('rmdir a && printf x > a')
  t.regex((await cli.shell('logq dump a')).stderr, /'\S*\/a' is no file that is known here/)
  t.is((await cli.shell('logq dump a:0')).status, 0)
  t.is(
    (await cli.shell('cd store/a-0 && logq dump lock')).stdout.toString().split('\n')[0],
    `file ${join(directory, 'lock')} (lock, ${readFileSync(join(directory, 'lock')).length} bytes)`,
  )
})

test('-J has one object a line of every type, and the records of --records are those of cat -J', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  const done = await cli.shell('logq dump -J --records a')
  t.is(done.status, 0, done.stderr)
  const lines = jsonOf(done.stdout)
  t.deepEqual([...new Set(lines.map(({ type }) => String(type)))].sort(), [
    'batch',
    'file',
    'known-gap',
    'leader-epoch',
    'leader-epoch-id',
    'offset-index-entry',
    'record',
    'recovery-point',
    'state-block',
    'time-index-entry',
  ])
  t.true(lines.every(({ file }) => typeof file === 'string'))
  t.deepEqual(
    lines.filter(({ type }) => type === 'record').map(({ record }) => record),
    jsonOf((await cli.shell('logq cat -J a')).stdout),
  )
  const [index] = jsonOf(
    (await cli.shell('echo x | logq produce d --dedupe-by value && logq dump -J store/d-0/dedupe-value | tail -n +2')).stdout,
  )
  t.deepEqual([index?.['type'], index?.['coveredTo'], index?.['entryCount']], ['dedupe-index', 1, 1])
  const noIndex = await cli.shell('truncate -s 50 store/d-0/dedupe-value && logq dump d | grep -c ^note && logq fsck -q d')
  t.is(noIndex.stdout.toString().split('\n')[0], '1')
  const batches = lines.filter(({ type }) => type === 'batch')
  t.deepEqual([...new Set(batches.map(({ codec }) => codec))], ['none', 'gzip'])
  t.deepEqual(Object.keys(batches[0] ?? {}), [
    ...[
      'type',
      'file',
      'position',
      'sizeBytes',
      'baseOffset',
      'lastOffset',
      'leaderEpoch',
      'magic',
      'crc',
      'computedCrc',
      'codec',
    ],
    ...['timestampType', 'baseTimestampMs', 'maxTimestampMs', 'producerId', 'producerEpoch', 'baseSequence', 'lastSequence'],
    ...[
      'isTransactional',
      'isControl',
      'hasDeleteHorizon',
      'deleteHorizonMs',
      'recordCount',
      'controlType',
      'coordinatorEpoch',
      'isGood',
    ],
  ])
  t.is(
    batches.reduce((sum, { recordCount }) => sum + Number(recordCount), 0),
    100,
  )
  flip(join(directory, `${FIRST}.log`), 70)
  const damaged = jsonOf((await cli.shell('logq dump -J a:0')).stdout)
  const problem = damaged.find(({ type }) => type === 'problem') ?? {}
  t.deepEqual(Object.keys(problem), ['type', 'kind', 'file', 'position', 'offset', 'message'])
  const bad = damaged.find(({ isGood }) => isGood === false)
  t.deepEqual([bad?.['position'], bad?.['crc'] !== bad?.['computedCrc']], [0, true])
  const found = jsonOf((await cli.shell('logq fsck -J')).stdout).filter(({ kind }) => kind === 'damage')
  t.deepEqual(
    found.map(({ message, position, offset }) => [message, position, offset]),
    [[problem['message'], problem['position'], problem['offset']]],
  )
})

test('--records shows keys, values and headers, long and binary ones cut short; a terminal would get no control characters', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `printf '%s\\n' '{"key":null,"value":null}' '{"key":"","value":"a\\u001b\\"b\\u2028","headers":[{"key":"h","value":null},{"key":"x","value":"y"}]}' '{"key":"AP8=","keyEncoding":"base64","value":"é"}' | logq produce r -J &&
     printf '%0100000d' 7 | logq produce r && head -c 100000 /dev/zero | tr '\\0' '\\377' | logq produce r && echo v | logq produce r $(seq -f '-H h%g=1' 20)`,
  )
  const lines = (await cli.shell('logq dump --records r')).stdout
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('record '))
  const shown = lines.map((line) => line.replace(/^record offset=\d+ timestampMs=\d+ /, ''))
  t.deepEqual(shown.slice(0, 5), [
    'keyBytes=-1 valueBytes=-1 key=null value=null',
    'keyBytes=0 valueBytes=7 key="" value="a\\u001b\\"b\u2028" headers("h"=null, "x"="y")',
    'keyBytes=2 valueBytes=2 key=0x00ff value="é"',
    `keyBytes=-1 valueBytes=100000 key=null value="${'0'.repeat(60)}"…(100000 bytes)`,
    `keyBytes=-1 valueBytes=100000 key=null value=0x${'ff'.repeat(24)}…(100000 bytes)`,
  ])
  t.regex(shown[5] ?? '', /^keyBytes=-1 valueBytes=1 key=null value="v" headers\("h1"="1", .*"h8"="1", and 12 more\)$/)
})

test('-o, --position, -n and -p show a part', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  await cli.shell('logq topic create b --partitions 3 && echo x | logq produce b -p 2')
  const offsets = async (options: string) =>
    (await cli.shell(`logq dump -J --records ${options}`)).stdout
      .toString()
      .split('\n')
      .flatMap((line) => (/"type":"record"/.test(line) ? [Number(/"offset":(\d+)/.exec(line)?.[1])] : []))
  const count = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)
  for (const [options, expected] of [
    ['a -o 10:14', count(10, 14)],
    ['a -o 97', count(97, 100)],
    ['a -o -5', count(95, 100)],
    ['a -o :3', count(0, 3)],
    ['a -o @-1h:', count(0, 100)],
    ['a -o @2020-01-01:', count(0, 100)],
    ['a -o 200', []],
    [`store/a-0/${FIRST}.log -o 4:6`, count(4, 6)],
    ['a', count(0, 100)],
  ] as const) {
    t.deepEqual(await offsets(options), expected, options)
  }
  const text = async (options: string) => (await cli.shell(`logq dump ${options}`)).stdout.toString()
  t.is((await text(`store/a-0/${FIRST}.log -n 1`)).match(/^batch /gm)?.length, 1)
  t.is((await text('a -n 1')).match(/^batch /gm)?.length, readdirSync(directory).filter((name) => name.endsWith('.log')).length)
  const [, second] = (await text(`store/a-0/${FIRST}.log`)).match(/^batch .*$/gm) ?? []
  const position = /position=(\d+)/.exec(second ?? '')?.[1] ?? ''
  t.is((await text(`store/a-0/${FIRST}.log --position ${position}`)).match(/^batch .*$/m)?.[0], second)
  t.deepEqual((await text('b:1-2')).match(/^file .*log,/gm)?.length, 2)
  t.deepEqual((await text('b -p 0,2')).match(/^file .*log,/gm)?.length, 2)
  t.deepEqual(
    (await text("'[ab]' -p 0")).match(/^file .*log,/gm)?.length,
    ((await text('a')).match(/^file .*log,/gm)?.length ?? 0) + 1,
  )
})

test('a file that was cut is shown to its end, in a store as a torn tail, and quarantine/ by name', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  const last = readdirSync(directory).findLast((name) => name.endsWith('.log')) ?? ''
  appendFileSync(join(directory, last), readFileSync(join(directory, last)).subarray(0, 50))
  const tail = await cli.shell('logq dump a')
  t.is(tail.status, 0, tail.stderr)
  t.regex(
    tail.stdout.toString(),
    /^note .*\(above what was synced; the next append cuts it off\)\npassed-over position=\d+ sizeBytes=50$/m,
  )
  truncateSync(join(directory, `${FIRST}.log`), 200)
  const cut = await cli.shell('logq dump a:0')
  t.is(cut.status, 5)
  t.regex(
    cut.stdout.toString(),
    /^damage .*0\.log position \d+ offset \d+: .* bytes; nothing after it can be read\nbatch .* BAD\npassed-over /m,
  )
  await cli.shell('logq fsck -q --repair a')
  const [kept = ''] = readdirSync(join(directory, 'quarantine'))
  const quarantined = await cli.shell(`logq dump store/a-0/quarantine/${kept}`)
  t.is(quarantined.status, 5, quarantined.stdout.toString())
  t.regex(quarantined.stdout.toString(), /^file store\/a-0\/quarantine\/\S+ \(log, 200 bytes\)\nbatch position=0 /)
  t.is((await cli.shell('logq dump a')).status, 0)
})

test("Kafka's own segments are shown as they are: codecs, indexes, and no gap is a problem", async (t) => {
  const cli = makeCli(t)
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const directory = kafka(`kafka-${codec}-0`)
    const done = await cli.shell(`logq dump -J --records ${directory}/*`)
    t.is(done.status, 0, done.stderr)
    const lines = jsonOf(done.stdout)
    const batches = lines.filter(({ type }) => type === 'batch')
    t.true(batches.some((batch) => batch['codec'] === codec))
    t.true(batches.every(({ isGood }) => isGood))
    t.true(lines.every(({ matches }) => matches !== false))
    const markers = new Set(
      batches.filter(({ isControl }) => isControl).map(({ file, position }) => `${String(file)} ${String(position)}`),
    )
    t.deepEqual(
      batches.filter(({ isControl }) => isControl).map(({ controlType }) => controlType),
      ['commit'],
    )
    const records = lines
      .filter(({ type, file, batchPosition }) => type === 'record' && !markers.has(`${String(file)} ${String(batchPosition)}`))
      .map(({ record }) => record as Line)
    t.deepEqual(
      records.map(({ offset, key }) => [offset, key]),
      jsonOf((await cli.shell(`logq cat -J kafka-${codec} -s ${kafka('')}`)).stdout).map(({ offset, key }) => [offset, key]),
    )
    // The fixtures have no leader-epoch-checkpoint, which a broker would have left.
    const problems = (await cli.shell(`logq dump -s ${kafka('')} kafka-${codec}`)).stderr
    t.regex(problems, /^logq dump: cache .*leader-epoch-checkpoint: .* is missing or damaged\nlogq dump: 1 problem in 1 file\n/)
  }
  // A lone copy of one of them, with a bit flipped.
  await cli.shell(`cp ${kafka('kafka-gzip-0')}/00000000000000000063.log .`)
  t.is((await cli.shell('logq dump 00000000000000000063.log')).status, 0)
  flip(join(cli.directory, '00000000000000000063.log'), 100)
  const damaged = await cli.shell('logq dump 00000000000000000063.log')
  t.is(damaged.status, 5)
  t.regex(damaged.stdout.toString(), /crc=[0-9a-f]{8}\(bad, computed [0-9a-f]{8}\)/)
  await cli.shell("printf '0\\n1\\nfoo 0 7\\n' > log-start-offset-checkpoint")
  t.is((await cli.shell('logq dump ./log-start-offset-checkpoint | tail -n 1')).stdout.toString(), 'line 3: foo 0 7\n')
})

test('flipped bits in every kind of file end with 0 or 5, and with what fsck ends with', async (t) => {
  const cli = makeCli(t)
  const directory = await fill(cli)
  const random = createSeededRandom(3)
  for (const [name] of kinds) {
    if (name.startsWith('..')) continue
    const path = join(directory, name)
    const bytes = readFileSync(path)
    flip(path, random.integer(bytes.length), random.integer(8))
    flip(path, random.integer(bytes.length), random.integer(8))
    const [dump, fsck] = [await cli.shell('logq dump --records a'), await cli.shell('logq fsck -q a')]
    t.true(dump.status === 0 || dump.status === 5, name)
    t.is(dump.status, fsck.status, name)
    writeFileSync(path, bytes)
  }
})

test('dump beside a producer that rolls finds nothing; a reader that has enough ends it with 0', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create busy segment.bytes=20000 && seq 2000 | logq produce busy')
  const producer = cli.start('while sleep 0.02; do seq 200; done | logq produce busy --batch-bytes 3000')
  for (let n = 0; n < 3; n += 1) {
    const done = await cli.shell('logq dump --records busy | grep -c ^record')
    t.true(Number(done.stdout.toString()) >= 2000)
    t.false(/damage|cache/.test(done.stderr), done.stderr)
  }
  const enough = await cli.shell('set -o pipefail; logq dump --records busy | head -n 3 | wc -l')
  t.deepEqual([enough.status, enough.stdout.toString().trim()], [0, '3'])
  producer.signal('SIGKILL', { group: true })
  await producer.finished
})
