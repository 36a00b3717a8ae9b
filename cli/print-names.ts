/** What `topic ls` and `group ls` print: names, one a line, or with -J an object for each. */
import type { Io } from './io.js'

export async function printNames(
  names: readonly string[],
  json: boolean,
  describe: (name: string) => object | Promise<object>,
  io: Io,
): Promise<void> {
  for (const name of names) {
    let line = name
    try {
      if (json) line = JSON.stringify(await describe(name))
    } catch (error) {
      // One that is damaged, or was removed meanwhile: the others are listed.
      await io.failWith(error)
      continue
    }
    await io.output().writeLine(line)
  }
}
