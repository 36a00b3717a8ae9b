// `npm test`: the test build that .config/build.mjs --tests made. Suites named *.long.ts are run by .ci/run (npm run test:long).
export default {
  files: ['dist/test-build/test/**/*.test.js'],
  concurrency: 2,
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
}
