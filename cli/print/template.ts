/**
 * %-templates: `-F '%k\t%v\n'`, for output and for input alike. One syntax, parsed once:
 *
 *     %t topic  %p partition  %o offset  %k key  %v or %s value  %h headers  %T timestamp in ms  %K %V length of key and value
 *     %k{base64} %k{hex} %v{base64} %v{hex} %T{iso}   %% a percent sign   and the escapes \n \t \0 \\ \xNN
 *
 * Anything else is a usage error. Nothing is appended on output: a template ends with the delimiter that it wants.
 */
import { usageError } from '../errors.js'
import { readEscape } from '../values/delimiter.js'

export type Field = 'topic' | 'partition' | 'offset' | 'key' | 'value' | 'headers' | 'timestamp' | 'keyLength' | 'valueLength'

/** How a field is written: as it is, or in another alphabet. */
export type FieldForm = 'plain' | 'base64' | 'hex' | 'iso'

export interface Placeholder {
  readonly kind: 'placeholder'
  readonly field: Field
  readonly form: FieldForm
  /** As typed, for messages: '%v{hex}'. */
  readonly typed: string
}

export interface Literal {
  readonly kind: 'literal'
  readonly bytes: Uint8Array
}

export type TemplatePart = Placeholder | Literal

/** Literals and placeholders as they stand; two literals are never neighbours. */
export type Template = readonly TemplatePart[]

const fields: Readonly<Record<string, Field>> = {
  t: 'topic',
  p: 'partition',
  o: 'offset',
  k: 'key',
  v: 'value',
  s: 'value',
  h: 'headers',
  T: 'timestamp',
  K: 'keyLength',
  V: 'valueLength',
}

const forms: Readonly<Partial<Record<Field, readonly FieldForm[]>>> = {
  key: ['base64', 'hex'],
  value: ['base64', 'hex'],
  timestamp: ['iso'],
}

/** True for a FORMAT that is a template and not the name of a format. */
export function isTemplate(format: string): boolean {
  return format.includes('%') || format.includes('\\')
}

/** Whether the field stands in it, in this form or in any. */
export function hasField(template: Template, field: Field, form?: FieldForm): boolean {
  return template.some(
    (part) => part.kind === 'placeholder' && part.field === field && (form === undefined || part.form === form),
  )
}

/** Throws a usage error for text that is not a template. */
export function parseTemplate(text: string): Template {
  const parts: TemplatePart[] = []
  let literal: Uint8Array[] = []
  const endLiteral = (): void => {
    if (literal.length > 0) parts.push({ kind: 'literal', bytes: Buffer.concat(literal) })
    literal = []
  }
  for (let at = 0; at < text.length;) {
    const character = text[at]
    if (character === '\\') {
      const escape = readEscape(text, at)
      literal.push(Uint8Array.of(escape.byte))
      at += escape.length
    } else if (character === '%' && text[at + 1] === '%') {
      literal.push(Uint8Array.of(0x25))
      at += 2
    } else if (character === '%') {
      const placeholder = readPlaceholder(text, at)
      endLiteral()
      parts.push(placeholder)
      at += placeholder.typed.length
    } else {
      const end = nextSpecial(text, at)
      literal.push(Buffer.from(text.slice(at, end), 'utf8'))
      at = end
    }
  }
  endLiteral()
  if (text.includes('\ufffd')) throw usageError(`the format '${text}' is not valid UTF-8`, 'write such bytes as \\xNN')
  return parts
}

function nextSpecial(text: string, at: number): number {
  let end = at
  while (end < text.length && text[end] !== '%' && text[end] !== '\\') end++
  return end
}

function readPlaceholder(text: string, at: number): Placeholder {
  const letter = text[at + 1] ?? ''
  const field = Object.hasOwn(fields, letter) ? fields[letter] : undefined
  if (field === undefined) {
    throw usageError(
      `invalid format '${text}': there is no '%${letter}'`,
      'the placeholders are %t %p %o %k %v %s %h %T %K %V; a percent sign is %%',
    )
  }
  if (text[at + 2] !== '{') return { kind: 'placeholder', field, form: 'plain', typed: `%${letter}` }
  const close = text.indexOf('}', at)
  const name = close === -1 ? undefined : text.slice(at + 3, close)
  const form = forms[field]?.find((candidate) => candidate === name)
  if (form === undefined) {
    const typed = text.slice(at, close === -1 ? undefined : close + 1)
    const allowed = (forms[field] ?? []).map((candidate) => `%${letter}{${candidate}}`).join(' and ')
    throw usageError(
      `invalid format '${text}': there is no '${typed}'`,
      allowed === '' ? `%${letter} has only one form; a literal brace after it is \\x7b` : `there is ${allowed}`,
    )
  }
  return { kind: 'placeholder', field, form, typed: text.slice(at, close + 1) }
}
