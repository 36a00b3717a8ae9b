import test from 'ava'
import fc from 'fast-check'
import { escapeBytes, escapeText, gateFor } from '../../../cli/print/escape.js'

/** Text → what a terminal may see in 'text' mode, and in 'line' mode where that differs. */
const cases: readonly [name: string, text: string, shown: string, inLine?: string][] = [
  ['plain ASCII', 'a b~', 'a b~'],
  ['letters beyond ASCII', 'größe 日本 🎉 e\u0301', 'größe 日本 🎉 e\u0301'],
  ['a backslash', '\\x1b', '\\x1b'],
  ['LF and TAB', 'a\nb\tc', 'a\nb\tc', 'a\\nb\\tc'],
  ['CR', 'a\rb', 'a\\rb'],
  ['CR LF', 'a\r\n', 'a\\r\n', 'a\\r\\n'],
  ['NUL', '\0', '\\x00'],
  ['BEL and BS', '\x07\x08', '\\x07\\x08'],
  ['VT and FF', '\x0b\x0c', '\\x0b\\x0c'],
  ['ESC: a colour', '\x1b[31m', '\\x1b[31m'],
  ['OSC 52: the clipboard', '\x1b]52;c;aGk=\x07', '\\x1b]52;c;aGk=\\x07'],
  ['OSC 8: a link', '\x1b]8;;http://x\x1b\\', '\\x1b]8;;http://x\\x1b\\'],
  ['title report', '\x1b[21t', '\\x1b[21t'],
  ['DCS: DECRQSS', '\x1bP$qm\x1b\\', '\\x1bP$qm\\x1b\\'],
  ['DEL', '\x7f', '\\u007f'],
  ['CSI as U+009B', '\u009b31m', '\\u009b31m'],
  ['OSC as U+009D', '\u009d0;x\u009c', '\\u009d0;x\\u009c'],
  ['the ends of C1', '\u0080\u009f\u00a0', '\\u0080\\u009f\u00a0'],
  ['bidi override', 'a\u202eb\u202c', 'a\\u202eb\\u202c'],
  ['bidi isolates', '\u2066\u2067\u2068\u2069', '\\u2066\\u2067\\u2068\\u2069'],
  ['bidi marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['line and paragraph separator', '\u2028\u2029', '\\u2028\\u2029'],
  ['neighbours of bidi controls', '\u2027\u202f\u205f\u2070', '\u2027\u202f\u205f\u2070'],
  ['what shows nothing', 'a\u200b\u2060\u2063\ufeff\u180e\ufff9b', 'a\\u200b\\u2060\\u2063\\ufeff\\u180e\\ufff9b'],
  ['tags, half by half', 'a\u{e0041}\u{e007f}', 'a\\udb40\\udc41\\udb40\\udc7f'],
  ['joiners of emoji and scripts', '👩\u200d🚀 می\u200cخواهم', '👩\u200d🚀 می\u200cخواهم'],
  ['as many marks as a language has', `e${'\u0301'.repeat(30)}`, `e${'\u0301'.repeat(30)}`],
  ['marks without end', `e${'\u0301'.repeat(32)}x\u0301`, `e${'\u0301'.repeat(30)}\\u0301\\u0301x\u0301`],
  ['marks beyond U+FFFF without end', '\u{e0100}'.repeat(31), `${'\u{e0100}'.repeat(30)}\\udb40\\udd00`],
  ['a surrogate pair', '\ud83c\udf89', '\ud83c\udf89'],
]

for (const [name, text, shown, inLine = shown] of cases) {
  test(`escapeText() and escapeBytes() show ${name}`, (t) => {
    t.is(escapeText(text, 'text'), shown)
    t.is(escapeText(text, 'line'), inLine)
    const bytes = Buffer.from(text, 'utf8')
    t.is(Buffer.from(escapeBytes(bytes, 'text')).toString('utf8'), shown)
    t.is(Buffer.from(escapeBytes(bytes, 'line')).toString('utf8'), inLine)
  })
}

test('escapeText() shows lone surrogates', (t) => {
  t.is(escapeText('\ud800', 'text'), '\\ud800')
  t.is(escapeText('a\udc00b', 'text'), 'a\\udc00b')
  t.is(escapeText('\ud83c\ud83c\udf89', 'text'), '\\ud83c\ud83c\udf89')
})

const rawBytes: readonly [name: string, bytes: number[], shown: string][] = [
  ['C1 as raw bytes', [0x9b, 0x33, 0x31, 0x6d], '\\x9b31m'],
  ['a lone continuation byte', [0x61, 0x80, 0x62], 'a\\x80b'],
  ['a sequence cut at the end', [0xe6, 0x97], '\\xe6\\x97'],
  ['a sequence cut by ASCII', [0xe6, 0x97, 0x61], '\\xe6\\x97a'],
  ['an overlong ESC', [0xc0, 0x9b], '\\xc0\\x9b'],
  ['an overlong NUL in three bytes', [0xe0, 0x80, 0x80], '\\xe0\\x80\\x80'],
  ['a surrogate in UTF-8', [0xed, 0xa0, 0x80], '\\xed\\xa0\\x80'],
  ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80], '\\xf4\\x90\\x80\\x80'],
  ['five-byte form', [0xf8, 0x88, 0x80, 0x80, 0x80], '\\xf8\\x88\\x80\\x80\\x80'],
  ['Latin-1 between UTF-8', [0xc3, 0xa9, 0xe9, 0xc3, 0xa9], 'é\\xe9é'],
  ['the highest code point', [0xf4, 0x8f, 0xbf, 0xbf], '\u{10ffff}'],
]

for (const [name, bytes, shown] of rawBytes) {
  test(`escapeBytes() shows ${name}`, (t) => {
    t.is(Buffer.from(escapeBytes(Uint8Array.from(bytes), 'text')).toString('utf8'), shown)
  })
}

test('escapeBytes() lets no control character through, whatever the bytes', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('text' as const, 'line' as const), (bytes, mode) => {
      const shown = Buffer.from(escapeBytes(bytes, mode))
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(shown)
      return Array.from(text).every((character) => {
        const code = character.codePointAt(0) ?? 0
        if (code === 0x0a || code === 0x09) return mode === 'text'
        return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && !(code >= 0x202a && code <= 0x202e)
      })
    }),
    { numRuns: 2000 },
  )
  t.pass()
})

test('escapeBytes() leaves printable text alone and gives the same array', (t) => {
  const plain = Buffer.from('only ASCII')
  t.is(escapeBytes(plain, 'line'), plain)
})

test('gateFor() escapes on a terminal only, and not with --raw', (t) => {
  const hostile = Buffer.from('\x1b[2J\x9b', 'latin1')
  t.is(gateFor({ isTerminal: false }, false)(hostile), hostile)
  t.is(gateFor({ isTerminal: true }, true)(hostile), hostile)
  t.is(Buffer.from(gateFor({ isTerminal: true }, false)(hostile)).toString(), '\\x1b[2J\\x9b')
})

test('escaped JSON is the same JSON', (t) => {
  const value = `a\u007f\u009b\u202e\x1b\n\u200b\u{e0041}${'\u{1d165}'.repeat(40)}`
  const json = Buffer.from(JSON.stringify({ value }), 'utf8')
  t.deepEqual(JSON.parse(Buffer.from(escapeBytes(json, 'text')).toString('utf8')), { value })
})
