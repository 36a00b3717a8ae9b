/**
 * Archives on S3 that are read in place, against a server on loopback (test/helpers/s3-server.ts) whose gate notes every request. Without
 * the packages nothing is run and one line says so.
 */
import { readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { hasS3, startGatedS3, type GatedS3, type S3Request } from '../helpers/s3-server.js'

const run = hasS3 ? test : undefined
if (run === undefined) test('S3', (t) => t.pass('not run: @aws-sdk/client-s3 or s3rver is not installed'))

const FIRST_MS = 1_790_000_000_000
const COUNT = 30_000
const AT = (n: number) => FIRST_MS + n * 1000

/** Records 0 to 29,999, a second apart, in segments of 64 KiB, of which but the last one or two are on S3 alone; in `all` as lines. */
async function archived(t: ExecutionContext, codec: 'none' | 'zstd' = 'none'): Promise<GatedS3> {
  const s3 = await startGatedS3(t)
  const z = codec === 'none' ? '' : `-z ${codec}`
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  writeFileSync(join(s3.cli.directory, 'all'), numbers.map((n) => `${n}\n`).join(''))
  const records = numbers.map((n) => `{"value":"${n}","timestamp":${AT(n)}}\n`).join('')
  writeFileSync(join(s3.cli.directory, 'records'), records)
  const made = await s3.cli.shell(
    `logq topic create t segment.bytes=64KiB retention.ms=-1 archive.location=s3://bucket/x/ && logq produce t -J --batch-bytes 4096 < records && logq archive t -q ${z} && logq retain t -q --max-size 50KiB`,
    { env: s3.env, timeoutMs: 100_000 },
  )
  t.is(made.stderr, '')
  t.true(segmentsOf(s3).length >= 4, 'so many segments are on S3')
  s3.requests.length = 0
  return s3
}

/** Paths of the objects that s3rver keeps, ascending. */
function segmentsOf({ cli }: GatedS3): string[] {
  return readdirSync(join(cli.directory, 's3'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.log(\.zst)?\._S3rver_object$/.test(path))
    .map((path) => join(cli.directory, 's3', path))
    .sort()
}

function objectsIn(requests: readonly S3Request[]): string[] {
  return [...new Set(requests.map(({ name }) => name))].sort()
}

for (const codec of ['none', 'zstd'] as const) {
  run?.(`S3 (${codec}): archived and local segments are one log, and only what is needed is fetched`, async (t) => {
    t.timeout(300_000)
    const s3 = await archived(t, codec)
    const { cli, env, requests } = s3
    const [start = 0] = segmentsHere(s3)
    const read = async (script: string) => {
      requests.length = 0
      const done = await cli.shell(script, { env, timeoutMs: 100_000 })
      t.is(done.stderr, '', script)
      return done.stdout.toString()
    }
    t.is(await read('logq cat t | cmp - all && echo same'), 'same\n')
    t.deepEqual(
      objectsIn(requests),
      segmentsOf(s3)
        .map(objectName)
        .filter((name) => Number(name.slice(0, 20)) < start),
    )
    t.is(await read('logq cat t -o 500:503'), '500\n501\n502\n')
    t.deepEqual(objectsIn(requests), [objectName(segmentsOf(s3)[0])])
    t.is(requests.length, 2, 'its size, and one range')
    t.is(await read(`logq cat t -o @${AT(12_000)}:${AT(12_003)}`), '12000\n12001\n12002\n')
    t.is(objectsIn(requests).length, 1)
    t.is(await read('logq tail t -n 2'), `${COUNT - 2}\n${COUNT - 1}\n`)
    t.deepEqual(requests, [])
    t.is(await read('logq tail t -n 20000 | cmp - <(tail -n 20000 all) && echo same'), 'same\n')
    t.is(await read('logq cat t --reverse | tac | cmp - all && echo same'), 'same\n')
    t.is(await read('logq get t:0@7'), '7\n')
    t.is(
      await read('mv store away; logq cat --archive s3://bucket/x t -o 500:502; logq cat --archive s3://bucket/x t | wc -l'),
      `500\n501\n${start}\n`,
    )
  })
}

function objectName(path = ''): string {
  return path.split('/').at(-1)?.replace('._S3rver_object', '') ?? ''
}

/** Base offsets of the segments that are in the store, none of which is archived. */
function segmentsHere({ cli }: GatedS3): number[] {
  const names = readdirSync(join(cli.store, 't-0')).filter((name) => name.endsWith('.log'))
  return names.map((name) => Number(name.slice(0, 20))).sort((a, b) => a - b)
}

run?.('S3: a group reads on from S3 into the log, and its lag is in bytes of both', async (t) => {
  t.timeout(300_000)
  const { cli, env } = await archived(t)
  const done = await cli.shell(
    'logq consume t -g g --to-end > got; cmp got all && echo same; logq consume t -g h -n 100 > /dev/null; logq lag -g h -J | grep -o "lagRecords\\":[0-9]*"; logq digest t | cut -d " " -f 3',
    { env, timeoutMs: 100_000 },
  )
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), `same\nlagRecords":${COUNT - 100}\n${COUNT}\n`)
})

run?.('S3: an object that is missing, cut off or changed: status 5, and its name; the rest can be had', async (t) => {
  t.timeout(300_000)
  const s3 = await archived(t)
  const { cli, env } = s3
  const [, first = '', second = '', third = ''] = segmentsOf(s3)
  const look = async (path: string, reason: RegExp) => {
    const offset = Number(objectName(path).slice(0, 20))
    const done = await cli.shell(`logq cat t -o ${offset + 5}:${offset + 10}`, { env, timeoutMs: 100_000 })
    t.is(done.status, 5)
    t.is(done.stdout.toString(), '')
    t.regex(done.stderr, reason)
    t.regex(done.stderr, new RegExp(`in 's3://bucket/x/t/.*/${objectName(path)}'`))
  }
  rmSync(first)
  await look(first, /damaged in its archive: the file is missing/)
  truncateSync(second, statSync(second).size - 1)
  await look(second, /the file has \d+ bytes, and \d+ are expected/)
  const file = Buffer.alloc(statSync(third).size, 0xff)
  writeFileSync(third, file)
  await look(third, /'t-0' is damaged/)
  const rest = await cli.shell(
    'logq cat t --on-corrupt skip > got; s=$?; sort -n got | uniq -d | wc -l | tr -d " "; tail -n 1 got; exit $s',
    {
      env,
      timeoutMs: 100_000,
    },
  )
  t.is(rest.status, 5)
  t.is(rest.stdout.toString(), `0\n${COUNT - 1}\n`)
})

run?.(
  'S3: wrong credentials, no server, no package: status 1, and what to do; the log that is here needs none of them',
  async (t) => {
    t.timeout(300_000)
    const { cli, env } = await archived(t)
    writeFileSync(
      join(cli.directory, 'hide.cjs'),
      `const { Module } = require('node:module')
const resolve = Module._resolveFilename
Module._resolveFilename = function (name, ...rest) {
  if (!name.startsWith('@aws-sdk/')) return resolve.call(this, name, ...rest)
  throw Object.assign(new Error('hidden'), { code: 'MODULE_NOT_FOUND' })
}
`,
    )
    const cases: [Record<string, string>, RegExp][] = [
      [{ AWS_ACCESS_KEY_ID: 'nobody' }, /'s3:\/\/bucket\/x\/t\/.*access is denied\n {2}hint: .*aws sts/],
      [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, /'s3:\/\/bucket\/x\/t\/.*\n {2}hint: see whether the server runs/],
      [
        { NODE_OPTIONS: `--require=${cli.directory}/hide.cjs` },
        /s3:\/\/ needs the package '@aws-sdk\/client-s3', .*\n {2}hint: .*npm install/,
      ],
    ]
    for (const [changed, stderr] of cases) {
      const options = { env: { ...env, ...changed }, timeoutMs: 100_000 }
      const done = await cli.shell('logq cat t -o 5:6', options)
      t.is(done.status, 1)
      t.regex(done.stderr, stderr)
      const here = cli.start('exec logq tail -f t -n 2', options)
      await here.waitForOutput(`${COUNT - 2}\n${COUNT - 1}\n`, { timeoutMs: 60_000 })
      here.signal('SIGINT')
      t.is((await here.finished).stderr, '')
    }
  },
)

run?.('S3: ^C ends a reader at once while a server does not answer', async (t) => {
  t.timeout(300_000)
  const { cli, env, hang, waiting } = await archived(t)
  hang()
  const commands = ['cat t', 'tail -f t -n 29000', 'consume t -g g', `cat t -o @${AT(5000)}`]
  const readers = commands.map((command) => cli.start(`exec logq ${command}`, { env, timeoutMs: 100_000 }))
  const untilMs = Date.now() + 60_000
  while (waiting() < readers.length && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20))
  t.is(waiting(), readers.length, 'each of them asks')
  const startMs = Date.now()
  for (const reader of readers) reader.signal('SIGINT')
  for (const [n, reader] of readers.entries()) {
    const { signal, stderr } = await reader.finished
    t.is(signal, 'SIGINT', commands[n])
    t.is(stderr, '', commands[n])
  }
  // The server is given up after minutes.
  t.true(Date.now() - startMs < 20_000)
})
