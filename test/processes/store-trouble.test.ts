/** Stores that cannot be used as they are: wrong places, no permission, newer formats, full disks. */
import { spawnSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { makeCli, type Cli } from '../helpers/run-cli.js'
import { hasSmallDisk, onSmallDisk } from '../helpers/small-disk.js'

async function expect(t: ExecutionContext, cli: Cli, script: string, status: number, stderr: RegExp): Promise<void> {
  const done = await cli.shell(script)
  t.is(done.status, status, `${script}: ${done.stderr}`)
  t.regex(done.stderr, stderr, script)
  t.is(done.stdout.toString(), '', script)
  t.notRegex(done.stderr, /unexpected error|node:internal/, script)
}

test('a store that is not there is made by commands that write, and named by those that read', async (t) => {
  const cli = makeCli(t)
  for (const command of [
    'cat t',
    'tail t',
    'tail -f t',
    'topic ls',
    'topic show t',
    'topic rm -y t',
    'topic set t retention.ms=1d',
    'topic add-partitions t 2',
    'fsck',
    'digest t',
    'produce --no-create t < /dev/null',
  ]) {
    await expect(t, cli, `logq ${command}`, 1, /store '.*\/store' does not exist\n {2}hint: /)
  }
  t.is((await cli.shell('ls -A')).stdout.toString(), '.bin\n.home\n.tmp\n')
  t.is((await cli.shell('echo x | logq produce -s deep/er/store t && logq cat -s deep/er/store/ t')).stdout.toString(), 'x\n')
})

test('a file in place of the store, or a directory that is no store, is refused and left alone', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo mine > file; mkdir dir; echo mine > dir/mine; mkfifo fifo')
  for (const command of ['cat t', 'topic ls', 'produce t < /dev/null', 'topic create t']) {
    await expect(
      t,
      cli,
      `logq ${command.replace(' t', ' -s file t')}${command === 'topic ls' ? ' -s file' : ''}`,
      1,
      /'file' is not a directory/,
    )
    await expect(
      t,
      cli,
      `logq ${command.replace(' t', ' -s dir t')}${command === 'topic ls' ? ' -s dir' : ''}`,
      1,
      /'dir' is not a logq store: it has no logq\.json\n {2}hint: /,
    )
  }
  await expect(t, cli, 'logq produce -s file/below t < /dev/null', 1, /file/)
  await expect(t, cli, 'logq cat -s fifo t', 1, /'fifo' is not a directory/)
  t.is((await cli.shell('cat file; ls -A dir; cat dir/mine')).stdout.toString(), 'mine\nmine\nmine\n')
  // An empty directory may become one, also through a symbolic link.
  t.is(
    (
      await cli.shell('mkdir empty; ln -s empty link; echo x | logq produce -s link t && logq cat -s empty t')
    ).stdout.toString(),
    'x\n',
  )
})

test('without a home directory the store has to be named: status 2', async (t) => {
  const cli = makeCli(t)
  for (const command of ['cat t', 'produce t < /dev/null', 'topic ls']) {
    await expect(
      t,
      cli,
      `env -u HOME -u LOGQ_STORE -u XDG_DATA_HOME logq ${command}`,
      2,
      /no home directory.*\n {2}hint: .*LOGQ_STORE/,
    )
  }
  await expect(t, cli, 'LOGQ_STORE= logq cat t', 2, /LOGQ_STORE is empty/)
  const done = await cli.shell(
    'env -u LOGQ_STORE -u XDG_DATA_HOME logq produce t < /etc/hostname; ls .home/.local/share; env -u LOGQ_STORE logq produce t < /dev/null; ls .home/share',
  )
  t.is(done.stdout.toString(), 'logq\nlogq\n')
})

test('a store, or a topic, of a newer format is refused by every command and left alone', async (t) => {
  const cli = makeCli(t)
  await cli.shell('echo x | logq produce t; cp -r store newer-store; cp -r store newer-topic')
  await cli.shell(`sed -i 's/"formatVersion": 1/"formatVersion": 2/' newer-store/logq.json newer-topic/topics/t.json`)
  const before = (await cli.shell('find newer-* -type f | sort | xargs cksum')).stdout.toString()
  for (const command of ['cat', 'tail', 'topic show', 'topic rm -y', 'produce', 'digest']) {
    await expect(
      t,
      cli,
      `logq ${command} -s newer-store t < /dev/null`,
      1,
      /logq\.json' has format version 2, this logq knows up to 1\n {2}hint: use a newer logq/,
    )
    await expect(t, cli, `logq ${command} -s newer-topic t < /dev/null`, 1, /t\.json' has format version 2/)
  }
  await expect(t, cli, 'logq topic create -s newer-store u', 1, /format version 2/)
  t.is((await cli.shell('find newer-* -type f | sort | xargs cksum')).stdout.toString(), before)
})

test('a damaged logq.json or topic file is status 5 and named', async (t) => {
  const cli = makeCli(t)
  await cli.shell(
    'echo x | logq produce t; cp -r store s1; cp -r store s2; cp -r store s3; : > s1/logq.json; echo "[]" > s2/topics/t.json; printf "\\0\\0\\0" > s3/topics/t.json',
  )
  await expect(t, cli, 'logq cat -s s1 t', 5, /'s1\/logq\.json' is not a JSON object\n {2}hint: /)
  await expect(t, cli, 'echo x | logq produce -s s1 t', 5, /logq\.json/)
  await expect(t, cli, 'logq cat -s s2 t', 5, /t\.json/)
  await expect(t, cli, 'logq cat -s s3 t', 5, /t\.json/)
})

test('symbolic links, FIFOs and directories in place of segment files are refused at once', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t; for n in 1 2 3; do cp -r store s$n; done')
  const log = 't-0/00000000000000000000.log'
  await cli.shell(`echo secret > secret; rm s?/${log}; ln -s $PWD/secret s1/${log}; mkfifo s2/${log}; mkdir s3/${log}`)
  for (const store of ['s1', 's2', 's3']) {
    for (const command of ['cat t', 'tail t', 'produce t < /etc/hostname']) {
      const done = await cli.shell(`timeout 5 logq ${command.replace(' t', ` -s ${store} t`)}`)
      t.true(done.status === 1 || done.status === 5, `${store} ${command}: ${String(done.status)} ${done.stderr}`)
      t.is(done.stdout.toString(), '')
      t.notRegex(done.stderr, /unexpected error/)
    }
  }
  t.is((await cli.shell('cat secret')).stdout.toString(), 'secret\n')
})

test('a topic or group whose directory is a link, or no directory, is removed, and what the link points at stays', async (t) => {
  const cli = makeCli(t)
  await cli.shell('seq 5 | logq produce t && logq consume t -g g --to-end && cp -a store s1')
  const linked = await cli.shell(
    `mkdir away; mv store/t-0 store/groups/g away; ln -s $PWD/away/t-0 store/t-0; ln -s $PWD/away/g store/groups/g
     logq cat t | tail -n 1; logq group rm -y g; echo "$?"; logq topic rm -y t; echo "$?"; ls -A store store/groups | tr '\\n' ' '
     ls away/g/group.json; wc -c < away/t-0/00000000000000000000.log; echo x | logq produce t; echo "$?"`,
  )
  t.regex(linked.stdout.toString(), /^5\n0\n0\n/)
  t.regex(linked.stdout.toString(), / logq\.json topics .*away\/g\/group\.json\n[1-9]\d+\n0\n$/)
  t.notRegex(linked.stdout.toString(), /\.removed|\.tmp/)
  const odd = await cli.shell(
    'rm -r s1/t-0; mkfifo s1/t-0; logq topic rm -y t -s s1; echo "$?"; ls -A s1; echo x | logq produce -s s1 t; echo "$?"',
  )
  t.is(odd.stdout.toString(), '0\ngroups\nlock\nlogq.json\ntopics\n0\n', odd.stderr)
})

/** Words that run a command as somebody without privileges, or undefined. */
function asNobody(): string | undefined {
  if (process.getuid?.() !== 0) return ''
  const words = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  return spawnSync(words[0] ?? '', [...words.slice(1), 'true']).status === 0 ? words.join(' ') : undefined
}

test('a directory without permission is status 1, named, and nothing is half-created', async (t) => {
  const nobody = asNobody()
  if (nobody === undefined) {
    t.log('left out: setpriv is missing, and root may do everything')
    t.pass()
    return
  }
  const cli = makeCli(t)
  // The program and its packages must be readable for whoever runs it.
  const reachable = await cli.shell(`chmod 755 . .bin; ${nobody} logq --version`)
  if (reachable.status !== 0) {
    t.log('left out: the checkout is not readable for other users')
    t.pass()
    return
  }
  await cli.shell(
    'seq 3 | logq produce t; mkdir locked; chmod 555 locked store; chmod -R go+rX store; cp -r store readable; chmod -R a-w readable',
  )
  await expect(t, cli, `echo x | ${nobody} logq produce -s locked/store t`, 1, /locked\/store'?: permission denied/)
  await expect(t, cli, `echo x | ${nobody} logq topic create -s locked u`, 1, /permission denied|belongs to user 0/)
  await expect(t, cli, `echo x | ${nobody} logq produce -s readable t`, 1, /readable\/t-0\/lock'?: permission denied/)
  await expect(t, cli, `echo x | ${nobody} logq produce -s readable u`, 1, /permission denied|belongs to user 0/)
  await expect(t, cli, `${nobody} logq topic rm -y -s readable t`, 1, /permission denied|belongs to user 0/)
  t.is(
    (
      await cli.shell(
        `${nobody} logq cat -s readable t && ${nobody} logq tail -n 1 -s readable t && ${nobody} logq topic ls -s readable`,
      )
    ).stdout.toString(),
    '1\n2\n3\n3\nt\n',
  )
  t.is((await cli.shell('ls -A locked; ls readable')).stdout.toString(), 'lock\nlogq.json\nt-0\ntopics\n')
  await expect(t, cli, `chmod 700 readable; ${nobody} logq cat -s readable t`, 1, /permission denied/)
  await expect(
    t,
    cli,
    `echo x > private; chmod 600 private; ${nobody} logq produce -s locked t private`,
    1,
    process.getuid?.() === 0 ? /cannot open 'private': permission denied/ : /./,
  )
})

test('files and directories take the mode of the store, and the umask only narrows', async (t) => {
  const cli = makeCli(t)
  const modes = (store: string) => `find ${store} -printf '%y %m %f\\n' | sort -u`
  await cli.shell('umask 022; echo x | logq produce t; echo x | logq produce -s open --mode 0775 t')
  const own = (await cli.shell(modes('store'))).stdout.toString()
  t.regex(own, /d 700 store/)
  t.notRegex(own, /^d (?!700)|^f (?!600)/m)
  const open = (await cli.shell(modes('open'))).stdout.toString()
  t.notRegex(open, /^d (?!755)|^f (?!644)/m, open)
})

test('a full disk is status 1, and after space is freed work goes on with every acknowledged record', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '400k',
      `export LOGQ_STORE=disk/store
       logq topic create t segment.bytes=60000 index.interval.bytes=500
       dd if=/dev/zero of=disk/filler bs=1k count=150 status=none
       seq -f 'line %08g' 100000 | logq produce t --print-offsets --batch-bytes 3000 > acked 2> errors; echo "status $?"
       logq cat t > partly; [ -s partly ] && echo 'readable when full'
       seq 100000 | logq produce t 2>> errors; echo "status $?"
       rm disk/filler
       echo after | logq produce t; echo "status $?"
       logq cat t -F 't:%p@%o\\n' | head -n $(wc -l < acked) | cmp - acked && logq cat t | head -n $(wc -l < acked) > kept
       seq -f 'line %08g' 100000 | head -n $(wc -l < acked) | cmp - kept && echo kept
       [ $(wc -l < acked) -gt 100 ] && echo many; logq cat t | tail -n 1; logq cat t | sort | uniq -d; logq fsck >&2; echo "fsck $?"`,
    ),
  )
  t.is(done.stdout.toString(), 'status 1\nreadable when full\nstatus 1\nstatus 0\nkept\nmany\nafter\nfsck 0\n', done.stderr)
  const errors = (await cli.shell('cat errors')).stdout.toString()
  t.regex(errors, /no space left on device|only \d+ of \d+ bytes could be written/)
  t.regex(errors, /records from line \d+ of 'stdin' on were not written; \d+ records were appended before/)
  t.regex(errors, /hint: .*(free space|disk may be full)/)
  t.notRegex(errors, /unexpected error/)
})

test('a full disk leaves no half of a topic, a store or a setting', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '600k',
      `export LOGQ_STORE=disk/store
       dd if=/dev/zero of=disk/filler bs=1k count=900 status=none 2>/dev/null
       echo x | logq produce t; echo "status $?"; rm disk/filler
       echo x | logq produce t && logq cat t
       dd if=/dev/zero of=disk/filler bs=1k count=900 status=none 2>/dev/null
       logq topic create u --partitions 8; echo "status $?"; logq topic set t retention.ms=1d; echo "status $?"
       logq topic ls; rm disk/filler; ls disk/store | tr '\\n' ' '
       logq topic create u --partitions 8; echo "status $?"; logq topic set t retention.ms=1d; echo "status $?"; logq topic ls; ls -A disk/store/topics | tr '\\n' ' '`,
    ),
  )
  t.is(
    done.stdout.toString(),
    'status 1\nx\nstatus 1\nstatus 1\nt\nlock logq.json t-0 topics status 0\nstatus 0\nt\nu\nt.json u.json ',
    done.stderr,
  )
  t.regex(done.stderr, /cannot write '.*store.*': no space left on device\n {2}hint: free space/)
  t.notRegex(done.stderr, /unexpected error/)
})

test('a file size limit is status 1, names what was not written, and nothing stands behind a part of a batch', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t; (ulimit -f 40; seq 100000 | logq produce t --batch-bytes 7000); echo $?; logq cat t > before
     seq 5 | logq produce t; logq cat t | head -n $(wc -l < before) | cmp - before; logq cat t | tail -n 5 | tr '\\n' ' '; logq fsck > /dev/null; echo $?`,
  )
  t.is(done.stdout.toString(), '1\n1 2 3 4 5 0\n')
  t.regex(done.stderr, /records from line \d+ of 'stdin' on were not written/)
})

test('too few descriptors is status 1 with a message, and the store stays whole', async (t) => {
  const cli = makeCli(t)
  const done = await cli.shell(
    `logq topic create t --partitions 50; seq 500 > in; (ulimit -Hn 40 && ulimit -Sn 40; logq produce t --batch-bytes 20 in); echo $?; logq fsck > /dev/null; echo $?; seq 3 | logq produce t; echo $?`,
  )
  t.regex(done.stdout.toString(), /^[01]\n0\n0\n$/)
  t.notRegex(done.stderr, /unexpected error/)
})
