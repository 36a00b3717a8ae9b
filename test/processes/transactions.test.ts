/** A partition of Kafka's with transactions, as a broker goes on writing to it. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { KafkaLog } from '../helpers/kafka-log.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const LOG = '00000000000000000000.log'

/** Appends what a log has more of than it had. */
class Broker {
  readonly log = new KafkaLog()
  #written = 0
  readonly #path: string

  constructor(cli: Cli) {
    mkdirSync(join(cli.directory, 'kafka/t-0'), { recursive: true })
    this.#path = join(cli.directory, 'kafka/t-0', LOG)
    this.write()
  }

  write(): void {
    const bytes = this.log.files().get(LOG) ?? new Uint8Array(0)
    appendFileSync(this.#path, bytes.subarray(this.#written))
    this.#written = bytes.length
  }
}

test('tail -f waits at a transaction that is open, then goes on with what was committed', async (t) => {
  const cli = makeCli(t)
  const broker = new Broker(cli)
  const { log } = broker
  log.plain('one')
  log.data(1, ['two'])
  log.data(2, ['three'])
  log.plain('four')
  broker.write()
  const tail = cli.start('exec logq tail -f t -o start -s kafka')
  const all = cli.start('exec logq tail -f t -o start -s kafka --isolation read_uncommitted')
  const wait = cli.start('exec logq wait t:0@2 -s kafka')
  await tail.waitForOutput('one\n')
  await all.waitForOutput('one\ntwo\nthree\nfour\n')
  t.is(tail.stdout().toString(), 'one\n')
  log.abort(1)
  log.data(2, ['five'])
  broker.write()
  await all.waitForOutput('five\n')
  t.is(tail.stdout().toString(), 'one\n')
  log.commit(2)
  log.plain('six')
  broker.write()
  await tail.waitForOutput('six\n')
  t.is(tail.stdout().toString(), 'one\nthree\nfour\nfive\nsix\n')
  await wait.finished
  t.is(wait.stdout().toString(), 'three\n')
  for (const running of [tail, all]) running.signal('SIGTERM')
  await Promise.all([tail.finished, all.finished])
  t.is(all.stdout().toString(), 'one\ntwo\nthree\nfour\nfive\nsix\n')
  t.is(tail.stderr(), '')
})

test('dump shows what Kafka keeps of transactions, and names what is wrong with it, as fsck does', async (t) => {
  const cli = makeCli(t)
  const log = new KafkaLog()
  log.data(9_007_199_254_740_993n, ['k=a', 'b'])
  log.abort(9_007_199_254_740_993n)
  log.data(5, ['c'])
  log.roll()
  log.plain('d')
  log.writeTo(join(cli.directory, 'kafka'), 't-0')
  const shell = (script: string) => cli.shell(script, { env: { LOGQ_STORE: `${cli.directory}/kafka` } })
  const dumped = await shell('logq dump t --records')
  t.is(dumped.status, 0)
  const text = dumped.stdout.toString()
  t.regex(text, /transactional control\(abort\) coordinatorEpoch=0/)
  t.regex(text, /record offset=1 timestampMs=\d+ sequence=1 keyBytes=-1 valueBytes=1 key=null value="b"/)
  t.regex(
    text,
    /transaction-index-entry position=0 entry=0 version=0 producerId=9007199254740993 firstOffset=0 lastOffset=2 lastStableOffset=3/,
  )
  t.regex(text, /producer-state position=\d+ producerId=5 .* lastOffset=3 .* currentTxnFirstOffset=3 firstSequence=0/)
  const entry = await shell('logq dump -J kafka/t-0/00000000000000000000.txnindex -s kafka | tail -n 1')
  t.like(JSON.parse(entry.stdout.toString()), { producerId: '9007199254740993', firstOffset: 0, lastOffset: 2, entry: 0 })
  t.is((await shell('logq fsck -q')).status, 0)

  await shell('printf "\\001" | dd of=kafka/t-0/00000000000000000000.txnindex bs=1 seek=25 conv=notrunc 2> dd')
  await shell('printf X | dd of=kafka/t-0/00000000000000000004.snapshot bs=1 seek=30 conv=notrunc 2> dd')
  const damaged = await shell('logq dump t')
  t.is(damaged.status, 5)
  t.regex(damaged.stderr, /00000000000000000000\.txnindex.*the entry for offset 1 names no marker/)
  t.regex(damaged.stderr, /00000000000000000004\.snapshot.*the CRC of the producer snapshot does not match/)
  t.is((await shell('logq dump kafka/t-0/00000000000000000004.snapshot')).status, 5)
  const checked = await shell('logq fsck -q')
  t.regex(checked.stdout.toString() + checked.stderr, /names no marker[^]*does not match/)
  t.is((await shell('logq cat t -q')).stdout.toString(), '')
})
