/** Values of the driver: `<sequence>-<n>` and a padding that follows from it, so that a reader knows a damaged one by itself. */

/** What is stored for an id. */
export function valueOf(id: string): string {
  return `${id} ${'x'.repeat(paddingOf(id))}`
}

/** The id of a stored value, or undefined when it is not one that a producer of the driver sends. */
export function idOf(value: string): string | undefined {
  const space = value.indexOf(' ')
  if (space < 0) return undefined
  const id = value.slice(0, space)
  return placeOf(id) !== undefined && value === valueOf(id) ? id : undefined
}

/** The key that a value is sent with, where it has one: a few, so that each has many records. */
export function keyOf(id: string): string {
  return `k${id.length % 3}${id.charCodeAt(id.length - 1) % 4}`
}

/** The sequence that an id belongs to, and its number in it. */
export function placeOf(id: string): { readonly sequence: string; readonly n: number } | undefined {
  const dash = id.lastIndexOf('-')
  const number = id.slice(dash + 1)
  if (dash <= 0 || !/^(0|[1-9]\d*)$/.test(number)) return undefined
  return { sequence: id.slice(0, dash), n: Number(number) }
}

function paddingOf(id: string): number {
  let sum = 7
  for (let n = 0; n < id.length; n += 1) sum = (sum * 31 + id.charCodeAt(n)) % 1009
  return sum % 17 === 0 ? sum : sum % 61
}
