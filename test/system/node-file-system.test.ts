import test from 'ava'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { systemErrorCode } from '../../lib/errors.js'
import { createNodeFileSystem } from '../../lib/system/node-file-system.js'

const nodeFs = createNodeFileSystem()

test('open() refuses a symbolic link, a FIFO, a device, a socket and a directory, in every mode, and names what stands there', async (t) => {
  const directory = temporaryDirectory(t)
  fs.writeFileSync(join(directory, 'target'), 'x')
  fs.symlinkSync(join(directory, 'target'), join(directory, 'link'))
  fs.symlinkSync(join(directory, 'nothing'), join(directory, 'dangling'))
  execFileSync('mkfifo', [join(directory, 'fifo')])
  fs.mkdirSync(join(directory, 'directory'))
  const server = net.createServer().listen(join(directory, 'socket'))
  await once(server, 'listening')
  t.teardown(() => server.close())

  const cases = [
    [join(directory, 'link'), 'ELOOP', 'symbolic link'],
    [join(directory, 'dangling'), 'ELOOP', 'symbolic link'],
    [join(directory, 'fifo'), 'EINVAL', 'FIFO'],
    [join(directory, 'directory'), 'EINVAL', 'directory'],
    [join(directory, 'socket'), 'EINVAL', 'socket'],
    ['/dev/null', 'EINVAL', 'device'],
  ] as const
  for (const [path, code, kind] of cases) {
    for (const mode of ['read', 'read-write', 'create'] as const) {
      const error = t.throws(() => nodeFs.open(path, mode), { message: new RegExp(kind) }, `${path} ${mode}`)
      t.is(systemErrorCode(error), code)
      t.true(error.message.includes(`'${path}'`))
    }
    t.is(
      codeOf(() => nodeFs.open(path, 'create-new')),
      'EEXIST',
    )
  }
})

test('an error on a descriptor names the file', (t) => {
  const path = join(temporaryDirectory(t), 'file')
  fs.writeFileSync(path, 'x')
  const fd = nodeFs.open(path, 'read')
  const calls: (() => unknown)[] = [() => nodeFs.write(fd, Buffer.of(1), 0, 1, 0), () => nodeFs.truncate(fd, 0)]
  for (const call of calls) t.like(t.throws(call), { path })
  nodeFs.close(fd)
})

test('open() leaves no descriptor behind when it refuses', (t) => {
  const before = fs.readdirSync('/proc/self/fd').length
  for (let i = 0; i < 20; i += 1) t.throws(() => nodeFs.open('/dev/null', 'read'))
  t.is(fs.readdirSync('/proc/self/fd').length, before)
})

test('open() modes: read-write needs the file, create keeps its bytes, create-new refuses it', (t) => {
  const path = join(temporaryDirectory(t), 'file')
  t.is(
    codeOf(() => nodeFs.open(path, 'read')),
    'ENOENT',
  )
  t.is(
    codeOf(() => nodeFs.open(path, 'read-write')),
    'ENOENT',
  )
  const fd = nodeFs.open(path, 'create-new', 0o600)
  t.is(nodeFs.fileStatus(fd).mode, 0o600)
  t.is(nodeFs.write(fd, Buffer.from('--hello--'), 2, 5, 0), 5)
  nodeFs.close(fd)
  t.is(
    codeOf(() => nodeFs.open(path, 'create-new')),
    'EEXIST',
  )
  const again = nodeFs.open(path, 'create')
  const buffer = new Uint8Array(10)
  t.is(nodeFs.read(again, buffer, 1, 9, 1), 4)
  t.is(Buffer.from(buffer).toString('latin1'), '\0ello\0\0\0\0\0')
  nodeFs.close(again)
  const reader = nodeFs.open(path, 'read')
  t.is(
    codeOf(() => nodeFs.write(reader, Buffer.from('x'), 0, 1, 0)),
    'EBADF',
  )
  nodeFs.close(reader)
})

test('pathStatus() is undefined for a missing name and for a name below a file, and does not follow links', (t) => {
  const directory = temporaryDirectory(t)
  fs.writeFileSync(join(directory, 'file'), 'four')
  fs.symlinkSync('file', join(directory, 'link'))
  t.is(nodeFs.pathStatus(join(directory, 'nothing')), undefined)
  t.is(nodeFs.pathStatus(join(directory, 'file', 'below')), undefined)
  t.is(nodeFs.pathStatus(join(directory, 'link'))?.kind, 'symlink')
  t.is(nodeFs.pathStatus(directory)?.kind, 'directory')
  t.is(nodeFs.pathStatus('/dev/null')?.kind, 'other')
  const status = nodeFs.pathStatus(join(directory, 'file'))
  const real = fs.statSync(join(directory, 'file'))
  t.like(status, { kind: 'file', sizeBytes: 4, device: real.dev, inode: real.ino, userId: real.uid, groupId: real.gid })
  t.true(Math.abs((status?.modifiedMs ?? 0) - Date.now()) < 60_000)
})

test('fdatasync() resolves on a file, also through a read-only descriptor, and rejects on one that is not open', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  fs.writeFileSync(path, 'x')
  const fd = nodeFs.open(path, 'read')
  await nodeFs.fdatasync(fd)
  nodeFs.fdatasyncBlocking(fd)
  nodeFs.close(fd)
  t.is(systemErrorCode(await t.throwsAsync(nodeFs.fdatasync(1_000_000))), 'EBADF')
})

test('list() sorts, and the directory calls do what their names say', (t) => {
  const directory = temporaryDirectory(t)
  nodeFs.makeDirectory(join(directory, 'inner'), 0o700)
  for (const name of ['b', 'a', '10', '9']) nodeFs.close(nodeFs.open(join(directory, 'inner', name), 'create-new'))
  nodeFs.rename(join(directory, 'inner', 'b'), join(directory, 'inner', 'c'))
  nodeFs.unlink(join(directory, 'inner', '9'))
  nodeFs.syncDirectory(join(directory, 'inner'))
  t.deepEqual(nodeFs.list(join(directory, 'inner')), ['10', 'a', 'c'])
  t.is(nodeFs.pathStatus(join(directory, 'inner'))?.mode, 0o700)
  t.is(
    codeOf(() => nodeFs.removeDirectory(join(directory, 'inner'))),
    'ENOTEMPTY',
  )
  t.is(
    codeOf(() => nodeFs.syncDirectory(join(directory, 'inner', 'a'))),
    'ENOTDIR',
  )
})

test('truncate() cuts and extends, changeMode() and changeOwner() take effect', (t) => {
  const fd = nodeFs.open(join(temporaryDirectory(t), 'file'), 'create-new')
  nodeFs.write(fd, Buffer.from('abcdef'), 0, 6, 0)
  nodeFs.truncate(fd, 2)
  nodeFs.truncate(fd, 4)
  nodeFs.changeMode(fd, 0o640)
  const { userId, groupId } = nodeFs.fileStatus(fd)
  nodeFs.changeOwner(fd, userId, groupId)
  t.like(nodeFs.fileStatus(fd), { sizeBytes: 4, mode: 0o640, userId, groupId })
  const buffer = new Uint8Array(4)
  nodeFs.read(fd, buffer, 0, 4, 0)
  t.is(Buffer.from(buffer).toString('latin1'), 'ab\0\0')
  nodeFs.close(fd)
})

test('fileSystemType() tells file systems apart by their number', (t) => {
  t.true(nodeFs.fileSystemType(os.tmpdir()) > 0)
  if (process.platform === 'linux') t.is(nodeFs.fileSystemType('/proc'), 0x9fa0)
})

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return systemErrorCode(error)
  }
}

function temporaryDirectory(t: { teardown(fn: () => void): void }): string {
  const directory = fs.mkdtempSync(join(os.tmpdir(), 'logq-fs-'))
  t.teardown(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}
