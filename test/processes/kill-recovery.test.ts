/** Recovery and repair that are killed half-way: the next run finishes them, and nothing below the damage is lost. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'

const log = 'store/t-0/00000000000000000000.log'
const flip = `printf X | dd of=${log} bs=1 seek=700 conv=notrunc status=none`
const firstNine = Array.from({ length: 9 }, (_, n) => `${n + 1}\n`).join('')

for (const failpoint of ['before-quarantine', 'after-quarantine', 'after-epoch', 'before-cut', 'before-indexes']) {
  test(`recovery that cuts damaged unsynced records, killed at recovery.${failpoint}, is finished by the next command`, async (t) => {
    const cli = makeCli(t)
    await cli.shell(`seq 30 | logq produce t --acks 0 --batch-bytes 60; ${flip}`)
    const killed = await cli.shell(`echo a | LOGQ_FAILPOINT=recovery.${failpoint}=kill logq produce t`)
    t.is(killed.status, 137, killed.stderr)
    const next = await cli.shell(
      'echo b | logq produce t; echo $?; echo c | logq produce t; echo $?; logq cat t | head -n 9; logq cat t | tail -n 1; logq fsck > /dev/null; echo $?',
    )
    const [first, ...rest] = next.stdout.toString().split('\n')
    // Whoever does the cutting says so and appends nothing; when the cut was made before the kill, the next command goes on.
    t.true(first === '5' || first === '0')
    t.is(rest.join('\n'), `0\n${firstNine}c\n0\n`)
    if (first === '5') t.regex(next.stderr, /cut unsynced records that are damaged \(.*from offset \d+.*quarantine/)
    // What was cut is kept, once.
    t.is((await cli.shell('ls store/t-0/quarantine | wc -l')).stdout.toString().split('\n')[0], '1')
  })
}

for (const failpoint of [
  'after-invalidate',
  'after-rewrite',
  'after-end',
  'after-place',
  'after-gaps',
  'after-indexes',
  'after-recovery-point',
]) {
  test(`fsck --repair killed at repair.${failpoint} is finished by the next one`, async (t) => {
    const cli = makeCli(t)
    await cli.shell(`seq 30 | logq produce t --batch-bytes 60; ${flip}`)
    t.is((await cli.shell('logq cat t > /dev/null')).status, 5)
    const killed = await cli.shell(`LOGQ_FAILPOINT=repair.${failpoint}=kill logq fsck --repair`)
    t.true(killed.status === 137 || killed.status === 5, killed.stderr)
    if (killed.status === 5) t.log(`repair.${failpoint} is not passed by this repair`)
    const next = await cli.shell(
      'logq fsck --repair > /dev/null 2>&1; logq fsck > /dev/null; echo $?; logq cat t; echo new | logq produce t --print-offsets; logq fsck > /dev/null; echo $?; logq cat t | tail -n 1',
    )
    const lines = next.stdout.toString().split('\n')
    t.is(lines[0], '0', next.stderr)
    t.is(`${lines.slice(1, 10).join('\n')}\n`, firstNine)
    // No offset is given out twice: the repaired log goes on after the end that was acknowledged.
    const place = lines.find((line) => line.startsWith('t:0@'))
    t.true(Number(place?.slice(4)) >= 30, place)
    t.deepEqual(lines.slice(-3), ['0', 'new', ''])
  })
}

test('topic set killed before its rename leaves the old settings, and no litter after the next topic command', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 3 | logq produce t')
  const killed = await cli.shell('LOGQ_FAILPOINT=replace.before-rename=kill logq topic set t retention.ms=1d')
  t.is(killed.status, 137)
  const next = await cli.shell(
    'logq topic show t | grep -c retention; logq cat t; logq topic create u; ls -A store store/topics | grep -c tmp',
  )
  t.is(next.stdout.toString(), '0\n1\n2\n3\n0\n')
})
