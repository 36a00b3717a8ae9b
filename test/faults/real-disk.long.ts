/** Devices that are full or fail, for real: what a command says, what stays acknowledged, and how work goes on. */
import test from 'ava'
import { onExt4, withExt4 } from './real-disk.js'

const timeoutMs = 120_000

test('a device that fails in fsync, under three producers: none acknowledges after it, and a repair goes on with all that was', async (t) => {
  await withExt4(t, async (cli) => {
    // 64 MiB of file system, of which the device can hold 12: after the first failed fsync the next ones "succeed".
    const done = await cli.shell(
      onExt4(
        { sizeMiB: 64, roomMiB: 12, mkfs: '-O ^has_journal' },
        `logq topic create t segment.bytes=4000000
         head -c 20000000 /dev/urandom | base64 -w 1000 > in
         for p in 1 2 3; do (logq produce t in --print-offsets --batch-bytes 200000 > acked.$p 2> errors.$p; echo "status $?" >> errors.$p) & done; wait
         for p in 1 2 3; do tail -n 1 errors.$p; grep -c 'fsync of the log\\|earlier fsync\\|cannot append\\|hint: ' errors.$p > named.$p; done
         cat acked.? | sort > acked; logq cat t -F 't:%p@%o\\n' | sort > there; comm -23 acked there | wc -l
         [ $(wc -l < acked) -gt 100 ] && echo 'some acknowledged'
         echo x | logq produce t; echo "status $?"
         logq fsck > /dev/null; echo "fsck $?"
         mount -o remount,size=200m room
         logq fsck --repair > repaired; echo "repair $?"; logq fsck > /dev/null 2>&1; echo "fsck $?"
         logq cat t -F 't:%p@%o\\n' | sort > there; comm -23 acked there | wc -l
         seq 3 | logq produce t; echo "status $?"; logq cat t | tail -n 3 | tr '\\n' ' '`,
      ),
      { timeoutMs },
    )
    t.regex(
      done.stdout.toString(),
      /^(status 1\n){3}0\nsome acknowledged\nstatus 1\nfsck 5\nrepair [05]\nfsck 0\n0\nstatus 0\n1 2 3 $/,
      done.stderr,
    )
    t.regex(done.stderr, /fsync of 't-0' failed|cannot (open|append|write)/)
    const texts = (await cli.shell('cat errors.1 errors.2 errors.3')).stdout.toString()
    t.regex(texts, /fsync of the log of 't-0' failed: (i\/o error|no space left on device)\n {2}hint: .*logq fsck --repair/)
    t.notRegex(texts, /unexpected error/)
  })
})

test('a file system that becomes read-only while it is in use, as after an error of its device: readers go on, writers say so, and go on when it is writable', async (t) => {
  await withExt4(t, async (cli) => {
    const done = await cli.shell(
      onExt4(
        { sizeMiB: 32 },
        `logq topic create t; seq 10 | logq produce t
         mkfifo feed; (logq produce t --print-offsets < feed > acked 2> errors; echo "status $?" >> acked) & exec 3> feed
         (logq tail -f t --for 5s > followed) &
         echo mine >&3; for i in $(seq 100); do grep -q @ acked && break; sleep 0.05; done
         mount -o remount,abort disk; echo late >&3; exec 3>&-; wait %1
         tail -n 1 acked; grep -c 'read-only' errors; logq cat t | tail -n 1; logq tail -n 1 t; logq fsck > /dev/null 2>&1; echo "fsck $?"
         for c in 'produce t' 'topic create u' 'topic set t retention.ms=1d' 'topic rm -y t' 'fsck --repair'; do echo x | logq $c 2>> refused; echo "$c $?"; done
         grep -c 'read-only' refused; wait; umount disk && mount -o loop room/image disk
         echo after | logq produce t; echo "status $?"; logq cat t | tail -n 2 | tr '\\n' ' '; logq fsck > /dev/null 2>&1; echo "fsck $?"; wait`,
      ),
      { timeoutMs },
    )
    const [last, ...lines] = done.stdout.toString().split('\n')
    t.is(last, 'status 1', done.stderr)
    t.deepEqual(lines, [
      '2',
      'mine',
      'mine',
      'fsck 0',
      'produce t 1',
      'topic create u 1',
      'topic set t retention.ms=1d 1',
      'topic rm -y t 1',
      'fsck --repair 0',
      '8',
      'status 0',
      'mine after fsck 0',
      '',
    ])
  })
})

test('no inodes left, with bytes free: nothing is half made, and it goes on when there are', async (t) => {
  await withExt4(t, async (cli) => {
    const done = await cli.shell(
      onExt4(
        { sizeMiB: 8, mkfs: '-N 64' },
        `logq topic create t segment.bytes=2000; seq 3 | logq produce t
         n=0; while touch disk/f$n 2> /dev/null; do n=$((n + 1)); done
         logq topic create u; echo "status $?"; logq topic ls
         seq 1000 1999 | logq produce t --batch-bytes 300 --print-offsets > acked; echo "status $?"
         logq cat t | head -n $(( 3 + $(wc -l < acked) )) | tail -n +4 > kept; seq 1000 1999 | head -n $(wc -l < acked) | cmp - kept && echo kept
         rm disk/f*; seq 1000 1999 | logq produce t --batch-bytes 300; echo "status $?"; logq topic create u; echo "status $?"; logq fsck > /dev/null 2>&1; echo "fsck $?"`,
      ),
      { timeoutMs },
    )
    t.is(done.stdout.toString(), 'status 1\nt\nstatus 1\nkept\nstatus 0\nstatus 0\nfsck 0\n', done.stderr)
    t.regex(done.stderr, /no space left on device\n {2}hint: free space, or inodes \(df -i\)/)
  })
})

test('files that are immutable (chattr +i) are refused by name, and taken when they are not', async (t) => {
  await withExt4(t, async (cli) => {
    const done = await cli.shell(
      onExt4(
        { sizeMiB: 16 },
        `seq 3 | logq produce t
         for f in 00000000000000000000.log lock recovery-point 00000000000000000000.index; do
           chattr +i disk/store/t-0/$f; echo x | logq produce t 2> errors; s=$?; logq cat t | wc -l; logq fsck > /dev/null 2>&1; echo "$f $s $?"
           grep -c "$f.*operation not permitted" errors; chattr -i disk/store/t-0/$f
         done
         chattr +i disk/store/topics; logq topic create u 2>> refused; echo $?; logq topic rm -y t 2>> refused; echo $?; chattr -i disk/store/topics
         grep -c 'lsattr' refused; logq topic ls; echo y | logq produce t; echo $?; logq cat t | tail -n 1`,
      ),
      { timeoutMs },
    )
    t.log(done.stdout.toString(), done.stderr)
    t.regex(done.stdout.toString(), /1\n1\n2\nt\n0\ny\n$/)
    t.notRegex(done.stderr, /unexpected/)
    t.regex(done.stdout.toString(), /^3\n0+\.log 1 0\n1\n3\nlock 1 0\n1\n/)
  })
})
