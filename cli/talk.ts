/**
 * What is said on standard error: whole lines, in order, escaped on a terminal. A standard error that nobody reads or that is
 * closed never stops a command: what cannot be said is dropped.
 */
import type { OutputWriter } from './output.js'
import { escapeText } from './print/escape.js'

export interface Talk {
  /** One line. Resolves when it was accepted: await it, so that a slow terminal slows what talks to it. */
  line(text: string): Promise<void>
  /** Text without a line end, for a question. */
  ask(text: string): Promise<void>
  /** On a terminal, text that stands in the last line until something else is said; '' takes it away. Otherwise nothing. */
  status(text: string): Promise<void>
}

const CLEAR_LINE = '\r\x1b[K'

export function createTalk(writer: OutputWriter): Talk {
  let hasStatus = false
  const put = async (text: string, end: string): Promise<void> => {
    const shown = writer.isTerminal ? escapeText(text, 'line') : text
    await write(`${hasStatus ? CLEAR_LINE : ''}${shown}${end}`)
    hasStatus = false
  }
  const write = async (text: string): Promise<void> => {
    writer.buffer.append(Buffer.from(text, 'utf8'))
    try {
      await writer.flush()
    } catch {
      // There is no other place to say that standard error is broken; the exit status still tells how the command ended.
      writer.buffer.clear()
    }
  }
  const status = async (text: string): Promise<void> => {
    if (!writer.isTerminal || (text === '' && !hasStatus)) return
    hasStatus = text !== ''
    await write(`${CLEAR_LINE}${escapeText(text, 'line')}`)
  }
  return { line: (text) => put(text, '\n'), ask: (text) => put(text, ''), status }
}
