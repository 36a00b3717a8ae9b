import test from 'ava'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { version } from '../../cli/version.js'
import { projectRoot } from '../helpers/project.js'

test('the version is that of package.json', (t) => {
  const packageJson = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as { version: string }
  t.is(version, packageJson.version)
})
