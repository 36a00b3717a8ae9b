/**
 * Loads a package or a built-in module at its first use, synchronously, so that a run that does not need it does not pay for it.
 *
 * It works in ES module files and in the CommonJS bundle alike; the bundle's build defines `import.meta.url`. Each package still has
 * one home: the file that passes its name here.
 */

import { createRequire } from 'node:module'

let requireFromHere: NodeJS.Require | undefined

/** The module's exports, as `require` gives them. Throws what `require` throws (code `MODULE_NOT_FOUND` when it is not installed). */
export function loadPackage(name: string): unknown {
  requireFromHere ??= createRequire(import.meta.url)
  return requireFromHere(name)
}
