import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import * as partitionNames from '../../lib/log/file-names.js'
import { KNOWN_GAPS_FILE } from '../../lib/log/known-gaps.js'
import * as storeNames from '../../lib/store/names.js'
import { projectRoot } from '../helpers/project.js'
import { readPage } from './text-examples.js'

const names = [...Object.values(partitionNames), ...Object.values(storeNames), KNOWN_GAPS_FILE].filter(
  (value) => typeof value === 'string',
)

test('every name on disk that the code knows is in store.md and in logq-format(5)', (t) => {
  const manual = readFileSync(join(projectRoot, 'man', 'logq-format.5'), 'utf8').replaceAll('\\-', '-')
  const page = readPage('store.md')
  t.true(names.length > 12)
  for (const name of names) {
    t.true(page.includes(name), `'${name}' is not in store.md`)
    t.true(manual.includes(name), `'${name}' is not in logq-format.5`)
  }
})
