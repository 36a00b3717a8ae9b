/** archive: closed segments kept elsewhere. */
import { refused, type Table } from '../table.js'

/** Of the segments of `t` there are more than two; each prints as `'t-0': 3 segments, …`. */
const MAKE =
  'logq topic create t segment.bytes=256 && seq 100 | logq produce t --batch-bytes 100 --timestamp 2026-11-20; logq archive t --to arch -q'

const archive: Table = {
  title: 'archive',
  before: `${MAKE}; logq topic create own segment.bytes=256 archive.location="$PWD/own"; seq 100 | logq produce own --batch-bytes 100; mkdir sick; cp -r arch sick; rm sick/arch/t/*/0/00000000000000000000.log; cp -r store copy; for f in copy/t-0/*.log; do printf X | dd of=$f bs=1 seek=80 conv=notrunc status=none; done; cp -r store other; sed -i 's/"storeId": "..../"storeId": "AAAA/' other/logq.json; touch file`,
  rows: [
    [
      '--to: what was archived, and up to where',
      'logq archive t --to new',
      { stderr: /^logq archive: 't-0': \d+ segments, (\d+) bytes as \1; offsets below \d+ are archived\n$/ },
    ],
    ['nothing to do is nothing to say', 'logq archive t --to arch', ''],
    ['-v says that there was nothing to do', 'logq archive t --to arch -v', { stderr: /'t-0': nothing to do, offsets below/ }],
    ['-q', 'logq archive t --to quiet -q', ''],
    [
      '-J',
      'logq archive t --to json -J',
      { stdout: /^\{"topic":"t","partition":0,"segmentCount":[1-9]\d*,"sizeBytes":\d+,.*\}\n$/ },
    ],
    ['-p', 'logq archive t --to some -p 0 -J | grep -c partition', '1\n'],
    ['archive.location, without --to', 'logq archive own -q && ls own', 'own\n'],
    ['a pattern', "logq archive '?' --to pattern -s store -q && ls pattern", 't\n'],
    [
      'a topic that is not there is no reason to leave out the others',
      'logq archive t nosuch own --to multi -q; s=$?; ls multi; exit $s',
      { status: 1, stdout: 'own\nt\n', stderr: /topic 'nosuch' does not exist/ },
    ],
    [
      '--list: what no segment has is said',
      'logq topic create g segment.bytes=256 && for n in 1 2 3; do [ $n = 2 ] || logq archive g --to gap -q; seq 100 | logq produce g --batch-bytes 100; done; logq trim -yq g -o 250 > trimmed && logq archive g --to gap -q; logq archive --verify gap g -J | grep -o "gaps.*" | tr -d 0-9',
      {
        stdout: 'gaps":[{"fromOffset":,"toOffset":}],"strayFiles":[]}\n',
        stderr: /offsets \d+ to 2\d\d of 'g-0' are in no segment: they were never/,
      },
    ],
    ['--older', 'logq archive own --to young --older 1d -v', { stderr: /nothing to do, offsets below 0 are/ }],
    [
      '-z zstd: zstd files, which hold the segment',
      'logq archive t --to zstd -qz zstd && logq archive --verify zstd -J | grep -c storedBytes && ls zstd/t/*/0 | grep -c zst$ | sed "s/[1-9][0-9]*/some/"',
      '1\nsome\n',
    ],
    [
      '-z gzip: gzip files, which hold the segment',
      'logq archive t --to gzip -qz gzip && gzip -dc gzip/t/*/0/00000000000000000000.log.gz | cmp - store/t-0/00000000000000000000.log && echo same',
      'same\n',
    ],
    [
      '--list',
      'logq archive --list arch',
      {
        stdout:
          /^TOPIC +PARTITION +SEGMENTS +FROM +TO +FIRST-TIME +LAST-TIME +BYTES +STORED\n +t +0 +\d+ +0 +\d+ +2026-11-20T00:00:00.000Z +2026-11-20T00:00:00.000Z +(\d+) +\1\n$/,
      },
    ],
    [
      '--list -J of a topic',
      'logq archive --list arch t -J',
      { stdout: /^\{"topic":"t","topicId":".{22}","partition":0,.*\}\n$/ },
    ],
    ['--list: a topic that is not there', 'logq archive --list arch u', { status: 1, stderr: /nothing of 'u' is archived/ }],
    ['--verify', 'logq archive --verify arch | wc -l', { stdout: /^ *2\n$/ }],
    [
      '--verify: a file is missing',
      'logq archive --verify sick/arch > said',
      { status: 5, stderr: /'t-0' is damaged in its archive: the file is missing, in '.*00000000000000000000\.log'/ },
    ],
    [
      '--verify: no such directory',
      'logq archive --verify nowhere',
      { status: 1, stderr: /'.*nowhere' does not exist\n.*mounted/ },
    ],
    ['damage is not archived', 'logq archive t -s copy --to bad', { status: 5, stderr: /'t-0' is damaged: .*CRC/ }],
    ['an archive of another store', 'logq archive t -s other --to arch', { status: 6, stderr: /another store archives 't-0'/ }],
    [
      '--take-over',
      'cp -r arch taken; logq archive t -s other --to taken --take-over && logq archive --list taken -J | grep -c \'"storeId":"AAAA\'',
      '1\n',
    ],
    [
      'an archive that is no longer there',
      'logq archive t --to gone -q; rm -r gone/t; logq archive t --to gone; echo "status $?"; ls gone',
      { stdout: 'status 6\n', stderr: /no longer at '.*gone'\n.*mounted/, statusOf: 'ls' },
    ],
    [
      '--no-wait: another run is at work',
      'LOGQ_FAILPOINT=archive.after-object=stop logq archive t --to held -q < /dev/null > /dev/null 2>&1 & p=$!; until grep -q "State:.T" /proc/$p/status; do sleep 0.05; done; logq archive t --to held --no-wait; s=$?; kill -9 $p; exit $s',
      { status: 75, stderr: /archived\.lock' is locked/ },
    ],
    ['a file where a directory should be', 'logq archive t --to file', { status: 1, stderr: /file' is not a directory/ }],
    [
      'a symbolic link within an archive',
      'mkdir linked elsewhere; ln -s ../elsewhere linked/t; logq archive t --to linked; echo "status $?"; ls elsewhere',
      { stdout: 'status 1\n', stderr: /linked\/t' is not a directory/, statusOf: 'ls' },
    ],
    ['an unknown topic', 'logq archive u --to arch', refused(/topic 'u' does not exist/, 1)],
    ['no topic', 'logq archive --to arch', refused(/no topic is given/)],
    ['no location', 'logq archive t', refused(/not said where 't' is to be archived\n.*archive\.location/)],
    ['s3:// without a bucket', 'logq archive t --to s3://', refused(/names no bucket/)],
    ['one thing at a time', 'logq archive t --to arch --list arch', refused(/exclude each other/)],
    [
      'settings',
      'logq topic set own archive.required=true && logq topic show own | grep -o "^archive.required=true"',
      'archive.required=true\n',
    ],
    [
      'a location has to be absolute',
      'logq topic set t archive.location=arch',
      refused(/not a value of archive\.location\n.*absolute/),
    ],
  ],
}

const restore: Table = {
  title: 'restore',
  before: `${MAKE}; logq archive t --to packed -qz gzip; logq topic create u --partitions 2 segment.bytes=256; seq 60 | logq produce u -p 1 --batch-bytes 100; logq archive u --to arch -q; cp -r arch sick; rm sick/t/*/0/00000000000000000000.log; cp -r arch half; rm -r half/u/*/0; n=$(logq archive --list arch t | awk 'END { print $5 }'); logq cat t -o :$n > wanted`,
  rows: [
    [
      'a new store: topics with their settings, records with their offsets',
      'logq restore arch -s new; logq topic ls -s new; logq cat t -s new | cmp - wanted && logq topic show t -s new | grep -o segment.bytes=256',
      {
        stdout: 't\nu\nsegment.bytes=256\n',
        stderr: /\d+ segments of 't' were restored; retain removes what is older/,
        statusOf: 'grep',
      },
    ],
    ['a topic', 'logq restore arch t -qs one && logq topic ls -s one && logq fsck -qs one', 't\n'],
    ['a pattern', "logq restore arch '[t]' -qs pattern && logq topic ls -s pattern", 't\n'],
    [
      'from a compressed archive',
      'logq restore packed t -qs packed-store && logq cat t -s packed-store | cmp - wanted && echo same',
      'same\n',
    ],
    [
      'the same topic id',
      'logq restore arch t -qs ids && logq topic show t -s ids | grep id > a; logq topic show t | grep id | cmp - a && echo same',
      'same\n',
    ],
    ['--as', 'logq restore arch t --as copy -q && logq cat copy | cmp - wanted && echo same', 'same\n'],
    [
      '-o: the segments that hold the range; the log starts where it begins',
      'logq restore arch t -o 30:31 -qs range && logq cat t -s range | head -n 1',
      '31\n',
    ],
    [
      '-o: before the end of the archive',
      'logq restore arch t -o -1 -qs last && logq topic show t -s last | tail -n 1 | awk "{ print \\$3 - \\$2 }"',
      '1\n',
    ],
    ['-o: times', 'logq restore arch t -o @2026-11-19:2026-11-21 -qs times; logq cat t -s times | cmp - wanted', ''],
    [
      '-o: nothing of that',
      'logq restore arch t -o @2026-11-21 -s none; s=$?; ls none/topics; exit $s',
      { status: 7, stderr: /nothing of that range of 't' is archived/ },
    ],
    [
      '-o: without the end it is another topic',
      'logq restore arch t -o :30 -qs cut; logq topic show t -s cut | grep id > a; logq topic show t | grep id | cmp -s - a || echo other',
      'other\n',
    ],
    [
      '-p: partitions of it, the others are empty',
      'logq restore arch u -p 1 -qs part; logq cat u -s part -J | grep -o partition.:. | sort -u',
      'partition":1\n',
    ],
    [
      'half an archive',
      'logq restore half u -s half-store; s=$?; ls half-store/topics; exit $s',
      { status: 5, stderr: /partition 0 of 'u' is missing/ },
    ],
    ['and what is there of it', 'logq restore half u -p 1 -qs half-store && logq topic ls -s half-store', 'u\n'],
    [
      'appending goes on behind it',
      'logq restore arch t -qs more && echo next | logq produce t -s more && logq cat t -s more -o -1',
      'next\n',
    ],
    ['nothing to do', 'logq restore arch t', { stderr: "logq restore: nothing of 't' was missing\n" }],
    ['--mode', 'logq restore arch t -qs mode --mode 0750 && stat -c %a mode', '750\n'],
    ['--topic-id', 'logq restore arch t --topic-id $(ls arch/t) -qs tid && logq topic ls -s tid', 't\n'],
    [
      '-v',
      'logq restore arch t -vs said --allow-network-file-system',
      { stderr: /'t-0': \d+ segments, offsets 0 to \d+, end excluded, \d+ bytes\n/ },
    ],
    [
      'several topics of one name',
      'cp -r arch two; cp -r two/t/* two/t/AAAAAAAAAAAAAAAAAAAAAA; logq restore two t -s several',
      { status: 6, stderr: /manifest' is the manifest of 't-0'/ },
    ],
    [
      'damage is not restored',
      'logq restore sick t -s sick-store; s=$?; ls sick-store/topics; exit $s',
      { status: 5, stderr: /the file is missing/ },
    ],
    [
      'another topic of that name',
      'logq topic create t -qs taken; logq restore arch t -s taken',
      { status: 6, stderr: /topic 't' exists, and is not the one/ },
    ],
    ['a topic that is not there', 'logq restore arch nothing -s none', refused(/nothing of 'nothing' is archived/, 1)],
    ['nothing there', 'mkdir empty; logq restore empty -s none', { status: 1, stderr: /nothing is archived at/ }],
    ['no such directory', 'logq restore nowhere -s none', refused(/nowhere' does not exist/, 1)],
    ['--as for several', 'logq restore arch --as x -s none', refused(/--as takes one topic/)],
  ],
}

/** Nothing listens on this port, which is reserved. */
const NO_SERVER =
  'AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_MAX_ATTEMPTS=1'

const reading: Table = {
  title: 'reading archives',
  before: `${MAKE}; logq archive t --to packed -qz zstd; logq topic create u --partitions 2 segment.bytes=256; seq 60 | logq produce u -p 1 --batch-bytes 100; logq archive u --to half -q; rm -r half/u/*/0; cp -r arch sick; rm sick/t/*/0/00000000000000000000.log`,
  rows: [
    ['cat --archive', 'logq cat -s nowhere --archive arch t | head -n 2', '1\n2\n'],
    ['a compressed one', 'logq cat --archive packed t -o 2:4', '3\n4\n'],
    ['-p, which the archive has not', 'logq cat --archive arch t -p 1', refused(/partition 1/, 1)],
    ['a topic that is not there', 'logq cat --archive arch u', refused(/nothing of 'u' is archived/, 1)],
    ['damage', 'logq cat --archive sick t', { status: 5, stderr: /damaged in its archive: the file is missing/ }],
    ['half an archive', 'logq cat --archive half u', { status: 5, stderr: /partition 0 of 'u' is missing/ }],
    ['half of it, asked for', 'logq cat --archive half u -p 1 | head -n 1', '1\n'],
    [
      'S3 that cannot be reached',
      `${NO_SERVER} logq cat --archive s3://bucket/x t`,
      refused(/cannot list 's3:\/\/bucket\/x.*\n {2}hint: see whether the server runs/, 1),
    ],
    [
      'a topic archived there, of which everything is here',
      `logq topic create v archive.location=s3://bucket/x; echo a | logq produce v; ${NO_SERVER} logq cat v`,
      'a\n',
    ],
  ],
}

export const archiveTables: readonly Table[] = [archive, restore, reading]
