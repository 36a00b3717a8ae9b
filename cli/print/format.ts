/** -F: the name of a format, or a %-template (any FORMAT that contains `%` or `\`). */
import { usageError } from '../errors.js'
import type { RecordSource, SourceInput } from '../input/record-source.js'
import { nearest } from '../suggest.js'
import { parseInputTemplate, type InputTemplate } from './input-template.js'
import { isTemplate, parseTemplate, type Template } from './template.js'

export type OutputFormat =
  | { readonly kind: 'value' }
  | { readonly kind: 'json' }
  | { readonly kind: 'tsv' }
  | { readonly kind: 'batch' }
  | { readonly kind: 'template'; readonly template: Template }

export type InputFormat =
  | { readonly kind: 'value' }
  | { readonly kind: 'json' }
  | { readonly kind: 'batch' }
  | { readonly kind: 'template'; readonly template: InputTemplate }
  /** What `import` reads; -F does not name it. */
  | { readonly kind: 'source'; readonly open: (source: SourceInput) => Promise<RecordSource> }

const outputNames = ['value', 'json', 'tsv', 'batch'] as const
const inputNames = ['value', 'json', 'batch'] as const

export function parseOutputFormat(text: string): OutputFormat {
  return isTemplate(text) ? { kind: 'template', template: parseTemplate(text) } : { kind: parseName(text, outputNames) }
}

export function parseInputFormat(text: string): InputFormat {
  return isTemplate(text) ? { kind: 'template', template: parseInputTemplate(text) } : { kind: parseName(text, inputNames) }
}

function parseName<Name extends string>(text: string, names: readonly Name[]): Name {
  const name = names.find((candidate) => candidate === text)
  if (name !== undefined) return name
  const suggestion = nearest(text, names)
  throw usageError(
    `there is no format '${text}'`,
    `${suggestion === undefined ? '' : `did you mean '${suggestion}'? `}the formats are ${names.join(', ')}, and templates such as '%k\\t%v\\n'`,
  )
}
