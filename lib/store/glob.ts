/**
 * Globs: `*` any characters, `?` one, `[a-c]` and `[!a-c]` one of these or none of these, `{a,b*}` one of these globs. Anything else
 * stands for itself, brackets and braces that are not closed too, and braces without a comma.
 *
 * All ways to match are followed side by side, so that no glob takes longer than its length times that of the text.
 */

/** A place in the glob: where a match may go from here, with a character of the text or without one. */
interface Place {
  /** Whether a character leads to `next`. */
  readonly takes: Takes
  readonly next: number
  /** Places that are reached without a character. */
  readonly jumps: number[]
}

/** What a glob consists of: its characters, and what its sets in brackets take. */
type Token = string | Takes

type Takes = (character: string) => boolean

/** The test of a glob over whole texts. */
export function compileGlob(glob: string): (text: string) => boolean {
  const places = placesOf(tokensOf(Array.from(glob)))
  return (text) => matches(places, text)
}

function tokensOf(characters: readonly string[]): Token[] {
  const tokens: Token[] = []
  const lastEnd = characters.lastIndexOf(']')
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    const isNot = character === '[' && /^[!^]$/.test(characters[at + 1] ?? '')
    const from = at + (isNot ? 2 : 1)
    // A ] that comes first is one of the set.
    const end = character === '[' && from < lastEnd ? characters.indexOf(']', from + 1) : -1
    tokens.push(end < 0 ? character : setOf(characters.slice(from, end), isNot))
    if (end >= 0) at = end
  }
  return tokens
}

function setOf(characters: readonly string[], isNot: boolean): Takes {
  const ranges: (readonly [string, string])[] = []
  for (let at = 0; at < characters.length; at += 1) {
    const first = characters[at] ?? ''
    const last = characters[at + 1] === '-' ? characters[at + 2] : undefined
    ranges.push([first, last ?? first])
    if (last !== undefined) at += 2
  }
  return (character) => ranges.some(([first, last]) => first <= character && character <= last) !== isNot
}

function placesOf(tokens: readonly Token[]): readonly Place[] {
  const places: Place[] = []
  const isOfGroup = findGroups(tokens)
  const open: { begin: Place; ends: Place[] }[] = []
  const add = (next: number, takes: Takes = () => false): Place => {
    const place = { takes, next, jumps: [] }
    places.push(place)
    return place
  }
  for (const [at, token] of tokens.entries()) {
    const group = open.at(-1)
    if (token === '*') {
      if (tokens[at - 1] !== '*') add(places.length, () => true).jumps.push(places.length)
    } else if (token === '?') {
      add(places.length + 1, () => true)
    } else if (token === '{' && isOfGroup.has(at)) {
      const begin = add(-1)
      begin.jumps.push(places.length)
      open.push({ begin, ends: [] })
    } else if (token === ',' && isOfGroup.has(at)) {
      group?.ends.push(add(-1))
      group?.begin.jumps.push(places.length)
    } else if (token === '}' && isOfGroup.has(at)) {
      for (const { jumps } of group?.ends ?? []) jumps.push(places.length)
      open.pop()
    } else {
      add(places.length + 1, typeof token === 'string' ? (character) => character === token : token)
    }
  }
  return places
}

/** Where the braces and commas are that make groups: those of a closed pair with a comma between. */
function findGroups(tokens: readonly Token[]): Set<number> {
  const found = new Set<number>()
  const open: { at: number; commas: number[] }[] = []
  for (const [at, token] of tokens.entries()) {
    if (token === '{') open.push({ at, commas: [] })
    else if (token === ',') open.at(-1)?.commas.push(at)
    else if (token === '}') {
      const group = open.pop()
      if (group === undefined || group.commas.length === 0) continue
      for (const place of [group.at, ...group.commas, at]) found.add(place)
    }
  }
  return found
}

function matches(places: readonly Place[], text: string): boolean {
  /** By place: the step at which it was last reached. */
  const reachedAt = new Int32Array(places.length + 1).fill(-1)
  const reach = (starts: readonly number[], step: number): number[] => {
    const reached: number[] = []
    const enter = (place: number) => {
      if (reachedAt[place] === step) return
      reachedAt[place] = step
      reached.push(place)
    }
    starts.forEach(enter)
    for (let n = 0; n < reached.length; n += 1) places[reached[n] ?? 0]?.jumps.forEach(enter)
    return reached
  }
  let step = 0
  let now = reach([0], step)
  for (const character of text) {
    const taken = now.filter((place) => places[place]?.takes(character) === true)
    if (taken.length === 0) return false
    step += 1
    now = reach(
      taken.map((place) => places[place]?.next ?? 0),
      step,
    )
  }
  return reachedAt[places.length] === step
}
