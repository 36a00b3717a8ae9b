/** What a terminal obeys, or shows as something else: put into every place from which text may reach one. */

/** Each by the name that a failing test gives it. Slashes and NUL are left out, so that file names may hold all of them. */
export const payloads: Readonly<Record<string, string>> = {
  colour: '\x1b[31m',
  'clear the screen': '\x1b[2J',
  'OSC 52, the clipboard': '\x1b]52;c;aGk=\x07',
  'OSC 8, a link': '\x1b]8;;mailto:x\x1b\\',
  'the title': '\x1b]0;mine\x07',
  'title report': '\x1b[21t',
  DECRQSS: '\x1bP$qm\x1b\\',
  'answerback and status report': '\x05\x1b[6n',
  CR: 'seen\rhidden',
  BEL: '\x07',
  BS: 'no\x08\x08yes',
  'shift out': '\x0e',
  DEL: '\x7f',
  'CSI as U+009B': '\u009b31m',
  'OSC as U+009D': '\u009d0;x\u009c',
  'bidi override': '\u202egnp.exe',
  'bidi isolate': '\u2066x\u2069',
  'zero width': 'ad\u200bmin\u2060',
  tags: '\u{e0061}\u{e007f}',
}

/** All of them, as one word that can be typed as an operand. */
export const hostile = `x${Object.values(payloads).join('')}y`

/** The same without what would make it a pattern of topics, or no name of a partition directory. */
export const hostileName = hostile.replaceAll(/\[\w*|\r/g, '')

/** And as bytes, with C1 that is not UTF-8. */
export const hostileBytes = Buffer.concat([Buffer.from(hostile), Buffer.from([0x9b, 0x33, 0x31, 0x6d, 0xc2]), Buffer.from('z')])

/** A character with so many marks on it that it would be drawn over the whole screen. */
export const pile = `e${'\u0301'.repeat(500_000)}`

/**
 * The names of what a terminal would get raw in `output`. It is told here by other means than the product tells it: allowed are what
 * can be seen, spaces, and line ends as a terminal gets them.
 */
export function rawIn(output: Buffer): string[] {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(output)
  } catch {
    return [`bytes that are not UTF-8: ${excerptOf(output.toString('latin1'), /[\x80-\xff]/)}`]
  }
  const lines = text.replaceAll('\r\n', '\n')
  const known = Object.entries(payloads).filter(([, payload]) => lines.includes(payload))
  const others = /[^\P{Cc}\n\t]|[\u2028\u2029]|\p{M}{31}/u.exec(lines) ?? hiddenIn(lines)
  const found = known.map(([name]) => name)
  if (others !== null) found.push(`U+${(others[0].codePointAt(0) ?? 0).toString(16)} in ${excerptOf(lines, others[0])}`)
  return found
}

function excerptOf(text: string, what: string | RegExp): string {
  const at = text.search(what instanceof RegExp ? what : what.replaceAll(/[^\w]/gu, '\\$&'))
  return JSON.stringify(text.slice(Math.max(0, at - 60), at + 20))
}

/** Format characters but those that are drawn, and the joiners of emoji and scripts. */
function hiddenIn(text: string): RegExpExecArray | null {
  return /(?![\u00ad\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}\u{13430}-\u{1343f}]|\u200c|\u200d)\p{Cf}/u.exec(
    text,
  )
}
