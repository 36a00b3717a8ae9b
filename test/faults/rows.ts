/** The commands that go through the matrix of faults, and those that are killed. */

export interface Row {
  readonly name: string
  /** A script that makes what stands before the command. */
  readonly before?: string
  readonly command: string
  /** Exits 0 when the command has done its work: what status 0 promises. */
  readonly isDone?: string
  /** Finishes the work, or finds it done, when the fault is gone. Without it the next produce is all that has to work. */
  readonly again?: string
  /** Besides 0 (the fault did not matter) and 1. */
  readonly statuses?: readonly number[]
  /** The command changes nothing. */
  readonly isReading?: boolean
  /** Offsets are missing on purpose. */
  readonly hasGaps?: boolean
  /** How many calls it makes depends on the time. */
  readonly isTimed?: boolean
}

/** Five records in two segments. */
const TOPIC = 'logq topic create t segment.bytes=300 index.interval.bytes=60 && seq 5 | logq produce t --batch-bytes 70'
export const PRODUCE = 'logq produce t in --batch-bytes 70 --print-offsets'

export const rows: readonly Row[] = [
  { name: 'produce', before: TOPIC, command: PRODUCE },
  { name: 'a first produce', command: PRODUCE },
  {
    name: 'recovery of a torn tail',
    before: `${TOPIC}; echo 6 | LOGQ_FAILPOINT=append.after-write=kill logq produce t; truncate -s -3 $(ls store/t-0/*.log | tail -n 1)`,
    command: PRODUCE,
  },
  {
    name: 'topic create',
    before: TOPIC,
    command: 'logq topic create new --partitions 2',
    isDone: 'test -e store/topics/new.json -a -e store/new-1/lock',
    again: 'logq topic create new --partitions 2 || logq topic show new',
  },
  {
    name: 'topic set',
    before: TOPIC,
    command: 'logq topic set t retention.ms=1d',
    isDone: 'grep -q 86400000 store/topics/t.json',
    again: 'logq topic set t retention.ms=1d',
  },
  {
    name: 'topic add-partitions',
    before: TOPIC,
    command: 'logq topic add-partitions t 2',
    isDone: 'test -e store/t-1/lock',
    again: 'logq topic add-partitions t 2 || test -e store/t-1/lock',
  },
  {
    name: 'topic rm',
    before: `${TOPIC}; seq 3 | logq produce new`,
    command: 'logq topic rm -y new',
    isDone: '! ls -A store store/topics | grep "new\\|removed"',
    again: 'logq topic rm -y new; logq topic create later && ! ls -A store store/topics | grep new',
  },
  {
    name: 'fsck --repair',
    before: `${TOPIC}; printf x | dd of=store/t-0/00000000000000000000.log conv=notrunc bs=1 seek=100 status=none`,
    command: 'logq fsck --repair',
    again: 'logq fsck --repair > repaired; test $? = 0 -o $? = 5',
    statuses: [5],
    hasGaps: true,
  },
  ...(
    [
      ['cat', 'logq cat t'],
      ['tail', 'logq tail -n 3 t'],
      ['get', 'logq get t:0@3'],
      ['export --to', 'logq export t --to ndjson'],
      ['dump', 'logq dump t'],
      ['du', 'logq du'],
      ['stat', 'logq stat t'],
      ['fsck', 'logq fsck'],
    ] as const
  ).map(([name, command]) => ({ name, command, before: TOPIC, isReading: true, statuses: [5] })),
  {
    name: 'export --kafka',
    before: TOPIC,
    command: 'logq export --kafka t out',
    isDone: 'cmp out/t-0/00000000000000000000.log store/t-0/00000000000000000000.log',
    again: 'rm -rf out; logq export --kafka t out',
  },
]

/** Topic k has two partitions of two segments. */
const KAFKA = `${TOPIC}; logq topic create k --partitions 2 segment.bytes=200 index.interval.bytes=60
  for p in 0 1; do seq 4 | logq produce k -p $p --batch-bytes 70; done`
/** `kafka` holds topic k, and `records` and `untouched` are what comparisons are made with. */
const EXPORTED = 'logq export -q --kafka k kafka; logq cat k -J > records; cp -r kafka untouched'
const IMPORT = 'logq import -q --kafka k kafka'
/** Copies that were left are removed by the next change of a topic. */
const IMPORTED = 'logq cat k -J | cmp - records && diff -r kafka untouched && logq topic create later'

const consume: Row = {
  name: 'consume, and its commits',
  before: TOPIC,
  command: 'logq consume t -g g -n 3 --to-end --commit-every 1 >> got',
  isDone: 'test "$(logq consume t -g g --no-commit --to-end | head -n 1)" = 4',
  again: 'logq consume t -g g --to-end >> got && seq 5 | cmp - <(sort -un got)',
  isTimed: true,
}

const named = (name: string): Row => {
  const row = rows.find((one) => one.name === name)
  if (row === undefined) throw new Error(`no row '${name}'`)
  return row
}

/** Those that meet a device that is full, or dead, from one call on. */
export const lastingRows: readonly Row[] = [named('produce'), named('recovery of a torn tail'), named('topic create'), consume]

/** Those that are killed. Appends, rolls, recovery and changes of topics are in crash-strace. */
export const killedRows: readonly Row[] = [
  named('fsck --repair'),
  {
    name: 'produce --dedupe-by',
    before:
      'logq topic create t segment.bytes=300 index.interval.bytes=60; head -n 2 in | logq produce t -q --dedupe-by value --batch-bytes 70',
    command: 'logq produce t in -q --dedupe-by value --batch-bytes 70',
    again: 'logq produce t in -q --dedupe-by value --batch-bytes 70 && logq cat t | cmp - in',
  },
  {
    name: 'export --kafka',
    before: `${KAFKA}; logq cat k -J > records`,
    command: 'logq export -q --kafka k out',
    // Whole, or known for what it is.
    again: `[ -e out/k-0 -a ! -e out/.partial ] || logq export -q --kafka k out 2> said ||
      { grep -q 'was cut off' said && rm -r out && logq export -q --kafka k out; }
      logq cat k -J | cmp - records && logq cat k -J -s out | cmp - records`,
  },
  {
    name: 'import --kafka',
    before: `${KAFKA}; ${EXPORTED}; logq topic rm -y k`,
    command: IMPORT,
    again: `${IMPORT} && ${IMPORTED}`,
  },
  {
    name: 'import --kafka of what was appended',
    before: `${KAFKA}; cp -r store older; for p in 0 1; do seq 5 8 | logq produce k -p $p --batch-bytes 70; done
      ${EXPORTED}; rm -r store; mv older store`,
    command: IMPORT,
    again: `${IMPORT} && ${IMPORTED}`,
  },
  consume,
]
