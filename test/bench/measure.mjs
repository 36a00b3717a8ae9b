/** Paired measurements: what is compared takes turns, so that a machine that slows down slows both. */

/**
 * Runs A B A B …, `pairs` times, after one turn each that does not count. The functions return a figure each (lower is better), or a
 * promise of it.
 */
export async function paired(pairs, logq, reference) {
  await logq()
  await reference()
  const figures = { logq: [], reference: [] }
  for (let pair = 0; pair < pairs; pair += 1) {
    figures.logq.push(await logq())
    figures.reference.push(await reference())
  }
  return figures
}

/**
 * One row of the result. `ratio` is that of the medians; its spread is that of the pairs. `difference` is made in the
 * same way, for goals that are one.
 */
export function row({ name, reference, unit, goal }, figures) {
  const ratios = figures.logq.map((figure, n) => figure / figures.reference[n])
  const differences = figures.logq.map((figure, n) => figure - figures.reference[n])
  const ratio = median(figures.logq) / median(figures.reference)
  return {
    name,
    reference,
    unit,
    goal,
    logq: summary(figures.logq),
    against: summary(figures.reference),
    ratio: { median: ratio, min: Math.min(...ratios), max: Math.max(...ratios) },
    difference: {
      median: median(figures.logq) - median(figures.reference),
      min: Math.min(...differences),
      max: Math.max(...differences),
    },
  }
}

export function summary(figures) {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures), runs: figures }
}

export function median(figures) {
  return quantile(figures, 0.5)
}

/** The figure below which a share of all figures lies. */
export function quantile(figures, share) {
  const sorted = figures.toSorted((a, b) => a - b)
  if (share === 0.5 && sorted.length % 2 === 0) return (sorted[sorted.length / 2 - 1] + sorted[sorted.length / 2]) / 2
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
