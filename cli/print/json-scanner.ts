/**
 * Splits JSON text into its parts and keeps where each stood, which JSON.parse forgets: a value that is not a string is stored as
 * the exact text that was written, members stay in their order, and names that occur twice are seen.
 *
 * JSON.parse is the only judge of the grammar. It judges the whole text first, and then the scanner need only find where parts end.
 * Text that it refuses is scanned all the same, part by part, to say what is wrong and where.
 */

export interface JsonValue {
  /** The exact source text, without the white space around it. */
  readonly source: string
  /** The string it is; undefined for a value that is not one. */
  readonly string: string | undefined
}

export interface JsonMember {
  readonly name: string
  readonly value: JsonValue
}

/** Where the text is from: the `source` of a part that this module gave is JSON, and need not be judged again. */
type Origin = 'outside' | 'part'

/** The members of the object that `text` is. Throws SyntaxError when it is not one. */
export function scanObject(text: string, origin: Origin = 'outside'): JsonMember[] {
  return scan(text, origin, (scanner) => scanner.object())
}

/** The elements of the array that `text` is. Throws SyntaxError when it is not one. */
export function scanArray(text: string, origin: Origin = 'outside'): JsonValue[] {
  return scan(text, origin, (scanner) => scanner.array())
}

/**
 * What `use` makes of each element of the array that `text` is. There may be millions: none is kept. Throws SyntaxError when `text` is
 * not an array, and what `use` throws.
 */
export function mapArray<Result>(text: string, use: (element: JsonValue) => Result, origin: Origin = 'outside'): Result[] {
  const results: Result[] = []
  scan(text, origin, (scanner) => {
    scanner.eachElement((element) => results.push(use(element)))
  })
  return results
}

/**
 * The value at a path of member names and element numbers, in the JSON value that `text` is; undefined when there is none. Of members
 * that occur twice the last one counts, as JSON.parse has it. Throws SyntaxError when `text` is not JSON.
 */
export function findValue(text: string, steps: readonly (string | number)[]): JsonValue | undefined {
  let found: JsonValue | undefined = scan(text, 'outside', (scanner) => scanner.value())
  for (const step of steps) {
    if (found === undefined) return undefined
    found = stepInto(found, step)
  }
  return found
}

/** What `value` is part of was judged already. */
function stepInto({ source }: JsonValue, step: string | number): JsonValue | undefined {
  if (!source.startsWith(typeof step === 'number' ? '[' : '{')) return undefined
  return scan(source, 'part', (scanner) => (typeof step === 'number' ? scanner.element(step) : scanner.member(step)))
}

function scan<Parts>(text: string, origin: Origin, read: (scanner: Scanner) => Parts): Parts {
  const valid = origin === 'part' || isJson(text)
  const scanner = new Scanner(text, valid)
  const parts = read(scanner)
  scanner.end()
  if (!valid) throw new SyntaxError('not valid')
  return parts
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const whiteSpacePattern = /[ \t\n\r]*/y
/** Numbers and the three names: everything up to a character that cannot belong to one. */
const scalarPattern = /[-+.0-9a-zA-Z]+/y
// What matters inside an object or array for finding its end. A regular expression would make an array for each of them.
const QUOTE = 0x22
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

class Scanner {
  private at = 0
  private readonly text: string
  /** JSON.parse took the whole text. */
  private readonly valid: boolean

  constructor(text: string, valid: boolean) {
    this.text = text
    this.valid = valid
  }

  object(): JsonMember[] {
    const members: JsonMember[] = []
    this.eachMember((name, value) => members.push({ name, value }))
    return members
  }

  array(): JsonValue[] {
    const elements: JsonValue[] = []
    this.eachElement((value) => elements.push(value))
    return elements
  }

  /** The last member of that name. The others, of which there may be millions, are not kept. */
  member(wanted: string): JsonValue | undefined {
    let found: JsonValue | undefined
    this.eachMember((name, value) => {
      if (name === wanted) found = value
    })
    return found
  }

  /** The element of that number, from 0. The others are not kept. */
  element(wanted: number): JsonValue | undefined {
    let found: JsonValue | undefined
    let number = 0
    this.eachElement((value) => {
      if (number === wanted) found = value
      number += 1
    })
    return found
  }

  end(): void {
    this.skipWhiteSpace()
    if (this.at !== this.text.length) this.fail()
  }

  value(): JsonValue {
    this.skipWhiteSpace()
    const start = this.at
    const first = this.text[start]
    if (first === '"') {
      const string = this.string()
      return { source: this.text.slice(start, this.at), string }
    }
    if (first === '{' || first === '[') this.skipNested()
    else this.skipScalar()
    const source = this.text.slice(start, this.at)
    if (!this.valid) this.judge(source, start)
    return { source, string: undefined }
  }

  private eachMember(give: (name: string, value: JsonValue) => void): void {
    this.take('{')
    if (this.tryTake('}')) return
    do {
      this.skipWhiteSpace()
      const name = this.string()
      this.take(':')
      give(name, this.value())
    } while (this.tryTake(','))
    this.take('}')
  }

  eachElement(give: (value: JsonValue) => void): void {
    this.take('[')
    if (this.tryTake(']')) return
    do give(this.value())
    while (this.tryTake(','))
    this.take(']')
  }

  private string(): string {
    const start = this.at
    if (this.text[start] !== '"') this.fail()
    this.skipString()
    const source = this.text.slice(start, this.at)
    if (this.valid && !source.includes('\\')) return source.slice(1, -1)
    return this.judge(source, start) as string
  }

  /** Moves behind the closing quote of the string that begins here: the first quote with an even number of backslashes before it. */
  private skipString(): void {
    let quote = this.at
    do {
      quote = this.text.indexOf('"', quote + 1)
      if (quote === -1) {
        this.at = this.text.length
        this.fail()
      }
    } while (this.backslashesBefore(quote) % 2 === 1)
    this.at = quote + 1
  }

  private backslashesBefore(position: number): number {
    let start = position
    while (this.text[start - 1] === '\\') start--
    return position - start
  }

  /** Moves behind the bracket that closes the one that begins here; what is between is JSON.parse's to judge. */
  private skipNested(): void {
    let depth = 0
    do {
      const code = this.text.charCodeAt(this.at)
      if (code === QUOTE) {
        this.skipString()
        continue
      }
      if (code === OPENING_BRACE || code === OPENING_BRACKET) depth++
      else if (code === CLOSING_BRACE || code === CLOSING_BRACKET) depth--
      else if (Number.isNaN(code)) this.fail()
      this.at++
    } while (depth > 0)
  }

  private skipScalar(): void {
    scalarPattern.lastIndex = this.at
    if (!scalarPattern.test(this.text)) this.fail()
    this.at = scalarPattern.lastIndex
  }

  private judge(source: string, start: number): unknown {
    try {
      return JSON.parse(source)
    } catch {
      this.at = start
      throw new SyntaxError(`what begins at character ${start + 1} is not valid`)
    }
  }

  private take(character: string): void {
    if (!this.tryTake(character)) this.fail()
  }

  private tryTake(character: string): boolean {
    this.skipWhiteSpace()
    if (this.text[this.at] !== character) return false
    this.at++
    return true
  }

  private skipWhiteSpace(): void {
    if (this.text.charCodeAt(this.at) > 0x20) return
    whiteSpacePattern.lastIndex = this.at
    whiteSpacePattern.test(this.text)
    this.at = whiteSpacePattern.lastIndex
  }

  private fail(): never {
    if (this.at >= this.text.length) throw new SyntaxError('it ends too early')
    const character = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0)
    throw new SyntaxError(`unexpected '${character}' at character ${this.at + 1}`)
  }
}
