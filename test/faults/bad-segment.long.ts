/**
 * A closed segment that cannot be read (EIO, by strace), or has a batch that is damaged: each command that does not need it, or goes
 * round it, gives all the rest; the others name the file and the place.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

const COUNT = 1000
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `${COUNT + from + n}\n`).join('')

const jsonLines = (bytes: Buffer) =>
  bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, string | number>>)

for (const fault of ['cannot be read', 'holds a damaged batch'] as const) {
  test(`a closed segment that ${fault} hides no good records`, async (t) => {
    const isDead = fault === 'cannot be read'
    if (isDead && spawnSync('strace', ['-V']).status !== 0) {
      t.log('left out: strace is missing')
      t.pass()
      return
    }
    const cli = makeCli(t)
    await cli.shell(
      'logq topic create t --partitions 2 segment.bytes=2000; for p in 0 1; do seq 1000 1999 | logq produce t -p $p --batch-bytes 300; done',
    )
    const directory = join(cli.store, 't-0')
    const [, name = '', next = ''] = readdirSync(directory).filter((file) => file.endsWith('.log'))
    const file = join(directory, name)
    const [first, behind] = [Number.parseInt(name, 10), Number.parseInt(next, 10)]
    if (!isDead) {
      const fd = openSync(file, 'r+')
      writeSync(fd, Buffer.from('x'), 0, 1, 900)
      closeSync(fd)
    }
    const run = (command: string) =>
      cli.shell(
        isDead
          ? `UV_THREADPOOL_SIZE=1 strace -f -qq -o trace -P ${file} -e trace=pread64 -e inject=pread64:error=EIO logq ${command}`
          : `logq ${command}`,
      )

    // What does not need it is as it always was.
    for (const [command, records] of [
      ['cat t -p 1', lines(0, COUNT)],
      [`cat t -p 0 -o ${behind}`, lines(behind, COUNT)],
      [`cat t -p 0 -n ${first}`, lines(0, first)],
      ['tail t -p 0 -n 3', lines(COUNT - 3, COUNT)],
      ['get t:0@5', lines(5, 6)],
      ['get t:0@900', lines(900, 901)],
      ['get t:1@150', lines(150, 151)],
      ['consume t -g g -n 5', lines(0, 5)],
    ] as const) {
      const done = await run(command)
      t.is(done.status, 0, `${command}: ${done.stderr}`)
      t.is(done.stdout.toString(), records, command)
    }

    // What comes to it gives what stands before, and then says where it is.
    const place = isDead
      ? new RegExp(`: cannot read '${file}' at position \\d+: i/o error\n  hint: `)
      : new RegExp(`: 't-0' is damaged: .*, in '${file}' at position \\d+ \\(offset \\d+\\)\n  hint: `)
    for (const command of ['cat t -p 0', `tail t -p 0 -n ${COUNT - 100}`, `get t:0@${first + 70}`, 'digest t']) {
      const done = await run(command)
      t.is(done.status, isDead ? 1 : 5, `${command}: ${done.stderr}`)
      t.regex(done.stderr, place, command)
      const given = done.stdout.toString()
      if (!command.startsWith('cat')) t.is(given, '', command)
      else t.true(given.startsWith(lines(0, first)) && lines(0, behind).startsWith(given), command)
    }

    // What counts gives the figures of the partition that is whole, and those of the other up to the place.
    const counted = await run('stat t -J')
    t.is(counted.status, isDead ? 1 : 5, counted.stderr)
    t.regex(counted.stderr, place)
    const countedTo = Number(/the records of 't-0' from offset (\d+) on are not counted/.exec(counted.stderr)?.[1])
    t.true(countedTo >= first && countedTo < behind, counted.stderr)
    const counts = jsonLines(counted.stdout).map(({ group, recordCount }) => [group, recordCount])
    t.deepEqual(counts, [
      [0, countedTo],
      [1, COUNT],
      [undefined, COUNT + countedTo],
    ])
    const byKey = await run('stat t --by 1h -J')
    t.is(byKey.status, isDead ? 1 : 5, byKey.stderr)
    t.is(jsonLines(byKey.stdout).at(-1)?.['recordCount'], COUNT + countedTo)
    const used = await run('du t --by partition -J')
    t.is(used.status, isDead ? 1 : 0, used.stderr)
    if (isDead) t.regex(used.stderr, place)
    const sizes = jsonLines(used.stdout).filter(({ type }) => type === 'partition')
    t.deepEqual(
      sizes.map(({ logEndOffset }) => logEndOffset),
      [COUNT, COUNT],
    )
    t.deepEqual(sizes[0]?.['logBytes'], sizes[1]?.['logBytes'])

    // What goes round it names each offset that it leaves out.
    const round = await run('cat t -p 0 --on-corrupt skip')
    t.is(round.status, 5, round.stderr)
    t.true(round.stderr.includes(`in '${file}' at position `), round.stderr)
    // What it was, and not what the zeros in its place look like.
    const reason = isDead ? /'t-0' is damaged: bytes 0 to \d+ cannot be read from the device: i\/o error, in '/ : /CRC/
    t.regex(round.stderr, reason)
    t.notRegex(round.stderr, /zero bytes/)
    const passed = /offsets (\d+) to (\d+) are passed over/.exec(round.stderr)
    const [from, to] = [Number(passed?.[1]), Number(passed?.[2])]
    t.true(from >= first && from <= to && to < behind, round.stderr)
    t.true(isDead || to - from < 30, round.stderr)
    t.is(round.stdout.toString(), lines(0, from) + lines(to + 1, COUNT))
    const checked = await run('fsck t')
    t.is(checked.status, 5)
    t.true(checked.stdout.toString().startsWith(`damage ${file} position `), checked.stdout.toString())
    t.regex(checked.stdout.toString(), isDead ? /: bytes 0 to \d+ cannot be read from the device: i\/o error: / : /CRC/)
    t.regex(checked.stderr, /'t-0' damaged: [\s\S]*'t-1' clean: 1000 records/)
  })
}
