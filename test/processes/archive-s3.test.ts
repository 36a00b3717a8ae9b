/**
 * Archives on S3, against a server on loopback (test/helpers/s3-server.ts). Without the packages nothing is run and one line says so.
 */
import test from 'ava'
import { hasS3, startS3 as start } from '../helpers/s3-server.js'

const run = hasS3 ? test : undefined
if (run === undefined) test('S3', (t) => t.pass('not run: @aws-sdk/client-s3 or s3rver is not installed'))

const MAKE =
  'logq topic create t segment.bytes=64KiB && seq 30000 | logq produce t --batch-bytes 8192 && logq topic create large segment.bytes=40MiB && head -c 36000000 /dev/urandom | base64 -w 1000 | logq produce large'

run?.('S3: archived once, listed, verified, and brought back; a large segment goes in parts', async (t) => {
  t.timeout(600_000)
  const { cli, env } = await start(t)
  const made = await cli.shell(MAKE, { timeoutMs: 100_000 })
  t.is(made.stderr, '')
  const done = await cli.shell(
    `logq archive t -qz zstd --to s3://bucket/some/prefix && logq archive large -q --to s3://bucket/some/prefix/ && logq archive t large --to s3://bucket/some/prefix; logq archive --list s3://bucket/some/prefix -J | wc -l | tr -d " "; logq archive --verify s3://bucket/some/prefix -J | grep -c '"strayFiles":\\[\\]'; logq restore s3://bucket/some/prefix -qs new && n=$(logq cat t -s new | wc -l) && logq cat t -o :$n | cmp - <(logq cat t -s new) && m=$(logq cat large -s new | wc -l) && test $m -gt 30000 && logq cat large -o :$m | cmp - <(logq cat large -s new) && echo same`,
    { env, timeoutMs: 300_000 },
  )
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '2\n2\nsame\n')
})

run?.(
  'S3: wrong credentials, none, a missing bucket, no server: status 1, what to do, and nothing is counted as archived',
  async (t) => {
    t.timeout(300_000)
    const { cli, server, env } = await start(t)
    await cli.shell('logq topic create t segment.bytes=256 && seq 100 | logq produce t --batch-bytes 100')
    const cases: [string, Record<string, string | undefined>, RegExp][] = [
      ['s3://bucket/x', { AWS_ACCESS_KEY_ID: 'nobody' }, /access is denied\n {2}hint: .*aws sts/],
      [
        's3://bucket/x',
        { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_EC2_METADATA_DISABLED: 'true' },
        /there are no credentials\n {2}hint: set AWS_PROFILE/,
      ],
      ['s3://nothing/x', {}, /bucket 'nothing' does not exist\n {2}hint: make it/],
    ]
    for (const [location, changed, stderr] of cases) {
      const done = await cli.shell(`logq archive t --to ${location}`, { env: { ...env, ...changed }, timeoutMs: 100_000 })
      t.is(done.status, 1, location)
      t.regex(done.stderr, stderr)
    }
    await server.close()
    const gone = await cli.shell('logq archive t --to s3://bucket/x; echo "status $?"; ls store/t-0 | grep -c archived-', {
      env,
      timeoutMs: 100_000,
    })
    t.is(gone.stdout.toString(), 'status 1\n0\n')
    t.regex(gone.stderr, /cannot look at 's3:\/\/bucket\/x\/t\/.*econnrefused.*\n {2}hint: see whether the server runs/)
  },
)

run?.('S3: a server that goes away in mid-run: what is whole counts, and the next run goes on', async (t) => {
  t.timeout(300_000)
  const { cli, server, env } = await start(t)
  await cli.shell('logq topic create t segment.bytes=256 && seq 200 | logq produce t --batch-bytes 100')
  const archiving = cli.start('LOGQ_FAILPOINT=archive.after-object=sleep:8000@3 logq archive t --to s3://bucket/x', {
    env,
    timeoutMs: 100_000,
  })
  const until = Date.now() + 60_000
  const objects = async () =>
    (await cli.shell('ls s3/bucket/x/t/*/0 2> /dev/null | grep -c "object$"')).stdout.toString().trim()
  while (Number(await objects()) < 3 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50))
  await server.close()
  const { status, stderr } = await archiving.finished
  t.is(status, 1)
  t.regex(stderr, /econnre/)
  const { port } = new URL(env['AWS_ENDPOINT_URL'] ?? '')
  await start(t, Number(port), cli)
  const again = await cli.shell(
    'logq archive t --to s3://bucket/x -q; logq archive --verify s3://bucket/x -J; logq topic show t',
    {
      env,
      timeoutMs: 100_000,
    },
  )
  t.is(again.stderr, '')
  t.regex(again.stdout.toString(), /"startOffset":0.*"strayFiles":\[\]/)
})
