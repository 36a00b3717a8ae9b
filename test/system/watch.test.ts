import test from 'ava'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createNodeChangeHints } from '../../lib/system/watch.js'

const hints = createNodeChangeHints()

test.serial('every one of 1,000 appends to a file in the directory is followed by a hint', async (t) => {
  const directory = temporaryDirectory(t)
  const fd = fs.openSync(join(directory, 'file'), 'a')
  t.teardown(() => fs.closeSync(fd))
  const next = await watching(t, directory, fd)
  for (let i = 0; i < 1000; i += 1) {
    const hinted = next()
    fs.writeSync(fd, 'x')
    if (!(await hinted)) return t.fail(`no hint within a second after append ${i}`)
  }
  t.pass()
})

test.serial('creation, removal and renaming in the directory are hinted', async (t) => {
  const directory = temporaryDirectory(t)
  const fd = fs.openSync(join(directory, 'file'), 'a')
  t.teardown(() => fs.closeSync(fd))
  const next = await watching(t, directory, fd)
  const changes = [
    () => fs.closeSync(fs.openSync(join(directory, 'new'), 'wx')),
    () => fs.renameSync(join(directory, 'new'), join(directory, 'other')),
    () => fs.unlinkSync(join(directory, 'other')),
  ]
  for (const change of changes) {
    const hinted = next()
    change()
    t.true(await hinted, change.toString())
  }
})

if (process.platform === 'linux') {
  test.serial('a directory of 200 files takes one inotify watch, and gives it back when stopped', async (t) => {
    const directory = temporaryDirectory(t)
    for (let i = 0; i < 200; i += 1) fs.writeFileSync(join(directory, String(i)), '')
    const before = inotifyWatches()
    const fd = fs.openSync(join(directory, '0'), 'a')
    t.teardown(() => fs.closeSync(fd))
    const controls: { stop?: () => void } = {}
    await watching(t, directory, fd, controls)
    t.is(inotifyWatches() - before, 1)
    controls.stop?.()
    await delay(20)
    t.is(inotifyWatches(), before)
  })
}

test.serial('a directory that is missing, or goes away, gives silence and no error', async (t) => {
  const stopMissing = hints.watch('/nothing/here', () => {})
  const directory = temporaryDirectory(t)
  const fd = fs.openSync(join(directory, 'file'), 'a')
  await watching(t, directory, fd)
  fs.closeSync(fd)
  fs.rmSync(directory, { recursive: true })
  await delay(50)
  stopMissing()
  t.pass()
})

test.serial('with no descriptor left for a watch there is silence and no error', (t) => {
  const directory = temporaryDirectory(t)
  const module = new URL('../../lib/system/watch.js', import.meta.url).href
  const program = `
    import fs from 'node:fs'
    import { createNodeChangeHints } from ${JSON.stringify(module)}
    const hints = createNodeChangeHints()
    // Loads what it needs while it can.
    hints.watch('/nothing/here', () => {})()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const held = []
    try {
      for (;;) held.push(fs.openSync('/dev/null'))
    } catch {}
    const stop = hints.watch(${JSON.stringify(directory)}, () => {})
    await new Promise((resolve) => setTimeout(resolve, 100))
    stop()
    for (const fd of held) fs.closeSync(fd)
    console.log('silent')`
  const command = `ulimit -n 100; exec "${process.execPath}" --input-type=module -e "$PROGRAM"`
  const { stdout, stderr } = spawnSync('bash', ['-c', command], { env: { ...process.env, PROGRAM: program }, encoding: 'utf8' })
  t.deepEqual([stdout, stderr], ['silent\n', ''])
})

test.serial('no hint comes after the stop, also when it came before the watch had begun', async (t) => {
  const directory = temporaryDirectory(t)
  let hinted = 0
  const stop = hints.watch(directory, () => {
    hinted += 1
  })
  stop()
  await delay(50)
  fs.writeFileSync(join(directory, 'file'), 'x')
  await delay(50)
  t.is(hinted, 0)
})

/** Starts a watch, waits until it gives hints, and returns a function that waits for the next one: false after a second without. */
async function watching(
  t: { teardown(fn: () => void): void },
  directory: string,
  fd: number,
  controls: { stop?: () => void } = {},
): Promise<() => Promise<boolean>> {
  let wake = () => {}
  const stop = hints.watch(directory, () => wake())
  controls.stop = stop
  t.teardown(stop)
  const next = (): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), 1000)
      wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  // The watch begins a little later: write until the first hint, then let what is still under way pass.
  const first = next()
  const writing = setInterval(() => fs.writeSync(fd, '.'), 5)
  await first
  clearInterval(writing)
  await delay(30)
  return next
}

function inotifyWatches(): number {
  let count = 0
  for (const fd of fs.readdirSync('/proc/self/fd')) {
    try {
      if (!fs.readlinkSync(`/proc/self/fd/${fd}`).includes('inotify')) continue
      count += fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').match(/^inotify wd/gm)?.length ?? 0
    } catch {
      // A descriptor that was closed since the listing.
    }
  }
  return count
}

function temporaryDirectory(t: { teardown(fn: () => void): void }): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'logq-watch-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}
