/** A partition of a store in memory, whose files a test puts there byte by byte. */
import { createPartition } from '../../lib/log/create-partition.js'
import type { LogConfig, LogContext } from '../../lib/log/log-context.js'
import { createFakeSystem, type FakeSystem } from '../helpers/fake-system.js'

export interface PartitionInMemory {
  readonly system: FakeSystem
  readonly context: LogContext
  readonly put: (name: string, bytes: Uint8Array) => void
  /** Undefined when there is no such file. */
  readonly get: (name: string) => Buffer | undefined
}

export function createPartitionInMemory(config: Partial<LogConfig> = {}): PartitionInMemory {
  const system = createFakeSystem()
  const { fs } = system
  const directory = '/events-0'
  const ownership = { userId: 0, groupId: 0, fileMode: 0o600, directoryMode: 0o700 }
  createPartition(system, directory, ownership)
  const settings: LogConfig = { segmentBytes: 1 << 20, segmentMs: 1e12, indexIntervalBytes: 4096, ...config }
  return {
    system,
    context: { system, directory, topic: 'events', partition: 0, ownership, config: () => settings },
    put(name, bytes) {
      const fd = fs.open(`${directory}/${name}`, 'create')
      fs.truncate(fd, 0)
      fs.write(fd, bytes, 0, bytes.length, 0)
      fs.close(fd)
    },
    get(name) {
      if (fs.pathStatus(`${directory}/${name}`) === undefined) return undefined
      const fd = fs.open(`${directory}/${name}`, 'read')
      const bytes = Buffer.alloc(fs.fileStatus(fd).sizeBytes)
      fs.read(fd, bytes, 0, bytes.length, 0)
      fs.close(fd)
      return bytes
    },
  }
}

export function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}

export const FIRST_LOG = '00000000000000000000.log'
