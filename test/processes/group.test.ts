/** logq group, logq lag and logq wait --acked-by, through real processes. */
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

/** Two partitions of ten records, of which the group has read three and none. */
async function filled(t: Parameters<typeof makeCli>[0]): Promise<Cli> {
  const cli = makeCli(t)
  await cli.shell(
    'logq topic create t --partitions 2; for p in 0 1; do seq 10 | logq produce t -p $p; done; logq group seek g -o 3 --topic t:0',
  )
  return cli
}

const OFFSETS = `logq lag -g g -J | jq -r '"\\(.topic):\\(.partition)=\\(.currentOffset)"' | paste -sd' '`

test('seek: every kind of place, and choice of partitions, prints before and after', async (t) => {
  const cli = await filled(t)
  for (const [args, after] of [
    ['-o end --topic t', 't:0=10 t:1=10'],
    ['-o start --topic t:1', 't:0=10 t:1=0'],
    ['-o 4 --all-topics', 't:0=4 t:1=4'],
    ['-o -2 --topic t:0,1', 't:0=8 t:1=8'],
    ['-o +1 --topic t:0', 't:0=1 t:1=8'],
    ['-o @2020-01-01 --topic t:1', 't:0=1 t:1=0'],
    ['-o @2090-01-01 --topic t:1', 't:0=1 t:1=10'],
    ['-o 99 --topic t:0', 't:0=10 t:1=10'],
  ] as const) {
    const done = await cli.shell(`logq group seek g ${args} > /dev/null && ${OFFSETS}`)
    t.is(done.stdout.toString().trim(), after, `${args}: ${done.stderr}`)
  }
  const dry = await cli.shell(`logq group seek g -o 0 --topic t:0 --dry-run; ${OFFSETS}`)
  t.regex(dry.stdout.toString(), /t\s+0\s+10\s+→\s+0\n/)
  t.regex(dry.stdout.toString(), /t:0=10 t:1=10\n$/)
  const copied = await cli.shell(
    `logq group seek h --to-group g --topic t -J; logq lag -g h -J | jq -c .currentOffset | paste -sd' '`,
  )
  t.regex(copied.stdout.toString(), /"toOffset":10/)
  t.regex(copied.stdout.toString(), /10 10\n$/)
  const file = await cli.shell(
    `printf 't,0,5\\n"t",1,6\\n' | logq group seek g --from-file - > /dev/null; ${OFFSETS}; printf 't,0\\n' | logq group seek g --from-file -; echo $?`,
  )
  t.is(file.stdout.toString(), 't:0=5 t:1=6\n2\n')
  t.regex(file.stderr, /line 1: 't,0' is not TOPIC,PARTITION,OFFSET/)
})

test('skip needs a reason, and undo takes changes back one after the other', async (t) => {
  const cli = await filled(t)
  t.is((await cli.shell('exec logq group skip g t:0@3')).status, 2)
  const done = await cli.shell(
    `logq group skip g t:0@3 --reason 'no number' > /dev/null; ${OFFSETS}; logq group undo g > /dev/null; ${OFFSETS}; logq group undo g > /dev/null; echo $?; logq lag -g g -J | wc -l; logq group undo g; echo $?`,
  )
  t.is(done.stdout.toString(), 't:0=4\nt:0=3\n0\n0\n7\n', done.stderr)
  t.regex(
    (await cli.shell('cut -c10- store/groups/g/history | jq -r .reason | grep -v null')).stdout.toString(),
    /^no number\n$/,
  )
})

test('a group with members: seek, rm and rename are conflicts; seek --force puts them out, and they go on at the new offsets', async (t) => {
  const cli = await filled(t)
  const member = cli.start('exec logq consume t -g g -F "%p:%v\\n"', { timeoutMs: 60_000 })
  await member.waitForOutput((text) => text.split('\n').length === 18, { timeoutMs: 25_000 })
  for (const command of ['seek g -o 0 --topic t', 'rm g -y', 'rename g other', 'undo g']) {
    const done = await cli.shell(`exec logq group ${command}`)
    t.is(done.status, 6, `${command}: ${done.stderr}`)
    t.regex(done.stderr, /group 'g' has members/)
  }
  const forced = await cli.shell('exec logq group seek g -o 8 --topic t:1 --force')
  t.is(forced.status, 0, forced.stderr)
  await member.waitForOutput((text) => text.split('\n').length === 20, { timeoutMs: 25_000 })
  t.true(member.stdout().toString().endsWith('1:9\n1:10\n'))
  member.signal('SIGTERM')
  const { stderr } = await member.finished
  t.regex(stderr, /this member was taken out of group 'g'.*joining again\n/)
  t.notRegex(stderr, /no partition of group/)
  t.is((await cli.shell(OFFSETS)).stdout.toString(), 't:0=10 t:1=10\n')
})

test('ls, show, rename and rm', async (t) => {
  const cli = await filled(t)
  const shown = await cli.shell('logq group ls; logq group show g; logq group show g -J')
  t.regex(shown.stdout.toString(), /^g\n/)
  t.regex(shown.stdout.toString(), /\nTOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG BYTES SECONDS CONSUMER-ID\n/)
  t.regex(shown.stdout.toString(), /\n +t\s+0\s+3\s+10\s+7/)
  const done = await cli.shell(
    'logq group rename g other; logq group ls; logq group rm other -y; logq group ls; ls -A store/groups',
  )
  t.regex(done.stdout.toString(), /other\n/)
  t.is((await cli.shell('logq group ls; ls -A store/groups')).stdout.toString(), '')
  for (const command of ['show g', 'rm g -y', 'rename g x', 'undo g', 'skip g t:0@3 --reason x']) {
    const missing = await cli.shell(`exec logq group ${command}`)
    t.is(missing.status, 1, `${command}: ${missing.stderr}`)
    t.regex(missing.stderr, /group 'g' does not exist/)
  }
  t.is((await cli.shell('exec logq group show ../t-0')).status, 2)
})

test('show fits into 80 columns, with members too; -J has the whole id of a member', async (t) => {
  const cli = makeCli(t)
  await cli.shell('logq topic create orders; seq 20000 | logq produce orders')
  const member = cli.start('exec logq consume orders -g billing > out', { timeoutMs: 60_000 })
  await cli.shell('logq wait orders:0@19999 --acked-by billing --timeout 50s')
  const shown = await cli.shell('logq group show billing; logq group show billing -J | jq -r ".members[0].member"')
  const lines = shown.stdout.toString().trimEnd().split('\n')
  t.regex(lines.at(-1) ?? '', new RegExp(`-${member.pid}-[0-9a-f]{8}$`))
  t.true(
    lines.some((line) => /^ *orders +0 +20000 +20000 +0 +0 +0 [0-9a-f]{8}$/.test(line)),
    shown.stdout.toString(),
  )
  t.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  )
  member.signal('SIGTERM')
  await member.finished
})

test('a damaged group.json is made anew; damaged offsets are refused by name, and seek --force keeps a copy', async (t) => {
  const cli = await filled(t)
  await cli.shell(
    'logq consume t -g g --to-end > /dev/null; echo "{" > store/groups/g/group.json; echo new | logq produce t -p 0',
  )
  const anew = await cli.shell(`logq consume t -g g --to-end; jq .generation store/groups/g/group.json; ${OFFSETS}`)
  t.regex(anew.stdout.toString(), /^new\n\d+\nt:0=11 t:1=10\n$/, anew.stderr)
  await cli.shell(`printf '#' | dd of=store/groups/g/offsets bs=1 seek=20 conv=notrunc status=none`)
  for (const command of ['consume t -g g --to-end', 'group seek g -o 0 --topic t']) {
    const refused = await cli.shell(`exec logq ${command}`)
    t.is(refused.status, 5, `${command}: ${refused.stderr}`)
    t.regex(refused.stderr, /groups\/g\/offsets' is damaged at position 0/)
    t.is(refused.stdout.toString(), '')
  }
  t.regex((await cli.shell('logq group show g 2>&1')).stdout.toString(), /damaged at position 0/)
  const forced = await cli.shell(`logq group seek g -o 2 --topic t:0 --force; ls store/groups/g | grep -c damaged; ${OFFSETS}`)
  t.regex(forced.stdout.toString(), /\n1\nt:0=2 t:1=10\n$/, forced.stderr)
  t.is((await cli.shell('exec logq consume t -g g --to-end')).status, 0)
})

test('lag: columns, JSON, and the statuses of a monitoring plug-in', async (t) => {
  const cli = await filled(t)
  const json = await cli.shell("logq lag -g g -J | jq -c '[.topic, .partition, .currentOffset, .logEndOffset, .lagRecords]'")
  t.is(json.stdout.toString(), '["t",0,3,10,7]\n')
  for (const [args, status, line] of [
    ['--warn 8 --crit 9', 0, /^LAG OK - g is 7 records behind in t:0 \| lag=7;8;9;0\n$/],
    ['--warn 8 --quiet-ok', 0, /^$/],
    ['--warn 7 --crit 9', 1, /^LAG WARNING/],
    ['--warn 2 --crit 7', 2, /^LAG CRITICAL/],
    ['--crit x', 3, /^/],
    ['--warn 1 --crit 2 -J', 3, /^/],
    ['--warn 8 --crit 7', 3, /^$/],
    ['--warn 1 -g nothing', 3, /^LAG UNKNOWN/],
    ['--warn 1 --no-such', 3, /^/],
  ] as const) {
    const done = await cli.shell(`exec logq lag ${args.includes('-g') ? args : `-g g ${args}`}`)
    t.is(done.status, status, `${args}: ${done.stdout.toString()}${done.stderr}`)
    t.regex(done.stdout.toString(), line, args)
  }
  t.is((await cli.shell('exec logq lag -g nothing')).status, 1)
})

test('wait --acked-by returns when the group has committed the record, and with 4 when it does not in time', async (t) => {
  const cli = await filled(t)
  t.is((await cli.shell('exec logq wait t:0@2 --acked-by g --timeout 20s')).status, 0)
  t.is((await cli.shell('exec logq wait t:0@3 --acked-by g --timeout 300ms')).status, 4)
  const waiting = cli.start('exec logq wait t:1@9 --acked-by later --timeout 25s')
  await cli.shell('sleep 0.5; logq consume t -g later --to-end > /dev/null')
  t.is((await waiting.finished).status, 0)
})
