// `npm run test:processes`: the built program in pipes, on terminals and in scripts, with signals, limits and neighbours. .ci/run calls it.
import all from './ava.config.mjs'

export const folders = ['pipes', 'processes', 'terminal', 'transcripts'].map((folder) => `dist/test-build/test/${folder}/**`)

export default { ...all, files: folders.map((folder) => `${folder}/*.test.js`) }
