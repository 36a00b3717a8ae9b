/** Exit statuses that several commands share, which of two wins, what goes to which stream, and signals. */
import { lines, refused, type Table } from '../table.js'

/** A record of one batch is damaged in `bad`, in the value of its second record. */
const damage = `seq 3 | logq produce bad; printf X | dd of=store/bad-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd`

const statuses: Table = {
  title: 'exit statuses: done, failed, usage, corruption',
  before: `seq 3 | logq produce t; ${damage}; mkdir directory newer; echo '{"formatVersion":99}' > newer/logq.json`,
  rows: [
    ['0: done', 'logq cat t -n 1', '1\n'],
    ['0: an empty topic', 'logq produce $T < /dev/null && logq cat $T && logq tail $T', ''],
    ['0: the reader closed the pipe', 'seq 100000 | logq produce $T && logq cat $T | head -n 1; exit ${PIPESTATUS[0]}', '1\n'],
    ['0: also of JSON', 'seq 100000 | logq produce $T && logq cat $T -J | head -c 1; exit ${PIPESTATUS[0]}', '{'],
    ['0: also before anything was printed', 'logq cat t | true; exit ${PIPESTATUS[0]}', ''],
    ['0: also the offsets of produce', 'seq 100000 | logq produce $T --print-offsets | true; logq cat $T | wc -l', '100000\n'],
    [
      '1: an unknown topic',
      'logq cat u',
      refused(/^logq cat: topic 'u' does not exist in store '.*\/store'\n {2}hint: see 'logq topic ls'\n$/, 1),
    ],
    ['1: an unknown partition', 'logq cat t -p 7', refused(/topic 't' has no partition 7/, 1)],
    ['1: an unknown store', 'logq cat t -s nowhere', refused(/there is no store '.*nowhere'|'.*nowhere'/, 1)],
    ['1: a newer format', 'logq cat t -s newer', refused(/newer|version/, 1)],
    ['1: an input that cannot be read', 'logq produce t missing', refused(/'missing': no such file or directory/, 1)],
    ['1: a directory as input', 'logq produce t directory', refused(/'directory' is a directory/, 1)],
    ['1: a full disk', 'logq cat t > /dev/full', refused(/no space left/, 1)],
    ['2: usage', 'logq cat t --bogus', refused(/unknown option '--bogus'/)],
    ['2: also of commands without operands', 'logq topic ls x', refused(/unexpected operand 'x'/)],
    ['2: in fsck', 'logq fsck --repiar', refused(/did you mean '--repair'/)],
    ['2: in digest', 'logq digest', refused(/TOPIC is missing/)],
    ['2: a prompt refused without a terminal', 'logq topic rm t < /dev/null', refused(/hint: give '-y'/)],
    [
      '5: corruption, naming topic, partition, offset, file and position',
      'logq cat bad',
      refused(/^logq cat: 'bad-0' is damaged: .*, in '.*\/bad-0\/0+\.log' at position 0 \(offset 0\)\n {2}hint: /, 5),
    ],
    ['5: in tail', 'logq tail bad', refused(/'bad-0' is damaged/, 5)],
    ['5: in digest', 'logq digest bad', refused(/'bad-0' is damaged/, 5)],
    ['5: in fsck', 'logq fsck -q bad', { status: 5, stdout: /^damage .*bad-0/ }],
    [
      '5: in produce, when unsynced records were damaged; nothing is appended',
      'seq 5 | logq produce $T --acks 0 --batch-bytes 1; printf X | dd of=store/$T-0/00000000000000000000.log bs=1 seek=75 conv=notrunc 2> dd-$T; echo x | logq produce $T',
      refused(
        /recovery of 'n\d+-0' cut unsynced records that are damaged \(offsets 1 to 4, \d+ bytes\), kept in '.*'\n {2}hint: nothing was appended; run the command again/,
        5,
      ),
    ],
    ['what precedes it is printed', 'logq cat t bad', { stdout: lines('1 2 3'), stderr: /damaged/, status: 5 }],
    ['2 before 1: a wrong option and an unknown topic', 'logq cat u --bogus', refused(/unknown option/)],
    ['2 before 5', 'logq cat bad -n x', refused(/option '-n'/)],
    [
      '5 before 1: damage and an unknown topic, in fsck',
      'logq fsck -q bad u',
      { status: 5, stdout: /^damage/, stderr: /'u' does not exist/ },
    ],
    [
      'a signal before everything: INT',
      'logq tail -f t > out & until [ -s out ]; do sleep 0.1; done; kill -INT $!; wait $!',
      { status: 130, statusOf: 'signal' },
    ],
    [
      'TERM',
      'logq tail -f t > out2 & until [ -s out2 ]; do sleep 0.1; done; kill -TERM $!; wait $! 2> job',
      { status: 143, statusOf: 'signal' },
    ],
    [
      'HUP',
      'logq tail -f t > out3 & until [ -s out3 ]; do sleep 0.1; done; kill -HUP $!; wait $! 2> job',
      { status: 129, statusOf: 'signal' },
    ],
  ],
}

const streams: Table = {
  title: 'streams and the environment',
  before: 'seq 3 | logq produce t',
  rows: [
    ['nothing but data on standard output', 'echo a | logq produce $T -v 2> said; logq cat t -v 2> said', lines('1 2 3')],
    [
      'errors: lower case, no full stop, then the next useful command',
      'logq cat u',
      refused(/^logq cat: [a-z][^\n]*[^.\n]\n {2}hint: [a-z][^\n]*[^.\n]\n$/, 1),
    ],
    ['LOGQ_STORE is the store', 'echo x | LOGQ_STORE=one-$T logq produce $T && logq cat $T -s one-$T', 'x\n'],
    [
      '-s wins over it',
      'echo x | LOGQ_STORE=wrong logq produce $T -s right-$T && ls -d wrong right-$T 2> said | cut -c -5',
      'right\n',
    ],
    [
      'without it, $XDG_DATA_HOME/logq',
      'echo x | env -u LOGQ_STORE XDG_DATA_HOME=$PWD/xdg logq produce $T && ls xdg',
      'logq\n',
    ],
    [
      'without that, ~/.local/share/logq',
      'mkdir home; echo x | env -u LOGQ_STORE -u XDG_DATA_HOME HOME=$PWD/home logq produce $T && ls home/.local/share',
      'logq\n',
    ],
    [
      'no home directory: 2, naming LOGQ_STORE',
      'echo x | env -u LOGQ_STORE -u XDG_DATA_HOME -u HOME logq produce $T',
      refused(/LOGQ_STORE/),
    ],
    [
      'a mistyped store of a reading command is not created',
      'logq cat t -s mistyped-$T 2> said; ls mistyped-$T 2> said || echo none',
      'none\n',
    ],
    ['standard input may be closed', 'logq cat t -n 1 <&-', '1\n'],
    ['standard error too', 'logq cat t -n 1 2>&-', '1\n'],
    ['closed standard output is /dev/null, which Node.js opens in its place', 'logq cat t >&-', ''],
  ],
}

export const statusTables: readonly Table[] = [statuses, streams]
