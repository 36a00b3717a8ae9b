#!/usr/bin/env node
/**
 * The `bin` of the package. It is committed, so that npm links it before the first build, and it only loads what the build made:
 * dist/logq.cjs, and beside it, where this very Node.js built it, what V8 compiled of it then (dist/logq.cjs.compiled, made by
 * .config/compile-ahead.cjs), which saves 20 ms at each start. A copy compiled by any other Node.js is not touched: V8 itself
 * compares too little to be asked.
 */
'use strict'
const fs = require('node:fs')
const { dirname, join } = require('node:path')

const bundlePath = join(__dirname, '..', 'dist', 'logq.cjs')
const compiledPath = `${bundlePath}.compiled`

if (require.main === module) start()
else module.exports = { bundlePath, compiledPath, identity, load }

function start() {
  const compiled = readCompiled()
  try {
    if (compiled === undefined) require(bundlePath)
    else load(compiled).run()
  } catch (error) {
    if (error === null || typeof error !== 'object' || error.code !== 'MODULE_NOT_FOUND' || fs.existsSync(bundlePath))
      throw error
    fs.writeSync(2, 'logq: not built: run npm ci\n')
    process.exitCode = 1
  }
}

/** The compiled code, when it is this bundle's and was made by this Node.js; its first line says whose it is. */
function readCompiled() {
  let content
  try {
    content = fs.readFileSync(compiledPath)
    const end = content.indexOf(10)
    return content.latin1Slice(0, end) === identity(content.length - end - 1) ? content.subarray(end + 1) : undefined
  } catch {
    return undefined
  }
}

/** Of the Node.js that runs, of the bundle as it is on disk, and of `compiledBytes` bytes of code compiled from it. */
function identity(compiledBytes) {
  const node = fs.statSync(process.execPath)
  const bundle = fs.statSync(bundlePath)
  const { version, arch, versions, execPath } = process
  return JSON.stringify([
    version,
    arch,
    versions.v8,
    execPath,
    node.size,
    node.mtimeMs,
    bundle.size,
    bundle.mtimeMs,
    compiledBytes,
  ])
}

/** The bundle as a script, and a function that runs it as `require` would. `compiled` may be undefined. */
function load(compiled) {
  const Module = require('node:module')
  const vm = require('node:vm')
  const script = new vm.Script(Module.wrap(fs.readFileSync(bundlePath, 'utf8')), {
    filename: bundlePath,
    cachedData: compiled,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  const run = () => {
    const loaded = new Module(bundlePath, module)
    loaded.filename = bundlePath
    loaded.paths = Module._nodeModulePaths(dirname(bundlePath))
    const require = Module.createRequire(bundlePath)
    script.runInThisContext().call(loaded.exports, loaded.exports, require, loaded, bundlePath, dirname(bundlePath))
  }
  return { script, run }
}
