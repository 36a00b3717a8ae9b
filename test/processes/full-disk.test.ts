/** `produce --on-full`: a producer on a disk that is full waits for space, drops the oldest records, or fails. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'
import { hasSmallDisk, onSmallDisk } from '../helpers/small-disk.js'

/** `await TEST` waits for what a process beside does. */
const awaitTest = 'await() { while ! eval "$1"; do sleep 0.05; done; }'

test('--on-full block waits without the lock until there is space: nothing is lost, nothing doubled', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '700k',
      `export LOGQ_STORE=disk/store; ${awaitTest}
       logq topic create t segment.bytes=60000
       dd if=/dev/zero of=disk/filler bs=1k count=500 status=none
       seq -f 'line %08g' 20000 > input
       logq produce t input --on-full block --print-offsets --batch-bytes 3000 > acked 2> errors & producer=$!
       await 'grep -q "waiting for some" errors'
       [ $(wc -l < acked) -lt 20000 ] && echo 'some acknowledged'
       logq cat t -F 't:%p@%o\\n' > there; head -n $(wc -l < acked) there | cmp - acked && echo 'the acknowledged are there'
       logq fsck > fsck 2>&1; echo "fsck while it waits $?"
       kill -0 $producer && rm disk/filler
       wait $producer; echo "status $?"
       logq cat t | cmp - input && echo complete
       logq cat t -F 't:%p@%o\\n' | cmp - acked && echo 'all acknowledged'
       grep -c . errors; grep -c "no space on the file system '$PWD/disk': waiting for some, to append to 't-0'" errors`,
    ),
    { timeoutMs: 90_000 },
  )
  const lines = done.stdout.toString().split('\n')
  t.deepEqual(
    lines.slice(0, -3),
    ['some acknowledged', 'the acknowledged are there', 'fsck while it waits 0', 'status 0', 'complete', 'all acknowledged'],
    done.stderr,
  )
  t.is(lines.at(-3), lines.at(-2), 'nothing else is said')
  t.regex(lines.at(-3) ?? '', /^[1-3]$/, 'once for each wait')
})

test('--on-full block waits for space to make the topic, and the store', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '300k',
      `export LOGQ_STORE=disk/store; ${awaitTest}
       dd if=/dev/zero of=disk/filler bs=1k count=900 status=none 2> /dev/null
       seq 3 | logq produce t; echo "status $?"
       seq 3 > input; logq produce t input --on-full block --partitions 2 -p 1 2> errors & producer=$!
       await 'grep -q "waiting for some, to create topic .t" errors'
       rm disk/filler; wait $producer; echo "status $?"
       logq cat t -p 1; logq fsck 2>&1 | grep -c clean; grep -c . errors`,
    ),
    { timeoutMs: 60_000 },
  )
  t.is(done.stdout.toString(), 'status 1\nstatus 0\n1\n2\n3\n2\n1\n', done.stderr)
})

test('a signal ends the wait of --on-full block; fail, the default, does not wait', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '300k',
      `export LOGQ_STORE=disk/store; ${awaitTest}
       echo kept | logq produce t
       dd if=/dev/zero of=disk/filler bs=1k count=900 status=none 2> /dev/null
       seq 100000 | logq produce t --on-full fail 2> failed; echo "status $?"
       echo 1 | logq produce t --dedupe-by value 2> deduped; echo "status $?"
       seq 100000 > input; logq produce t input --on-full block 2> errors & producer=$!
       await 'grep -q "waiting for some" errors'
       kill -TERM $producer; wait $producer; echo "status $?"
       cat errors | sed -n 's/.*records from line/records from line/p'
       rm disk/filler; logq cat t | head -n 1; logq fsck > fsck; echo "fsck $?"`,
    ),
    { timeoutMs: 60_000 },
  )
  t.regex(
    done.stdout.toString(),
    /^status 1\nstatus 1\nstatus 143\nrecords from line \d+ of 'input' on were not written; \d+ records were appended before\nkept\nfsck 0\n$/,
    done.stderr,
  )
  t.regex((await cli.shell('cat failed')).stdout.toString(), /no space left on device\n {2}hint: free space/)
  const deduped = (await cli.shell('cat deduped')).stdout.toString()
  t.regex(deduped, /cannot write '.*dedupe-value': no space left on device\n {2}hint: it is a cache of ids/)
})

test('--on-full drop-oldest, two producers at once: the newest records are there, and each segment was dropped once', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '800k',
      `export LOGQ_STORE=disk/store
       logq topic create t segment.bytes=60000
       for who in a b; do seq -f "$who %08g" 30000 | logq produce t --on-full drop-oldest --batch-bytes 3000 2> said-$who & done
       wait -n; echo "status $?"; wait -n; echo "status $?"
       logq fsck > /dev/null 2>&1; echo "fsck $?"
       cat said-a said-b | sed -n "s/.*removed offsets \\([0-9]*\\) to \\([0-9]*\\) of 't-0'.*/\\1 \\2/p" | sort -n > dropped
       awk 'NR > 1 && $1 != end + 1 { print "not in a row:", $0 } { end = $2 } END { print (NR > 1), end + 1 }' dropped
       logq cat t -F '%o %v\n' > there; head -n 1 there | cut -d' ' -f1; tail -n 1 there | cut -d' ' -f1
       for who in a b; do grep " $who " there | cut -d' ' -f3 | sort -c && grep " $who " there | tail -n 1 | cut -d' ' -f3; done`,
    ),
    { timeoutMs: 90_000 },
  )
  const lines = done.stdout.toString().split('\n')
  const start = lines[4]
  t.deepEqual(
    lines,
    ['status 0', 'status 0', 'fsck 0', `1 ${start}`, start, '59999', '00030000', '00030000', ''],
    `${done.stdout.toString()}${done.stderr}`,
  )
})
