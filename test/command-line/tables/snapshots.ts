/** snapshot and topic clone. Each row has a store of its own, or a topic. */
import { besideStopped, refused, type Table } from '../table.js'

/** A store that is called as the topic, with that topic in segments of three records. */
const own = 'export LOGQ_STORE=$PWD/store-$T; logq topic create $T segment.bytes=256; seq 9 | logq produce $T --batch-bytes 1'

const snapshots: Table = {
  title: 'snapshots',
  rows: [
    [
      'a snapshot is a store; --all is all topics',
      `${own}; echo x | logq produce other; logq snapshot --all s && logq topic ls -s $LOGQ_STORE/snapshots/s | wc -l && logq cat -s $LOGQ_STORE/snapshots/s $T | tail -n 1`,
      '2\n9\n',
    ],
    [
      'some topics',
      `${own}; echo x | logq produce other; logq snapshot $T s && logq topic ls -s $LOGQ_STORE/snapshots/s | wc -l`,
      '1\n',
    ],
    [
      'what comes later is not in it, and what goes is',
      `${own}; logq snapshot $T s; echo 10 | logq produce $T; logq trim -y -q $T -o 8 > /dev/null; logq cat $T | tr '\\n' ' '; logq cat -s $LOGQ_STORE/snapshots/s $T | tr '\\n' ' '`,
      '9 10 1 2 3 4 5 6 7 8 9 ',
    ],
    [
      'digests are the same',
      `${own}; logq snapshot $T s; a=$(logq digest $T) && b=$(logq digest -s $LOGQ_STORE/snapshots/s $T) && [ "$a" = "$b" ] && logq fsck -q -s $LOGQ_STORE/snapshots/s && echo same`,
      'same\n',
    ],
    [
      'closed segments are links; -v says what was copied',
      `${own}; logq snapshot -v $T s 2>&1 | sed "s/$T/T/g"; test $LOGQ_STORE/$T-0/00000000000000000000.log -ef $LOGQ_STORE/snapshots/s/$T-0/00000000000000000000.log && echo linked`,
      {
        stdout:
          /^logq snapshot: 'T-0': offsets 0 to 8, \d segments, \d+B, of which \d+B were copied\nlogq snapshot: the snapshot is '.*\/snapshots\/s'\nlinked\n$/,
      },
    ],
    [
      '-J',
      `${own}; logq snapshot $T s -J`,
      {
        stdout:
          /^\{"topic":"\S+","partition":0,"logStartOffset":0,"logEndOffset":9,"segmentCount":\d+,"sizeBytes":\d+,"copiedBytes":\d+,"linkRefusal":null\}\n$/,
      },
    ],
    [
      'a name that is taken is refused, and the snapshot stays',
      `${own}; logq snapshot $T s && logq snapshot --all s`,
      {
        status: 6,
        stderr:
          "logq snapshot: there is a snapshot 's' already\n  hint: choose another name, or remove it: logq snapshot rm s\n",
      },
    ],
    ['a name that is none', `${own}; logq snapshot $T ../s`, refused(/'\.\.\/s' cannot be the name of a snapshot/)],
    ['a topic is missing', `${own}; logq snapshot s`, refused(/a topic is missing, or --all/)],
    ['--all and a topic', `${own}; logq snapshot --all $T s`, refused(/one operand too many/)],
    [
      'a topic that is not there',
      `${own}; logq snapshot none s`,
      { status: 1, stderr: /^logq snapshot: topic 'none' does not exist/ },
    ],
    [
      'damage in what is copied',
      `${own}; printf X | dd of=$LOGQ_STORE/$T-0/00000000000000000006.log bs=1 seek=67 conv=notrunc status=none; logq snapshot $T s; s=$?; ls $LOGQ_STORE/snapshots; exit $s`,
      { status: 5, stderr: /is damaged: the CRC of a batch does not match, in/ },
    ],
    [
      '--no-wait',
      `${own}; ${besideStopped('topic-create.after-intent', 'logq topic create other', 'logq snapshot --all s --no-wait')}`,
      { status: 75, stderr: /^logq snapshot: '.*lock' is locked by another process/ },
    ],
    [
      'snapshot ls',
      `${own}; logq snapshot $T s; logq snapshot --all t; logq snapshot ls | sed -E "s/[0-9T:.-]{19,23}Z/TIME/"`,
      {
        stdout: /^ *TAKEN  TOPICS  PARTITIONS +SIZE +UNSHARED  NAME\n *TIME +1 +1 +\S+ +\S+  s\n *TIME +1 +1 +\S+ +\S+  t\n$/,
      },
    ],
    ['snapshot ls takes no operand', 'logq snapshot ls x', refused(/x/)],
    ['snapshot ls without any', `${own}; logq snapshot ls`, ''],
    [
      'snapshot ls -J',
      `${own}; logq snapshot $T s; logq snapshot ls -J`,
      {
        stdout:
          /^\{"name":"s","path":"\S+\/snapshots\/s","takenMs":\d+,"topics":\["\S+"\],"partitionCount":1,"sizeBytes":\d+,"unsharedBytes":\d+\}\n$/,
      },
    ],
    [
      'snapshot ls where one is damaged',
      `${own}; logq snapshot $T s; echo > $LOGQ_STORE/snapshots/s/logq.json; logq snapshot ls`,
      { status: 5, stderr: /^logq snapshot ls: '.*\/snapshots\/s\/logq\.json' is not a JSON object/ },
    ],
    [
      'snapshot ls of no store',
      'logq snapshot ls -s none',
      { status: 1, stderr: /^logq snapshot ls: store 'none' does not exist/ },
    ],
    [
      'snapshot rm',
      `${own}; logq snapshot $T s; logq snapshot ls -q > /dev/null; logq cat $T | wc -l; logq snapshot rm -y -v s`,
      { stdout: '9\n', stderr: "logq snapshot rm: snapshot 's' was removed\n" },
    ],
    [
      'snapshot rm --dry-run',
      `${own}; logq snapshot $T s; logq snapshot rm --dry-run -q s; logq snapshot ls -v | wc -l; logq snapshot rm -y s; logq snapshot ls; logq cat $T | wc -l`,
      "would remove snapshot 's'\n2\n9\n",
    ],
    ['snapshot rm asks', `${own}; logq snapshot $T s; logq snapshot rm s < /dev/null`, refused(/-y/)],
    [
      'snapshot rm of none',
      `${own}; logq snapshot rm -y -s $LOGQ_STORE s`,
      { status: 7, stderr: /^logq snapshot rm: there is no snapshot 's' in store/ },
    ],
    [
      'snapshot rm in no store',
      'logq snapshot rm -y s -s none',
      { status: 1, stderr: /^logq snapshot rm: store 'none' does not exist/ },
    ],
    [
      'a snapshot of no store',
      'logq snapshot -q --all s -s none',
      { status: 1, stderr: /^logq snapshot: store 'none' does not exist/ },
    ],
    [
      'a topic called ls',
      `${own}; echo x | logq produce ls; logq snapshot -q ls s && logq cat -s $LOGQ_STORE/snapshots/s ls`,
      'x\n',
    ],
  ],
}

const clones: Table = {
  title: 'topic clone',
  rows: [
    [
      'records, offsets and settings',
      'logq topic create $T segment.bytes=256; seq 9 | logq produce $T --batch-bytes 1; logq topic clone $T $T-2 && logq cat $T-2 -F \'%o:%v \' && logq topic show $T-2 -J | grep -o \'"segment.bytes":{"value":256\'',
      '0:1 1:2 2:3 3:4 4:5 5:6 6:7 7:8 8:9 "segment.bytes":{"value":256\n',
    ],
    [
      'the two have nothing to do with each other; -q',
      'echo a | logq produce $T; logq topic clone -q $T $T-2; echo b | logq produce $T; echo c | logq produce $T-2; logq cat $T $T-2; logq topic rm -y $T; logq cat $T-2',
      'a\nb\na\nc\na\nc\n',
    ],
    [
      '-v and -J',
      'echo a | logq produce $T; logq topic clone $T $T-2 -v -J 2>&1 | sed "s/$T/T/g"',
      {
        stdout:
          /^logq topic clone: 'T-2-0': offsets 0 to 0, 1 segments, \d+B, of which \d+B were copied\n\{"topic":"T-2","partition":0,.*"linkRefusal":null\}\n$/,
      },
    ],
    [
      'a name that is taken',
      'echo a | logq produce $T; logq topic clone $T $T',
      { status: 1, stderr: /^logq topic clone: topic '\S+' exists already/ },
    ],
    ['a name that is none', 'echo a | logq produce $T; logq topic clone $T ../x', refused(/cannot be a topic name/)],
    [
      'damage in what is copied',
      'logq topic create -s s-$T $T; echo a | logq produce -s s-$T $T; printf X | dd of=s-$T/$T-0/00000000000000000000.log bs=1 seek=67 conv=notrunc status=none; logq topic clone -s s-$T $T x',
      { status: 5, stderr: /is damaged: the CRC of a batch does not match, in/ },
    ],
    [
      '--no-wait',
      `${own}; ${besideStopped('topic-create.after-intent', 'logq topic create other', 'logq topic clone $T x --no-wait')}`,
      { status: 75, stderr: /^logq topic clone: '.*lock' is locked by another process/ },
    ],
  ],
}

export const snapshotTables: readonly Table[] = [snapshots, clones]
