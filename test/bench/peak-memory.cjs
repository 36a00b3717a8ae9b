/**
 * Preloaded into a process that is measured (node --require): notes the most memory it ever had, in KiB, in the file that
 * BENCH_PEAK names: while it runs, since a signal ends some of them, and at its end.
 */
'use strict'
const { writeFileSync } = require('node:fs')

const path = process.env.BENCH_PEAK
if (path !== undefined) {
  const note = () => {
    writeFileSync(path, String(process.resourceUsage().maxRSS))
  }
  setInterval(note, 100).unref()
  process.on('exit', note)
}
