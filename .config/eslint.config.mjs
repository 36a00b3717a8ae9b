/**
 * Lint rules: those that find defects. How code looks is prettier's business, and import layers are test/tidy.test.ts's.
 * Nothing is switched off by comment: a rule that is wrong for this project is changed here, with the reason.
 */
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import tseslint from 'typescript-eslint'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Plain JavaScript rules that TypeScript does not cover. */
const defects = {
  'array-callback-return': 'error',
  'constructor-super': 'error',
  'default-case-last': 'error',
  eqeqeq: 'error',
  'for-direction': 'error',
  'getter-return': 'error',
  'grouped-accessor-pairs': 'error',
  'no-async-promise-executor': 'error',
  'no-caller': 'error',
  'no-case-declarations': 'error',
  'no-compare-neg-zero': 'error',
  'no-cond-assign': 'error',
  'no-constant-binary-expression': 'error',
  'no-constructor-return': 'error',
  'no-debugger': 'error',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-empty': ['error', { allowEmptyCatch: false }],
  'no-empty-pattern': 'error',
  'no-eval': 'error',
  'no-ex-assign': 'error',
  'no-extend-native': 'error',
  'no-fallthrough': 'error',
  'no-global-assign': 'error',
  'no-inner-declarations': 'error',
  'no-loss-of-precision': 'error',
  'no-misleading-character-class': 'error',
  'no-new-wrappers': 'error',
  'no-prototype-builtins': 'error',
  'no-return-assign': ['error', 'except-parens'],
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sequences': 'error',
  'no-shadow-restricted-names': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unexpected-multiline': 'error',
  'no-unreachable-loop': ['error', { ignore: ['ForOfStatement', 'ForInStatement'] }], // `for … of` that takes the first is fine
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-unused-labels': 'error',
  'no-useless-backreference': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-useless-rename': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-object-has-own': 'error',
  radix: 'error',
  'require-yield': 'error',
  'use-isnan': 'error',
  'valid-typeof': 'error',
}

const typed = {
  '@typescript-eslint/consistent-type-exports': 'error',
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/no-import-type-side-effects': 'error',
  '@typescript-eslint/no-unnecessary-qualifier': 'error',
  '@typescript-eslint/no-useless-empty-export': 'error',
  '@typescript-eslint/require-array-sort-compare': ['error', { ignoreStringArrays: true }],
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: false },
  ],
  '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
  '@typescript-eslint/prefer-readonly': 'error',
  // Numbers in messages are the rule here, not an accident.
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: false }],
  '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
  // `for (;;)` and `while (true)` are how a log is read until its end.
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'always' }],
  // `void | Promise<void>` is what a callback that may wait returns.
  '@typescript-eslint/no-invalid-void-type': 'off',
  // A promise of nothing is a fine member of an interface whose other implementations wait.
  '@typescript-eslint/require-await': 'off',
}

/** What a process has of its own: below cli/ it is passed in (lib/system/system.ts), so that tests can replace it. */
const worldGlobals = [
  'process',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'console',
  'crypto',
  'fetch',
].map((name) => ({ name, message: 'below cli/ it is passed in: see lib/system/system.ts' }))

const worldModules = [
  'fs',
  'fs/promises',
  'child_process',
  'os',
  'process',
  'timers',
  'timers/promises',
  'worker_threads',
  'net',
  'tty',
  'perf_hooks',
]

const standardStreams = ['stdin', 'stdout', 'stderr'].map((property) => ({
  object: 'process',
  property,
  message: 'touching it sets O_NONBLOCK for every process that shares it: use lib/system/streams.ts',
}))

export default tseslint.config(
  {
    ignores: ['dist/', 'node_modules/', 'lib/record/kernel-wasm/', 'test/kernel/', 'test/fixtures/'],
  },
  {
    linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    rules: { ...defects, 'no-undef': 'off' },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: { ...defects, ...typed },
  },
  {
    // Shell scripts stand in strings there.
    files: ['test/**/*.ts'],
    rules: { 'no-template-curly-in-string': 'off' },
  },
  {
    files: ['lib/**/*.ts', 'cli/**/*.ts', 'cli/**/*.tsx'],
    rules: {
      'no-restricted-properties': [
        'error',
        ...standardStreams,
        { object: 'Math', property: 'random', message: 'use system.random' },
      ],
      'no-restricted-globals': [
        'error',
        { name: 'console', message: 'stdout is data, stderr is talk: use the io that is passed in' },
      ],
    },
  },
  {
    files: ['lib/**/*.ts'],
    ignores: ['lib/system/**'],
    rules: {
      'no-restricted-globals': ['error', ...worldGlobals],
      'no-restricted-syntax': [
        'error',
        ...[
          "NewExpression[callee.name='Date'][arguments.length=0]",
          "MemberExpression[object.name='Date'][property.name='now']",
        ].map((selector) => ({
          selector,
          message: 'the time is system.clock.nowMs(); new Date(ms) is only a way to write it',
        })),
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...worldModules
              .flatMap((name) => [name, `node:${name}`])
              .map((name) => ({
                name,
                message: 'below cli/ the world is passed in: see lib/system/system.ts',
              })),
            ...['crypto', 'node:crypto'].map((name) => ({
              name,
              importNames: [
                'randomBytes',
                'randomFill',
                'randomFillSync',
                'randomInt',
                'randomUUID',
                'getRandomValues',
                'webcrypto',
              ],
              message: 'use system.random',
            })),
          ],
        },
      ],
    },
  },
)
