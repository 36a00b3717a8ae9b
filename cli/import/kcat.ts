/**
 * The objects that `kcat -J` prints:
 *
 *     {"topic":"t","partition":0,"offset":7,"tstype":"create","ts":1763700000000,"broker":1,
 *      "headers":["name","value","name",null],"key":"k","payload":"v"}
 *
 * "tstype" and "ts" are left out when a record has no timestamp, "headers" when it has none; a key, a value or a header's value that
 * is null is null. Strings hold the record's bytes as they are. With a schema registry ("-s avro") key and payload are JSON
 * values, whose source text is kept, and "key_error" or "payload_error" say that one could not be decoded.
 */
import type { Header } from '../../lib/record/record.js'
import type { ParsedRecord } from '../print/parsed-record.js'
import {
  bytesOfValue,
  elementsOf,
  invalid,
  membersOf,
  numberOfValue,
  partitionOf,
  recordOf,
  shown,
  textOfValue,
  type ByteValue,
} from './json-bytes.js'
import type { ObjectFormat } from './object-records.js'

export const kcatFormat: ObjectFormat = {
  fields: [
    'topic',
    'partition',
    'offset',
    'tstype',
    'ts',
    'broker',
    'headers',
    'key',
    'payload',
    'key_schema_id',
    'value_schema_id',
  ],
  parse(bytes) {
    const members = membersOf(bytes)
    return { members, parsed: parseMembers(members) }
  },
}

function parseMembers(members: ReadonlyMap<string, ByteValue>): ParsedRecord {
  for (const name of ['key', 'payload']) {
    const error = members.get(`${name}_error`)
    if (error !== undefined) throw invalid(`kcat could not decode the ${name}: ${shown(error)}`)
  }
  const payload = members.get('payload')
  if (payload === undefined) {
    const hint = members.has('value') ? "objects with a 'value' are rpk's: --from rpk" : undefined
    throw invalid("the field 'payload' is missing", hint)
  }
  const key = members.get('key')
  return {
    record: recordOf(
      key === undefined ? undefined : bytesOfValue("'key'", key),
      bytesOfValue("'payload'", payload),
      headersOf(members.get('headers')),
      timestampOf(members),
    ),
    partition: partitionOf(members),
  }
}

/** What kcat prints has an offset, and no "ts" when the record had no timestamp. What people write by hand may have neither. */
function timestampOf(members: ReadonlyMap<string, ByteValue>): number | undefined {
  const value = members.get('ts')
  if (value === undefined) return members.has('offset') ? -1 : undefined
  const timestampMs = numberOfValue(value)
  if (timestampMs === undefined || timestampMs < -1) throw invalid(`invalid ts ${shown(value)}`)
  return timestampMs
}

function headersOf(value: ByteValue | undefined): Header[] {
  if (value === undefined || value.source === 'null') return []
  const elements = elementsOf(value)
  if (elements === undefined || elements.length % 2 === 1)
    throw invalid("'headers' is not an array of names and values in turn")
  const headers: Header[] = []
  for (let at = 0; at + 1 < elements.length; at += 2) {
    const [name, header] = [elements[at], elements[at + 1]]
    if (name === undefined || header === undefined) break
    const key = textOfValue("a header's name", name)
    if (key === undefined) throw invalid(`the header name ${shown(name)} is not a string`)
    headers.push({ key, value: bytesOfValue(`the header '${key}'`, header) })
  }
  return headers
}
