#!/usr/bin/env node
// The `bin` of the package. It is committed, so that npm links it before the first build, and it only loads what the build made.
'use strict'
const bundle = require('node:path').join(__dirname, '..', 'dist', 'logq.cjs')
try {
  require(bundle)
} catch (error) {
  if (error === null || typeof error !== 'object' || error.code !== 'MODULE_NOT_FOUND' || require('node:fs').existsSync(bundle))
    throw error
  require('node:fs').writeSync(2, 'logq: not built: run npm ci\n')
  process.exitCode = 1
}
