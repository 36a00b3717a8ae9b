/**
 * Writes dist/logq.cjs.compiled: what V8 compiled of the bundle while it did the commonest things once, in a store of its own.
 * cli/logq.cjs uses it. Run by .config/build.mjs after each new bundle.
 *
 * V8 compiles a function when it is first called. So the functions that produce, cat and tail call are in it, and the rest are
 * compiled when they are needed, as ever.
 */
'use strict'
const fs = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { compiledPath, identity, load } = require('../cli/logq.cjs')

const temporary = fs.mkdtempSync(join(tmpdir(), 'logq-compile-'))
const input = join(temporary, 'input')
fs.writeFileSync(input, 'a\nb\n')
process.env.LOGQ_STORE = join(temporary, 'store')
const commands = [
  ['produce', 't', input],
  ['cat', 't'],
  ['tail', 't'],
]
const { script, run } = load(undefined)
const exit = process.exit.bind(process)

// The program ends with process.exit: here that begins the next command instead.
process.exit = (status) => {
  if (status !== 0) end(`'logq ${process.argv.slice(2).join(' ')}' ended with status ${status}`)
  process.removeAllListeners()
  setImmediate(next)
}
next()

function next() {
  const command = commands.shift()
  if (command === undefined) {
    end(write())
    return
  }
  process.argv.splice(2, Infinity, ...command)
  run()
}

/** By rename, and synced before: V8 does not check every byte of what it is given. */
function write() {
  const compiled = script.createCachedData()
  const path = `${compiledPath}.${process.pid}.tmp`
  const fd = fs.openSync(path, 'w')
  fs.writeSync(fd, Buffer.concat([Buffer.from(`${identity(compiled.length)}\n`, 'latin1'), compiled]))
  fs.fsyncSync(fd)
  fs.closeSync(fd)
  fs.renameSync(path, compiledPath)
}

function end(failure) {
  fs.rmSync(temporary, { recursive: true, force: true })
  if (failure !== undefined) process.stderr.write(`compile-ahead: ${failure}\n`)
  exit(failure === undefined ? 0 : 1)
}
