// `npm run test:long`: suites that take minutes or need the network (a package installed, a thousand kills). .ci/run runs them.
export default {
  files: ['dist/test-build/test/**/*.long.js'],
  concurrency: 2,
  // Processes and not threads: tests count descriptors, and Node.js closes what a thread that ends left open, by number.
  workerThreads: false,
  timeout: '20m',
  nodeArguments: ['--enable-source-maps'],
}
