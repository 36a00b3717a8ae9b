/** Where the project and its fixtures are: tests run from dist/test-build, so a path relative to the source file would be wrong. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

/** The folder that holds package.json. */
export const projectRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)))

/** The committed `bin` stub, which loads the built bundle. */
export const stubPath: string = join(projectRoot, 'cli', 'logq.cjs')

/** The real inputs of test/fixtures/README.md by their uncompressed names. */
export const realInputs = ['apache_access.log', 'earthquakes.csv', 'nginx_status.ndjson'] as const

/** The bytes of a fixture; `name.gz` is decompressed when `name` itself is not there. */
export function fixture(name: string): Buffer {
  const path = join(projectRoot, 'test', 'fixtures', name)
  return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`))
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('no package.json above the tests')
  return findRoot(parent)
}
