// `npm test`: the test build that .config/build.mjs --tests made. Suites named *.long.ts are run by .ci/run (npm run test:long).
export default {
  files: ['dist/test-build/test/**/*.test.js'],
  concurrency: 2,
  // Processes and not threads: tests count descriptors, and Node.js closes what a thread that ends left open, by number.
  workerThreads: false,
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
}
