/** A manual page as roff with the man(7) macros, which every `man` understands: mandoc, groff, BSD and macOS. */
import { spansOf } from './markup.js'
import { wrap } from '../text.js'

export interface PageTitle {
  /** 'logq-produce'. */
  readonly name: string
  readonly section: number
  readonly version: string
}

/** Fixed, so that a page changes only when its text does. */
const PAGE_DATE = '2026-11-20'

/** Collects a page line by line; every method escapes what it is given. */
export class RoffPage {
  private readonly lines: string[] = []

  constructor({ name, section, version }: PageTitle) {
    this.lines.push(
      String.raw`.\" Generated from the command declarations by .config/man.mjs: change those.`,
      `.TH ${name.toUpperCase().replaceAll('-', '\\-')} ${section} "${PAGE_DATE}" "logq ${version}" "logq manual"`,
    )
  }

  section(title: string): void {
    this.lines.push(`.SH ${argument(title)}`)
  }

  subsection(title: string): void {
    this.lines.push(`.SS ${argument(title)}`)
  }

  /** Prose with markup; text that begins with four spaces is shown as it stands, line by line. */
  paragraph(text: string): void {
    if (text.startsWith('    ')) {
      this.verbatim(text.split('\n').map((line) => line.replace(/^ {4}/, '')))
    } else {
      this.startParagraph()
      this.lines.push(...filled(text))
    }
  }

  verbatim(lines: readonly string[]): void {
    this.startParagraph()
    this.lines.push('.RS 4', '.nf', ...lines.map((line) => startOfLine(escape(line))), '.fi', '.RE')
  }

  /** A term, with markup, and what it means. */
  item(term: string, meaning: string): void {
    this.lines.push('.TP', inline(term), ...filled(meaning))
  }

  /** One line without a paragraph before it: NAME and SYNOPSIS. */
  line(text: string): void {
    this.lines.push(inline(text))
  }

  lineBreak(): void {
    this.lines.push('.br')
  }

  /** The first paragraph of a section is begun by its title. */
  private startParagraph(): void {
    if (!/^\.S[HS] /.test(this.lines[this.lines.length - 1] ?? '')) this.lines.push('.PP')
  }

  toString(): string {
    return `${this.lines.join('\n')}\n`
  }
}

const fonts = { plain: '', bold: '\\fB', italic: '\\fI' } as const

/** Prose in lines that an editor can show; the formatter fills them anew. */
function filled(text: string): string[] {
  return wrap(inline(text), 80).map(startOfLine)
}

function inline(text: string): string {
  const marked = spansOf(text).map(({ style, text: part }) => {
    const escaped = escape(part)
    return style === 'plain' ? escaped : `${fonts[style]}${escaped}\\fR`
  })
  return startOfLine(marked.join(''))
}

/** A backslash, a hyphen that must stay one when copied, and what is not ASCII. */
function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll('…', '...')
    .replace(
      /[^\n\x20-\x7e]/gu,
      (character) => `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}

/** A line that begins with a dot or a quote would be a request. */
function startOfLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line
}

function argument(text: string): string {
  return `"${escape(text).replaceAll('"', '\\(dq')}"`
}
