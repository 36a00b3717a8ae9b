/** Counts what held and what did not, and says so, one line each. */

let passed = 0
let failed = 0

export function check(title, isGood, detail = '') {
  if (isGood) passed += 1
  else failed += 1
  if (isGood) process.stdout.write(`ok      ${title}\n`)
  else process.stdout.write(`FAILED  ${title}\n${detail === '' ? '' : `${detail}\n`}`)
  return isGood
}

/** Compares two lists of lines; the first that differs is shown. */
export function checkSame(title, got = [], wanted = []) {
  const at = wanted.findIndex((line, n) => line !== got[n])
  const place = at === -1 && got.length > wanted.length ? wanted.length : at
  return check(
    title,
    place === -1,
    `at ${place} of ${wanted.length} (${got.length} there):\n  got    ${got[place]}\n  wanted ${wanted[place]}`,
  )
}

export function counts() {
  return { passed, failed }
}

/** Waits until `isSo` gives something true, and returns that; throws after `limitMs`, which is long, as the machine may be busy. */
export async function until(what, isSo, limitMs = 180_000) {
  const deadlineMs = Date.now() + limitMs
  for (;;) {
    const result = await isSo()
    if (result) return result
    if (Date.now() > deadlineMs) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
}
