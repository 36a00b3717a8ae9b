/** The main job on real input: every fixture goes in and comes out byte for byte, from a file and from a pipe. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { fixture, realInputs } from '../helpers/project.js'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

function put(cli: Cli, name: string): string {
  const path = join(cli.directory, name)
  writeFileSync(path, fixture(name))
  return path
}

for (const name of realInputs) {
  test(`${name} comes out byte for byte, produced from a file and from a pipe, and in every codec`, async (t) => {
    const cli = makeCli(t)
    put(cli, name)
    t.is((await cli.shell(`logq produce t ${name} && logq cat t | cmp - ${name}`)).status, 0)
    for (const codec of codecs) {
      const source =
        codec === 'none' || codec === 'zstd'
          ? `cat ${name} | logq produce -z${codec} ${codec}`
          : `logq produce -z ${codec} ${codec} ${name}`
      const done = await cli.shell(`${source} && logq cat ${codec} > out && cmp ${name} out`)
      t.is(done.stderr, '', codec)
      t.is(done.status, 0, codec)
    }
  })

  test(`${name} keeps its lines over several partitions, and their order within each`, async (t) => {
    const cli = makeCli(t)
    put(cli, name)
    const done = await cli.shell(
      `logq produce t --partitions 4 --batch-bytes 20kB ${name} && logq cat t | LC_ALL=C sort > out && LC_ALL=C sort ${name} | cmp - out &&
       for p in 0 1 2 3; do logq cat t -p $p | awk -v file=${name} '
         BEGIN { while ((getline line < file) > 0) { n += 1; if (!(line in at)) at[line] = n; last[line] = n } }
         { if (last[$0] < before) { print "out of order: " $0; exit 1 } if (at[$0] > before) before = at[$0] }
         END { if (NR == 0) print "partition without records" }'; done`,
    )
    t.is(done.stderr, '')
    t.is(done.stdout.toString(), '')
    t.is(done.status, 0)
  })
}

test('lines with keys come out as they went in, the same key always in the same partition', async (t) => {
  const cli = makeCli(t)
  put(cli, 'apache_access.log')
  const done = await cli.shell(`
    logq produce t --partitions 4 -K ' ' apache_access.log
    logq cat t -K ' ' | LC_ALL=C sort > out; LC_ALL=C sort apache_access.log | cmp - out
    logq cat t -F '%k %p\\n' | LC_ALL=C sort -u | cut -d ' ' -f 1 | uniq -d
    for p in 0 1 2 3; do
      logq cat t -p $p -K ' ' > part-$p
      [ -s part-$p ] || echo "partition $p is empty"
      # The lines of a partition's keys, in the order of the input, are the partition.
      awk 'NR == FNR { keys[$1]; next } $1 in keys' part-$p apache_access.log | cmp - part-$p
    done`)
  t.is(done.stderr, '')
  t.is(done.stdout.toString(), '')
})

test('several files go in one after the other, and - among them is standard input', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `printf 'a1\\na2' > a; printf 'b1\\n' > b; printf 's1\\ns2\\n' | logq produce t a - b && logq cat t`,
  )
  t.is(done.stdout.toString(), 'a1\na2\ns1\ns2\nb1\n')
  t.is(done.status, 0)
})

test('the README main job works on the plain fixture: produce, then the last lines', async (t) => {
  const cli = makeCli(t)
  const lines = fixture('access.log').toString().trimEnd().split('\n')
  put(cli, 'access.log')
  const done = await cli.shell('logq produce access access.log && logq tail -n 5 access')
  t.is(done.stdout.toString(), `${lines.slice(-5).join('\n')}\n`)
  t.is(done.stderr, '')
})

test('segments roll under a small segment.bytes and the whole comes out byte for byte', async (t) => {
  const cli = makeCli(t)
  put(cli, 'earthquakes.csv')
  const done = await cli.shell(
    `logq topic create t segment.bytes=100000 index.interval.bytes=1000 && logq produce --batch-bytes 10000 t earthquakes.csv &&
     logq cat t | cmp - earthquakes.csv && ls store/t-0/*.log | wc -l && logq cat t -o 20000 -n 1; sed -n 20001p earthquakes.csv`,
  )
  const [segments, record, line] = done.stdout.toString().split('\n')
  t.is(done.stderr, '')
  t.true(Number(segments) > 10)
  t.is(record, line)
})
