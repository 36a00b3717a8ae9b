export default {
  semi: false,
  singleQuote: true,
  printWidth: 128,
  trailingComma: 'all',
  overrides: [{ files: '*.md', options: { proseWrap: 'preserve' } }],
}
