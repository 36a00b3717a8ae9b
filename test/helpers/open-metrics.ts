/** Reads OpenMetrics text as strictly as its grammar is, as far as gauges go: for tests of what is written. */

export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["n\\\\])*"'
const sampleLine = new RegExp(`^(${NAME})(?:\\{((?:${LABEL})(?:,${LABEL})*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`)
const metadataLine = new RegExp(`^# (TYPE|UNIT|HELP) (${NAME}) (.*)$`)

/** Throws an Error that names the line. */
export function parseOpenMetrics(text: string): ParsedSample[] {
  if (!text.endsWith('\n# EOF\n')) throw new Error('the text does not end in # EOF')
  const samples: ParsedSample[] = []
  const families = new Map<string, Map<string, string>>()
  const seen = new Set<string>()
  let current: string | undefined
  for (const line of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')) {
    const [, kind, family, rest] = metadataLine.exec(line) ?? []
    if (kind !== undefined && family !== undefined && rest !== undefined) {
      const isNew = !families.has(family)
      const metadata = families.get(family) ?? new Map<string, string>()
      families.set(family, metadata)
      if (!isNew && family !== current) throw new Error(`a family is in two places: ${line}`)
      if (metadata.has(kind)) throw new Error(`said twice: ${line}`)
      if (samples.at(-1)?.name === family) throw new Error(`behind its samples: ${line}`)
      if (kind === 'UNIT' && !family.endsWith(`_${rest}`)) throw new Error(`the name does not end in the unit: ${line}`)
      metadata.set(kind, rest)
      current = family
      continue
    }
    const [, name, labels = '', value] = sampleLine.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`neither metadata nor a sample: ${line}`)
    if (name !== current || families.get(name)?.get('TYPE') !== 'gauge') throw new Error(`a sample of no family: ${line}`)
    const key = line.slice(0, line.lastIndexOf(' '))
    if (seen.has(key)) throw new Error(`a sample is there twice: ${line}`)
    seen.add(key)
    samples.push({ name, labels: parseLabels(labels), value: Number(value) })
  }
  return samples
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)]
  return Object.fromEntries(
    pairs.map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    ]),
  )
}
