/** Where `export` writes: standard output, or files (split-files.ts). */
import { GrowableBytes } from '../../lib/bytes/growable-bytes.js'
import type { OutputWriter } from '../output.js'
import { gateFor } from '../print/escape.js'
import type { PrintedRecord } from '../print/printer.js'

export interface ExportOutput {
  /** What was appended is taken at `settle`; it may be another object afterwards. */
  readonly buffer: GrowableBytes
  /** The format's beginning has been written. */
  isBegun: boolean
  /** To be called after each record; a promise where there is something to wait for. */
  settle(): Promise<void> | undefined
}

export interface ExportOutputs {
  /** The output that the record goes to; undefined when it is not to be written, which was said before. */
  outputOf(topic: string, partition: number, record: PrintedRecord): ExportOutput | undefined | Promise<undefined>
  /** Nobody takes any more. */
  readonly isClosed: boolean
  /** All records were written: makes the outputs whole. `begin` is for outputs that are wanted although no record came. */
  finish(begin: (output: ExportOutput) => void): Promise<void>
  /** Something failed: leaves nothing half done. */
  abandon(): void
}

/** On a terminal, control characters are escaped unless `raw`. */
export function standardOutput(writer: OutputWriter, raw: boolean): ExportOutputs {
  const gate = gateFor(writer, raw)
  const isGated = writer.isTerminal && !raw
  const ungated = new GrowableBytes(0)
  const output: ExportOutput = {
    get buffer() {
      return isGated ? ungated : writer.buffer
    },
    isBegun: false,
    settle() {
      if (!isGated) return writer.settle()
      writer.buffer.append(gate(ungated.view()))
      ungated.clear()
      return writer.settle()
    },
  }
  return {
    outputOf: () => output,
    get isClosed() {
      return writer.readerClosed
    },
    async finish(begin) {
      if (!output.isBegun) begin(output)
      await output.settle()
    },
    abandon: () => undefined,
  }
}
