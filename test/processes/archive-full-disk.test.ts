/** Archives on a disk that is full, or read-only, or not mounted any more: what is whole counts, and the next run goes on. */
import test from 'ava'
import { makeCli } from '../helpers/run-cli.js'
import { hasSmallDisk, onSmallDisk } from '../helpers/small-disk.js'

test('archive and restore on a full disk, a read-only one and one that is gone lose nothing, and go on', async (t) => {
  const cli = makeCli(t)
  if (!(await hasSmallDisk(t, cli))) return
  const done = await cli.shell(
    onSmallDisk(
      '200k',
      `exec 2>&1
       logq topic create t segment.bytes=30000 archive.required=true retention.ms=1 && seq -f 'line %08g' 20000 | logq produce t --batch-bytes 3000
       logq archive t --to "$PWD/disk/a"; echo "full $?"
       logq archive --verify "$PWD/disk/a" -J | grep -o '"strayFiles":.*'; echo "verify $?"
       sleep 0.01; logq retain t -q > removed; first=$(logq cat t -F '%o\\n' | head -n 1)
       [ "$first" = "$(logq archive --list "$PWD/disk/a" -J | grep -o '"endOffset":[0-9]*' | cut -d: -f2)" ] && echo 'only what is archived went'
       mount -o remount,ro disk
       logq archive t --to "$PWD/disk/a"; echo "read-only $?"
       logq archive t --to "$PWD/disk/new"; echo "new $?"
       mount -o remount,rw,size=2m disk
       logq archive t --to "$PWD/disk/a" -q; echo "space $?"
       dd if=/dev/zero of=disk/filler bs=1k count=1800 status=none 2> /dev/null
       logq restore "$PWD/disk/a" t -qs disk/store; echo "restore $?"; ls -A disk/store 2> /dev/null | grep -c import
       rm disk/filler; rm -rf disk/store; logq restore "$PWD/disk/a" t -qs store-of-all; echo "restored $?"
       logq cat t -s store-of-all -F '%v\\n' | cmp - <(seq -f 'line %08g' 20000 | head -n "$(logq cat t -s store-of-all | wc -l)") && echo same
       umount -l disk; logq archive t --to "$PWD/disk/a"; echo "gone $?"`,
    ),
    { timeoutMs: 90_000 },
  )
  const lines = done.stdout.toString().split('\n')
  const plain = lines.filter((line) => !line.startsWith('logq ') && !line.startsWith('  hint'))
  t.deepEqual(plain.slice(0, -1), [
    'full 1',
    '"strayFiles":[]}',
    'verify 0',
    'only what is archived went',
    'read-only 1',
    'new 1',
    'space 0',
    'restore 1',
    '0',
    'restored 0',
    'same',
    'gone 6',
  ])
  const said = lines.filter((line) => line.startsWith('logq ')).join('\n')
  t.regex(said, /archive: (cannot write '.*disk\/a\/.*no space left on device|only \d+ of .* written to '.*disk\/a\/)/)
  t.regex(said, /archive: .*disk\/a\/.*read-only file system/)
  t.regex(said, /archive: cannot create '[^']*disk\/new': read-only file system/)
  t.regex(said, /what was archived of 't-0' is no longer at/)
})
