/** Where the store is: -s, else LOGQ_STORE, else the default below the home directory. */
import type { Io } from './io.js'
import { usageError } from './errors.js'

export function storePath(option: string | undefined, io: Pick<Io, 'env'>): string {
  if (option !== undefined) return nonEmpty(option, '--store')
  const { LOGQ_STORE: named, XDG_DATA_HOME: data, HOME: home } = io.env
  if (named !== undefined) return nonEmpty(named, 'LOGQ_STORE')
  if (data !== undefined && data.startsWith('/')) return `${trimmed(data)}/logq`
  if (home !== undefined && home !== '') return `${trimmed(home)}/.local/share/logq`
  throw usageError('there is no home directory to keep the store in', 'name the store with -s PATH or LOGQ_STORE')
}

function nonEmpty(path: string, where: string): string {
  if (path === '') throw usageError(`${where} is empty`, 'it is the path of a directory')
  return trimmed(path)
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, '')
}
