/** retain, trim and compact. Each row has a topic of its own. */
import { besideStopped, refused, type Table } from '../table.js'

/** Records of the last ten days, one each: v1 is a day old. */
const ten =
  'for d in 10 9 8 7 6 5 4 3 2 1; do echo "{\\"value\\":\\"v$d\\",\\"timestamp\\":$((($(date +%s) - d * 86400) * 1000))}"; done > ten'
/** A segment for each of them; the last one is active. */
const days = (settings = '') => `logq topic create $T segment.ms=1h ${settings} && logq produce $T -J --batch-bytes 1 < ten`
/** Segments of about three records; the keys a, b and c go round, and `x` is deleted. */
const keys = (settings = '') =>
  `logq topic create $T cleanup.policy=compact segment.bytes=300 ${settings} && printf 'x:1\\na:1\\nb:1\\nc:1\\na:2\\nb:2\\nc:2\\na:3\\nb:3\\nc:3\\n' | logq produce $T -K: --batch-bytes 1 && printf 'x:-\\na:4\\n' | logq produce $T -K: --null - --batch-bytes 1`
const cat = `logq cat $T -F '%o:%k=%v '`

const retaining: Table = {
  title: 'retain',
  before: `${ten}; echo x | logq produce plain; logq topic create compacted cleanup.policy=compact`,
  rows: [
    [
      'by the age of a topic',
      `${days('retention.ms=130h')} && logq retain $T && logq cat $T`,
      { stdout: /^\S+-0: removed 5 segments, \S+, offsets 0 to 4; the oldest is now 5d old\nv5\nv4\nv3\nv2\nv1\n$/ },
    ],
    ['--older', `${days()} && logq retain $T --older 60h > /dev/null && logq cat $T`, 'v2\nv1\n'],
    ['--older of what is all old: everything goes', `${days()} && logq retain $T --older 1h > /dev/null && logq cat $T`, ''],
    ['nothing to do is quiet', 'logq retain plain', ''],
    [
      '-v says that',
      'logq retain plain -v',
      {
        stderr:
          /^logq retain: 'plain-0': the active segment, \d+B, from offset 0 on, is being written; what is in it now goes on \S+Z \(in 1[34]d\) at the earliest\nlogq retain: 'plain-0' has nothing to remove; the oldest is now \S+ old\n$/,
      },
    ],
    [
      '-J says why the others stay',
      `${days('retention.ms=130h')} && logq retain $T -J | grep -o '"kept":.*'`,
      {
        stdout:
          /^"kept":\[\{"reason":"not-due","segments":\[5,6,7,8,9\],"sizeBytes":\d+,"fromOffset":5,"toOffset":10,"dueMs":\d{13},"lastDueMs":\d{13},"dueAfterBytes":null,"heldBy":\[\]\}\],/,
      },
    ],
    ['--max-size', `${days()} && logq retain $T --max-size 150 -q > /dev/null && logq cat $T`, { stdout: /^v2\nv1\n$/ }],
    [
      '--dry-run',
      `${days()} && logq retain $T --older 60h --dry-run | grep -o 'would remove .*segments' && logq cat $T | wc -l`,
      'would remove 8 segments\n10\n',
    ],
    [
      '-J',
      `${days()} && logq retain $T --older 60h -J | grep -o '"removedSegments":8,"removedBytes":[0-9]*,"fromOffset":0,"logStartOffset":8'`,
      { stdout: /^"removedSegments":8,.*\n$/ },
    ],
    [
      '--keep-until-acked-by GROUP',
      `${days()} && logq consume $T -g $T -n 3 > /dev/null && logq retain $T --older 60h --keep-until-acked-by $T -v 2>&1 | grep -o "5 segments.* are due, and held by group" && logq cat $T -n 1`,
      { stdout: /^5 segments, \S+, offsets 3 to 7, are due, and held by group\nv7\n$/ },
    ],
    [
      "--keep-until-acked-by '*'",
      `${days()} && logq consume $T -g $T -n 1 > /dev/null && logq retain $T --older 60h --keep-until-acked-by '*' > /dev/null && logq cat $T -n 1`,
      'v9\n',
    ],
    [
      '--hard-limit, an age',
      `${days()} && logq consume $T -g $T -n 1 > /dev/null && logq retain $T --older 60h --keep-until-acked-by $T --hard-limit 156h -q 2> said-$T > /dev/null; grep -o 'has lost 3 offsets' said-$T; logq cat $T -n 1`,
      'has lost 3 offsets\nv6\n',
    ],
    [
      '--hard-limit, a size',
      `${days()} && logq consume $T -g $T -n 1 > /dev/null && logq retain $T --older 60h --keep-until-acked-by $T --hard-limit 200B 2> said-$T > /dev/null; logq cat $T | wc -l`,
      { stdout: /^[23]\n$/ },
    ],
    ['--hard-limit has a unit', 'logq retain --keep-until-acked-by g --hard-limit 5', refused(/invalid limit '5'/)],
    ['--hard-limit limits what is kept', 'logq retain --hard-limit 5d', refused(/--hard-limit needs --keep-until-acked-by/)],
    [
      'a group that is not there',
      `${days()} && logq retain $T --older 1h --keep-until-acked-by nobody`,
      refused(/group 'nobody' does not exist/, 1),
    ],
    [
      'a clock that is far ahead of the last run: 6, and --force',
      `export LOGQ_STORE=own-$T; ${days('retention.ms=30d')} && logq retain $T && sed -i 's/:[0-9]*}/:1000}/' own-$T/last-retain && logq retain $T --older 1h; echo $?; logq retain $T --older 1h --force | grep -c removed`,
      {
        stdout: '6\n1\n',
        stderr: /retention would remove \d+ of the \d+ bytes of '.*': the last run was at 1970-01-01/,
        status: 0,
        statusOf: 'grep',
      },
    ],
    [
      'a topic that is compacted only: 6',
      'logq retain compacted',
      refused(
        /topic 'compacted' is compacted: retention would remove the last value of keys\n.*cleanup.policy=compact,delete/,
        6,
      ),
    ],
    [
      'without names those are passed over',
      'LOGQ_STORE=own-$T; export LOGQ_STORE; logq topic create $T cleanup.policy=compact && logq retain -s own-$T',
      '',
    ],
    [
      'a damaged segment is not taken for older than its file',
      `logq topic create $T segment.bytes=400 segment.ms=30d && { head -n 1 ten; yes '{"value":"new"}' | head -n 9; } | logq produce $T -J --batch-bytes 1 && f=store/$T-0/${'0'.repeat(20)}.log && at=$(($(printf %d 0x$(od -An -tx1 -j8 -N4 $f | tr -d ' ')) + 20)) && printf '\\0\\0\\0\\0' | dd of=$f bs=1 seek=$at conv=notrunc 2> /dev/null && logq retain $T --older 1d && ls $f | wc -l`,
      {
        stdout: /^ *1\n$/,
        stderr:
          /^logq retain: segment 0{20}\.log of '\S+-0' is damaged, and counts as written when its file was; see 'logq fsck \S+'\n$/,
      },
    ],
    ['an unknown topic', 'logq retain nothing', refused(/topic 'nothing' does not exist/, 1)],
    [
      '--no-wait: 75',
      `${days()} && ${besideStopped('log-start.after-write', 'logq trim -y $T -o 1', 'logq retain $T --older 1h --no-wait')}`,
      { status: 75, stderr: /lock' is locked by process \d+/ },
    ],
    [
      'damage: 5',
      `${days()} && echo junk > store/$T-0/log-start-offset && logq retain $T --older 1h`,
      { stderr: /log start offset cannot be read/, status: 5 },
    ],
    [
      'archive.required keeps what is in no archive',
      `${days('archive.required=true')} && logq retain $T --older 1h && logq cat $T | wc -l`,
      '10\n',
    ],
  ],
}

const trimming: Table = {
  title: 'trim',
  before: ten,
  rows: [
    [
      'an offset',
      'seq 9 | logq produce $T && logq trim -y $T -o 6 && logq cat $T',
      { stdout: /^\S+-0: removed offsets 0 to 5, 0B of segments\n7\n8\n9\n$/ },
    ],
    [
      'end: the space is free',
      'seq 9 | logq produce $T && logq trim -y $T -o end > /dev/null && logq cat $T && du -b store/$T-0/*.log | cut -f1',
      '0\n',
    ],
    ['a point before the end', 'seq 9 | logq produce $T && logq trim -y $T -o -2 > /dev/null && logq cat $T', '8\n9\n'],
    ['a time', `${days()} && logq trim -y $T -o @-60h > /dev/null && logq cat $T`, 'v2\nv1\n'],
    [
      '-p',
      'seq 9 | logq produce $T --partitions 2 -p 0 && seq 3 | logq produce $T -p 1 && logq trim -y $T -p 1 -o end > /dev/null && logq cat $T | wc -l',
      '9\n',
    ],
    [
      'it never goes back',
      'seq 9 | logq produce $T && logq trim -y $T -o 6 > /dev/null && logq trim -y $T -o 2 -v 2>&1 > /dev/null | grep -o "begins at offset 6 already"; logq cat $T | wc -l',
      { stdout: /^begins at offset 6 already\n3\n$/, stderr: /.*/ },
    ],
    [
      '--dry-run',
      'seq 9 | logq produce $T && logq trim $T -o 6 --dry-run && logq cat $T | wc -l',
      { stdout: /^\S+-0: would remove offsets 0 to 5\n9\n$/ },
    ],
    [
      '-J',
      'seq 9 | logq produce $T && logq trim -y $T -o 6 -J',
      { stdout: /^\{"topic":"\S+","partition":0,"fromOffset":0,"toOffset":6,"removedSegments":0,"removedBytes":0\}\n$/ },
    ],
    ['-s, -q', 'seq 9 | logq produce $T && logq trim -y -s store -q $T -o 0', ''],
    ['without a terminal it needs -y', 'seq 9 | logq produce $T && logq trim $T -o 6', refused(/-y/)],
    ['it needs -o', 'logq trim t', refused(/trim needs -o/)],
    ['one place, no range', 'logq trim -y t -o 1:2', refused(/'1:2' is a range/)],
    [
      'behind the end: 7',
      'seq 9 | logq produce $T && logq trim -y $T -o 10',
      refused(/'.*-0' ends at offset 9: it cannot begin at 10/, 7),
    ],
    [
      'behind the end, --dry-run: 7',
      'seq 9 | logq produce $T && logq trim --dry-run $T -o 10',
      refused(/ends at offset 9: it cannot begin at 10/, 7),
    ],
    ['an unknown topic', 'logq topic create $T && logq trim -y nothing -o end', refused(/topic 'nothing' does not exist/, 1)],
    [
      'damage: 5',
      'seq 9 | logq produce $T && echo junk > store/$T-0/log-start-offset && logq trim -y $T -o 6',
      { stderr: /log start offset cannot be read/, status: 5 },
    ],
    [
      '--no-wait: 75',
      `seq 9 | logq produce $T && ${besideStopped('log-start.after-write', 'logq trim -y $T -o 1', 'logq trim -y --no-wait $T -o 8')}`,
      { status: 75, stderr: /lock' is locked by process \d+/ },
    ],
  ],
}

const compacting: Table = {
  title: 'compact',
  before: 'echo x | logq produce plain',
  rows: [
    [
      'the last record of each key in the closed segments',
      `${keys()} && logq compact $T && ${cat}`,
      { stdout: /^\S+-0: dropped 4 of 8 records, \S+ of \S+; 4 keys\n0:x=1 5:b=2 6:c=2 7:a=3 8:b=3 9:c=3 10:x= 11:a=4 $/ },
    ],
    [
      '--include-active, --min-dirty 0',
      `${keys()} && logq compact $T --include-active --min-dirty 0 > /dev/null && ${cat}`,
      '8:b=3 9:c=3 10:x= 11:a=4 ',
    ],
    [
      'a tombstone goes in a later pass',
      `${keys('delete.retention.ms=0')} && logq compact $T --include-active > /dev/null && logq compact $T --min-dirty 0 > /dev/null && ${cat}`,
      '8:b=3 9:c=3 11:a=4 ',
    ],
    [
      '--keep N',
      `${keys()} && logq compact $T --include-active --keep 2 > /dev/null && ${cat}`,
      '5:b=2 6:c=2 7:a=3 8:b=3 9:c=3 10:x= 11:a=4 ',
    ],
    ['--keep up to 255', 'logq compact --keep 256', refused(/--keep/)],
    [
      '--memory',
      `${keys()} && logq compact $T --include-active --memory 1MiB > /dev/null && ${cat}`,
      '8:b=3 9:c=3 10:x= 11:a=4 ',
    ],
    ['--memory is no less than 1 MiB', 'logq compact --memory 1', refused(/--memory/)],
    [
      '--dry-run',
      `${keys()} && logq compact $T --include-active --dry-run | grep -o 'would drop 8 of 12 records' && logq cat $T | wc -l`,
      'would drop 8 of 12 records\n12\n',
    ],
    [
      '-J',
      `${keys()} && logq compact $T --include-active -J | grep -o '"recordsBefore":12,"recordsAfter":4,"keyCount":4,"unkeyedCount":0,"passCount":1,"isDone":true'`,
      '"recordsBefore":12,"recordsAfter":4,"keyCount":4,"unkeyedCount":0,"passCount":1,"isDone":true\n',
    ],
    [
      'less than min.cleanable.dirty.ratio is left alone',
      `${keys()} && logq compact $T > /dev/null && logq compact $T -v`,
      { stderr: /was left alone: 0B of \S+ are new\n$/ },
    ],
    ['--min-dirty is a ratio', 'logq compact --min-dirty 2', refused(/invalid ratio '2'/)],
    ['min.compaction.lag.ms', `${keys('min.compaction.lag.ms=1h')} && logq compact $T && logq cat $T | wc -l`, '12\n'],
    [
      'max.compaction.lag.ms closes an old active segment',
      'logq topic create $T cleanup.policy=compact max.compaction.lag.ms=1h && printf "a:1\\na:2\\n" | logq produce $T -K: --timestamp 2026-01-01 && logq compact $T > /dev/null && logq cat $T',
      '2\n',
    ],
    [
      '--explain',
      `${keys()} && logq compact $T --explain x`,
      {
        stdout:
          /^\S+:0@0 value: dropped: the (record|tombstone) at offset 10 is newer\n\S+:0@10 tombstone: |^\S+:0@0 value: kept: it is the last one of the key\n\S+:0@10 tombstone: not looked at: it is in the active segment/,
      },
    ],
    ['--explain -J', `${keys()} && logq compact $T --explain c -J | grep -c '"fate":"kept"'`, '1\n'],
    ['--explain needs a topic', 'logq compact --explain x', refused(/--explain needs a topic/)],
    ['-p', `${keys()} && logq compact $T -p 0 --include-active -q > /dev/null && logq cat $T | wc -l`, '4\n'],
    [
      'without names all that are compacted',
      `export LOGQ_STORE=own-$T; ${keys()} && echo x | logq produce plain && logq compact -s own-$T -q > /dev/null; logq cat plain $T | wc -l`,
      '9\n',
    ],
    [
      'a topic that is not compacted: 6',
      'logq compact plain',
      refused(/topic 'plain' is not compacted: its cleanup.policy is delete\n.*logq topic set plain cleanup.policy=compact/, 6),
    ],
    ['an unknown topic', 'logq compact nothing', refused(/topic 'nothing' does not exist/, 1)],
    [
      'a compacted topic refuses records without a key',
      'logq topic create $T cleanup.policy=compact && printf "a:1\\nplain\\n" | logq produce $T -K: 2> /dev/null; logq cat $T; echo x | logq produce $T',
      {
        stdout: '1\n',
        stderr: /a record without a key cannot be in '.*', which is compacted\n.*see -k, -K and --key-from/,
        status: 1,
      },
    ],
    [
      'those that are there go, and are counted',
      `seq 3 | logq produce $T && logq topic set $T cleanup.policy=compact && logq compact $T --include-active && logq cat $T`,
      { stdout: /dropped 3 of 3 records/, stderr: /3 records of '.*-0' without a key are gone/ },
    ],
    [
      'damage: 5, and nothing is written anew',
      `${keys()} && printf X | dd of=store/$T-0/00000000000000000000.log bs=1 seek=66 conv=notrunc 2> /dev/null; logq compact $T`,
      { stderr: /is damaged: the CRC of a batch does not match/, status: 5 },
    ],
    [
      'the offsets that went are no damage, whatever the policy is later',
      `${keys()} && logq compact $T --include-active > /dev/null && logq topic set $T cleanup.policy=delete && logq fsck $T -q && logq cat $T | wc -l && logq get $T:0@3`,
      { stdout: '4\n', stderr: /.*/, status: 3 },
    ],
    [
      '--no-wait: 75',
      `${keys()} && ${besideStopped('compact.after-note', 'logq compact $T', 'logq compact --no-wait $T')}`,
      { status: 75, stderr: /cleaner-lock' is locked by another process/ },
    ],
  ],
}

export const lifecycleTables: readonly Table[] = [retaining, trimming, compacting]
