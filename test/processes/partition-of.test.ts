/** logq partition-of: where producers put a key. */
import test from 'ava'
import { isUtf8 } from 'node:buffer'
import { kafkaKeys } from '../helpers/kafka-keys.js'
import { makeCli } from '../helpers/run-cli.js'

test('partition-of prints where produce puts each key, whatever the partitioner', async (t) => {
  const cli = makeCli(t)
  for (const partitioner of ['murmur2', 'murmur2(key) % 2', 'int(key) + 1', 'size(key)']) {
    const name = `t${partitioner.length}`
    await cli.shell(`seq 1 30 | sed 's/.*/&:&/' | logq produce ${name} -K : --partitions 7 --partitioner '${partitioner}'`)
    const done = await cli.shell(
      `seq 1 30 | xargs logq partition-of ${name} > a; logq cat ${name} -F '%k %p\\n' | sort -n | cut -d ' ' -f 2 > b; cmp a b && wc -l < a`,
    )
    t.is(done.stdout.toString(), '30\n', `${partitioner}\n${done.stderr}`)
  }
})

test('partition-of: output, --partitions, failures', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    `logq topic create m --partitions 4; logq topic create one; logq topic create random --partitions 2 --partitioner random
     logq topic create robin --partitions 2 --partitioner roundrobin; logq topic create v --partitions 2 --partitioner 'int(value.u)'
     logq topic create h --partitions 2 --partitioner 'int(headers.u)'; logq topic create ts --partitions 2 --partitioner 'timestamp.getFullYear()'
     logq topic create n --partitions 2 --partitioner 'int(key)'`,
  )
  // Kafka's Java client: murmur2 of "21" is -973932308, of "foobar" -790332482, of "" 275646681.
  const rows: readonly (readonly [command: string, stdout: string, status?: number, stderr?: RegExp])[] = [
    ['m 21', `${(-973932308 & 0x7fffffff) % 4}\n`],
    ["m 21 foobar ''", `${(-973932308 & 0x7fffffff) % 4}\n${(-790332482 & 0x7fffffff) % 4}\n${275646681 % 4}\n`],
    ['m 21 --partitions 1000', `${(-973932308 & 0x7fffffff) % 1000}\n`],
    ['none 21 --partitions 1000', `${(-973932308 & 0x7fffffff) % 1000}\n`],
    ['-s nowhere none 21 --partitions 1000', `${(-973932308 & 0x7fffffff) % 1000}\n`],
    ['one 21 foobar', '0\n0\n'],
    ['m -- -x', `${await javaPartition(cli, '-x')}\n`],
    ['m 21 -J', `{"topic":"m","key":"21","partition":${(-973932308 & 0x7fffffff) % 4}}\n`],
    ['n 5 -- -3', '1\n1\n'],
    ['n 5 x 6', '1\n0\n', 1, /^logq partition-of: key 'x': the expression 'int\(key\)' fails on it/],
    ['v 1', '', 1, /key '1': the partitioner 'int\(value.u\)' asks for the value of a record/],
    ['h 1', '', 1, /asks for the headers of a record/],
    ['ts 1', '', 1, /asks for the timestamp of a record/],
    ['none 1', '', 1, /topic 'none' does not exist/],
    ['-s nowhere none 1', '', 1, /store 'nowhere' does not exist/],
    ['random 1', '', 2, /no key has a partition in topic 'random': its partitioner is random/],
    ['robin 1', '', 2, /its partitioner is roundrobin/],
    ['m', '', 2, /KEY is missing/],
    ['m 1 --partitions 0', '', 2, /too small/],
  ]
  await Promise.all(
    rows.map(async ([command, stdout, status = 0, stderr]) => {
      const done = await cli.shell(`logq partition-of ${command}`)
      t.is(done.stdout.toString(), stdout, `${command}\n${done.stderr}`)
      if (stderr === undefined) t.is(done.stderr, '', command)
      else t.regex(done.stderr, stderr, command)
      t.is(done.status, status, command)
    }),
  )
})

test("partition-of and produce put keys where Kafka's Java client does", async (t) => {
  const cli = makeCli(t)
  const { counts, keys } = kafkaKeys()
  const count = 12
  const at = counts.indexOf(count)
  const records = keys.map(([key], n) => JSON.stringify({ key, keyEncoding: 'base64', value: String(n) }))
  const produced = await cli.shell(
    `logq produce k -J --partitions ${count}; logq cat k -F '%v %p\\n' | sort -n | cut -d ' ' -f 2`,
    {
      stdin: `${records.join('\n')}\n`,
    },
  )
  t.deepEqual(
    produced.stdout.toString().trimEnd().split('\n').map(Number),
    keys.map(([, partitions]) => partitions[at] ?? -1),
    produced.stderr,
  )
  // What can stand on a command line.
  const words = keys.filter(([key]) => isUtf8(Buffer.from(key, 'base64')) && !Buffer.from(key, 'base64').includes(0))
  const quoted = words.map(([key]) => `'${Buffer.from(key, 'base64').toString().replaceAll("'", "'\\''")}'`)
  const printed = await cli.shell(`logq partition-of k -- ${quoted.join(' ')}`)
  t.true(words.length > 60)
  t.deepEqual(
    printed.stdout.toString().trimEnd().split('\n').map(Number),
    words.map(([, partitions]) => partitions[at] ?? -1),
    printed.stderr,
  )
})

/** Where produce puts it. */
async function javaPartition(cli: ReturnType<typeof makeCli>, key: string): Promise<string> {
  const done = await cli.shell(`printf '%s:v\\n' '${key}' | logq produce m -K : --print-offsets | sed 's/.*:\\(.*\\)@.*/\\1/'`)
  return done.stdout.toString().trim()
}
