/** get, partition-of, and appends that expect something. */
import { LOG_START_OFFSET_FILE } from '../../../lib/log/file-names.js'
import { formatLogStartOffset } from '../../../lib/log/log-start-offset.js'
import { lines, refused, type Table } from '../table.js'

const get: Table = {
  title: 'get and partition-of',
  before: `printf 'a:1\\nb:2\\na:3\\n' | logq produce t -K:; printf 'x:1\\ny:2\\nz:3\\n' | logq produce three -K: --partitions 3
    logq topic create old segment.bytes=300; seq -f r%g 0 14 | logq produce old --batch-bytes 60 --timestamp 1970-01-01
    for f in store/old-0/*.log; do n=$(basename "$f" .log | sed 's/^0*\\([0-9]\\)/\\1/'); [ "$n" -lt 12 ] && rm "\${f%.log}".*; done
    printf '${Buffer.from(formatLogStartOffset(12)).toString().replace('\n', '\\n')}' > store/old-0/${LOG_START_OFFSET_FILE}
    printf '{"key":"k","value":"v"}\\n{"key":"k","value":null}\\n' | logq produce deleted -J
    seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd
    logq topic create anywhere --partitions 2 --partitioner random`,
  rows: [
    ['TOPIC:P@OFFSET', 'logq get t:0@1', '2\n'],
    ['several, in the order given', 'logq get t:0@2 t:0@0', lines('3 1')],
    ['what --print-offsets prints', 'logq get "$(echo hello | logq produce $T --print-offsets)"', 'hello\n'],
    ['--key: the latest of a key', 'logq get t --key a', '3\n'],
    ['-k too', 'logq get t -k b', '2\n'],
    ['in partitions', 'logq get three -k y -p "$(logq partition-of three y)"', '2\n'],
    [
      'in the formats of cat',
      'logq get t:0@1 -J',
      { stdout: /^\{"topic":"t","partition":0,"offset":1,.*"key":"b","value":"2","headers":\[\]\}\n$/ },
    ],
    ['-F', "logq get t:0@1 -F '%t:%p@%o %k\\n'", 't:0@1 b\n'],
    ['-K, -D, --null', "logq get t:0@0 -K= -D ';' --null N", 'a=1;'],
    ['-0', 'logq get t:0@0 t:0@1 -0 | tr "\\0" .', '1.2.'],
    ['--time, --no-value', 'logq get t:0@0 -F tsv --time iso --no-value | cut -f 5-6', 'a\t1\n'],
    ['--raw, -q, -v, -s', 'logq get -qv --raw -s store t:0@0', { stdout: '1\n', stderr: /.*/ }],
    ['beyond the end: 3', 'logq get t:0@3', refused(/t:0@3|'t-0'/, 3)],
    ['no record of the key: 3', 'logq get t -k zz', refused(/'zz'/, 3)],
    ['a key that was deleted: 3', 'logq get deleted -k k', refused(/deleted|null/, 3)],
    ['its tombstone by place is printed', 'logq get deleted:0@1 --null N', 'N\n'],
    ['below the log start: 7', 'logq get old:0@1', refused(/old/, 7)],
    [
      'the others are printed',
      'logq get old:0@12 old:0@1 old:0@13',
      { stdout: lines('r12 r13'), stderr: /old:0@1|offset 1/, status: 7 },
    ],
    ['7 before 3', 'logq get t:0@99 old:0@1', { stderr: /./, status: 7 }],
    ['1 before 3: an unknown topic', 'logq get t:0@99 u:0@1', { stderr: /'u' does not exist/, status: 1 }],
    ['7 before 1', 'logq get u:0@1 old:0@1', { stderr: /./, status: 7 }],
    ['5 before 7: corruption', 'logq get old:0@1 bad:0@1', { stderr: /'bad-0' is damaged/, status: 5 }],
    ['an unknown partition: 1', 'logq get t:7@0', refused(/has no partition 7/, 1)],
    ['no place', 'logq get t', refused(/./)],
    ['a place that is none', 'logq get t:0@x', refused(/t:0@x/)],
    ['partition-of: where a key belongs', 'logq partition-of three x y z', { stdout: /^[012]\n[012]\n[012]\n$/ }],
    ['which is where produce puts it', 'logq cat three -p "$(logq partition-of three z)" -w \'key == "z"\'', '3\n'],
    ['--partitions: as if it had so many', 'logq partition-of three a b c --partitions 3', lines('1 2 1')],
    ['-J', 'logq partition-of three a -J', '{"topic":"three","key":"a","partition":1}\n'],
    ['-s, -q, -v', 'logq partition-of -s store -qv t a', { stdout: '0\n', stderr: /.*/ }],
    ['no key has a partition at random', 'logq partition-of anywhere a', refused(/random/)],
    ['of an unknown topic', 'logq partition-of u a', refused(/'u' does not exist/, 1)],
    [
      'of a damaged topic file',
      'logq topic create $T && echo x > store/topics/$T.json && logq partition-of $T a',
      refused(/\.json/, 5),
    ],
  ],
}

const expectations: Table = {
  title: 'appends that expect something, and --on-full',
  before: `printf 'a:1\\nb:2\\na:3\\n' | logq produce t -K:; seq 4 | logq produce two --partitions 2 --partitioner roundrobin`,
  rows: [
    [
      '--expect-offset N: where the log ends',
      'logq produce $T --expect-offset 0 < /dev/null && echo a | logq produce $T --expect-offset 0 && echo b | logq produce $T --expect-offset 1 && logq cat $T',
      lines('a b'),
    ],
    [
      'elsewhere: 6, and nothing is appended',
      'echo a | logq produce $T; echo x | logq produce $T --expect-offset 0; s=$?; logq cat $T; exit $s',
      { stdout: 'a\n', stderr: /ends at offset 1|1/, status: 6, statusOf: 'produce' },
    ],
    ['all records or none', 'seq 3 | logq produce $T --expect-offset 0 --print-offsets | cut -d @ -f 2', lines('0 1 2')],
    ['of one partition', 'seq 3 | logq produce two --expect-offset 0', refused(/./)],
    ['which -p names', 'echo 1 | logq produce $T --partitions 2 -p 1 --expect-offset 0 && logq cat $T -p 1', '1\n'],
    [
      'more than a batch: 2',
      "head -c 2500000 /dev/zero | tr '\\0' x | fold -w 1000 | logq produce $T --expect-offset 0",
      refused(/batch/),
    ],
    [
      '--expect-key-offset K=N: the latest of a key',
      'echo 4 | logq produce t -k a --expect-key-offset a=2 --print-offsets | cut -d @ -f 2',
      '3\n',
    ],
    [
      'elsewhere: 6',
      'echo x | logq produce t -k a --expect-key-offset a=1 --no-create',
      refused(/the latest record of key 'a' in 't-0' is at offset \d, not at 1/, 6),
    ],
    ['--on-full fail is the default', 'echo a | logq produce $T --on-full fail && logq cat $T', 'a\n'],
    ['--on-full block changes nothing while there is room', 'echo a | logq produce $T --on-full block && logq cat $T', 'a\n'],
    [
      '--on-full drop-oldest changes nothing while there is room',
      'echo a | logq produce $T --on-full drop-oldest && logq cat $T',
      'a\n',
    ],
    [
      '--on-full drop-oldest is not for compacted topics',
      'logq topic create $T cleanup.policy=compact; echo a | logq produce $T -k k --on-full drop-oldest',
      refused(/topic '.*' is compacted: its oldest segments may hold the last value of a key/),
    ],
  ],
}

const wait: Table = {
  title: 'wait',
  before: `printf 'a:1\\nb:2\\na:3\\n' | logq produce t -K: --timestamp 2026-01-01; cp -r "$FIXTURES/kafka" kafka
    seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd`,
  rows: [
    ['the first record at all', 'logq wait t', '1\n'],
    ['a record produced earlier counts', 'logq wait t -w \'key == "b"\'', '2\n'],
    ['-o start is the default', 'logq wait t -o start', '1\n'],
    ['from another place on', 'logq wait t -o 2', '3\n'],
    ['-n: so many', 'logq wait t -n 2', lines('1 2')],
    [
      'a record that comes',
      'logq topic create $T; logq wait $T > out-$T & until echo v | logq produce $T && [ -s out-$T ]; do sleep 0.1; done; wait $! && cat out-$T',
      'v\n',
    ],
    [
      '-o end: only one that comes',
      'echo old | logq produce $T; logq wait $T -o end > out-$T & until echo new | logq produce $T && [ -s out-$T ]; do sleep 0.1; done; wait $! && cat out-$T',
      'new\n',
    ],
    [
      'a topic that does not exist yet',
      'logq wait $T > out-$T 2> said-$T & until [ -s said-$T ]; do sleep 0.1; done; echo v | logq produce $T; wait $! && cat out-$T',
      'v\n',
    ],
    [
      'a store that does not exist yet',
      'logq wait t -s later > out-later 2> said-later & until [ -s said-later ]; do sleep 0.1; done; echo v | logq produce t -s later; wait $! && cat out-later',
      'v\n',
    ],
    ['a place', 'logq wait t:0@1', '2\n'],
    ['--timeout: 4', 'logq wait t -n 4 --timeout 2s', { stdout: lines('1 2 3'), stderr: /within 2s/, status: 4 }],
    ['of a place', 'logq wait t:0@3 --timeout 2s', refused(/within 2s/, 4)],
    ['of a topic', 'logq wait nothing -q --timeout 2s', refused(/within 2s/, 4)],
    [
      'in the formats of cat',
      "logq wait t -K= && logq wait t -D ';' && logq wait t -0 | tr '\\0' . && logq wait t -F '%k\\n' && logq wait t -F '%v\\n' --null N && logq wait t -F tsv --time iso --no-value --raw | cut -f 3-6",
      'a=1\n1;1.a\n1\n0\t2026-01-01T00:00:00.000Z\ta\t1\n',
    ],
    ['-J, -p, -s, -v', 'logq wait t -J -p 0 -s store -v | grep -c \'"key":"a"\'', { stdout: '1\n', stderr: /.*/ }],
    ['below the log start: 7', 'logq wait kafka-none:0@39 -s kafka', refused(/kafka-none:0@39/, 7)],
    ['compacted away: 3', 'logq wait kafka-none:0@62 -s kafka', refused(/kafka-none:0@62/, 3)],
    ['damaged: 5', 'logq wait bad', refused(/'bad-0' is damaged/, 5)],
    ['a partition that is not there: 1', 'logq wait t -p 7', refused(/topic 't' has no partition 7/, 1)],
    ['an end cannot be waited for', 'logq wait t -o 1:3', refused(/a range with an end cannot be waited for/)],
    ['nor a name that no topic can have', "logq wait 'a*'", refused(/'a\*' cannot be a topic name/)],
    ['nor one in a place', "logq wait '__x:0@1'", refused(/'__x' cannot be a topic name/)],
  ],
}

export const singleRecordTables: readonly Table[] = [get, wait, expectations]
