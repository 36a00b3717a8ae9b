import test from 'ava'
import fc from 'fast-check'
import { fileNameOfKey } from '../../../cli/export/file-names.js'

test('names of keys', (t) => {
  const names: readonly (readonly [key: string | null, name: string])[] = [
    ['u1', 'u1'],
    ['a.b-c_D', 'a.b-c_D'],
    [null, '~null'],
    ['', '~empty'],
    ['~null', '%7Enull'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd'],
    ['-rf', '%2Drf'],
    ['a/b', 'a%2Fb'],
    ['a%2Fb', 'a%252Fb'],
    ['a b\n', 'a%20b%0A'],
    ['\0', '%00'],
    ['é', '%C3%A9'],
  ]
  for (const [key, name] of names) t.is(fileNameOfKey(key === null ? null : Buffer.from(key)), name)
})

test('every name is a plain one, and no two keys have the same', (t) => {
  const key = fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    fc.uint8Array({ minLength: 190, maxLength: 260 }),
    fc.string({ unit: fc.constantFrom('.', '/', '~', '%', '2', 'E', 'a'), maxLength: 5 }).map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(key, key, (a, b) => {
      t.regex(fileNameOfKey(a), /^[A-Za-z0-9_%~][A-Za-z0-9_.%~-]{0,199}$/)
      t.is(fileNameOfKey(a) === fileNameOfKey(b), Buffer.from(a).equals(b))
    }),
    { numRuns: 2000 },
  )
  const long = Buffer.alloc(1 << 20, 'x')
  t.not(fileNameOfKey(long), fileNameOfKey(Buffer.concat([long, long])))
})
