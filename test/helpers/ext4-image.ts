/**
 * A real ext4 file system in a file, whose power can be cut: the ioctl that shuts ext4 down loses what was not on the device, as a
 * machine that stops does. Linux, as root, with loop mounts.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/**
 * 'data lost': nothing is written any more, the journal neither. 'names ahead of data': the journal is written, the data that it speaks
 * of are not.
 */
export type CutKind = 'data lost' | 'names ahead of data'

const FLAGS: Readonly<Record<CutKind, number>> = { 'names ahead of data': 1, 'data lost': 2 }
const OPTIONS: Readonly<Record<CutKind, string>> = {
  'names ahead of data': 'loop,nodelalloc,data=writeback',
  'data lost': 'loop',
}
const UNMOUNT_ATTEMPTS = 200
const EXT4_IOC_SHUTDOWN = 0x80_04_58_7d

const SHUTDOWNS: readonly (readonly [program: string, args: (path: string, flags: number) => string[]])[] = [
  [
    'python3',
    (path, flags) => [
      '-c',
      `import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), ${EXT4_IOC_SHUTDOWN}, struct.pack('I', ${flags}))`,
      path,
    ],
  ],
  [
    'perl',
    (path, flags) => [
      '-e',
      `sysopen(D, $ARGV[0], 0) or die $!; my $flags = pack('I', ${flags}); ioctl(D, ${EXT4_IOC_SHUTDOWN}, $flags) or die $!`,
      path,
    ],
  ],
]

/** Why the power of a real file system cannot be cut here, or undefined. Tries it once. */
export function ext4Missing(t: ExecutionContext, directory: string): string | undefined {
  if (process.platform !== 'linux') return 'ext4 is there on Linux only'
  if (process.getuid?.() !== 0) return 'only root may mount a file system'
  if (!isThere('mkfs.ext4', ['-V'])) return 'mkfs.ext4 is not installed'
  if (shutdownProgram() === undefined) return 'neither python3 nor perl is installed'
  try {
    const image = new Ext4Image(t, directory, 'data lost', 'trial')
    image.cutPower()
    image.unmount()
  } catch (error) {
    return `no ext4 image can be mounted, and its power cut: ${error instanceof Error ? error.message : String(error)}`
  }
  return undefined
}

/** Mounted from the beginning; unmounted when the test ends, whatever happens. */
export class Ext4Image {
  path: string
  #starts = 0
  /** Where it is mounted. */
  readonly mountPoint: string

  constructor(
    t: ExecutionContext,
    directory: string,
    private readonly kind: CutKind,
    name = 'disk',
    /** Of an image that is there already. */
    existing?: string,
  ) {
    this.path = existing ?? join(directory, `${name}.img`)
    this.mountPoint = join(directory, name)
    mkdirSync(this.mountPoint)
    t.teardown(() => {
      // What still uses it is gone by the time the kernel lets go of it.
      spawnSync('umount', ['--lazy', this.mountPoint], { stdio: 'ignore' })
    })
    if (existing === undefined) {
      run('truncate', ['-s', '32M', this.path])
      run('mkfs.ext4', ['-q', '-F', this.path])
    }
    this.mount()
  }

  mount(): void {
    run('mount', ['-o', OPTIONS[this.kind], this.path, this.mountPoint])
  }

  /** Every call on the file system fails from now on. */
  cutPower(): void {
    const program = shutdownProgram()
    if (program === undefined) throw new Error('neither python3 nor perl is installed')
    const [name, args] = program
    run(name, args(this.mountPoint, FLAGS[this.kind]))
  }

  /** Nobody may have a file of it open any more; the kernel may take a while to close those of a process that was killed. */
  unmount(): void {
    for (let attempt = 1; attempt < UNMOUNT_ATTEMPTS; attempt += 1) {
      if (spawnSync('umount', [this.mountPoint], { stdio: 'ignore' }).status === 0) return
      spawnSync('sleep', ['0.1'])
    }
    run('umount', [this.mountPoint])
  }

  /**
   * As the machine finds it when it starts again. Mounted is a copy: another mount namespace may still have the old mount, and would
   * keep the file system in its dead state.
   */
  startAgain(): void {
    this.unmount()
    this.#starts += 1
    const next = `${this.path.replace(/\.\d+$/, '')}.${this.#starts}`
    run('cp', ['--sparse=always', this.path, next])
    rmSync(this.path)
    this.path = next
    this.mount()
  }

  /**
   * A copy of the image while it is mounted: what a snapshot of a virtual machine's disk holds. Copying takes time, and is a snapshot
   * only as long as whoever writes stands still: otherwise blocks that were copied late speak of blocks that were copied early.
   */
  snapshot(to: string): void {
    copyFileSync(this.path, to)
  }
}

function shutdownProgram(): (typeof SHUTDOWNS)[number] | undefined {
  return SHUTDOWNS.find(([program]) => isThere(program, ['--version']))
}

function isThere(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).error === undefined
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
}
