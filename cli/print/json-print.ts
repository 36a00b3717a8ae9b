/**
 * The JSON record, one line, always these fields, in this order:
 *
 *     {"topic","partition","offset","timestamp","timestampType","key","value","headers"}
 *
 * timestamp in ms, -1 for none; null is null and differs from ""; bytes that are not valid UTF-8 are base64 and a sibling
 * "keyEncoding" or "valueEncoding" says so; headers is an array of {"key","value"[,"valueEncoding"]} in order, duplicates kept.
 * json-parse.ts reads the same.
 */
import { isUtf8 } from 'node:buffer'
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { Header } from '../../lib/record/record.js'
import { piecesOf, textPiecesOf } from './pieces.js'
import type { Gate, PrintedRecord, RecordPrinter } from './printer.js'

export interface JsonPrinterOptions {
  /** The JSON text passes it: what it escapes is still the same JSON. */
  readonly gate: Gate
  /** --no-value: leave the value out and give its length as "valueBytes". */
  readonly withoutValue?: boolean
}

export function jsonPrinter({ gate, withoutValue = false }: JsonPrinterOptions): RecordPrinter {
  let knownTopic: string | undefined
  let topicText = ''
  return {
    print(topic, partition, record, out) {
      const line = new LineOfText(out, gate)
      addStart(line, topic, partition, record)
      if (withoutValue) line.add(`,"valueBytes":${record.value?.length ?? 'null'}`)
      else {
        line.add(',')
        addBytes(line, 'value', record.value)
      }
      addEnd(line, record)
    },
    *printInParts(topic, partition, record) {
      const out = new GrowableBytes()
      const line = new LineOfText(out, gate)
      addStart(line, topic, partition, record)
      line.add(',')
      for (const parts = addInParts(line, 'value', record.value ?? NOTHING); parts.next().done !== true;) {
        line.end()
        yield out.view()
        out.clear()
      }
      addEnd(line, record)
      yield out.view()
    },
  }

  function addStart(line: LineOfText, topic: string, partition: number, record: PrintedRecord): void {
    if (topic !== knownTopic) {
      knownTopic = topic
      topicText = JSON.stringify(topic)
    }
    const { timestampMs } = record
    // A bigint is beyond what a JSON number keeps in most programs: those are decimal strings.
    const timestamp = typeof timestampMs === 'bigint' ? `"${timestampMs}"` : String(timestampMs)
    line.add(
      `{"topic":${topicText},"partition":${partition},"offset":${record.offset},"timestamp":${timestamp},` +
        `"timestampType":"${record.timestampType}",`,
    )
    addBytes(line, 'key', record.key)
  }
}

function addEnd(line: LineOfText, record: PrintedRecord): void {
  line.add(',"headers":[')
  addHeaders(line, record.headers)
  line.add(']}\n')
  line.end()
}

const NOTHING = new Uint8Array(0)

/** Gathers text and hands it on as bytes now and then, so that a large record is never one large string. */
class LineOfText {
  #text = ''

  constructor(
    private readonly out: GrowableBytes,
    private readonly gate: Gate,
  ) {}

  /** `text` ends with a whole character. */
  add(text: string): void {
    this.#text += text
    if (this.#text.length > LONG_TEXT) this.end()
  }

  end(): void {
    this.out.append(this.gate(Buffer.from(this.#text, 'utf8')))
    this.#text = ''
  }
}

const LONG_TEXT = 1 << 20

function addBytes(line: LineOfText, name: 'key' | 'value', bytes: Uint8Array | null): void {
  if (bytes === null) {
    line.add(`"${name}":null`)
    return
  }
  for (const parts = addInParts(line, name, bytes); parts.next().done !== true;);
}

/** Pauses after each piece of bytes that are large. */
function* addInParts(line: LineOfText, name: 'key' | 'value', bytes: Uint8Array): Generator<void, void, undefined> {
  const isText = isUtf8(bytes)
  line.add(`"${name}":"`)
  for (const piece of isText ? textPiecesOf(bytes) : piecesOf(bytes)) {
    const view = Buffer.from(piece.buffer, piece.byteOffset, piece.length)
    line.add(isText ? JSON.stringify(view.toString('utf8')).slice(1, -1) : view.toString('base64'))
    if (piece.length < bytes.length) yield
  }
  line.add(isText ? '"' : `","${name}Encoding":"base64"`)
}

function addHeaders(line: LineOfText, headers: Iterable<Header>): void {
  let before = ''
  for (const { key, value } of headers) {
    line.add(`${before}{"key":${JSON.stringify(key)},`)
    addBytes(line, 'value', value)
    line.add('}')
    before = ','
  }
}
