/** Files of a group with any byte wrong, or cut short: whole commits survive, and what cannot be known is refused by name, or rebuilt. */
import test from 'ava'
import { isLogqError } from '../../../lib/errors.js'
import { GroupFiles } from '../../../lib/store/group/group-files.js'
import { openStore } from '../../../lib/store/store.js'
import { findTopic } from '../../../lib/store/topics.js'
import { GroupWorld } from '../../consume/group/group-world.js'
import { createFakeSystem, type FakeSystem } from '../../helpers/fake-system.js'
import { STORE } from '../tiny-store.js'

const DIRECTORY = `${STORE}/groups/g`
const RECORDS = 3
/** Every byte of the small files that a new member meets, by hand: LOGQ_DAMAGE_STEP=1. */
const STEP = Number(process.env['LOGQ_DAMAGE_STEP'] ?? 23)

/** The disk after a member died that had read everything of two partitions, and committed durably. */
async function afterDeath(): Promise<FakeSystem> {
  const world = await GroupWorld.create(2, RECORDS)
  const member = await world.start({ isEager: true })
  await world.settled()
  await world.committedTo(RECORDS)
  await member.consumer.sync()
  member.kill()
  return createFakeSystem({ disk: world.disk, clock: world.clock })
}

function read(system: FakeSystem, path: string): Buffer {
  const fd = system.fs.open(path, 'read')
  const bytes = Buffer.alloc(system.fs.fileStatus(fd).sizeBytes)
  system.fs.read(fd, bytes, 0, bytes.length, 0)
  system.fs.close(fd)
  return bytes
}

function write(system: FakeSystem, path: string, bytes: Uint8Array): void {
  const fd = system.fs.open(path, 'read-write')
  system.fs.truncate(fd, 0)
  if (bytes.length > 0) system.fs.write(fd, bytes, 0, bytes.length, 0)
  system.fs.close(fd)
}

/** Each byte with a bit of it wrong, and each length that is too short; of large files, every `step`th. */
function* damages(bytes: Buffer, step = 1): Generator<{ readonly how: string; readonly bytes: Buffer }> {
  for (let at = 0; at < bytes.length; at += step) {
    const wrong = Buffer.from(bytes)
    wrong[at] = (wrong[at] ?? 0) ^ (1 << (at % 8))
    yield { how: `byte ${at} wrong`, bytes: wrong }
    yield { how: `cut to ${at} bytes`, bytes: bytes.subarray(0, at) }
  }
}

/** The committed offsets for those who go by them, or the error. */
async function offsetsOf(system: FakeSystem): Promise<string> {
  const store = openStore(system, STORE)
  const files = GroupFiles.open(store, 'g')
  try {
    return await files.change(({ requireOffsets }) => {
      const offsets = requireOffsets()
      const topicId = findTopic(store, 't')?.topicId ?? ''
      return [0, 1].map((partition) => String(offsets.get('t', topicId, partition)?.offset)).join()
    })
  } catch (error) {
    if (!isLogqError(error, 'LOGQ_CORRUPT')) throw error
    return error.message
  } finally {
    files.close()
  }
}

test('offsets with any byte wrong, or cut short: refused by name and position', async (t) => {
  const system = await afterDeath()
  const path = `${DIRECTORY}/offsets`
  const whole = read(system, path)
  t.is(await offsetsOf(system), '3,3')
  for (const { how, bytes } of damages(whole)) {
    write(system, path, bytes)
    t.regex(await offsetsOf(system), new RegExp(`^'${path}' is damaged at position \\d+: commits may be missing$`), how)
  }
  write(system, path, whole)
  t.is(await offsetsOf(system), '3,3')
})

test('a lock file with any byte wrong, or cut short, takes nothing away', async (t) => {
  const system = await afterDeath()
  const path = `${DIRECTORY}/lock`
  const whole = read(system, path)
  t.true(whole.length > 250)
  for (const { how, bytes } of damages(whole)) {
    write(system, path, bytes)
    t.is(await offsetsOf(system), '3,3', how)
  }
})

for (const name of ['group.json', 'the file of a member'] as const) {
  test(`${name} with a byte wrong, or cut short: the next member finds a group that works, or is refused by name`, async (t) => {
    const first = await afterDeath()
    const members = first.fs.list(`${DIRECTORY}/members`).filter((one) => one.endsWith('.json'))
    const path = name === 'group.json' ? `${DIRECTORY}/group.json` : `${DIRECTORY}/members/${members[0] ?? ''}`
    const whole = read(first, path)
    let refused = 0
    for (const { how, bytes } of damages(whole, STEP)) {
      const disk = first.disk.afterPowerCut({ seed: 1, keepUnsynced: 'all' })
      const system = createFakeSystem({ disk, clock: first.clock })
      write(system, path, bytes)
      let world
      try {
        world = GroupWorld.around(system)
        await world.start()
      } catch (error) {
        t.true(isLogqError(error, 'LOGQ_NEWER_FORMAT'), `${how}: ${String(error)}`)
        refused += 1
        continue
      }
      await world.settled()
      for (const partition of [0, 1]) await world.produce(partition, 1)
      await world.committedTo(RECORDS + 1)
      await world.end()
      t.deepEqual(world.problems, [], how)
    }
    // Words of a newer logq.
    t.true(name === 'group.json' ? refused < 60 : refused === 0, `${refused} refused`)
  })
}
