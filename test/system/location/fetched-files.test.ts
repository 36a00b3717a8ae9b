/** Files that are fetched as far as they are read, from a location in memory that notes what it is asked for. */
import { tmpdir } from 'node:os'
import test from 'ava'
import { CorruptionError } from '../../../lib/errors.js'
import { whenFetched } from '../../../lib/system/awaited-bytes.js'
import { FetchedFiles } from '../../../lib/system/location/fetched-files.js'
import type { Location } from '../../../lib/system/location/location.js'
import { createNodeSystem } from '../../../lib/system/node-system.js'
import { createSeededRandom } from '../../helpers/seeded-random.js'

const MIB = 1 << 20
const CONTENT = Buffer.from(createSeededRandom(1).bytes(20 * MIB))

interface Fetch {
  readonly position: number
  readonly length: number
}

function filesOf(content: Buffer, read?: (fetch: Fetch) => Promise<void>, keptBytes?: number) {
  const fetches: Fetch[] = []
  const location: Pick<Location, 'sizeOf' | 'read'> = {
    sizeOf: () => Promise.resolve(content.length),
    read: async (_, position, length) => {
      fetches.push({ position, length })
      await read?.({ position, length })
      return content.subarray(position, position + length)
    },
  }
  const files = new FetchedFiles(createNodeSystem(), () => location as Location, keptBytes)
  const open = (sizeBytes = content.length, name = 'file') =>
    files.open({
      name,
      version: '',
      sizeBytes,
      damaged: (what, position) => new CorruptionError(what, { file: 'file', position }),
    })
  return { fetches, open }
}

/** What a look-up does: it opens the file, reads a little here and there from the beginning on, and closes it. */
function walk(open: ReturnType<typeof filesOf>['open'], stepBytes: number, name?: string): Buffer {
  const file = open(CONTENT.length, name)
  try {
    const found: Buffer[] = []
    for (let position = 0; position < CONTENT.length; position += stepBytes) {
      const piece = Buffer.alloc(61)
      found.push(piece.subarray(0, file.read(piece, 0, piece.length, position)))
    }
    return Buffer.concat(found)
  } finally {
    file.close()
  }
}

test('a walk that begins anew after each range comes to its end, and nothing is fetched twice', async (t) => {
  t.timeout(60_000)
  const { fetches, open } = filesOf(CONTENT, () => new Promise((resolve) => setTimeout(resolve, 5)))
  const found = await whenFetched(() => walk(open, 16_000))
  t.is(found.length, Math.ceil(CONTENT.length / 16_000) * 61)
  t.true(found.subarray(-61).equals(CONTENT.subarray(Math.floor(CONTENT.length / 16_000) * 16_000).subarray(0, 61)))
  t.is(
    fetches.reduce((sum, { length }) => sum + length, 0),
    CONTENT.length,
  )
  t.true(Math.max(...fetches.map(({ length }) => length)) <= 8 * MIB)
  t.true(fetches.length < 12)
})

test('a look at one place fetches one small range; reading is what the file has', async (t) => {
  const { fetches, open } = filesOf(CONTENT)
  const file = open()
  const piece = Buffer.alloc(1000)
  const count = await whenFetched(() => file.read(piece, 0, 1000, 10 * MIB + 5))
  t.is(count, 1000)
  t.true(piece.equals(CONTENT.subarray(10 * MIB + 5, 10 * MIB + 1005)))
  t.deepEqual(fetches, [{ position: 10 * MIB, length: MIB / 4 }])
  t.is(await whenFetched(() => file.read(piece, 0, 1000, CONTENT.length - 10)), 10)
  t.is(file.read(piece, 0, 1000, CONTENT.length), 0)
  file.close()
})

test('what is not as large as it is to be is damaged, and is not read', async (t) => {
  const { fetches, open } = filesOf(CONTENT)
  const file = open(CONTENT.length + 1)
  const error = await t.throwsAsync(
    whenFetched(() => file.read(Buffer.alloc(10), 0, 10, 0)),
    { instanceOf: CorruptionError },
  )
  t.regex(error.message, /has 20971520 bytes, and 20971521 are expected/)
  t.deepEqual(fetches, [])
})

test('a signal ends the wait', async (t) => {
  const { open } = filesOf(CONTENT, () => new Promise(() => undefined))
  const file = open()
  const stop = new AbortController()
  const reading = whenFetched(() => file.read(Buffer.alloc(10), 0, 10, 0), stop.signal)
  setTimeout(() => {
    stop.abort()
  }, 10)
  await t.throwsAsync(reading, { code: 'LOGQ_ABORTED' })
})

test.serial('no temporary directory: an error that names it', async (t) => {
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = '/nowhere/at/all'
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  })
  t.is(tmpdir(), '/nowhere/at/all')
  const { open } = filesOf(CONTENT)
  const file = open()
  const error = await t.throwsAsync(
    whenFetched(() => file.read(Buffer.alloc(10), 0, 10, 0)),
    { code: 'LOGQ_IO' },
  )
  t.regex(error.message, /cannot be kept in '\/nowhere\/at\/all'/)
})

test('two walks at once, in files for which there is no room when nobody has them open, come to their ends', async (t) => {
  t.timeout(60_000)
  const { fetches, open } = filesOf(CONTENT, () => new Promise((resolve) => setTimeout(resolve, 5)), MIB)
  const both = await Promise.all(['a', 'b'].map((name) => whenFetched(() => walk(open, 16_000, name))))
  t.deepEqual(
    both.map(({ length }) => length),
    [both[0]?.length, both[0]?.length],
  )
  t.true(fetches.length < 200)
})
