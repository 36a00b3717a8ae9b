// `npm test`: everything but the suites that are little else than processes (ava.processes.config.mjs).
import all from './ava.config.mjs'
import { folders } from './ava.processes.config.mjs'

export default { ...all, files: [...all.files, ...folders.map((folder) => `!${folder}`)] }
