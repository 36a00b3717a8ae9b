/** The commands around topics, and those that check them. */
import { refused, type Table } from '../table.js'

const topics: Table = {
  title: 'topics',
  before: 'logq topic create b --partitions 2 retention.ms=7d; seq 5 | logq produce a; seq 3 | logq produce b -p 1',
  rows: [
    ['create', 'logq topic create $T && logq topic ls | grep -cx $T', '1\n'],
    [
      'with partitions',
      'logq topic create $T --partitions 3 && logq topic show $T -J | grep -o \'"partition":[0-9]\'',
      '"partition":0\n"partition":1\n"partition":2\n',
    ],
    [
      'with a partitioner',
      "logq topic create $T --partitioner 'int(value.n)' && logq topic show $T | grep partitioner",
      { stdout: /^partitioner +int\(value\.n\)\n$/ },
    ],
    ['which must be one', "logq topic create $T --partitioner 'nonsense('", refused(/./)],
    [
      'with settings',
      'logq topic create $T retention.ms=7d segment.bytes=1MiB && logq topic show $T | grep -o "^[rs][a-z.]*=[0-9]*"',
      'retention.ms=604800000\nsegment.bytes=1048576\n',
    ],
    ['a store with --mode, -s', 'logq topic create $T -s made-$T --mode 0710 && stat -c %a made-$T', '710\n'],
    ['--allow-network-file-system changes nothing on a local one', 'logq topic create $T --allow-network-file-system', ''],
    ['one that exists', 'logq topic create a', refused(/topic 'a' exists already/, 1)],
    ['one too like another', 'logq topic create A', refused(/'A' is too like the existing topic 'a'/, 1)],
    [
      'a name that is none',
      'logq topic create a/b',
      refused(/cannot be a topic name\n {2}hint: a name has 1 to 249 of the characters/),
    ],
    ['-v says so', 'logq topic create $T -v', { stderr: /./ }],
    ['-q does not', 'logq topic create $T -q', ''],
    ['ls in a store of one topic', 'logq topic create one -s store-$T -q && logq topic ls -s store-$T', 'one\n'],
    [
      'ls -J',
      'logq topic create one -s store-$T && logq topic ls -s store-$T -J | sed \'s/"topicId":"[^"]*"/ID/\'',
      '{"topic":"one",ID,"partitions":1,"partitioner":"murmur2"}\n',
    ],
    ['ls -q -v', 'logq topic create one -s store-$T && logq topic ls -qv --store store-$T', 'one\n'],
    ['ls of no store', 'logq topic ls -s nowhere', refused(/nowhere/, 1)],
    [
      'show',
      'logq topic show b',
      {
        stdout:
          /^topic +b\ntopic id +\S+\npartitioner +murmur2\nretention\.ms=604800000 .*\n\nPARTITION .*\n +0 +0 +0 +1 +0\n +1 +0 +3 +1 +\d+\n$/,
      },
    ],
    ['show -v shows defaults too', 'logq topic show a -v | grep -c "^[a-z.]*="', { stdout: /^\d\d\n$/ }],
    ['show -q -s', 'logq topic show a -q -s store | head -n 1', { stdout: /^topic +a\n$/ }],
    ['show of an unknown topic', 'logq topic show u', refused(/topic 'u' does not exist/, 1)],
    [
      'show of a damaged topic file',
      'logq topic create $T && echo x > store/topics/$T.json && logq topic show $T',
      refused(/n\d+\.json/, 5),
    ],
    [
      'set, and back',
      'logq topic create $T retention.ms=1d && logq topic set $T retention.ms=2d && logq topic show $T | grep -o "^ret.*=[0-9]*" && logq topic set $T retention.ms=default && logq topic show $T | grep -c ^ret',
      { stdout: 'retention.ms=172800000\n0\n', status: 1, statusOf: 'grep' },
    ],
    [
      'set takes -s, -q and -v',
      'logq topic create $T && logq topic set $T -s store -q retention.ms=2d && logq topic set $T --store store -v retention.ms=3d',
      { stderr: /./ },
    ],
    ['a setting that there is not', 'logq topic set a retention=1', refused(/'retention' is not a setting of a topic/)],
    ['a value that is none', 'logq topic set a retention.ms=soon', refused(/retention\.ms/)],
    ['an unknown topic', 'logq topic set u retention.ms=1d', refused(/topic 'u' does not exist/, 1)],
    [
      'add-partitions',
      'logq topic create $T -s store && logq topic add-partitions $T 3 -s store && logq topic show $T -J | grep -o "\\"partition\\":" | wc -l',
      '3\n',
    ],
    [
      'add-partitions -v, -q',
      'logq topic create $T && logq topic add-partitions $T 2 -q && logq topic add-partitions -v $T 3',
      { stderr: /has 3 partitions/ },
    ],
    ['never fewer', 'logq topic add-partitions b 1', refused(/can only grow/)],
    ['of an unknown topic', 'logq topic add-partitions u 4', refused(/topic 'u' does not exist/, 1)],
    ['rm -y', 'logq topic create $T && logq topic rm -y $T && logq topic ls | grep -x $T', { status: 1, statusOf: 'grep' }],
    [
      'rm --yes --quiet --verbose of several',
      'logq topic create $T && logq topic create $T-2 && logq topic rm --yes --quiet -v -s store $T $T-2',
      { stderr: /.*/ },
    ],
    ['rm --dry-run does nothing', 'logq topic rm --dry-run a && logq topic ls | grep -x a', "would remove topic 'a'\na\n"],
    ['rm asks, and cannot ask without a terminal', 'logq topic rm a', refused(/hint: give '-y'/)],
    ['rm of an unknown topic', 'logq topic rm -y u', refused(/topic 'u' does not exist/, 1)],
    ['-n is refused where -n is no count', 'logq topic rm -n a', refused(/unknown option '-n'\n {2}hint: .*--dry-run/)],
  ],
}

const care: Table = {
  title: 'fsck and digest',
  before: `printf 'a:1\\nb:2\\nc:3\\n' | logq produce t -K: --partitions 2 --timestamp 1970-01-02; logq cat t -J | logq produce copy -J --keep partition --partitions 2; seq 3 | logq produce u`,
  rows: [
    ['digest: digest, records, topic', "logq digest t | sed 's/^[0-9a-f]\\{64\\} /D/'", 'D 3  t\n'],
    [
      'the same records, the same digest',
      'test "$(logq digest t | cut -c -64)" = "$(logq digest copy | cut -c -64)" && echo same',
      'same\n',
    ],
    [
      'others, another',
      'test "$(logq digest t | cut -c -64)" = "$(logq digest u | cut -c -64)" || echo different',
      'different\n',
    ],
    [
      'digest -v has a line for each partition',
      'logq digest -v t | cut -d " " -f 3-',
      { stdout: /^\d {2}t-0\n\d {2}t-1\n3 {2}t\n$/ },
    ],
    [
      'digest -J',
      'logq digest -J t u | grep -o \'"recordCount":3,"partitions"\'',
      '"recordCount":3,"partitions"\n"recordCount":3,"partitions"\n',
    ],
    ['digest -p -o', 'logq digest u -p 0 -o 1:2 -q | cut -d " " -f 3', '1\n'],
    ['digest -s', 'logq digest u -s store | wc -l', '1\n'],
    ['digest of an unknown topic', 'logq digest nothing', refused(/topic 'nothing' does not exist/, 1)],
    ['fsck: clean', 'logq fsck', { stderr: /'t-0' clean/ }],
    ['fsck -q says nothing then', 'logq fsck -q', ''],
    ['fsck of one topic and partition', 'logq fsck -v t -p 1', { stderr: /'t-1' clean/ }],
    [
      'fsck -J',
      'logq fsck -J u -s store | cut -d , -f 1-6',
      '{"topic":"u","partition":0,"kind":"summary","segmentCount":1,"batchCount":1,"recordCount":3\n',
    ],
    ['fsck of an unknown topic', 'logq fsck nothing', refused(/topic 'nothing' does not exist/, 1)],
    [
      'fsck finds damage',
      `seq 3 | logq produce one -s bad-$T && printf X | dd of=bad-$T/one-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd-$T; logq fsck -q -s bad-$T`,
      { stdout: /^damage .*one-0\/0+\.log position 0 offset 0: .*\n/, status: 5 },
    ],
    [
      'fsck --repair mends it, and says 5',
      `seq 3 | logq produce one -s rep-$T && printf X | dd of=rep-$T/one-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd-$T; logq fsck -q --repair -s rep-$T > said-$T; echo "status $?"; logq fsck -q -s rep-$T; echo "status $?"`,
      'status 5\nstatus 0\n',
    ],
    [
      'an index that was rebuilt is no damage',
      'echo a | logq produce one -s idx-$T && rm idx-$T/one-0/*.index && logq fsck -q --repair -s idx-$T',
      { stdout: /^note .*\.index: .*\nrebuilt .*\.index\n/ },
    ],
  ],
}

export const storeTables: readonly Table[] = [topics, care]
