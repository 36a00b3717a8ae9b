/**
 * A store: the directory that holds topics (format-spec/store.md). Opening one reads a single small file; nothing is scanned.
 *
 * A directory without `logq.json` that holds `<topic>-<partition>/` folders is a Kafka log.dir, perhaps in use by a broker: it opens
 * read-only.
 */
import { LogqError, systemErrorCode } from '../errors.js'
import { createDirectory, isTemporaryName, ownershipOf, readSmallFile, replaceFile, type Ownership } from '../system/durable.js'
import type { FileStatus } from '../system/file-system.js'
import { withFileLock } from '../system/file-lock.js'
import type { LockWait } from '../system/lock-wait.js'
import type { System } from '../system/system.js'
import { STORE_FILE, STORE_LOCK_FILE, TOPICS_DIRECTORY, partitionsInListing } from './names.js'

export const STORE_FORMAT_VERSION = 1
const DEFAULT_DIRECTORY_MODE = 0o700

export interface Store {
  readonly system: System
  readonly path: string
  readonly kind: 'logq' | 'kafka'
  /** Undefined for a Kafka log.dir. */
  readonly storeId: string | undefined
  readonly ownership: Ownership
}

/** And how to wait for another process that is creating the store. */
export interface CreateStoreOptions extends LockWait {
  /** Permissions of the directory; files get them without the execute bits. Default 0700. */
  readonly mode?: number
  /** Write although the file system is one on which locks or syncs cannot be relied on (NFS, SMB, 9p, FUSE). */
  readonly allowNetworkFileSystem?: boolean
}

/** Opens an existing store. Throws LOGQ_UNKNOWN_STORE, LOGQ_NEWER_FORMAT, LOGQ_CORRUPT, or a system error. */
export function openStore(system: System, path: string): Store {
  const status = statusOf(system, path)
  if (status === undefined) {
    throw new LogqError('LOGQ_UNKNOWN_STORE', `store '${path}' does not exist`, {
      hint: "choose another with -s or LOGQ_STORE; 'logq topic create' and 'logq produce' create one",
    })
  }
  if (status.kind !== 'directory') throw new LogqError('LOGQ_UNKNOWN_STORE', `store '${path}' is not a directory`)
  const ownership = ownershipOf(status)
  const read = () => readSmallFile(system.fs, `${path}/${STORE_FILE}`)
  let file = read()
  let names: readonly string[] = []
  if (file === undefined) {
    names = system.fs.list(path)
    // Another process may have created the store meanwhile, and partitions in it: what was listed says nothing without this.
    file = read()
  }
  if (file !== undefined)
    return { system, path, kind: 'logq', storeId: parseStoreFile(file, `${path}/${STORE_FILE}`), ownership }
  if (partitionsInListing(names).length > 0) {
    return { system, path, kind: 'kafka', storeId: undefined, ownership }
  }
  throw new LogqError('LOGQ_UNKNOWN_STORE', `'${path}' is not a logq store: it has no ${STORE_FILE}`, {
    hint: "choose another with -s or LOGQ_STORE; 'logq topic create' and 'logq produce' create one in an empty directory",
  })
}

/** Opens a store for writing, creating it when there is none, or only an empty directory. Throws also LOGQ_READ_ONLY_STORE. */
export async function openOrCreateStore(system: System, path: string, options: CreateStoreOptions = {}): Promise<Store> {
  try {
    return requireWritable(openStore(system, path), options)
  } catch (error) {
    if (!(error instanceof LogqError) || error.code !== 'LOGQ_UNKNOWN_STORE') throw error
    if (!canBecomeStore(system, path)) throw error
  }
  makeDirectories(system, path, options.mode ?? DEFAULT_DIRECTORY_MODE)
  refuseFileSystem(system, path, options)
  const status = statusOf(system, path)
  if (status === undefined) throw new LogqError('LOGQ_IO', `store '${path}' vanished while it was created`)
  const ownership = ownershipOf(status)
  const create = () => {
    if (readSmallFile(system.fs, `${path}/${STORE_FILE}`) === undefined) writeStore(system, path, ownership)
  }
  await withStoreLock({ system, path, ownership }, create, options)
  return openStore(system, path)
}

/** Throws LOGQ_READ_ONLY_STORE for a Kafka log.dir, LOGQ_IO for a file system on which locks cannot be relied on. */
export function requireWritable(store: Store, options: Pick<CreateStoreOptions, 'allowNetworkFileSystem'> = {}): Store {
  if (store.kind === 'kafka') {
    throw new LogqError('LOGQ_READ_ONLY_STORE', `'${store.path}' is a Kafka log directory and opens read-only`, {
      hint: 'produce to the broker that owns it, or choose another store with -s',
    })
  }
  refuseFileSystem(store.system, store.path, options)
  return store
}

/**
 * Runs `change` while no other process changes topics. Changes of topics are rare and short; appends do not take this lock, and
 * nobody waits for an append lock while holding it. Throws LOGQ_BUSY, or LOGQ_ABORTED when the signal ends the wait; `change`
 * itself is not interrupted.
 */
export async function withStoreLock<Result>(
  store: Pick<Store, 'system' | 'path' | 'ownership'>,
  change: () => Result | Promise<Result>,
  wait: LockWait = {},
): Promise<Result> {
  return await withFileLock(store.system, `${store.path}/${STORE_LOCK_FILE}`, store.ownership, change, wait, 'LOGQ_IO')
}

/** 1 topics directory, 2 logq.json (the store exists from here on). Crash before 2: the next creation starts again. */
function writeStore(system: System, path: string, ownership: Ownership): void {
  makeDirectory(system, `${path}/${TOPICS_DIRECTORY}`, ownership)
  system.failpoint('store.before-file')
  const content = {
    formatVersion: STORE_FORMAT_VERSION,
    storeId: randomId(system),
    created: new Date(system.clock.nowMs()).toISOString(),
  }
  replaceFile(system, `${path}/${STORE_FILE}`, Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`), ownership)
}

function parseStoreFile(bytes: Uint8Array, file: string): string {
  const content = parseJsonObject(bytes, file)
  checkFormatVersion(content['formatVersion'], file, STORE_FORMAT_VERSION)
  const storeId = content['storeId']
  if (typeof storeId !== 'string')
    throw new LogqError('LOGQ_CORRUPT', `'${file}' has no storeId`, { hint: 'restore the file from a backup' })
  return storeId
}

/** Throws LOGQ_NEWER_FORMAT for a version above `known`, LOGQ_CORRUPT for what is no version. */
export function checkFormatVersion(version: unknown, file: string, known: number): void {
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    throw new LogqError('LOGQ_CORRUPT', `'${file}' has no format version`, { hint: 'restore the file from a backup' })
  }
  if (version > known) {
    throw new LogqError('LOGQ_NEWER_FORMAT', `'${file}' has format version ${version}, this logq knows up to ${known}`, {
      hint: 'use a newer logq',
    })
  }
}

export function parseJsonObject(bytes: Uint8Array, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Said below.
  }
  throw new LogqError('LOGQ_CORRUPT', `'${file}' is not a JSON object`, { hint: 'restore the file from a backup' })
}

/** 16 random bytes as Kafka writes ids: base64url without padding, not beginning with '-'. */
export function randomId(system: System): string {
  for (;;) {
    const id = Buffer.from(system.random.bytes(16)).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}

/** Makes a directory of a store, unless it is there. */
export function makeDirectory(system: System, path: string, ownership: Ownership): void {
  unlessThere(() => {
    createDirectory(system, path, ownership)
  })
}

function unlessThere(make: () => void): void {
  try {
    make()
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error
  }
}

/** Nothing there, an empty directory, or what a creation that is under way, crashed, or was completed a moment ago, left. */
export function canBecomeStore(system: System, path: string): boolean {
  const status = statusOf(system, path)
  if (status === undefined) return true
  if (status.kind !== 'directory') return false
  const ours = new Set([STORE_LOCK_FILE, TOPICS_DIRECTORY])
  const names = system.fs.list(path)
  return names.includes(STORE_FILE) || names.every((name) => ours.has(name) || isTemporaryName(name))
}

function makeDirectories(system: System, path: string, mode: number): void {
  const absent: string[] = []
  for (let directory = path; statusOf(system, directory) === undefined;) {
    absent.unshift(directory)
    const parent = directory.replace(/\/+[^/]+\/*$/, '')
    if (parent === directory || parent === '') break
    directory = parent
  }
  for (const directory of absent) {
    unlessThere(() => {
      system.fs.makeDirectory(directory, mode)
    })
    system.fs.syncDirectory(directory.replace(/\/*[^/]+\/*$/, '') || (directory.startsWith('/') ? '/' : '.'))
  }
}

/** What is at a path, behind a symbolic link: a store may be one, a segment file may not. */
function statusOf(system: System, path: string): FileStatus | undefined {
  const status = system.fs.pathStatus(path)
  return status?.kind === 'symlink' ? system.fs.pathStatus(`${path}/.`) : status
}

const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
])

function refuseFileSystem(system: System, path: string, options: Pick<CreateStoreOptions, 'allowNetworkFileSystem'>): void {
  if (options.allowNetworkFileSystem === true) return
  const name = NETWORK_FILE_SYSTEMS.get(system.fs.fileSystemType(path) >>> 0)
  if (name === undefined) return
  throw new LogqError('LOGQ_IO', `'${path}' is on ${name}, where locks and syncs cannot be relied on`, {
    hint: 'use a local file system, or take the risk of lost and doubled records with --allow-network-file-system',
  })
}
