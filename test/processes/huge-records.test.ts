/** Records of 64 MiB, and of 100,000 headers: at most 150 MiB and four times the record. huge-records.long.ts has larger ones. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'
import { baseMiB, lacking, measure, passHugeRecords } from './huge-records.js'

const mebibyte = 1 << 20
/** 100,000 times 1,000 bytes, beside the record: newer lines of Node.js collect garbage later. */
const headersMiB = 96

test('a record of 64 MiB, in and out by every way', async (t) => {
  const missing = lacking(mebibyte << 9, mebibyte << 9)
  if (missing !== undefined) {
    t.pass(missing)
    t.log(`left out: ${missing}`)
    return
  }
  await passHugeRecords(t, 64 * mebibyte - 64, 'max.message.bytes=67108864')
})

test('a line above max.message.bytes is named and passed over, and those beside it are appended', async (t) => {
  const cli = makeCli(t)
  const done = await measure(
    cli,
    `{ echo a; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo b; } | peak logq produce t; echo "status $?"; logq cat t`,
  )
  t.is(done.stdout.toString(), 'status 1\na\nb\n')
  t.regex(done.stderr, /stdin: line 2: a record of 200000000 bytes is above max.message.bytes, 16777216/)
  t.true(done.peakMiB <= baseMiB + 4 * 16, `${done.peakMiB} MiB`)
})

test('a record of 100,000 headers goes through JSON and templates, and is printed, digested and checked', async (t) => {
  const cli = makeCli(t)
  const headers = Array.from({ length: 100_000 }, (_, n) => ({ key: `h${n}`, value: `${n}` }))
  await cli.shell('cat > in.json', { stdin: `${JSON.stringify({ key: 'k', value: 'v', headers })}\n` })
  await cli.shell('logq produce -J t in.json')
  for (const [what, script, wanted] of [
    ['produce -J', 'peak logq produce -J t in.json', /^$/],
    [
      'cat -J, produce -J',
      'peak logq cat -J -n 1 t | tee out.json | logq produce -J u && cat out.json',
      /"key":"h99999","value":"99999"}\]}\n$/,
    ],
    ['cat -J of what came back', 'peak logq cat -J u', /"key":"h99999","value":"99999"}\]}\n$/],
    ['cat -F', `peak logq cat -n 1 -F '%h\\n' t | tr ',' '\\n' | wc -l`, /^100000\n$/],
    ['cat --format tsv', 'peak logq cat -n 1 --format tsv t | wc -l', /^1\n$/],
    ['cat', 'peak logq cat -n 1 t', /^v\n$/],
    ['tail -J', 'peak logq tail -n 1 -J t | grep -c h99999', /^1\n$/],
    [
      'cat --format batch',
      'peak logq cat -o 0:1 --format batch t | logq produce --format batch u && logq digest u',
      / 2 {2}u\n$/,
    ],
    ['digest', 'peak logq digest t', / 2 {2}t\n$/],
    ['fsck', 'peak logq fsck t', /^$/],
  ] as const) {
    const done = await measure(cli, script)
    t.log(`${what}: ${done.peakMiB} MiB`)
    t.is(done.status, 0, `${what}: ${done.stderr}`)
    t.regex(done.stdout.toString().slice(-200), wanted, what)
    // As JSON a header is a few objects for a while.
    t.true(done.peakMiB <= baseMiB + 4 * 2 + headersMiB, `${what}: ${done.peakMiB} MiB`)
  }
})
