/**
 * Reads what kafka's DumpLogSegments prints. It exits 0 whatever it finds: mismatches stand on stderr, bad batches in the middle of
 * stdout, and a batch that cannot be read at all just ends the dump of its file.
 */
import { isUtf8 } from 'node:buffer'

/**
 * Looks at the dump of all files of `partitions`, and compares it with what cat printed. `isKnownGap` says where
 * offsets may be missing. Returns what is wrong, and how many records were compared as a whole, and up to where their bytes begin.
 */
export function checkDump({ stdout, stderr }, partitions, printed, isKnownGap) {
  const findings = mismatches(stderr, isKnownGap)
  const compared = { whole: 0, begun: 0 }
  const dumps = divide(stdout)
  for (const { name, segments } of partitions) {
    const records = []
    for (const { log, index, timeIndex } of segments) {
      for (const file of [log, index, timeIndex]) if (!dumps.has(file)) findings.push(`${file}: not dumped`)
      const lines = dumps.get(log) ?? []
      findings.push(...lines.filter((line) => /invalid bytes|isvalid: false/.test(line)).map((line) => `${log}: ${line}`))
      if (!lines.some((line) => /^baseOffset: .* isvalid: true$/.test(line)) && segments.length > 1)
        findings.push(`${log}: no batch`)
      records.push(...lines.filter((line) => line.startsWith('| offset: ')))
    }
    findings.push(...compareRecords(name, records, printed.get(name) ?? [], compared))
  }
  return { findings, ...compared }
}

/** Findings about the run with --index-sanity-check. */
export function checkSanity({ stdout, stderr }, indexes) {
  const good = new Set([...stdout.matchAll(/^(.*) (?:passed sanity check|is empty)\.$/gm)].map((match) => match[1]))
  return [...indexes.filter((index) => !good.has(index)).map((index) => `${index}: did not pass`), ...mismatches(stderr)]
}

/**
 * What stands on stderr, but for two things. The tool counts from -1 in every file, so that the first record of each later segment is said
 * not to follow it. And where fsck has dropped damaged batches, offsets are missing.
 */
function mismatches(stderr, isKnownGap = () => false) {
  const findings = []
  let file = ''
  for (const line of stderr.split('\n').filter((text) => text !== '')) {
    const [, from, to] = /^ {2}(-?\d+) is followed by (\d+)$/.exec(line) ?? []
    if (line.startsWith('Non-consecutive offsets in ')) file = line.slice('Non-consecutive offsets in '.length)
    else if (from === undefined) findings.push(line)
    else if (from !== '-1' && !isKnownGap(file, Number(from), Number(to)))
      findings.push(`${file}: ${from} is followed by ${to}`)
  }
  return findings
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

/**
 * Where a key or value is text of one line the lines are compared as a whole. Otherwise the dump of a record is ambiguous, and what
 * stands before them is compared; Segments.java compares the bytes.
 */
function compareRecords(name, lines, printed, compared) {
  if (lines.length !== printed.length) return [`${name}: ${lines.length} records dumped, ${printed.length} printed by cat`]
  const findings = []
  for (const [n, line] of lines.entries()) {
    const { offset, timestamp, timestampType, key, value, headers } = JSON.parse(printed[n])
    const names = headers.map(([headerKey]) => Buffer.from(headerKey, 'base64').toString())
    const start =
      `| offset: ${offset} ${timestampType}: ${timestamp} keySize: ${sizeOf(key)} valueSize: ${sizeOf(value)}` +
      ` sequence: -1 headerKeys: [${names.join(',')}]`
    const isWhole = [key, value].every(isLine)
    compared[isWhole ? 'whole' : 'begun'] += 1
    const wanted = isWhole ? `${start}${text(' key: ', key)}${text(' payload: ', value)}` : start
    if (isWhole ? line !== wanted : !line.startsWith(wanted)) {
      findings.push(`${name}: '${line.slice(0, 300)}' instead of '${wanted.slice(0, 300)}'`)
    }
  }
  return findings
}

function isLine(base64) {
  if (base64 === null) return true
  const bytes = Buffer.from(base64, 'base64')
  return isUtf8(bytes) && !bytes.includes('\n')
}

function text(title, base64) {
  return base64 === null ? '' : `${title}${Buffer.from(base64, 'base64')}`
}

function sizeOf(base64) {
  return base64 === null ? -1 : Buffer.from(base64, 'base64').length
}
