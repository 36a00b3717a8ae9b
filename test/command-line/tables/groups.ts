/** Consumer groups: consume, group, lag, and wait --acked-by. Each row has a group of its own. */
import { LOG_START_OFFSET_FILE } from '../../../lib/log/file-names.js'
import { formatLogStartOffset } from '../../../lib/log/log-start-offset.js'
import { lines, refused, type Table } from '../table.js'

const before = [
  'seq 5 | logq produce a --timestamp 2026-11-20',
  'logq topic create two --partitions 2; printf "x:1\\ny:2\\nx:3\\n" | logq produce two -K: --timestamp 2026-11-20 -H n=1',
  'printf "a\\0b" | logq produce blob -J < /dev/null; printf \'{"value":null,"key":"k","timestamp":1}\\n\' | logq produce blob -J',
  'logq consume a -g at3 -n 3 > /dev/null',
  'seq 3 | logq produce old; logq consume old -g behind -n 1 > /dev/null',
  `printf '${Buffer.from(formatLogStartOffset(2)).toString().replace('\n', '\\n')}' > store/old-0/${LOG_START_OFFSET_FILE}`,
].join('; ')

/** Runs what follows beside a member of the group `$T` of topic a, and ends that member. */
const beside = (line: string) =>
  `logq consume a -g $T > out-$T & member=$!; until logq group show $T 2> /dev/null | grep -q alive; do sleep 0.1; done; ${line}; status=$?; kill $member; wait $member 2> /dev/null; (exit $status)`

const consuming: Table = {
  title: 'consume',
  before,
  rows: [
    ['from the start, where nothing was committed', 'logq consume a -g $T --to-end', lines('1 2 3 4 5')],
    ['and then from there', 'logq consume a -g $T -n 2 && logq consume a -g $T --to-end', lines('1 2 3 4 5')],
    [
      '-n never commits the next record',
      'logq consume -g $T -n 3 a | tail -n 1; logq lag -g $T -J | grep -o \'"currentOffset":3\'',
      { stdout: '3\n"currentOffset":3\n' },
    ],
    ['-n 0 reads nothing', 'logq consume -g $T -n 0 a && logq consume a -g $T --to-end | head -n 1', '1\n'],
    ['--to-end of a group that is there', 'logq consume a -g $T --to-end -q > /dev/null && logq consume a -g $T --to-end', ''],
    ['-o latest, --for', 'logq consume a -g $T -o latest --for 3s; logq consume a -g $T --to-end', ''],
    ['-o earliest', 'logq consume a -g $T -o earliest --to-end', lines('1 2 3 4 5')],
    ['-o none', 'logq consume a -g $T -o none', refused(/group '.*' has no committed offset for 'a:0'\n.*logq group seek/, 1)],
    [
      '-o none below the log start: 7',
      'logq consume old -g behind -o none',
      refused(/offset 1 of 'old:0', which group 'behind' committed, no longer exists/, 7),
    ],
    [
      '--idle',
      'logq consume a -g $T --idle 400ms',
      { stdout: lines('1 2 3 4 5'), stderr: /no record of 'a' was printed for 400ms/, status: 4 },
    ],
    [
      '--deliver at-most-once',
      'logq consume a -g $T --deliver at-most-once -n 2 && logq consume a -g $T --to-end',
      lines('1 2 3 4 5'),
    ],
    ['--deliver at-least-once', 'logq consume a -g $T --deliver at-least-once --to-end', lines('1 2 3 4 5')],
    [
      '--no-commit leaves no trace',
      'logq consume a -g $T --no-commit -n 2; logq group ls | grep -c $T',
      { stdout: '1\n2\n0\n', status: 1, statusOf: 'grep' },
    ],
    ['--no-commit begins where the group is', 'logq consume a -g at3 --no-commit --to-end', lines('4 5')],
    [
      '-w: the others count as consumed',
      'logq consume a -g $T -w \'text > "3"\' --to-end && logq consume a -g $T --to-end',
      lines('4 5'),
    ],
    ['-w that is none', "logq consume a -g $T -w 'nonsense('", refused(/./)],
    ['--commit-every N', 'logq consume a -g $T --commit-every 2 --to-end | tail -n 1', '5\n'],
    ['--commit-every DURATION', 'logq consume a -g $T --commit-every 10ms --to-end | tail -n 1', '5\n'],
    ['--commit-every must be one', 'logq consume a -g $T --commit-every soon', refused(/--commit-every/)],
    [
      '--assignor',
      'logq consume a -g $T --assignor range -n 1 && logq group show $T | grep assignor',
      { stdout: /^1\nassignor +range\n$/ },
    ],
    [
      'another --assignor beside a member',
      beside('logq consume a -g $T --assignor roundrobin'),
      refused(/assigns partitions by 'cooperative-sticky', not by 'roundrobin'/, 6),
    ],
    [
      '--member, --grace',
      'logq consume a -g $T --member w1 --grace 5m -n 1 && logq group show $T | grep -o "w1-[0-9a-f]* .*away"',
      { stdout: /^1\nw1-[0-9a-f]{8} +- +- +away\n$/ },
    ],
    ['--grace needs --member', 'logq consume a -g $T --grace 5m', refused(/--grace needs --member/)],
    ['--member that cannot be one', 'logq consume a -g $T --member a/b', refused(/'a\/b' cannot be the name of a member/)],
    ['--session-timeout', 'logq consume a -g $T --session-timeout 2s -n 1', '1\n'],
    ['--session-timeout is long enough', 'logq consume a -g $T --session-timeout 1s', refused(/the smallest value is 2s/)],
    ['a pattern', 'logq consume "tw*" -g $T --to-end | sort', lines('1 2 3')],
    ['-v says what it reads', 'logq consume a -g $T -v --to-end > /dev/null', { stderr: /reading a:0\n/ }],
    ['the formats', 'logq consume two -g $T -F "%k %v\\n" --to-end | sort', 'x 1\nx 3\ny 2\n'],
    ['-J', 'logq consume a -g $T -J -n 1 | grep -o \'"offset":0\'', '"offset":0\n'],
    ['-K', 'logq consume two -g $T -K= --to-end | sort', 'x=1\nx=3\ny=2\n'],
    ['-D', 'logq consume a -g $T -D, --to-end', '1,2,3,4,5,'],
    ['-0', 'logq consume a -g $T -0 -n 2 | tr "\\0" ,', '1,2,'],
    ['--null', 'logq consume blob -g $T --null NULL --to-end', 'NULL\n'],
    ['--time', 'logq consume a -g $T -F tsv --time iso -n 1 | cut -f 4', '2026-11-20T00:00:00.000Z\n'],
    ['--no-value', 'logq consume a -g $T -J --no-value -n 1 | grep -o \'"valueBytes":1\'', '"valueBytes":1\n'],
    ['--isolation', 'logq consume a -g $T --isolation read_uncommitted -n 1', '1\n'],
    ['--raw', 'logq consume a -g $T --raw -n 1', '1\n'],
    ['-s', 'logq consume a -s store -g $T -n 1', '1\n'],
    ['--format batch', 'logq consume a -g $T --format batch', refused(/--format batch does not go with consume/)],
    ['-g is needed', 'logq consume a', refused(/-g is missing/)],
    ['a group that cannot be one', 'logq consume a -g a/b', refused(/'a\/b' cannot be a group name/)],
    ['an unknown topic', 'logq consume u -g $T', refused(/topic 'u' does not exist/, 1)],
    [
      'damaged offsets',
      'logq consume a -g $T -n 1 > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq consume a -g $T',
      refused(/offsets' is damaged at position 0/, 5),
    ],
    [
      'damaged records',
      'seq 3 | logq produce $T && printf X | dd of=store/$T-0/00000000000000000000.log bs=1 seek=80 conv=notrunc 2> /dev/null && logq consume $T -g $T',
      refused(/is damaged/, 5),
    ],
    [
      'a damaged group.json is made anew',
      'logq consume a -g $T -n 1 && echo x > store/groups/$T/group.json && logq consume a -g $T -n 1',
      lines('1 2'),
    ],
    ['nobody reads: no error', 'logq consume a -g $T --to-end | head -n 1', '1\n'],
    [
      'a full disk behind stdout',
      'logq consume a -g $T > /dev/full; logq consume a -g $T --to-end | head -n 1',
      { stdout: '1\n', stderr: /no space left/ },
    ],
  ],
}

const commands: Table = {
  title: 'consume with a command',
  before,
  rows: [
    [
      'it gets the records, and they are committed',
      'logq consume a -g $T --to-end -- cat && logq consume a -g $T --to-end',
      lines('1 2 3 4 5'),
    ],
    ['-n', 'logq consume a -g $T -n 2 -- cat && logq consume a -g $T --to-end', lines('1 2 3 4 5')],
    [
      'a command that is empty is not none: nothing is printed, and nothing committed',
      'logq consume a -g $T --to-end -- $NONE',
      refused(/CMD is missing after '--'/),
    ],
    ['with its arguments, and no shell', "logq consume a -g $T -n 1 -- printf '%s|' '$HOME' 'a b'", '$HOME|a b|'],
    [
      'its environment',
      "logq consume a -g $T --to-end -- sh -c 'cat > /dev/null; echo $LOGQ_TOPIC $LOGQ_PARTITION $LOGQ_GROUP $LOGQ_FIRST $LOGQ_LAST' | sed s/n[0-9]*/G/",
      'a 0 G 0 4\n',
    ],
    [
      'one that fails: nothing is committed',
      "logq consume a -g $T -- sh -c 'cat; exit 9'",
      {
        stdout: lines('1 2 3 4 5'),
        stderr: /'sh' exited with 9 on offsets 0 to 4 of 'a:0'\n.*nothing of them was committed/,
        status: 1,
      },
    ],
    [
      'and comes again',
      'logq consume a -g $T -- false 2> /dev/null; logq consume a -g $T --to-end -- cat',
      { stdout: lines('1 2 3 4 5') },
    ],
    ['126 stops at once', "logq consume a -g $T -- sh -c 'exit 126'", { stderr: /exited with 126/, status: 126 }],
    [
      'one that cannot be executed',
      'logq consume a -g $T -- /dev/null',
      { stderr: /'\/dev\/null' could not be executed/, status: 126 },
    ],
    [
      'one that there is not',
      'logq consume a -g $T -- no-such-program',
      { stderr: /'no-such-program' was not found/, status: 127 },
    ],
    ['one that is killed', "logq consume a -g $T -- sh -c 'kill -9 $$'", { stderr: /'sh' was killed by SIGKILL/, status: 1 }],
    [
      'one that does not read',
      'logq consume a -g $T --to-end -- true && logq lag -g $T -J | grep -o \'"currentOffset":5\'',
      '"currentOffset":5\n',
    ],
    ['--every', 'logq consume a -g $T --every 100ms --to-end -- cat', lines('1 2 3 4 5')],
    ['--every without a command', 'logq consume a -g $T --every 1s', refused(/--every needs a command/)],
    ['-w', 'logq consume a -g $T -w \'text == "4"\' --to-end -- cat', '4\n'],
    ['--deliver at-most-once', 'logq consume a -g $T --deliver at-most-once -- cat', refused(/does not go with a command/)],
    ['--no-commit', 'logq consume a -g $T --no-commit -- cat', refused(/--no-commit does not go with a command/)],
  ],
}

const groups: Table = {
  title: 'groups',
  before: `${before}; for n in 1 2 3; do logq consume a -g seen -n 1 > /dev/null; done; logq group seek undone -o 2 --topic a > /dev/null`,
  rows: [
    ['ls', 'logq group ls | grep -cx seen', '1\n'],
    [
      'ls -J',
      'logq group ls -J | grep -o \'"group":"at3","state":"Empty","generation":[0-9]*,"members":0,"lagRecords":2\' | sed s/:[0-9]*,/:N,/',
      { stdout: /^"group":"at3","state":"Empty","generation":N/ },
    ],
    [
      'ls -J of a damaged group',
      'cp -r store store-$T && sed -i 1s/./#/20 store-$T/groups/at3/offsets && logq group ls -J -s store-$T | grep -c at3; exit ${PIPESTATUS[0]}',
      { stdout: '1\n', stderr: /at3\/offsets' is damaged/, status: 5 },
    ],
    ['ls -q -v -s', 'logq group ls -qv -s store | grep -c at3', '1\n'],
    ['ls takes no operand', 'logq group ls x', refused(/unexpected operand 'x'/)],
    ['ls of no store', 'logq group ls -s nowhere', refused(/nowhere/, 1)],
    [
      'ls names one that is damaged, and lists the others',
      'cp -r store store-$T && echo \'{"type":"x","formatVersion":9}\' > store-$T/groups/seen/group.json && logq group ls -J -s store-$T | grep -c at3',
      { stdout: '1\n', stderr: /group.json' has type 'x'/, status: 0, statusOf: 'grep' },
    ],
    [
      'show',
      'logq group show at3',
      {
        stdout:
          /^group +at3\nstate +Empty\ngeneration +\d+\nassignor +cooperative-sticky\n\nno members\n\nTOPIC .*\n +a +0 +3 +5 +2 +\d+ +[\d.]+ +-\n$/,
      },
    ],
    ['show -J', 'logq group show at3 -J | grep -o \'"lagRecords":2\'', '"lagRecords":2\n'],
    ['show -q -v -s', 'logq group show at3 -qv -s store | head -n 1', { stdout: /^group +at3\n$/ }],
    ['show with a member', beside('logq group show $T | grep -c "alive.*a:0 logq consume a -g"'), '1\n'],
    ['show of which', 'logq group show', refused(/GROUP is missing/)],
    ['show of an unknown group', 'logq group show At3', refused(/group 'At3' does not exist.*\n.*did you mean 'at3'/, 1)],
    [
      'show of damaged offsets',
      'logq consume a -g $T -n 1 > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq group show $T',
      { stdout: /^group/, stderr: /is damaged at position 0/, status: 5 },
    ],
    [
      'seek to the start, and back',
      'logq group seek $T -o start --topic a && logq group undo $T',
      { stdout: /^TOPIC.*\n +a +0 +- +→ +0\nTOPIC.*\n +a +0 +0 +→ +-\n$/, stderr: /taking back 'seek'/ },
    ],
    ['to the end', 'logq group seek $T -o end --topic a -J', { stdout: /"fromOffset":null,"toOffset":5,"isDryRun":false/ }],
    ['to an offset', 'logq group seek $T -o 4 --topic a:0 -q > /dev/null && logq consume a -g $T --to-end', '5\n'],
    ['before the end', 'logq group seek $T -o -2 --topic a > /dev/null && logq consume a -g $T --to-end', lines('4 5')],
    ['to a time', 'logq group seek $T -o @2026-11-20 --topic a -v -J -s store | grep -o \'"toOffset":0\'', '"toOffset":0\n'],
    ['beyond the end is the end', 'logq group seek $T -o 99 --topic a -J | grep -o \'"toOffset":5\'', '"toOffset":5\n'],
    [
      'of all topics',
      'logq group seek $T -o start --topic a --topic two > /dev/null && logq group seek $T -o end --all-topics -J | wc -l',
      '3\n',
    ],
    [
      'to where another group is',
      'logq group seek $T --to-group at3 --topic a > /dev/null && logq consume a -g $T --to-end',
      lines('4 5'),
    ],
    [
      'from a file',
      'printf "a,0,4\\n" > f-$T && logq group seek $T --from-file f-$T > /dev/null && logq consume a -g $T --to-end',
      '5\n',
    ],
    [
      'from standard input',
      'printf \'"a",0,1\\n\' | logq group seek $T --from-file - -J | grep -o \'"toOffset":1\'',
      '"toOffset":1\n',
    ],
    [
      'from a file that is none',
      'echo x > f-$T; logq group seek $T --from-file f-$T',
      refused(/line 1: 'x' is not TOPIC,PARTITION,OFFSET/),
    ],
    [
      '--dry-run changes nothing',
      'logq group seek undone -o 4 --topic a --dry-run && logq group show undone -J | grep -o \'"currentOffset":2\'',
      { stdout: /2 +→ +4\n"currentOffset":2\n$/, stderr: /nothing was changed/ },
    ],
    ['where to is needed', 'logq group seek $T --topic a', refused(/where to is missing/)],
    ['one where to', 'logq group seek $T --topic a -o 1 --to-group at3', refused(/exclude each other/)],
    ['which is needed', 'logq group seek $T -o 1', refused(/which partitions is missing/)],
    ['a partition that there is not', 'logq group seek $T -o 1 --topic a:7', refused(/partition/, 1)],
    ['a live group', beside('logq group seek $T -o 1 --topic a'), refused(/has members: process \d+\n.*--force/, 6)],
    [
      'by force',
      beside('logq group seek $T -o 4 --topic a --force > /dev/null && sleep 1 && logq wait a:0@4 --acked-by $T --timeout 20s'),
      { stderr: /1 member was put out|taken out/ },
    ],
    [
      'damaged offsets, by force',
      'logq consume a -g $T -n 1 > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq group seek $T -o 2 --topic a --force > /dev/null && logq consume a -g $T -n 1',
      { stdout: '3\n', stderr: /the damaged offsets file was kept as/ },
    ],
    [
      'damaged offsets are not gone by',
      'logq consume a -g $T -n 1 > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq group seek $T -o 2 --topic a',
      refused(/is damaged at position 0/, 5),
    ],
    [
      'nor when a record is skipped',
      'logq consume a -g $T -n 1 > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq group skip $T a:0@0 --reason x',
      refused(/is damaged at position 0/, 5),
    ],
    [
      'nor when a change is taken back',
      'logq group seek $T -o 2 --topic a > /dev/null && sed -i s/generation/generatiom/ store/groups/$T/offsets && logq group undo $T -q',
      refused(/is damaged at position 0/, 5),
    ],
    ['undo of which', 'logq group undo', refused(/GROUP is missing/)],
    ['rename to what cannot be a name', 'logq group rename at3 a/b', refused(/cannot be a group name/)],
    [
      'skip',
      'logq group seek $T -o 1 --topic a > /dev/null && logq group skip $T a:0@1 --reason bad -qv -s store && logq consume a -g $T -n 1',
      { stdout: /1 +→ +2\n3\n$/ },
    ],
    [
      'skip -J, --dry-run',
      'logq group skip undone a:0@2 --reason bad --dry-run -J',
      { stdout: /"fromOffset":2,"toOffset":3,"isDryRun":true/, stderr: /nothing was changed/ },
    ],
    [
      'skip by force',
      beside(
        'until logq lag -g $T -J | grep -q \'"currentOffset":5\'; do sleep 0.1; done; logq group skip $T a:0@4 --reason x --force',
      ),
      { stderr: /would read offset 5 of 'a:0' next, not 4/, status: 6 },
    ],
    [
      'skip of another record',
      'logq group skip at3 a:0@1 --reason bad',
      refused(/would read offset 3 of 'a:0' next, not 1/, 6),
    ],
    ['skip of what is not written', 'logq group skip at3 a:0@5 --reason bad', refused(/is not written yet/, 6)],
    ['skip needs a reason', 'logq group skip at3 a:0@3', refused(/--reason is missing/)],
    ['skip needs a place', 'logq group skip at3 a --reason bad', refused(/is not the place of a record/)],
    ['skip in an unknown group', 'logq group skip unknown a:0@0 --reason bad', refused(/group 'unknown' does not exist/, 1)],
    [
      'undo --dry-run -J',
      'logq group undo undone --dry-run -J -s store',
      { stdout: /"fromOffset":2,"toOffset":null,"isDryRun":true/, stderr: /taking back/ },
    ],
    ['undo of nothing', 'logq group undo seen', refused(/nothing was changed by hand/, 7)],
    ['undo in a live group', beside('logq group undo $T'), refused(/has members/, 6)],
    [
      'undo by force',
      'logq group seek $T -o 1 --topic a -q > /dev/null && logq group undo $T --force -v > /dev/null',
      { stderr: /taking back/ },
    ],
    ['undo in an unknown group', 'logq group undo unknown', refused(/group 'unknown' does not exist/, 1)],
    [
      'rm',
      'logq group seek $T -o 1 --topic a > /dev/null && logq group rm -y $T -s store && logq group ls | grep -c $T',
      { stdout: '0\n', status: 1, statusOf: 'grep' },
    ],
    ['rm --dry-run', 'logq group rm at3 --dry-run -q', "would remove group 'at3' with 1 committed offset\n"],
    ['rm -v', 'logq group seek $T -o 1 --topic a > /dev/null && logq group rm -yv $T', { stderr: /was removed/ }],
    ['rm asks', 'logq group rm at3', refused(/-y/)],
    ['rm of an unknown group', 'logq group rm -y unknown', refused(/group 'unknown' does not exist/, 1)],
    ['rm of a live group', beside('logq group rm -y $T'), refused(/has members/, 6)],
    ['rm by force', beside('logq group rm -y $T --force'), { stderr: /taken out|^$/ }],
    [
      'rename',
      'logq group seek $T -o 4 --topic a > /dev/null && logq group rename $T $T-b -s store -v && logq consume a -g $T-b --to-end',
      { stdout: '5\n', stderr: /is now/ },
    ],
    ['rename to one that exists', 'logq group rename seen at3 -q', refused(/there is a group 'at3' already/, 6)],
    ['rename by force', beside('logq group rename $T $T-b --force'), { stderr: /taken out|^$/ }],
    ['rename of an unknown group', 'logq group rename unknown x', refused(/group 'unknown' does not exist/, 1)],
  ],
}

const lag: Table = {
  title: 'lag',
  before,
  rows: [
    ['of a group', 'logq lag -g at3', { stdout: /^GROUP .*LAG-SECONDS +CONSUMER-ID\n +at3 +a +0 +3 +5 +2 +\d+ +[\d.]+ +-\n$/ }],
    ['of all, -J', 'logq lag -J | grep -c at3', '1\n'],
    [
      'in seconds: none when all is read',
      'logq consume a -g $T --to-end > /dev/null; logq lag -g $T -J | grep -o \'"lagRecords":0,"lagBytes":0,"lagMs":0\'',
      '"lagRecords":0,"lagBytes":0,"lagMs":0\n',
    ],
    ['-q -v -s', 'logq lag -qv -g at3 -s store | wc -l', '2\n'],
    ['of an unknown group', 'logq lag -g unknown', refused(/group 'unknown' does not exist/, 1)],
    [
      'of a damaged topic file',
      'cp -r store store-$T && echo x > store-$T/topics/a.json && logq lag -s store-$T',
      { stdout: /^ *GROUP .*\n(.*old .*\n)+$/, stderr: /a\.json/, status: 5 },
    ],
    [
      'monitoring: well',
      'logq lag -g at3 --warn 3 --crit 9',
      { stdout: /^LAG OK - at3 is 2 records behind in a:0 \| lag=2;3;9;0\n$/ },
    ],
    ['monitoring: quietly', 'logq lag -g at3 --warn 3 --quiet-ok', ''],
    ['monitoring: a warning', 'logq lag -g at3 --warn 2 --crit 9', { stdout: /^LAG WARNING - /, status: 1 }],
    ['monitoring: critical', 'logq lag -g at3 --warn 1 --crit 2 --quiet-ok', { stdout: /^LAG CRITICAL - /, status: 2 }],
    [
      'monitoring: unknown',
      'logq lag -g unknown --crit 2',
      { stdout: /^LAG UNKNOWN - group 'unknown' does not exist/, status: 3 },
    ],
    ['monitoring: a usage error is unknown', 'logq lag --warn soon', refused(/--warn/, 3)],
    ['--quiet-ok alone', 'logq lag --quiet-ok', refused(/--quiet-ok needs/)],
    ['monitoring prints one line', 'logq lag --warn 1 -J', refused(/-J does not go with/, 3)],
  ],
}

const acked: Table = {
  title: 'wait --acked-by',
  before,
  rows: [
    ['a record that the group has read', 'logq wait a:0@2 --acked-by at3', ''],
    [
      'one that it reads later',
      '(sleep 0.5; logq consume a -g $T -n 3 > /dev/null) & logq wait a:0@2 --acked-by $T -q --timeout 30s',
      '',
    ],
    [
      'one that it does not',
      'logq wait a:0@3 --acked-by at3 --timeout 200ms',
      refused(/group 'at3' did not commit 'a:0@3' within 200ms/, 4),
    ],
    [
      'of a partition that is not there: said once',
      'logq wait a:9@0 --acked-by at3 --timeout 400ms',
      refused(/^logq wait: partition 'a:9' does not exist yet; waiting for it\n.*did not commit 'a:9@0'/, 4),
    ],
    [
      'of a group that is not there: the same',
      'logq wait a:0@0 --acked-by nobody --timeout 400ms',
      refused(/^logq wait: group 'nobody' does not exist yet; waiting for it\n.*did not commit 'a:0@0'/, 4),
    ],
    ['needs a place', 'logq wait a --acked-by at3', refused(/--acked-by needs a place/)],
  ],
}

export const groupTables: readonly Table[] = [consuming, commands, groups, lag, acked]
