// `npm run test:long`: suites that take minutes or need the network (a package installed, a thousand kills). .ci/run runs them.
export default {
  files: ['dist/test-build/test/**/*.long.js'],
  concurrency: 2,
  timeout: '20m',
  nodeArguments: ['--enable-source-maps'],
}
