/** Limits of the process and the machine: descriptors, file size, memory. What was acknowledged is there, and the store goes on. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

const timeoutMs = 120_000

const GOES_ON = `logq cat t -F 't:%p@%o\\n' | sort > there; sort acked | comm -23 - there | wc -l
  seq 3 | timeout 20 logq produce t; echo "next $?"; logq fsck > /dev/null 2>&1; echo "fsck $?"`

test('a file size limit ends every writing command with status 1, not with SIGXFSZ', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t; (ulimit -f 64; trap - XFSZ; seq 100000 | logq produce t --print-offsets --batch-bytes 7000 > acked); echo $?
     (ulimit -f 1; seq 1000 | logq produce t --dedupe-by value > /dev/null); echo $?
     (ulimit -f 1; logq export t --to ndjson > out.ndjson 2> exporting); echo $?
     grep -c 'hint: a file size limit' exporting
     (ulimit -f 0; logq topic create u); echo $?; logq topic ls
     ${GOES_ON}`,
    { timeoutMs },
  )
  t.regex(done.stdout.toString(), /^1\n1\n1\n1\n1\nt\n0\nnext 0\nfsck 0\n$/, done.stderr)
  t.notRegex(done.stderr, /unexpected error/)
})

test('too few descriptors: reading, following and topic commands say so or need fewer', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t --partitions 60; seq 600 | logq produce t --batch-bytes 20 --print-offsets > acked; logq fsck --repair > /dev/null
     few() { (ulimit -Sn 40; ulimit -Hn 40; "$@"; echo "$1 $2 $?" >> statuses); }
     few logq cat t | wc -l; few logq tail -n 5 t | wc -l; few timeout 5 logq tail -f t --for 1s > followed; few logq du > /dev/null; few logq stat t > /dev/null
     few logq topic create u --partitions 60; few logq topic rm -y u; few logq fsck > /dev/null; few logq export t --to ndjson | wc -l
     cat statuses; ${GOES_ON}`,
    { timeoutMs },
  )
  t.log(done.stdout.toString(), done.stderr)
  for (const [, status] of done.stdout.toString().matchAll(/^logq \w+ (\d+)$/gm))
    t.true(['0', '1', '124'].includes(status ?? ''))
  t.regex(done.stdout.toString(), /\n0\nnext 0\nfsck 0\n$/, done.stderr)
  t.notRegex(done.stderr, /unexpected error|node:internal/)
})

test('a heap that is full ends in status 134 (SIGABRT) and is as a kill: the lock is free at once, what was acknowledged is there', async (t) => {
  const cli = makeCli(t)
  // A record with so many headers that its JSON takes more than the heap may have, after others that were acknowledged.
  const done = await cli.shell(
    `node -e 'console.log(JSON.stringify({ value: "", headers: Array.from({ length: 400000 }, (_, n) => ({ key: "k" + n, value: "v" + n })) }))' > huge
     logq topic create t; mkfifo feed; exec 3<> feed; touch acked; ulimit -c 0
     (exec 3>&-; NODE_OPTIONS=--max-old-space-size=24 exec logq produce t -J --print-offsets < feed >> acked 2> dying) & producer=$!
     seq 200 | sed 's/.*/{"value": "&"}/' >&3
     for i in $(seq 600); do [ $(wc -l < acked) -ge 200 ] && break; sleep 0.1; done
     cat huge >&3 & feeder=$!; wait $producer; echo "ended $?"; kill $feeder 2> /dev/null; exec 3>&-; wc -l < acked
     ${GOES_ON}`,
    { timeoutMs },
  )
  t.is(done.stdout.toString(), 'ended 134\n200\n0\nnext 0\nfsck 0\n', done.stderr)
})

const MEMORY = '/sys/fs/cgroup/memory'

test('a process that the kernel kills for its memory: the lock is free at once, what was acknowledged is there', async (t) => {
  const cli = makeCli(t)
  const group = `${MEMORY}/logq-test-${process.pid}`
  if (process.getuid?.() !== 0 || (await cli.shell(`test -e ${MEMORY}/memory.limit_in_bytes && mkdir ${group}`)).status !== 0) {
    t.log('left out: no memory cgroup (version 1) can be made here')
    t.pass()
    return
  }
  t.teardown(async () => {
    for (let tries = 0; tries < 50 && existsSync(group); tries += 1) {
      if (spawnSync('rmdir', [group]).status !== 0) await setTimeout(100)
    }
  })
  // The producer is in the middle of its input, and the first that the kernel takes when a neighbour eats the memory of their group.
  const done = await cli.shell(
    `echo 150000000 > ${group}/memory.limit_in_bytes; logq topic create t; mkfifo feed; exec 3<> feed; seq 3000 >&3; touch acked
     (echo 1000 > /proc/self/oom_score_adj; echo $BASHPID > ${group}/cgroup.procs; exec logq produce t --print-offsets < feed >> acked) & producer=$!
     for i in $(seq 600); do [ $(wc -l < acked) -ge 3000 ] && break; sleep 0.1; done; wc -l < acked
     (echo $BASHPID > ${group}/cgroup.procs; head -c 600000000 /dev/zero | tail > /dev/null) 2> /dev/null
     wait $producer; echo "ended $?"; exec 3>&-
     ${GOES_ON}`,
    { timeoutMs },
  )
  t.is(done.stdout.toString(), '3000\nended 137\n0\nnext 0\nfsck 0\n', done.stderr)
})
