import test from 'ava'
import { withFileLock } from '../../lib/system/file-lock.js'
import { withStoreLock } from '../../lib/store/store.js'
import { createFakeSystem } from '../helpers/fake-system.js'

const OWNERSHIP = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }

test('a lock file that was removed while it was waited for guards nothing, and the error says no more than that', async (t) => {
  const first = createFakeSystem()
  const second = createFakeSystem({ disk: first.disk, clock: first.clock, pid: 1001 })
  first.fs.makeDirectory('/store')
  const storeOf = (system: typeof first) => ({ system, path: '/store', ownership: OWNERSHIP })
  let end = () => {}
  const held = withStoreLock(storeOf(first), () => new Promise<void>((resolve) => (end = resolve)))
  const waiting = withStoreLock(storeOf(second), () => t.fail())
  first.fs.unlink('/store/lock')
  end()
  await held
  const error = await t.throwsAsync(waiting, { code: 'LOGQ_IO' })
  t.is(error.message, "'/store/lock' was removed while it was in use, or waited for")

  const asked = withFileLock(first, '/store/own-lock', OWNERSHIP, (checkLock) => {
    checkLock()
    first.fs.unlink('/store/own-lock')
    checkLock()
  })
  await t.throwsAsync(asked, { code: 'LOGQ_TOPIC_REMOVED' })
})
