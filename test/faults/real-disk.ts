/** Real file systems that fail: an ext4 image on a loop device, in a mount namespace of its own. */
import { spawnSync } from 'node:child_process'
import type { ExecutionContext } from 'ava'
import { makeCli, shellQuote, type Cli } from '../helpers/run-cli.js'

/** Mounts `image`, of that size and with these options for mkfs.ext4, on `disk`; the image lies in a tmpfs of `roomMiB`. */
export interface Ext4 {
  readonly sizeMiB: number
  /** Less than the image needs: the device fails when it is written to. */
  readonly roomMiB?: number
  readonly mkfs?: string
}

/**
 * A script with a fresh file system at `disk`, where the store is. Everything ends with the script: the namespace takes the mounts along.
 * Ends with status 77 where none can be made.
 */
export function onExt4({ sizeMiB, roomMiB = 2 * sizeMiB, mkfs = '' }: Ext4, script: string): string {
  return `mkdir -p disk room && unshare -m bash -c ${shellQuote(
    `{ mount -t tmpfs -o size=${roomMiB}m none room && truncate -s ${sizeMiB}M room/image &&
       mkfs.ext4 -q -E nodiscard ${mkfs} room/image && mount -o loop room/image disk; } > mounting 2>&1 || exit 77
     trap 'umount -l disk room' EXIT
     export LOGQ_STORE=$PWD/disk/store
     ${script}`,
  )}`
}

/** Runs a test that needs root and loop devices, or says in one line why not. */
export async function withExt4(t: ExecutionContext, run: (cli: Cli) => Promise<void>): Promise<void> {
  const isRoot = process.getuid?.() === 0
  const cli = makeCli(t)
  if (
    !isRoot ||
    spawnSync('mkfs.ext4', ['-V']).error !== undefined ||
    (await cli.shell(onExt4({ sizeMiB: 8 }, 'exit 0'))).status !== 0
  ) {
    t.log('left out: no ext4 image can be mounted here (root, loop devices and mkfs.ext4 are needed)')
    t.pass()
    return
  }
  await run(cli)
}
