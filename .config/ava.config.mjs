// Every suite of the test build that .config/build.mjs --tests made, but those named *.long.ts (npm run test:long): for single suites.
export default {
  files: ['dist/test-build/test/**/*.test.js'],
  concurrency: 2,
  // Processes and not threads: tests count descriptors, and Node.js closes what a thread that ends left open, by number.
  workerThreads: false,
  timeout: '2m',
  nodeArguments: ['--enable-source-maps'],
}
