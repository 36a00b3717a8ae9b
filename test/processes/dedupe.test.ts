/** `produce --dedupe-by` through the built program: each case with its status and what it says, then many processes, kills, a full disk. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'
import { hasSmallDisk, onSmallDisk } from '../helpers/small-disk.js'

interface Case {
  readonly script: string
  readonly status: number
  readonly stdout?: string
  /** Default: nothing is said. */
  readonly stderr?: RegExp
}

/** Topic t: keys a and b at offsets 0 and 1. Each case runs in a copy of that store. */
const before = `printf 'a:1\\nb:2\\n' | logq produce t -K: --dedupe-by key --timestamp 2026-01-02T00:00:00Z`
const at = (time: string) => `--timestamp 2026-01-${time}Z`
const says = (line: string) => new RegExp(`^logq produce: ${line}\\n$`)

const cases: readonly Case[] = [
  // What is an id.
  {
    script: `printf 'c:3\\nb:2\\nc:4\\n' | logq produce t -K: --dedupe-by key --print-offsets ${at('02T01:00:00')}`,
    status: 0,
    stdout: 't:0@2\nt:0@1\nt:0@2\n',
    stderr: says('2 duplicates of 3 records were not appended'),
  },
  {
    script: `printf 'x\\ny\\nx\\n' | logq produce v --dedupe-by value --print-offsets`,
    status: 0,
    stdout: 'v:0@0\nv:0@1\nv:0@0\n',
    stderr: says('1 duplicate of 3 records was not appended'),
  },
  {
    script: `echo x | logq produce h -H id=1 -H id=2 --dedupe-by header:id; echo y | logq produce h -H id=2 --dedupe-by header:id -q --print-offsets
      echo z | logq produce h -H id=1 --dedupe-by header:id --print-offsets`,
    status: 0,
    stdout: 'h:0@0\nh:0@1\n',
  },
  { script: `printf 'a:x\\n' | logq produce t -K: --dedupe-by value --print-offsets`, status: 0, stdout: 't:0@2\n' },
  {
    script: `printf ':x\\n:y\\n' | logq produce t -K: --dedupe-by key -q --print-offsets`,
    status: 0,
    stdout: 't:0@2\nt:0@2\n',
  },
  // Records without one are bad, by themselves.
  {
    script: `printf '{"value":"x","key":"k"}\\n{"value":"y"}\\n{"value":"z","key":"l"}\\n' | logq produce t -J --dedupe-by key --print-offsets`,
    status: 1,
    stdout: 't:0@2\nt:0@3\n',
    stderr: says('stdin: line 2: it has no key, which duplicates are found by'),
  },
  {
    script: `printf '{"value":null}\\n{"value":"y"}\\n' | logq produce t -J --dedupe-by value --on-bad stop --print-offsets`,
    status: 1,
    stderr: says('stdin: line 1: it has no value, which duplicates are found by'),
  },
  {
    script: `echo x | logq produce t -H id=1 --dedupe-by header:ID`,
    status: 1,
    stderr: says("stdin: line 1: it has no header 'ID', which duplicates are found by"),
  },
  // The window, to the millisecond.
  {
    script: `printf 'a:1\\n' | logq produce t -K: --dedupe-by key --print-offsets -q ${at('03T00:00:00')}`,
    status: 0,
    stdout: 't:0@0\n',
  },
  {
    script: `printf 'a:1\\n' | logq produce t -K: --dedupe-by key --print-offsets -q ${at('03T00:00:00.001')}`,
    status: 0,
    stdout: 't:0@2\n',
  },
  {
    script: `printf 'a:1\\n' | logq produce t -K: --dedupe-by key --dedupe-window 1h --print-offsets -q ${at('02T01:00:00.001')}`,
    status: 0,
    stdout: 't:0@2\n',
  },
  {
    script: `printf 'a:1\\n' | logq produce t -K: --dedupe-by key --dedupe-window 1h; printf 'a:1\\n' | logq produce t -K: --dedupe-by key --dedupe-window 1000w --print-offsets`,
    status: 0,
    stdout: 't:0@2\n',
    stderr: says('1 duplicate of 1 records was not appended'),
  },
  // An old file, with timestamps of its own, and what another producer appended.
  {
    script: `logq cat t -J > old; echo x | logq produce t -k c; logq produce t -J --dedupe-by key --print-offsets old; echo y | logq produce t -k c --dedupe-by key -q --print-offsets`,
    status: 0,
    stdout: 't:0@0\nt:0@1\nt:0@2\n',
    stderr: says('2 duplicates of 2 records were not appended'),
  },
  {
    script: `printf 'id,name\\n1,x\\n2,y\\n' > users.csv; logq import users users.csv --key-column id --dedupe-by key
      printf '3,z\\n' >> users.csv; logq import users users.csv --key-column id --dedupe-by key --print-offsets`,
    status: 0,
    stdout: 'users:0@0\nusers:0@1\nusers:0@2\n',
    stderr: /^logq import: 2 duplicates of 3 records were not appended\n$/,
  },
  // Partitions: without a key the id chooses, whatever the partitioner; -p wins.
  {
    script: `seq 40 > in; logq produce p --partitions 4 --dedupe-by value --print-offsets in > first; logq produce p --dedupe-by value --print-offsets -q in | cmp - first && cut -d@ -f1 first | sort -u | wc -l
      logq produce p --dedupe-by value -p 3 in -v 2>&1 | grep -c '^logq produce: [23]. records appended'`,
    status: 0,
    stdout: '4\n1\n',
  },
  {
    script: `seq 40 | logq produce r --partitions 4 --partitioner roundrobin --dedupe-by value; seq 40 | logq produce r --dedupe-by value; logq cat r | sort -n | cmp - <(seq 40)`,
    status: 0,
    stderr: says('40 duplicates of 40 records were not appended'),
  },
  // The index is a cache.
  {
    script: `rm store/t-0/dedupe-key; printf 'a:1\\n' | logq produce t -K: --dedupe-by key -q --print-offsets ${at('02T00:00:00')}`,
    status: 0,
    stdout: 't:0@0\n',
  },
  {
    script: `head -c 40000 /dev/urandom > store/t-0/dedupe-key; printf 'a:1\\n' | logq produce t -K: --dedupe-by key -q --print-offsets ${at('02T00:00:00')}
      : > store/t-0/dedupe-key; printf 'a:1\\n' | logq produce t -K: --dedupe-by key -q --print-offsets ${at('02T00:00:00')}; logq fsck -q`,
    status: 0,
    stdout: 't:0@0\nt:0@0\n',
  },
  {
    script: `rm store/t-0/dedupe-key; ln -s /dev/null store/t-0/dedupe-key; printf 'z:1\\n' | logq produce t -K: --dedupe-by key; s=$?; logq cat t | wc -l; exit $s`,
    status: 1,
    stdout: '2\n',
    stderr: /dedupe-key/,
  },
  {
    script: `logq digest t > one; rm store/t-0/dedupe-key; logq digest t | cmp - one; logq topic rm -y t; ls store`,
    status: 0,
    stdout: 'lock\nlogq.json\ntopics\n',
  },
  // What does not go together.
  { script: 'echo x | logq produce t --dedupe-by keys', status: 2, stderr: /'keys' is not what records can be recognised by/ },
  { script: 'echo x | logq produce t --dedupe-by header:', status: 2, stderr: /it is key, value, or header: and a name/ },
  { script: 'echo x | logq produce t --dedupe-by', status: 2, stderr: /dedupe-by/ },
  { script: 'echo x | logq produce t --dedupe-by value --dedupe-window soon', status: 2, stderr: /invalid duration 'soon'/ },
  { script: 'echo x | logq produce t --dedupe-window 1h', status: 2, stderr: /--dedupe-window goes with --dedupe-by/ },
  {
    script: 'logq cat t --format batch | logq produce t --format batch --dedupe-by value',
    status: 2,
    stderr: /--dedupe-by does not go with --format batch/,
  },
  {
    script: 'echo x | logq produce t --dedupe-by value --expect-offset 2',
    status: 2,
    stderr: /does not go with an expectation/,
  },
  {
    script: 'echo x | logq produce t -k k --dedupe-by key --expect-key-offset k=none',
    status: 2,
    stderr: /does not go with an expectation/,
  },
]

test('produce --dedupe-by: every case, with what it prints, says and exits with', async (t) => {
  const cli = makeCli(t)
  await cli.shell(before)
  await cli.shell('mv store kept')
  for (const { script, status, stdout = '', stderr = /^$/ } of cases) {
    const done = await cli.shell(`rm -rf store; cp -a kept store; ${script}`)
    t.is(done.status, status, `${script}\n${done.stderr}`)
    t.is(done.stdout.toString(), stdout, script)
    t.regex(done.stderr, stderr, script)
  }
})

test('several processes with the same ids, and one that does not look: each id is there once', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t --partitions 2 segment.bytes=30000
     seq 3000 > ids
     for n in 1 2 3; do
       sort -R ids | logq produce t --dedupe-by value --batch-bytes 20$n --print-offsets > places-$n & pids="$pids $!"
     done
     seq -f 'other %g' 2000 | logq produce t --batch-bytes 300 & pids="$pids $!"
     for pid in $pids; do wait $pid || echo "exit $?"; done
     logq cat t | grep -v other | sort -n | cmp - ids && echo once
     logq cat t | grep -c other
     for n in 1 2 3; do sort places-$n | uniq -d | wc -l; done; cat places-? | sort -u | wc -l`,
    { timeoutMs: 120_000 },
  )
  t.is(done.stdout.toString(), 'once\n2000\n0\n0\n0\n3000\n', done.stderr)
  t.regex(done.stderr, /^(logq produce: \d+ duplicates of 3000 records were not appended\n){2,3}$/)
})

test('a run that is killed again and again, and started again, appends each record once', async (t) => {
  const cli = makeCli(t)
  const points = [
    'append.before-write',
    'append.after-write',
    'append.after-index',
    'sync.after',
    'dedupe.after-buckets',
    'roll.after-sync',
  ]
  for (const [n, point] of points.entries()) {
    const done = await cli.shell(
      `logq topic create t${n} segment.bytes=4000; seq -f 'id %g' 700 > ids
       for nth in 1 2 4; do LOGQ_FAILPOINT=${point}=kill@$nth logq produce t${n} --dedupe-by value --batch-bytes 500 ids; done 2> killed
       logq produce t${n} -q --dedupe-by value ids; echo $?; logq cat t${n} | cmp - ids && echo once; logq fsck t${n} -q; echo $?`,
    )
    t.is(done.stdout.toString(), '0\nonce\n0\n', `${point}: ${done.stderr}`)
  }
  for (let round = 0; round < 3; round += 1) {
    const producer = cli.start('exec logq produce r --dedupe-by value --print-offsets --batch-bytes 300', { stdin: 'open' })
    producer.write(Array.from({ length: 4000 }, (_, n) => `record ${n}\n`).join(''))
    await producer.waitForOutput('@', { timeoutMs: 20_000 })
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
    producer.signal('SIGKILL')
    await producer.finished
  }
  const done = await cli.shell(
    `seq 0 3999 | sed 's/^/record /' > all; logq produce r --dedupe-by value -q all; logq cat r | cmp - all && echo once`,
  )
  t.is(done.stdout.toString(), 'once\n', done.stderr)
})

test('a process that waits for the index of a stopped one names it, and goes on when it is gone', async (t) => {
  const cli = makeCli(t)
  const stopped = cli.start('echo x | LOGQ_FAILPOINT=append.before-write=stop exec logq produce t --dedupe-by value')
  await cli.shell('for i in $(seq 200); do [ -s store/t-0/dedupe-value ] && break; sleep 0.05; done')
  const waiting = cli.start('echo x | logq produce t --dedupe-by value --print-offsets', { timeoutMs: 40_000 })
  await waiting.waitForOutput(/waiting for the dedupe index of 't-0', held by process \d+/, {
    stream: 'stderr',
    timeoutMs: 25_000,
  })
  stopped.signal('SIGKILL', { group: true })
  const done = await waiting.finished
  t.is(done.stdout.toString(), 't:0@0\n', done.stderr)
})

test('on a full disk nothing is appended that is not in the index, and the run that follows is exact', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '900k',
      `export LOGQ_STORE=disk/store; seq -f 'id %g' 30000 > ids
       logq produce t --dedupe-by value --batch-bytes 2000 ids 2> failed; echo "status $?"
       grep -c 'no space left' failed; n=$(logq cat t | wc -l); [ $n -gt 100 ] && [ $n -lt 30000 ] && echo some
       logq cat t | cmp - <(head -n $n ids) && echo 'in order, once'
       mount -o remount,size=20m disk
       logq produce t --dedupe-by value ids 2> said; echo "status $?"; cat said | sed "s/$n/N/"
       logq cat t | cmp - ids && echo complete`,
    ),
    { timeoutMs: 90_000 },
  )
  t.is(
    done.stdout.toString(),
    'status 1\n1\nsome\nin order, once\nstatus 0\nlogq produce: N duplicates of 30000 records were not appended\ncomplete\n',
    done.stderr,
  )
})
