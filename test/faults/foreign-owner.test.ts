/** A store of another user (root runs this): what may be read is read, what cannot be the owner's is not made, and nothing stays behind. */
import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'

const NOBODY = 65_534
const asNobody = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`

/** Directories that others can pass, or undefined with one line that says why not. */
async function asTwoUsers(t: ExecutionContext): Promise<Cli | undefined> {
  const why =
    process.getuid?.() !== 0
      ? 'only root can be two users'
      : spawnSync('setpriv', ['--version']).status !== 0
        ? 'setpriv is missing'
        : undefined
  const cli = makeCli(t)
  const passing = why === undefined ? await cli.shell(`chmod 755 . .bin; ${asNobody} logq --version`) : undefined
  if (passing?.status === 0) return cli
  t.log(`left out: ${why ?? 'the checkout is not readable for other users'}`)
  t.pass()
  return undefined
}

const listing = 'find store -printf "%p %y %m %U:%G %s\\n" | sort'

for (const [what, mode, reason] of [
  [
    'may be written by everybody',
    'a+rwX',
    /^logq [a-z -]+: cannot create '.*': its directory belongs to user 0, this is user 65534\n {2}hint: run as the owner of the store \(sudo -u '#0' logq …\)$/m,
  ],
  [
    'may be read by everybody',
    'a+rX',
    /^logq [a-z -]+: cannot .*(permission denied|belongs to user 0, this is user 65534)\n {2}hint: /m,
  ],
] as const) {
  test(`a store of root that ${what}: a user reads it, and makes nothing in it`, async (t) => {
    const cli = await asTwoUsers(t)
    if (cli === undefined) return
    const made =
      await cli.shell(`logq topic create t --partitions 2 segment.bytes=1000 && seq 1000 1099 | logq produce t -p 0 --batch-bytes 300
      logq consume t -g g -n 4 && chmod -R ${mode} store`)
    t.is(made.status, 0, made.stderr)
    const before = (await cli.shell(listing)).stdout.toString()
    for (const command of [
      'echo x | logq produce new',
      'logq topic create new',
      'logq topic set t retention.ms=1d',
      'logq topic add-partitions t 4',
      'logq consume t -g new --to-end',
      'logq consume t -g g --to-end',
    ]) {
      const done = await cli.shell(command.replace('logq', `${asNobody} logq`))
      t.is(done.status, 1, `${command}: ${done.stderr}`)
      t.regex(done.stderr, reason, command)
      t.is(done.stdout.toString(), '', command)
    }
    const read = await cli.shell(
      ['cat t | wc -l', 'tail t -n 1', 'get t:0@5', 'topic ls', 'group ls', 'fsck']
        .map((command) => `${asNobody} logq ${command}`)
        .join(' && '),
    )
    t.is(read.status, 0, read.stderr)
    t.is(read.stdout.toString(), '100\n1099\n1005\nt\ng\n')
    t.is((await cli.shell(listing)).stdout.toString(), before)
  })
}

test('a segment that would be of another user is not made: what fits in the last one is kept, and root goes on', async (t) => {
  const cli = await asTwoUsers(t)
  if (cli === undefined) return
  await cli.shell('logq topic create t segment.bytes=1000; echo first | logq produce t; chmod -R a+rwX store')
  const done = await cli.shell(`seq 1000 1999 | ${asNobody} logq produce t --batch-bytes 300 --print-offsets > acknowledged`)
  t.is(done.status, 1)
  t.regex(
    done.stderr,
    /cannot create '.*\/t-0\/\d+\.(log|index|timeindex)': its directory belongs to user 0, this is user 65534/,
  )
  const after = await cli.shell(
    'find store ! -uid 0; logq fsck -q; echo x | logq produce t && [ "$(logq cat t | wc -l)" = $(($(wc -l < acknowledged) + 2)) ]',
  )
  t.is(after.status, 0, after.stderr)
  t.is(after.stdout.toString(), '')
})

test('what root makes in the store of a user is the user’s: topics, partitions, groups, and what a repair sets aside', async (t) => {
  const cli = await asTwoUsers(t)
  if (cli === undefined) return
  const made = await cli.shell(`mkdir store && chown ${NOBODY}:${NOBODY} store && ${asNobody} logq topic create t
    seq 9 | logq produce u && logq topic add-partitions t 2 && logq consume u -g g -n 4 > some
    printf x | dd of=store/u-0/00000000000000000000.log bs=1 seek=70 conv=notrunc; logq fsck -q --repair; [ -e store/u-0/quarantine ]`)
  t.is(made.status, 0, made.stderr)
  t.is((await cli.shell(`find store ! -uid ${NOBODY} -o ! -gid ${NOBODY}`)).stdout.toString(), '')
  const used = await cli.shell(
    `seq 2 | ${asNobody} logq produce u && ${asNobody} logq consume u -g g --to-end && ${asNobody} logq topic rm -y t`,
  )
  t.is(used.status, 0, used.stderr)
  t.is(used.stdout.toString(), '1\n2\n')
})
