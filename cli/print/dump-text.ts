/** Items of a dump as lines for people: the kind, then `name=value` with the names that the JSON form has, what is long cut short. */
import { isUtf8 } from 'node:buffer'
import type { BatchItem, DumpItem, RecordItem } from '../../lib/inspect/dump-item.js'
import { findingText } from '../finding-text.js'

export function dumpText(item: DumpItem): string {
  switch (item.type) {
    case 'file':
      return `file ${item.file} (${item.kind}, ${item.sizeBytes} bytes)`
    case 'batch':
      return batchText(item)
    case 'record':
      return recordText(item)
    case 'line':
      return `line ${item.line}: ${item.text}`
    case 'problem':
      return findingText(item)
    case 'topic':
    case 'store':
      return `${item.type} ${JSON.stringify(item.content)}`
    default: {
      const { type, file: _file, ...fields } = item
      return `${type} ${pairs(fields)}`
    }
  }
}

/** `?` stands for what cannot be told. */
function pairs(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value === undefined ? '?' : String(value)}`)
    .join(' ')
}

function batchText(item: BatchItem): string {
  const { position, sizeBytes, baseOffset, lastOffset, leaderEpoch, magic, codec, timestampType, recordCount } = item
  const { baseTimestampMs, maxTimestampMs, producerId, producerEpoch, baseSequence, lastSequence } = item
  const fields = { position, sizeBytes, offsets: `${baseOffset}..${lastOffset}`, leaderEpoch, magic }
  const times = { timestampType, baseTimestampMs, maxTimestampMs }
  const hasProducer = producerId !== -1 || producerEpoch !== -1 || baseSequence !== -1
  return [
    `batch ${pairs(fields)} ${crcText(item)} codec=${codec} ${pairs(times)} ${pairs({ recordCount })}`,
    ...(hasProducer ? [pairs({ producerId, producerEpoch, baseSequence, lastSequence })] : []),
    ...(item.isTransactional ? ['transactional'] : []),
    ...(item.isControl ? [`control(${item.controlType ?? '?'})`] : []),
    ...(item.coordinatorEpoch === undefined ? [] : [pairs({ coordinatorEpoch: item.coordinatorEpoch })]),
    ...(item.hasDeleteHorizon ? [pairs({ deleteHorizonMs: item.deleteHorizonMs })] : []),
    ...(item.isGood ? [] : ['BAD']),
  ].join(' ')
}

function crcText({ crc, computedCrc }: BatchItem): string {
  const hex = (sum: number) => sum.toString(16).padStart(8, '0')
  if (computedCrc === undefined) return `crc=${hex(crc)}(?)`
  return crc === computedCrc ? `crc=${hex(crc)}(ok)` : `crc=${hex(crc)}(bad, computed ${hex(computedCrc)})`
}

const MOST_HEADERS = 8

function recordText({ sequence, keyBytes, valueBytes, record }: RecordItem): string {
  const { offset, timestampMs, key, value, headers } = record
  const shown = headers.slice(0, MOST_HEADERS).map((header) => `${shortName(header.key)}=${shortBytes(header.value)}`)
  const more = headers.length > shown.length ? [`and ${headers.length - shown.length} more`] : []
  const headersText = headers.length === 0 ? '' : ` headers(${[...shown, ...more].join(', ')})`
  const inSequence = sequence < 0 ? {} : { sequence }
  return `record ${pairs({ offset, timestampMs, ...inSequence, keyBytes, valueBytes })} key=${shortBytes(key)} value=${shortBytes(value)}${headersText}`
}

const MOST_CHARACTERS = 60
const MOST_HEX_BYTES = 24

/** Text in quotes, other bytes in hexadecimal; the number of bytes of what is cut. */
function shortBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null'
  if (!isUtf8(bytes)) {
    const start = bytes.subarray(0, MOST_HEX_BYTES)
    return `0x${Buffer.from(start).toString('hex')}${start.length < bytes.length ? cut(bytes.length) : ''}`
  }
  // A character has at most four bytes; one that is cut here lies behind those that are shown.
  const start = Buffer.from(bytes.subarray(0, 4 * MOST_CHARACTERS + 4)).toString('utf8')
  const isWhole = start.length <= MOST_CHARACTERS && bytes.length <= 4 * MOST_CHARACTERS + 4
  return isWhole ? JSON.stringify(start) : `${JSON.stringify(start.slice(0, MOST_CHARACTERS))}${cut(bytes.length)}`
}

function cut(sizeBytes: number): string {
  return `…(${sizeBytes} bytes)`
}

function shortName(name: string): string {
  return name.length <= MOST_CHARACTERS ? JSON.stringify(name) : `${JSON.stringify(name.slice(0, MOST_CHARACTERS))}…`
}
