/** logq get: every form of a place and of a key, every format, every exit status. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { LOG_START_OFFSET_FILE } from '../../lib/log/file-names.js'
import { formatLogStartOffset } from '../../lib/log/log-start-offset.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

type Row = readonly [command: string, stdout: string, status?: number, stderr?: RegExp]

async function check(t: ExecutionContext, cli: Cli, rows: readonly Row[]): Promise<void> {
  for (let from = 0; from < rows.length; from += 8) {
    await Promise.all(
      rows.slice(from, from + 8).map(async ([command, stdout, status = 0, stderr]) => {
        const done = await cli.shell(`logq ${command}`)
        t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
        if (stderr === undefined) t.is(done.stderr, '', command)
        else t.regex(done.stderr, stderr, command)
        t.is(done.status, status, command)
      }),
    )
  }
}

test('get prints records by their places, in every format', async (t) => {
  const cli = makeCli(t)
  await cli.shell(`logq produce t -J --keep partition --partitions 2 <<'END'
{"partition":0,"key":"k1","value":"v1","timestamp":1700000000123,"headers":[{"key":"a","value":"1"}]}
{"partition":0,"key":"k2","value":null,"timestamp":1700000000124}
{"partition":1,"key":null,"value":"x\\ty","timestamp":-1}
END`)
  const json = (partition: number, offset: number, rest: string): string =>
    `{"topic":"t","partition":${partition},"offset":${offset},"timestamp":${rest}}\n`
  await check(t, cli, [
    ['get t:0@0', 'v1\n'],
    ['get t:0@1', '\n'],
    ['get t:1@0 t:0@0 t:1@0', 'x\ty\nv1\nx\ty\n'],
    [
      'get -J t:0@0 t:0@1',
      json(0, 0, '1700000000123,"timestampType":"CreateTime","key":"k1","value":"v1","headers":[{"key":"a","value":"1"}]') +
        json(0, 1, '1700000000124,"timestampType":"CreateTime","key":"k2","value":null,"headers":[]'),
    ],
    [
      'get t:0@0 -J --no-value',
      json(0, 0, '1700000000123,"timestampType":"CreateTime","key":"k1","valueBytes":2,"headers":[{"key":"a","value":"1"}]'),
    ],
    ['get t:1@0 -F tsv', 't\t1\t0\t-1\t\\N\tx\\ty\t\n'],
    ['get t:0@0 -F tsv --time iso --no-value', 't\t0\t0\t2023-11-14T22:13:20.123Z\tk1\t2\ta=1\n'],
    ["get t:0@0 -F '%t:%p@%o %k=%v %h %T{iso}\\n'", 't:0@0 k1=v1 a=1 2023-11-14T22:13:20.123Z\n'],
    ['get t:0@0 t:0@1 -K : --null NIL', 'k1:v1\nk2:NIL\n'],
    ['get t:0@0 -0', 'v1\0'],
    ["get t:0@0 t:1@0 -D ';' --raw", 'v1;x\ty;'],
  ])
})

test('what produce --print-offsets prints is what get takes', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    'seq 20 | logq produce t --partitions 3 --print-offsets | xargs logq get | sort -n | uniq | wc -l',
  )
  t.is(done.stdout.toString(), '20\n', done.stderr)
})

test('get tries every place, names each that fails, and ends with the strongest status', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create t segment.bytes=300; seq -f r%g 0 29 | logq produce t --batch-bytes 60')
  // What retain does: the oldest segments go, and the log start offset says so.
  const partition = join(cli.store, 't-0')
  const [, second = ''] = readdirSync(partition).filter((name) => name.endsWith('.log'))
  const start = Number(second.slice(0, 20))
  for (const name of readdirSync(partition)) if (name.startsWith('00000000000000000000.')) rmSync(join(partition, name))
  writeFileSync(join(partition, LOG_START_OFFSET_FILE), formatLogStartOffset(start))
  const gone = new RegExp(`^logq get: 't:0@0' no longer exists: 't-0' begins at offset ${start}\n$`)
  const beyond = /^logq get: 't:0@30' does not exist yet: 't-0' ends at offset 30\n$/
  await check(t, cli, [
    [`get t:0@${start}`, `r${start}\n`],
    ['get t:0@29', 'r29\n'],
    ['get t:0@0', '', 7, gone],
    ['get t:0@30', '', 3, beyond],
    ['get t:0@9007199254740991', '', 3, /does not exist yet/],
    ['get t:1@0', '', 1, /^logq get: topic 't' has no partition 1\n/],
    ['get u:0@0', '', 1, /^logq get: topic 'u' does not exist in store/],
    ['get -s nowhere t:0@0', '', 1, /store 'nowhere' does not exist/],
    ['get t:0@30 t:0@29 t:0@30', 'r29\n', 3, /^(logq get: 't:0@30' does not exist yet.*\n){2}$/],
    ['get t:0@30 t:0@29 u:0@0', 'r29\n', 1, /does not exist yet[^]*topic 'u' does not exist/],
    ['get u:0@0 t:0@0 t:0@29 t:0@30', 'r29\n', 7, /topic 'u'[^]*no longer exists[^]*does not exist yet/],
  ])
})

test('get of an offset that compaction took away is status 3, and of a damaged record 5', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create t cleanup.policy=compact segment.bytes=1MiB; for n in 0 1 2; do echo v$n | logq produce t -q -k k; done
     seq -f r%g 0 9 | logq produce bad --batch-bytes 60`,
  )
  // What compact does to the record at offset 1: its batch is not there any more.
  const log = join(cli.store, 't-0', '00000000000000000000.log')
  const bytes = readFileSync(log)
  const batchBytes = bytes.length / 3
  writeFileSync(log, Buffer.concat([bytes.subarray(0, batchBytes), bytes.subarray(2 * batchBytes)]))
  for (const name of readdirSync(join(cli.store, 't-0'))) if (!name.endsWith('.log')) rmSync(join(cli.store, 't-0', name))
  const damaged = join(cli.store, 'bad-0', '00000000000000000000.log')
  const content = readFileSync(damaged)
  content[65] = (content[65] ?? 0) ^ 1
  writeFileSync(damaged, content)
  await check(t, cli, [
    ['get t:0@0 t:0@2', 'v0\nv2\n'],
    ['get t:0@1', '', 3, /^logq get: 't:0@1' has no record: it was compacted away/],
    ['get bad:0@0', '', 5, /corrupt|damage|CRC|checksum/i],
    ['get bad:0@0 t:0@0 t:0@1', 'v0\n', 5, /has no record/],
  ])
})

test('get --key prints the latest value of a key', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `printf 'a:1\\nb:1\\na:2\\n:empty\\nplain\\nc:1\\n' | logq produce t -K : --on-bad skip --partitions 4 2>/dev/null
     printf '{"key":"b","value":null,"timestamp":1700000000123}\\n' | logq produce t -J
     logq topic create r --partitioner roundrobin --partitions 2; echo x:oldest | logq produce r -K : -p 0 --timestamp 2022-01-01
     echo x:old | logq produce r -K : -p 0 --timestamp 2023-01-02; echo x:older | logq produce r -K : -p 1 --timestamp 2023-01-01`,
  )
  const partition = Number((await cli.shell('logq partition-of t a')).stdout.toString())
  const other = (partition + 1) % 4
  await check(t, cli, [
    ['get t --key a', '2\n'],
    ['get t -k a -K =', 'a=2\n'],
    ['get t --key=', 'empty\n'],
    ['get t --key c -F "%k %v\\n"', 'c 1\n'],
    [`get t --key a -p ${partition}`, '2\n'],
    [`get t --key a -p ${other}`, '', 3, /^logq get: topic 't' has no record of key 'a'\n$/],
    ['get t --key nobody', '', 3, /^logq get: topic 't' has no record of key 'nobody'\n$/],
    [
      'get t --key b',
      '',
      3,
      /^logq get: key 'b' was deleted: 't:\d@\d' at 2023-11-14T22:13:20.123Z\n {2}hint: logq get t:\d@\d -J prints/,
    ],
    // No partition is the key's own: the greatest timestamp counts.
    ['get r --key x', 'old\n'],
    ['get r --key x -p 1', 'older\n'],
    ['get r --key x -p 9', '', 1, /topic 'r' has no partition 9/],
    ['get nowhere --key x', '', 1, /topic 'nowhere' does not exist/],
  ])
})

test('get --key finds a record from before partitions were added, and reads no partition in vain', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 1 20 | sed "s/.*/k&:v&/" | logq produce t -K : --partitions 1; logq topic add-partitions t 8')
  const values = await cli.shell('for n in $(seq 1 20); do logq get t --key k$n; done')
  t.is(values.stdout.toString(), Array.from({ length: 20 }, (_, n) => `v${n + 1}\n`).join(''))
  // Every partition but the key's own is damaged: only a key that is not where it should be meets the damage.
  await cli.shell('seq 1 200 | sed "s/.*/k&:w&/" | logq produce t -K :')
  const own = Number((await cli.shell('logq partition-of t k1')).stdout.toString())
  for (let partition = 0; partition < 8; partition += 1) {
    if (partition === own) continue
    const log = join(cli.store, `t-${partition}`, '00000000000000000000.log')
    const bytes = readFileSync(log)
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
    writeFileSync(log, bytes)
  }
  await check(t, cli, [
    ['get t --key k1', 'w1\n'],
    ['get t --key nobody', '', 5, /./],
  ])
})

test('get refuses what it cannot mean, before it opens the store', async (t) => {
  const cli = makeCli(t)
  await check(t, cli, [
    ['get', '', 2, /TOPIC:PARTITION@OFFSET is missing/],
    ['get t', '', 2, /'t' names no record\n {2}hint: write t:PARTITION@OFFSET, or give --key/],
    ['get t:0', '', 2, /invalid place 't:0'/],
    ['get t@0', '', 2, /invalid place 't@0'/],
    ['get t:0@-1', '', 2, /invalid place/],
    ['get t:0@01', '', 2, /invalid number '01'/],
    ['get t:2147483648@0', '', 2, /too large/],
    ['get t:0@9007199254740992', '', 2, /too large/],
    ['get t:0@0 -F batch', '', 2, /--format batch copies whole batches/],
    ['get t:0@0 -p 0', '', 2, /-p goes with --key only/],
    ['get t:0@0 --key a', '', 2, /--key goes with exactly one TOPIC/],
    ['get t u --key a', '', 2, /--key goes with exactly one TOPIC/],
    ['get t:0@0 --no-value', '', 2, /--no-value does not go with the value format/],
    ['get t:0@0 -J -0', '', 2, /go with the value format only/],
    ['get t:0@0 -o 1', '', 2, /unknown option '-o'/],
  ])
})
