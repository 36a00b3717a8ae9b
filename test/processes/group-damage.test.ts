/** Each file of a group, damaged: whoever goes by it rebuilds it, or refuses it by name, and what is whole of the commits survives. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

/** Three commits: 3 of partition 0, 5 of partition 1, 6 of partition 0; each partition has ten records. */
const PREPARE = `logq topic create t --partitions 2; for p in 0 1; do seq 10 | logq produce t -p $p; done
  logq group seek g -o 3 --topic t:0 -q; logq group seek g -o 5 --topic t:1 -q; logq group seek g -o 6 --topic t:0 -q`

/** Exit status and all output of a command. */
type Expected = readonly [command: string, status: number, output: RegExp]

const OFFSETS = /'[^']*groups\/g\/offsets' is damaged at position \d+/
const WHOLE = /t 0 6 10 4 .*\n *t 1 5 10 5 /

const rows: readonly (readonly [what: string, damage: string, expected: readonly Expected[]])[] = [
  [
    'offsets: a commit in the middle',
    "sed -i '2s/./#/20' offsets",
    [
      ['consume t -g g --to-end', 5, OFFSETS],
      ['consume t -g g --to-end --no-commit', 5, OFFSETS],
      ['lag -g g', 5, OFFSETS],
      ['lag -g g --warn 1', 3, /^LAG UNKNOWN - .*damaged/],
      ['wait t:0@0 --acked-by g --timeout 20s', 5, OFFSETS],
      ['group skip g t:0@6 --reason x', 5, OFFSETS],
      ['group undo g', 5, OFFSETS],
    ],
  ],
  [
    'offsets: a commit in the middle, for those that look at all groups, and what is whole afterwards',
    "sed -i '2s/./#/20' offsets",
    [
      ['group ls -J', 5, OFFSETS],
      ['metrics', 5, OFFSETS],
      ['group show g', 5, /t 0 6 10 4 /],
      ['group seek g --force -o 5 --topic t:1', 0, /offsets\.damaged-\d+'/],
      ['group show g', 0, WHOLE],
    ],
  ],
  ['offsets: cut', 'truncate -s 150 offsets', [['consume t -g g --to-end', 5, OFFSETS]]],
  ['offsets: gone', 'rm offsets', [['consume t -g g --to-end', 5, OFFSETS]]],
  [
    'offsets: a directory',
    'rm offsets; mkdir offsets',
    [['consume t -g g --to-end', 1, /groups\/g\/offsets': is a directory/]],
  ],
  [
    'group.json: no JSON, after members',
    `logq consume t -g g --to-end > out; echo '{' > group.json`,
    [
      ['group show g', 5, /groups\/g\/group\.json' is missing or damaged; the next member makes it anew/],
      ['consume t -g g --to-end', 0, /^$/],
      ['group show g', 0, /state Empty\n/],
    ],
  ],
  [
    'group.json: a directory',
    'mkdir group.json',
    [
      ['consume t -g g --to-end', 1, /groups\/g\/group\.json': is a directory/],
      ['lag -g g', 1, /groups\/g\/group\.json': is a directory/],
    ],
  ],
  [
    'lock: gone, and made again by the next member',
    'rm lock',
    [
      ['group show g', 5, /lock file of group 'g' is missing: '[^']*groups\/g\/lock'/],
      ['group rm -y g', 5, /lock file of group 'g' is missing/],
      ['lag', 5, /lock file of group 'g' is missing/],
      ['group ls', 0, /^g\n$/],
      ['consume t -g g --to-end', 0, /^(\d+\n){9}$/],
      ['group show g', 0, /t 0 10 10 0 /],
    ],
  ],
  [
    'lock: other bytes',
    'head -c 300 /dev/zero | tr "\\0" x > lock',
    [
      ['group show g', 0, WHOLE],
      ['consume t -g g --to-end', 0, /^(\d+\n){9}$/],
    ],
  ],
  ['members: gone', 'rm -r members', [['consume t -g g --to-end', 0, /^(\d+\n){9}$/]]],
  [
    'members: files of one that there is not, none of them whole',
    'cd members; mkdir x-1-0a1b2c3d.lease; echo x | tee x-1-0a1b2c3d.json > x-1-0a1b2c3d.lock',
    [
      ['group show g', 0, /no members\n/],
      ['consume t -g g --to-end', 0, /^(\d+\n){9}$/],
    ],
  ],
  [
    'history: the newest change; the one before it can be taken back',
    "sed -i '3s/./#/20' history",
    [
      ['group undo g', 0, /t +1 +5 +→ +-/],
      ['group show g', 0, /t 0 6 10 4 /],
    ],
  ],
  [
    'history: none of it is whole',
    'head -c 99 /dev/zero > history',
    [
      ['group undo g', 7, /nothing was changed by hand in group 'g'/],
      ['group skip g t:0@6 --reason x -q', 0, /6 +→ +7/],
      ['group undo g', 0, /7 +→ +6/],
    ],
  ],
  ['history: a directory', 'rm history; mkdir history', [['group undo g', 1, /groups\/g\/history': is a directory/]]],
]

for (const [what, damage, expected] of rows) {
  test(what, async (t) => {
    const cli = makeCli(t)
    await cli.shell(`${PREPARE}; cd store/groups/g; ${damage}`)
    for (const [command, status, output] of expected) {
      const done = await cli.shell(`logq ${command} 2>&1 | tr -s ' '; exit \${PIPESTATUS[0]}`)
      t.is(done.status, status, `${command}: ${done.stdout.toString()}`)
      t.regex(done.stdout.toString(), output, command)
    }
    if (damage.includes('members')) t.is((await cli.shell('ls store/groups/g/members')).stdout.toString(), '')
  })
}
