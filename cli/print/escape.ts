/**
 * The one gate that text from records, names and files passes on its way to a terminal. A terminal obeys what it is sent: escape
 * sequences rewrite the screen, the clipboard and the title, answer back as if typed, and bidirectional controls make text read as
 * something else. So every control character is shown and none is sent:
 *
 * - C0 (with CR) and DEL, as `\x1b`; LF and TAB go through in 'text' mode and are shown as `\n` and `\t` in 'line' mode;
 * - C1, which is 8-bit escape sequences: U+0080 to U+009F as `\u009b`, and as raw bytes, like every byte that is not UTF-8, `\x9b`;
 * - bidirectional controls and line and paragraph separators, as `\u202e`;
 * - characters that show nothing, and marks piled on one character without end, as `\u200b`. The joiners of emoji and of scripts pass.
 *
 * DEL is shown as `\u007f`, which together with the other forms keeps JSON text valid: raw C0 and bad UTF-8 never occur in it.
 */
import { isContinuation, textPiecesOf } from './pieces.js'
import type { Gate } from './printer.js'

/** 'text' keeps line feeds and tabs, for data; 'line' shows them too, for messages, names and table cells. */
export type EscapeMode = 'text' | 'line'

/** Gives `text` itself when there is nothing to escape. */
export function escapeText(text: string, mode: EscapeMode): string {
  let escaped = ''
  let start = 0
  let marks = 0
  for (let at = 0, units = 1; at < text.length; at += units) {
    const code = text.charCodeAt(at)
    units = 1
    // Most characters are ASCII and printable: decide those first.
    if (code >= 0x20 && code < 0x7f) {
      marks = 0
      continue
    }
    const point = text.codePointAt(at) ?? code
    if (point > 0xffff) units = 2
    marks = isMark(point) ? marks + 1 : 0
    if (marks <= MOST_MARKS && !isHostile(point, mode)) continue
    // Half by half: in JSON, too, a character beyond U+FFFF is two escapes.
    escaped += text.slice(start, at) + shown(code) + (units === 2 ? shown(text.charCodeAt(at + 1)) : '')
    start = at + units
  }
  return start === 0 ? text : escaped + text.slice(start)
}

/** Unicode's stream-safe format allows as many marks on one character; no language needs more. */
const MOST_MARKS = 30

/** What is drawn on the character before it, or joins it to the next one. */
function isMark(point: number): boolean {
  return point >= 0x300 && /^[\p{M}\u200c\u200d]$/u.test(String.fromCodePoint(point))
}

function isHostile(point: number, mode: EscapeMode): boolean {
  if (point < 0x20) return mode === 'line' || (point !== 0x0a && point !== 0x09)
  if (point <= 0x9f) return true // DEL and C1: printable ASCII was decided before
  return hostileRanges.some(([first, last]) => point >= first && point <= last)
}

const hostileRanges: readonly (readonly [first: number, last: number])[] = [
  [0x061c, 0x061c], // Arabic letter mark
  [0x180e, 0x180e], // Mongolian vowel separator
  [0x200b, 0x200b], // zero width space
  [0x200e, 0x200f], // left-to-right and right-to-left mark
  [0x2028, 0x202e], // line and paragraph separator, embeddings, overrides
  [0x2060, 0x206f], // word joiner, invisible operators, isolates
  [0xd800, 0xdfff], // halves of no pair
  [0xfeff, 0xfeff], // byte order mark
  [0xfff9, 0xfffb], // annotations
  [0x1bca0, 0x1bca3], // controls of shorthand
  [0x1d173, 0x1d17a], // controls of musical notes
  [0xe0000, 0xe007f], // tags: ASCII that cannot be seen
]

function shown(code: number): string {
  if (code === 0x0a) return '\\n'
  if (code === 0x09) return '\\t'
  if (code === 0x0d) return '\\r'
  return code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/** The same for bytes. Gives `bytes` itself when there is nothing to escape. */
export function escapeBytes(bytes: Uint8Array, mode: EscapeMode): Uint8Array {
  if (isPlainAscii(bytes)) return bytes
  return Buffer.concat(Array.from(textPiecesOf(bytes), (piece) => escapePiece(piece, mode)))
}

function escapePiece(bytes: Uint8Array, mode: EscapeMode): Uint8Array {
  let text = ''
  let start = 0
  for (let at = 0; at < bytes.length;) {
    const length = utf8Length(bytes, at)
    if (length > 0) {
      at += length
      continue
    }
    text += decodePart(bytes, start, at, mode)
    text += `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`
    at++
    start = at
  }
  return Buffer.from(text + decodePart(bytes, start, bytes.length, mode), 'utf8')
}

function decodePart(bytes: Uint8Array, start: number, end: number, mode: EscapeMode): string {
  return start === end
    ? ''
    : escapeText(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'), mode)
}

function isPlainAscii(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
}

/** Bytes of the well-formed UTF-8 sequence at `at` (Unicode table 3-7), 0 when there is none. */
export function utf8Length(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const second = bytes[at + 1] ?? 0
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < lowest || second > highest) return 0
  if (first < 0xe0) return 2
  if (!isContinuation(bytes[at + 2])) return 0
  if (first < 0xf0) return 3
  return isContinuation(bytes[at + 3]) ? 4 : 0
}

/** The gate for data that goes to `output`: escapes on a terminal unless --raw was given, else passes the bytes on unchanged. */
export function gateFor(output: { readonly isTerminal: boolean }, raw: boolean): Gate {
  return output.isTerminal && !raw ? (bytes) => escapeBytes(bytes, 'text') : (bytes) => bytes
}
