/** Records for the checks against Kafka's tools, and one form to compare them in, whoever printed them. */

export const baseTimestampMs = 1_700_000_000_000

/**
 * Records as `produce -J` takes them, the same for the same seed: keys and values null, empty, text and bytes; headers null, empty and
 * double; timestamps in any order within `span` ms, some of them -1.
 */
export function randomRecords({ seed, count, span = 60_000_000 }) {
  const random = generator(seed)
  const below = (limit) => Math.floor(random() * limit)
  const bytes = (length) => Buffer.from(Array.from({ length }, () => below(256)))
  const text = () => `value ${below(100)} `.repeat(below(20))
  return Array.from({ length: count }, (_, n) => {
    const record = { value: text(), timestamp: baseTimestampMs + below(span) }
    // Mostly forward, as real ones are.
    if (n % 3 !== 0) record.timestamp = baseTimestampMs + Math.floor((span * n) / count)
    if (n % 41 === 0) record.timestamp = -1
    if (n % 7 === 0) record.value = null
    if (n % 11 === 0) record.value = ''
    if (n % 5 === 0) Object.assign(record, { value: bytes(1 + below(300)).toString('base64'), valueEncoding: 'base64' })
    if (n % 4 !== 0) record.key = n % 3 === 0 ? '' : `key-${below(50)}`
    if (n % 13 === 0) Object.assign(record, { key: bytes(9).toString('base64'), keyEncoding: 'base64' })
    if (n % 6 === 0) {
      record.headers = [
        { key: 'h', value: 'one' },
        { key: 'h', value: null },
        { key: '', value: '' },
        { key: 'grüße', value: bytes(5).toString('base64'), valueEncoding: 'base64' },
      ].slice(below(4))
    }
    return record
  })
}

/** A JSON record of logq's as one line: bytes in base64, what was left out filled in. */
export function canonical(record) {
  const { offset, timestamp, timestampType = 'CreateTime', headers = [] } = record
  return JSON.stringify({
    offset,
    timestamp,
    timestampType,
    key: base64(record.key ?? null, record.keyEncoding),
    value: base64(record.value, record.valueEncoding),
    headers: headers.map(({ key, value, valueEncoding }) => [base64(key), base64(value, valueEncoding)]),
  })
}

/** A JSON record of logq's as Client.java takes it, for one partition; Kafka's producer takes no record without a time. */
export function asKafka(record, partition = 0) {
  const { timestamp, key, value, headers } = JSON.parse(canonical(record))
  return { partition, timestamp: Math.max(timestamp, baseTimestampMs), key, value, headers }
}
function base64(text, encoding = 'utf8') {
  return text === null ? null : Buffer.from(text, encoding).toString('base64')
}

/** mulberry32: small, and the same everywhere. */
function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
