/**
 * The objects that `rpk topic consume` prints, on several lines unless it was told `--pretty-print=false`:
 *
 *     {"topic":"t","key":"k","value":"v","headers":[{"key":"name","value":"text"}],
 *      "timestamp":1763700000000,"partition":0,"offset":7}
 *
 * rpk leaves the key out when it is null or empty, and the value when it is null (older versions: also when it is empty);
 * here a key or value that is missing is null. The value of a header is never null. What was not UTF-8 has been replaced by U+FFFD
 * by rpk itself. With `--meta-only` there is "value_size" in place of the value, which is refused.
 */
import type { Header } from '../../lib/record/record.js'
import type { ParsedRecord } from '../print/parsed-record.js'
import {
  bytesOfValue,
  elementsOf,
  invalid,
  memberObject,
  membersOf,
  numberOfValue,
  partitionOf,
  recordOf,
  shown,
  textOfValue,
  type ByteValue,
} from './json-bytes.js'
import type { ObjectFormat } from './object-records.js'

export const rpkFormat: ObjectFormat = {
  fields: ['topic', 'key', 'value', 'headers', 'timestamp', 'partition', 'offset'],
  parse(bytes) {
    const members = membersOf(bytes)
    return { members, parsed: parseMembers(members) }
  },
}

function parseMembers(members: ReadonlyMap<string, ByteValue>): ParsedRecord {
  if (members.has('value_size'))
    throw invalid("there is no value, only 'value_size'", 'rpk printed it with --meta-only: print it again without')
  const [key, value] = [members.get('key'), members.get('value')]
  // Without a value it is a tombstone, if it is a record at all.
  if (value === undefined && !(members.has('topic') && members.has('offset') && members.has('timestamp'))) {
    const hint = members.has('payload') ? "objects with a 'payload' are kcat's: --from kcat" : undefined
    throw invalid("the field 'value' is missing, and it is not a tombstone as rpk prints one", hint)
  }
  return {
    record: recordOf(
      key === undefined ? undefined : bytesOfValue("'key'", key),
      value === undefined ? null : bytesOfValue("'value'", value),
      headersOf(members.get('headers')),
      timestampOf(members.get('timestamp')),
    ),
    partition: partitionOf(members),
  }
}

function timestampOf(value: ByteValue | undefined): number | undefined {
  if (value === undefined) return undefined
  const timestampMs = numberOfValue(value)
  if (timestampMs === undefined || timestampMs < -1) throw invalid(`invalid timestamp ${shown(value)}`)
  return timestampMs
}

function headersOf(value: ByteValue | undefined): Header[] {
  if (value === undefined || value.source === 'null') return []
  const elements = elementsOf(value)
  if (elements === undefined) throw invalid("'headers' is not an array")
  return elements.map((element) => {
    const members = memberObject(element)
    const name = members?.get('key')
    const key = name === undefined ? undefined : textOfValue("a header's name", name)
    if (key === undefined) throw invalid("a header is not an object with a 'key' that is a string")
    const header = members?.get('value')
    return { key, value: header === undefined ? null : bytesOfValue(`the header '${key}'`, header) }
  })
}
