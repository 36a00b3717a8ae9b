/** The result as text: a line when a case is done, and a table at the end. */

export function printRow(row) {
  process.stdout.write(`${row.name}: logq ${figure(row.logq, row.unit)}`)
  if (row.against !== undefined) process.stdout.write(`, ${row.reference} ${figure(row.against, row.unit)}`)
  process.stdout.write('\n')
}

export function printTable(rows) {
  const lines = [['work', 'reference', 'logq', 'reference', 'ratio', 'goal']]
  for (const row of rows) {
    const { name, reference, unit, goal, logq, against } = row
    lines.push([
      name,
      reference ?? '',
      figure(logq, unit),
      against === undefined ? '' : figure(against, unit),
      comparison(row),
      goal,
    ])
  }
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  process.stdout.write('\n')
  for (const line of lines)
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd()}\n`,
    )
}

/** The ratio, or the difference where that is what the goal is about. */
function comparison({ ratio, difference, goal, unit }) {
  if (goal.startsWith('<= it +')) return `+ ${figure(difference, unit)}`
  return ratio === undefined ? '' : figure(ratio, '').trimEnd()
}

/** Median, and in brackets the spread. */
function figure({ median, min, max }, unit) {
  const spread = min === max ? '' : ` (${short(min)}-${short(max)})`
  return `${short(median)}${spread} ${unit}`
}

function short(number) {
  if (Math.abs(number) >= 100) return number.toFixed(0)
  return number.toPrecision(3).replace(/\.?0+$/, '')
}
