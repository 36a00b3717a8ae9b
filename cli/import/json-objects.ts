/**
 * Finds the JSON objects in an input that holds one after the other: a line each, over several lines, without anything between
 * them, or as elements of an array. It looks at brackets and quotes only, byte by byte, so that the bytes of strings need not be
 * UTF-8; whether an object is JSON is judged by whoever reads it.
 *
 * An object that was cut off is noticed, and does not take the next one with it: in JSON no line ends within a string, and no
 * program that prints records begins a line with `{` but for a new one. An array that was cut off between two elements is noticed too.
 */
import { LogqError } from '../../lib/errors.js'
import type { ChunkedInput } from '../input/chunked-input.js'
import type { Pace } from '../input/pace.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const NEWLINE = 0x0a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const OBJECT_BEGIN = Buffer.from('{"')

export type FoundObject =
  /** A view that holds until the next call. */
  | { readonly kind: 'object'; readonly line: number; readonly bytes: Buffer }
  | { readonly kind: 'bad'; readonly line: number; readonly error: LogqError }

export class JsonObjectSplitter {
  #line = 1
  #isBegun = false
  /** How many arrays are open, and the line of the outermost; not counted any more once something was bad. */
  #openArrays = 0
  #arrayLine = 1

  constructor(
    private readonly input: ChunkedInput,
    /** A larger object is named and passed over. */
    private readonly limitBytes: () => number,
    private readonly pace: Pace,
  ) {}

  /** The next object; undefined at the end, and when a signal cut it off. */
  async next(): Promise<FoundObject | undefined> {
    const found = await this.#next()
    if (found?.kind === 'bad') this.#openArrays = 0
    return found
  }

  async #next(): Promise<FoundObject | undefined> {
    if (!this.#isBegun) await this.#passByteOrderMark()
    for (;;) {
      const { input } = this
      const byte = input.start < input.end ? input.buffer[input.start] : undefined
      if (byte === undefined) {
        if (!(await input.fill(this.pace))) return this.#atEnd()
      } else if (byte === OPEN_BRACE) {
        return await this.#object()
      } else if (isBetween(byte)) {
        this.#pass(byte)
        input.start += 1
      } else {
        return await this.#noObject()
      }
    }
  }

  #pass(byte: number): void {
    if (byte === NEWLINE) this.#line += 1
    else if (byte === OPEN_BRACKET) {
      if (this.#openArrays === 0) this.#arrayLine = this.#line
      this.#openArrays += 1
    } else if (byte === CLOSE_BRACKET && this.#openArrays > 0) this.#openArrays -= 1
  }

  #atEnd(): FoundObject | undefined {
    if (!this.input.isEnded || this.#openArrays === 0) return undefined
    return bad(this.#arrayLine, 'the array that begins here is cut off: the input ends before it does')
  }

  async #passByteOrderMark(): Promise<void> {
    this.#isBegun = true
    const { input } = this
    while (input.end - input.start < BYTE_ORDER_MARK.length) if (!(await input.fill(this.pace))) return
    const begin = input.buffer.subarray(input.start, input.start + BYTE_ORDER_MARK.length)
    if (begin.equals(BYTE_ORDER_MARK)) input.start += BYTE_ORDER_MARK.length
  }

  /** The window begins with `{`. */
  async #object(): Promise<FoundObject | undefined> {
    const { input } = this
    const line = this.#line
    let scanned = 0
    let depth = 0
    let isString = false
    let isEscaped = false
    let isLineBegin = false
    /** Of an object that is too large to be kept. */
    let droppedBytes = 0
    for (;;) {
      const { buffer, start, end } = input
      for (let at = start + scanned; at < end; at += 1) {
        const byte = buffer[at]
        if (isString) {
          if (isEscaped) isEscaped = false
          else if (byte === BACKSLASH) isEscaped = true
          else if (byte === QUOTE) isString = false
          if (byte !== NEWLINE) continue
          this.#line += 1
          input.start = at + 1
          return bad(line, 'the object is cut off: a line ends within a string')
        }
        if (byte === QUOTE) isString = true
        else if (byte === OPEN_BRACE) {
          if (isLineBegin) {
            input.start = at
            return bad(line, 'the object is cut off: the next one begins before it ends')
          }
          depth += 1
        } else if (byte === CLOSE_BRACE) {
          depth -= 1
          if (depth === 0) {
            input.start = at + 1
            if (droppedBytes > 0) return tooLarge(line, droppedBytes + at + 1 - start)
            return { kind: 'object', line, bytes: buffer.subarray(start, at + 1) }
          }
        }
        isLineBegin = byte === NEWLINE
        if (isLineBegin) this.#line += 1
      }
      scanned = end - start
      if (droppedBytes > 0 || scanned > this.limitBytes()) {
        droppedBytes += scanned
        input.start = end
        scanned = 0
      }
      if (await input.fill(this.pace)) continue
      if (!input.isEnded) return undefined
      input.start = input.end
      return bad(line, 'the object is cut off: the input ends before it does')
    }
  }

  /** Bytes where an object should begin: they are passed over up to the end of the line, or to what looks like one. */
  async #noObject(): Promise<FoundObject | undefined> {
    const { input } = this
    const line = this.#line
    let shown = ''
    for (;;) {
      const left = input.buffer.subarray(input.start, input.end)
      const newline = left.indexOf(NEWLINE)
      const object = (newline === -1 ? left : left.subarray(0, newline)).indexOf(OBJECT_BEGIN)
      const found = object === -1 ? newline : object
      // A brace at the end may be the beginning of an object.
      const kept = found === -1 && left.at(-1) === OPEN_BRACE && !input.isEnded ? 1 : 0
      const passed = found === -1 ? left.length - kept : found
      shown += left.toString('latin1', 0, Math.min(passed, SHOWN_BYTES - shown.length))
      input.start += passed
      if (found !== -1) break
      if (!(await input.fill(this.pace))) {
        if (!input.isEnded) return undefined
        input.start = input.end
        break
      }
    }
    return bad(line, `'${Buffer.from(shown, 'latin1').toString('utf8').trim()}' is no JSON object`)
  }
}

const SHOWN_BYTES = 60

/** White space, and what stands between the elements of an array. */
function isBetween(byte: number): boolean {
  return (
    byte === NEWLINE ||
    byte === 0x20 ||
    byte === 0x0d ||
    byte === 0x09 ||
    byte === 0x2c ||
    byte === OPEN_BRACKET ||
    byte === CLOSE_BRACKET
  )
}

function bad(line: number, message: string): FoundObject {
  return { kind: 'bad', line, error: new LogqError('LOGQ_INVALID_RECORD', message) }
}

function tooLarge(line: number, sizeBytes: number): FoundObject {
  return { kind: 'bad', line, error: new LogqError('LOGQ_RECORD_TOO_LARGE', `the object has ${sizeBytes} bytes`) }
}
