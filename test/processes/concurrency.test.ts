/** Several producers and readers at once on one partition, through the built program. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const producers = 4
const linesEach = 4000

function lines(cli: Cli): string[] {
  return Array.from({ length: producers }, (_, producer) => {
    const text = Array.from({ length: linesEach }, (_, n) => `p${producer} ${n} ${'x'.repeat((n * 7) % 90)}`).join('\n')
    writeFileSync(join(cli.directory, `in-${producer}`), `${text}\n`)
    return text
  })
}

/** What is wrong with a reader's view: every line of every producer once and in order, or undefined when nothing is. */
function fault(text: string, complete: boolean): string | undefined {
  const next = Array.from({ length: producers }, () => 0)
  for (const line of text.split('\n')) {
    if (line === '') continue
    const match = /^p(\d) (\d+) (x*)$/.exec(line)
    if (match === null) return `a line that nobody wrote: '${line.slice(0, 200)}'`
    const [producer, n, rest] = [Number(match[1]), Number(match[2]), match[3]?.length]
    if (next[producer] !== n) return `line ${n} of producer ${producer} where ${String(next[producer])} is due`
    if (rest !== (n * 7) % 90) return `line ${n} of producer ${producer} is damaged`
    next[producer] = n + 1
  }
  if (complete && next.some((count) => count !== linesEach)) return `lines are missing: ${next.join(' ')} of ${linesEach}`
  return undefined
}

for (const [title, settings] of [
  ['in one segment', ''],
  ['over many rolls', 'segment.bytes=20000 index.interval.bytes=500'],
] as const) {
  test(`four producers, two followers and repeated cat ${title}: nothing lost, doubled or out of order`, async (t) => {
    const cli = makeCli(t)
    lines(cli)
    await cli.shell(`logq topic create t ${settings}`)
    const followers = [cli.start('exec logq tail -f t -o start'), cli.start('exec logq tail -f -n 0 t')]
    // Ready when what is produced now arrives.
    await cli.shell('while sleep 0.1; do [ -e stop ] && exit; done', { timeoutMs: 400 }).catch(() => undefined)
    const sizes = [100, 1000, 20_000, 1_000_000]
    const writing = cli.shell(
      `for n in 0 1 2 3; do split -n l/25 in-$n part-$n.; done
       ${sizes
         .map(
           (size, n) =>
             `for part in part-${n}.*; do cat $part; sleep 0.0${n + 2}; done | logq produce --batch-bytes ${size} t & pids="$pids $!"`,
         )
         .join('\n       ')}
       for pid in $pids; do wait $pid || echo "exit $?"; done`,
      { timeoutMs: 110_000 },
    )
    let readings = 0
    let reading = true
    const readers = (async () => {
      while (reading) {
        const done = await cli.shell('logq cat t', { timeoutMs: 110_000 })
        t.is(done.stderr, '')
        t.is(done.status, 0)
        t.is(fault(done.stdout.toString(), false), undefined)
        readings += 1
      }
    })()
    const written = await writing
    reading = false
    await readers
    t.is(written.stderr, '')
    t.is(written.stdout.toString(), '')
    t.true(readings >= 2)
    const total = producers * linesEach
    const all = await cli.shell('logq cat t')
    t.is(fault(all.stdout.toString(), true), undefined)
    for (const follower of followers) {
      await follower.waitForOutput((text) => text.split('\n').length > total, { timeoutMs: 60_000 })
      follower.signal('SIGINT')
      const done = await follower.finished
      t.is(done.signal, 'SIGINT')
      t.is(done.stderr, '')
      t.deepEqual(done.stdout, all.stdout)
    }
    const offsets = await cli.shell(`logq cat t -F '%o\\n' | awk '$1 != NR - 1 { print NR; exit } END { print NR }'`)
    t.is(offsets.stdout.toString(), `${total}\n`)
    const show = await cli.shell('ls store/t-0/*.log | wc -l')
    t.is(Number(show.stdout.toString()) > 10, settings !== '')
  })
}

test('producers that start at once on a store that does not exist make one topic and lose nothing', async (t) => {
  const cli = makeCli(t)
  mkdirSync(join(cli.directory, 'deep'))
  const done = await cli.shell(
    `for n in 1 2 3 4 5 6; do printf '%s\\n' $n | LOGQ_STORE=deep/a/b/store logq produce t & pids="$pids $!"; done
     for pid in $pids; do wait $pid || echo "exit $?"; done; LOGQ_STORE=deep/a/b/store logq cat t | sort`,
  )
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '1\n2\n3\n4\n5\n6\n')
})

test('offsets that several producers print are each their own, and each names its record', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `for n in 1 2 3 4; do seq -f "p$n-%g" 500 > in-$n; logq produce t --print-offsets --batch-bytes 50$n in-$n > out-$n & pids="$pids $!"; done
     for pid in $pids; do wait $pid || echo "exit $?"; done
     for n in 1 2 3 4; do paste -d ' ' out-$n in-$n; done | sort > printed; logq cat t -F 't:%p@%o %v\\n' | sort | cmp - printed; wc -l < printed`,
  )
  t.is(done.stderr, '')
  t.is(done.stdout.toString().trim(), '2000')
})
