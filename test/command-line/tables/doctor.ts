/** doctor: what is said of a store, and what it exits with. */
import { besideStopped, refused, type Table } from '../table.js'

/** A record a day, 20 to 16 and 3 to 1 days old, each in a segment of its own; and a group that has read two. */
const days = [
  'for d in 20 19 18 17 16 3 2 1; do echo "{\\"value\\":\\"v$d\\",\\"timestamp\\":$((($(date +%s) - d * 86400) * 1000))}"; done > days.json',
  'logq topic create days segment.ms=1h -q && logq produce days -J --batch-bytes 1 < days.json',
  'logq consume days -g slow -n 2 -q > /dev/null',
].join('; ')

const doctor: Table = {
  title: 'doctor',
  before: [
    days,
    'seq 5 | logq produce well; logq topic create keys cleanup.policy=compact; echo a:1 | logq produce keys -K:',
    'cp -r store damaged; echo x > damaged/days-0/log-start-offset; rm -r damaged/keys-0; mkdir kafka; cp -r store/well-0 kafka; rm days.json',
  ].join('; '),
  rows: [
    [
      'a topic in which all is well',
      'logq doctor well',
      {
        stdout:
          /^well-0: the active segment, \d+B, from offset 0 on, is being written; what is in it now goes on \S+Z \(in 1[34]d\) at the earliest\nwell: retention\.ms 14d, no retention\.bytes; the next 'logq retain' removes nothing; something else is due on \S+ \(in 1[34]d\); it never ran\n$/,
        stderr: 'logq doctor: nothing needs a hand\n',
      },
    ],
    ['-q prints only what needs a hand', 'logq doctor well keys -q', ''],
    [
      'what goes, what stays, and until when; a group that is overtaken: 1',
      'logq doctor days',
      {
        status: 1,
        stdout:
          /^days-0: 5 segments, \d+B, offsets 0 to 4, go with the next 'logq retain': they are older than retention\.ms\ndays-0: 3 segments, \d+B, offsets 5 to 7, are not expired: the first goes on \S+Z \(in 1[01]d\), the last on \S+Z \(in 1[23]d\)\ndays-0: 8 segments, .* older than the last write .*\ndays: .* the next 'logq retain' removes 5 segments, .*\ngroup 'slow' in days-0: WARNING: it is 6 records, \d+B and 18d behind \(committed is offset 2; nobody reads it\); the next 'logq retain' removes 3 records that it has not read; to keep them: logq retain --keep-until-acked-by slow\n$/,
        stderr: 'logq doctor: 1 finding needs a hand\n',
      },
    ],
    [
      '--keep-until-acked-by: what is held, and by whom',
      "logq doctor days --keep-until-acked-by slow -q; logq doctor days --keep-until-acked-by '*' | grep held",
      {
        stdout: /^days-0: 3 segments, \d+B, offsets 2 to 4, are due, and held by group 'slow'\n$/,
        stderr: /.*/,
        statusOf: 'grep',
      },
    ],
    [
      '--hard-limit ends that',
      "logq doctor days --keep-until-acked-by slow --hard-limit 25d | grep 'held by'",
      { stdout: /; the hard limit ends that on \S+Z \(in [67]d\)\n$/, stderr: /.*/, statusOf: 'grep' },
    ],
    ['--hard-limit limits what is kept', 'logq doctor --hard-limit 5d', refused(/--hard-limit needs --keep-until-acked-by/)],
    [
      '--older and --max-size, in place of what the topic says',
      'logq doctor days --older 2500ms --max-size 1GiB | grep -o "removes 8 segments"; logq doctor days --older 90d --max-size 150 | grep -o "retention.bytes 150B\\|larger than retention.bytes"',
      { stdout: 'removes 8 segments\nlarger than retention.bytes\nretention.bytes 150B\n', stderr: /.*/, statusOf: 'grep' },
    ],
    [
      '-v: a line for each segment',
      "logq doctor days -v 2> /dev/null | grep -c '^days-0: segment [0-7]: .*, newest record .*Z, written .*Z, \\(expired\\|not-due, due on .*\\)$'",
      { stdout: '8\n', statusOf: 'grep' },
    ],
    [
      '-J: an object for each finding, with the sentence',
      'logq doctor keys -J',
      {
        stdout:
          /^\{"kind":"compaction","severity":"ok","topic":"keys","partition":0,"dirtyBytes":0,"cleanBytes":0,"activeBytes":\d+,"youngBytes":0,"minDirtyRatio":0\.5,"isDue":false,"dueMs":null,"text":"keys-0: it is compacted, [^"]*"\}\n$/,
        stderr: 'logq doctor: nothing needs a hand\n',
      },
    ],
    [
      'patterns; and the whole store by default',
      'logq doctor "we*" | cut -d: -f1 | uniq; logq doctor | cut -d: -f1 | sort -u',
      {
        stdout: "well-0\nwell\ndays\ndays-0\ngroup 'slow' in days-0\nkeys-0\nstore\nwell\nwell-0\n",
        stderr: /.*/,
        statusOf: 'cut',
      },
    ],
    [
      'an unknown topic is named, and the others go on: 1',
      'logq doctor nothing well -q',
      { status: 1, stderr: /^logq doctor: topic 'nothing' does not exist in store/ },
    ],
    ['a pattern that no topic matches', 'logq doctor "no*"', refused(/no topic in store '.*' matches 'no\*'/, 1)],
    ['a group that is not there', 'logq doctor --keep-until-acked-by nobody', refused(/group 'nobody' does not exist/, 1)],
    ['a store that is not there', 'logq doctor -s nowhere', refused(/store 'nowhere' does not exist/, 1)],
    [
      'damage: 5, and the rest goes on',
      'logq doctor -s damaged -q',
      {
        status: 5,
        stdout:
          /^days-0: CRITICAL: 'damaged\/days-0\/log-start-offset': it is damaged; run: logq fsck days\nkeys-0: CRITICAL: its directory 'damaged\/keys-0' is missing; put it back, .*logq fsck --repair keys\ngroup 'slow' in days-0: CRITICAL: it cannot be looked at: the log start offset cannot be read.*\n$/,
      },
    ],
    [
      'a process that is stopped while it holds a lock is named: 1',
      `seq 3 | logq produce $T; ${besideStopped('log-start.after-write', 'logq trim -y $T -o 1', 'logq doctor $T -q')}`,
      {
        status: 1,
        stdout:
          /^(\S+)-0: CRITICAL: the append lock, '\S+\/store\/\1-0\/lock', is held by process (\d+) on \S+ \(logq trim -y \1 -o 1, started \S+ ago\); it is stopped, so nobody else can append; let it go on: kill -CONT \2; or end it\n$/,
      },
    ],
    [
      'a member of a group that is stopped is named: 1',
      'seq 3 | logq produce $T; { logq consume $T -g $T > /dev/null 2>&1 & p=$!; until logq group show $T 2> /dev/null | grep -q " alive "; do sleep 0.1; done; kill -STOP $p; until grep -q "State:.T" /proc/$p/status; do sleep 0.05; done; logq doctor $T -q; s=$?; kill -9 $p; exit $s; }',
      {
        status: 1,
        stdout:
          /^group '(\S+)': WARNING: member \S+, process (\d+) on \S+ \(logq consume \1 -g \1\), is stopped, and has \1-0; let it go on: kill -CONT \2; or end it\n$/,
      },
    ],
    [
      'a log directory of Kafka',
      'logq doctor -s kafka | head -n 1',
      { stdout: /^store: 'kafka' is a log directory of Kafka: /, stderr: /.*/, statusOf: 'head' },
    ],
  ],
}

export const doctorTables: readonly Table[] = [doctor]
