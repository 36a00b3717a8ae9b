import test from 'ava'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { createFailpoints } from '../../lib/system/failpoints.js'

test('an empty list does nothing at any name', (t) => {
  for (const list of [undefined, '']) t.notThrows(() => createFailpoints(list)('append.after-write'))
})

test('throw:CODE throws a system error at the N-th passing, once', (t) => {
  const failpoint = createFailpoints('a.first=throw:ENOSPC,a.third=throw:EIO@3')
  t.throws(() => failpoint('a.first'), { code: 'ENOSPC', message: /a\.first/ })
  t.notThrows(() => failpoint('a.first'))
  failpoint('a.third')
  failpoint('a.third')
  t.throws(() => failpoint('a.third'), { code: 'EIO' })
  t.notThrows(() => failpoint('a.third'))
  t.notThrows(() => failpoint('other'))
})

test('sleep:MS blocks the thread that long', (t) => {
  const failpoint = createFailpoints('x=sleep:30')
  const startMs = performance.now()
  failpoint('x')
  t.true(performance.now() - startMs >= 29)
})

test('kill dies of SIGKILL before the next statement', (t) => {
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', programWith('kill@2')], { encoding: 'utf8' })
  t.is(result.signal, 'SIGKILL')
  t.is(result.stdout, 'before 1\nafter 1\nbefore 2\n')
})

test('stop halts the process until SIGCONT', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', programWith('stop@2')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  while (stateOf(child.pid) !== 'T') await delay(5)
  while (!output.endsWith('before 2\n')) await delay(5)
  child.kill('SIGCONT')
  await once(child, 'close')
  t.true(output.endsWith('after 2\n'))
})

test('what is not understood is a usage error that quotes it', (t) => {
  for (const list of [
    'x',
    'x=',
    'x=explode',
    'x=sleep',
    'x=sleep:soon',
    'x=kill:9',
    'x=throw:oops',
    'x=kill@0',
    '=kill',
    'x=kill,,y=kill',
  ]) {
    t.throws(() => createFailpoints(list), { code: 'LOGQ_USAGE' }, list)
  }
  t.throws(() => createFailpoints('x=kill,y=explode'), { message: "failpoint 'y=explode' is not understood" })
})

function programWith(action: string): string {
  const module = new URL('../../lib/system/failpoints.js', import.meta.url).href
  return `
    import fs from 'node:fs'
    import { createFailpoints } from ${JSON.stringify(module)}
    const failpoint = createFailpoints('here=${action}')
    for (const i of [1, 2]) {
      fs.writeSync(1, 'before ' + i + '\\n')
      failpoint('here')
      fs.writeSync(1, 'after ' + i + '\\n')
    }`
}

function stateOf(pid: number | undefined): string {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1')
  return text.charAt(text.lastIndexOf(')') + 2)
}
