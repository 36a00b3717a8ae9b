/**
 * Stands for the package string-width in the bundle (yargs measures its help text with it). Loading that package builds an
 * Intl.Segmenter and an expression over all emoji: 28 ms of the 45 that yargs cost at every start of logq. Printable ASCII is as
 * wide as it is long; for anything else the package itself is loaded and asked.
 */
let measured

export default function stringWidth(text, options) {
  if (/^[ -~]*$/.test(text)) return text.length
  measured ??= require('string-width').default
  return measured(text, options)
}
