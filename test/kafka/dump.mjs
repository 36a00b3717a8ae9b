/**
 * Reads what kafka's DumpLogSegments prints. It exits 0 whatever it finds: mismatches stand on stderr, bad batches in the middle of
 * stdout, and a batch that cannot be read at all just ends the dump of its file.
 */

/** Findings about the dump of all files of `topics`, compared with what cat printed; empty when nothing is wrong. */
export function checkDump({ stdout, stderr }, topics, printed) {
  const findings = [...mismatches(stderr)]
  const dumps = divide(stdout)
  for (const { name, segments } of topics) {
    const records = []
    for (const { log, index, timeIndex } of segments) {
      for (const file of [log, index, timeIndex]) if (!dumps.has(file)) findings.push(`${file}: not dumped`)
      const lines = dumps.get(log) ?? []
      findings.push(...lines.filter((line) => /invalid bytes|isvalid: false/.test(line)).map((line) => `${log}: ${line}`))
      if (!lines.some((line) => /^baseOffset: .* isvalid: true$/.test(line)) && segments.length > 1)
        findings.push(`${log}: no batch`)
      records.push(...lines.filter((line) => line.startsWith('| offset: ')))
    }
    findings.push(...compareRecords(name, records, printed.get(name) ?? []))
  }
  return findings
}

/** Findings about the run with --index-sanity-check. */
export function checkSanity({ stdout, stderr }, indexes) {
  const good = new Set([...stdout.matchAll(/^(.*) (?:passed sanity check|is empty)\.$/gm)].map((match) => match[1]))
  return [...indexes.filter((index) => !good.has(index)).map((index) => `${index}: did not pass`), ...mismatches(stderr)]
}

/** The tool of Kafka 4.3 counts from -1 in every file, so that the first record of each later segment is said not to follow it. */
function mismatches(stderr) {
  const lines = stderr.split('\n').filter((line) => line !== '')
  const real = lines.filter((line) => !/^ {2}-1 is followed by \d+$/.test(line))
  return real.filter((line, n) => !(line.startsWith('Non-consecutive offsets in ') && !/^ {2}\d/.test(real[n + 1] ?? '')))
}

/** The lines of the dump, by file. */
function divide(stdout) {
  const dumps = new Map()
  let lines = []
  for (const line of stdout.split('\n')) {
    const file = /^Dumping (.*)$/.exec(line)?.[1]
    if (file === undefined) lines.push(line)
    else dumps.set(file, (lines = []))
  }
  return dumps
}

/** Values may hold line ends, so only what stands before them is compared here: KafkaSegments.java compares the bytes. */
function compareRecords(name, lines, printed) {
  if (lines.length !== printed.length) return [`${name}: ${lines.length} records dumped, ${printed.length} printed by cat`]
  const findings = []
  for (const [n, line] of lines.entries()) {
    const { offset, timestamp, timestampType, key, value, headers } = JSON.parse(printed[n])
    const keys = headers.map(([headerKey]) => Buffer.from(headerKey, 'base64').toString())
    const wanted =
      `| offset: ${offset} ${timestampType}: ${timestamp} keySize: ${sizeOf(key)} valueSize: ${sizeOf(value)}` +
      ` sequence: -1 headerKeys: [${keys.join(',')}]`
    if (!line.startsWith(wanted)) findings.push(`${name}: '${line.slice(0, 200)}' instead of '${wanted}'`)
  }
  return findings
}

function sizeOf(base64) {
  return base64 === null ? -1 : Buffer.from(base64, 'base64').length
}
