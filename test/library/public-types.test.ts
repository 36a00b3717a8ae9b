import test from 'ava'
import { readPublicTypes } from './public-types.js'

const types = readPublicTypes()

test('every type that a public declaration mentions is exported', (t) => {
  t.true(types.exported.has('Producer') && types.exported.has('readRecords'))
  t.deepEqual(types.hidden, [])
})

test('public declarations speak of Uint8Array and not of Buffer', (t) => {
  t.deepEqual(types.withBuffer, [])
})

test('every public function and method has a doc comment', (t) => {
  t.deepEqual(types.undocumented, [])
})
