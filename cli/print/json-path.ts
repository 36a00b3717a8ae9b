/**
 * A path to a place in a JSON value, in the form that jq has for it: `.user.id`, `.items[0].id`, `."odd name"`, `.["odd name"]`, and
 * `.` for the value as a whole.
 */
import { usageError } from '../errors.js'

export interface JsonPath {
  /** As it was typed. */
  readonly text: string
  /** Names of members, and numbers of elements from 0. */
  readonly steps: readonly (string | number)[]
}

const steps =
  /(?:\.(?<name>[A-Za-z_][A-Za-z0-9_]*)|\.(?<quoted>"(?:[^"\\]|\\.)*")|\.?\[(?:(?<index>0|[1-9]\d*)|(?<inBrackets>"(?:[^"\\]|\\.)*"))\])/y

/** Throws a usage error for text that is not a path. */
export function parseJsonPath(text: string): JsonPath {
  if (text === '.') return { text, steps: [] }
  const found: (string | number)[] = []
  // A path begins with a dot; between steps `.[0]` and `[0]` are the same.
  let at = text.startsWith('.') ? 0 : -1
  while (at >= 0 && at < text.length) {
    steps.lastIndex = at
    const groups = steps.exec(text)?.groups
    if (groups === undefined) break
    at = steps.lastIndex
    const { name, index } = groups
    found.push(name ?? (index === undefined ? stringOf(groups['quoted'] ?? groups['inBrackets'] ?? '', text) : Number(index)))
  }
  if (at !== text.length) throw invalidPath(text)
  return { text, steps: found }
}

function stringOf(source: string, text: string): string {
  try {
    return JSON.parse(source) as string
  } catch {
    throw invalidPath(text)
  }
}

function invalidPath(text: string): Error {
  return usageError(`invalid path '${text}'`, 'a path is written as .id, .user.id, .items[0].id, or ."odd name".id')
}
