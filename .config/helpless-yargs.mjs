/**
 * Stands in the bundle for what yargs loads only to lay out help text, which logq prints by itself (cli/help.ts): cliui and
 * string-width. Loading them builds an Intl.Segmenter and an expression over all emoji: 28 ms of the 45 that yargs cost at every
 * start of logq. The module assert, whose two functions yargs uses for its own arguments, costs another 5 ms.
 */
export default function layOut() {
  throw new Error('yargs was asked for help text, which logq prints by itself')
}

export function strictEqual(actual, expected) {
  if (!Object.is(actual, expected)) throw new Error(`yargs: ${String(actual)} is not ${String(expected)}`)
}

export function notStrictEqual(actual, expected) {
  if (Object.is(actual, expected)) throw new Error(`yargs: unexpected ${String(actual)}`)
}
