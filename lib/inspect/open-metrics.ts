/**
 * The text format of OpenMetrics, which Prometheus and the textfile collector of its node_exporter read: families of samples, each with a
 * help text, a type, and a unit that its name ends in. Bytes and seconds, as its rules want them, not KiB and ms.
 */
export interface MetricFamily {
  /** Ends in `_` and the unit, where there is one. */
  readonly name: string
  readonly help: string
  readonly unit?: 'bytes' | 'seconds' | 'records'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** All of them are gauges. Lines with their ends, the last one `# EOF`. */
export function* openMetricsLines(families: Iterable<MetricFamily>): Generator<string> {
  for (const { name, help, unit, samples } of families) {
    yield `# TYPE ${name} gauge\n`
    if (unit !== undefined) yield `# UNIT ${name} ${unit}\n`
    yield `# HELP ${name} ${escaped(help)}\n`
    for (const { labels, value } of samples) {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(String(text))}"`)
      yield `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`
    }
  }
  yield '# EOF\n'
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function escaped(text: string): string {
  return text.replaceAll(/[\\"\n]/g, (character) => escapes[character] ?? character)
}
